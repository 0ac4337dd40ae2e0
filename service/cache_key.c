#include "cache_key.h"

#include <string.h>

static void append_number(struct byte_buffer *out, int64_t number)
{
    byte_buffer_append(out, &number, sizeof(number));
}

/* With its length in front, so that no two lists of texts look the same. */
static void append_text(struct byte_buffer *out, const char *text)
{
    append_number(out, text != NULL ? (int64_t)strlen(text) : -1);
    if (text != NULL)
        byte_buffer_append_text(out, text);
}

void cache_key_append(const struct query_request *request, struct byte_buffer *out)
{
    const struct query_as_of *as_of = &request->as_of;
    const struct result_choice *answer = &request->answer;

    append_number(out, request->source);
    append_text(out, request->sql);
    append_text(out, request->path);
    append_text(out, request->table);
    append_text(out, request->params_json);
    append_number(out, as_of->has_version);
    append_number(out, as_of->version);
    append_number(out, as_of->has_snapshot_id);
    append_number(out, as_of->snapshot_id);
    append_text(out, as_of->timestamp);
    append_number(out, request->row_limit);
    append_number(out, request->byte_limit);
    append_number(out, request->numbers_as_strings);
    append_number(out, answer->format);
    append_number(out, answer->end_line);
    append_number(out, answer->coding);
    append_number(out, answer->identity_refused);
}
