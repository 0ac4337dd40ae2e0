#include "result_json.h"

#include <stdlib.h>

#include "json_column.h"
#include "result_columns.h"
#include "result_envelope.h"
#include "result_writer_class.h"

#define END_LINE_BYTES_MAX 64

struct result_json {
    struct result_choice choice;
    struct result_column *columns;
    struct json_column root;
    struct byte_buffer head; /* of the envelope */
};

static void json_free(void *state)
{
    struct result_json *json = state;

    if (json == NULL)
        return;
    json_column_done(&json->root);
    result_columns_free(json->columns);
    byte_buffer_done(&json->head);
    free(json);
}

static int json_make(const struct ArrowSchema *schema, const struct result_options *options,
                     void **ret_state, struct error *err)
{
    const struct json_options json_options = {.numbers_as_strings = options->numbers_as_strings};
    struct result_json *json = calloc(1, sizeof(*json));

    if (json == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
    json->choice = options->choice;
    if (result_columns_new(schema, &json->columns, err) < 0) {
        json_free(json);
        return -1;
    }
    if (options->choice.format == RESULT_ENVELOPE)
        result_envelope_head(&json->head, options->query_id, schema, json->columns);
    if (json_column_init(&json->root, json->columns, &json_options) < 0 || json->head.failed) {
        json_free(json);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
    }
    *ret_state = json;
    return 0;
}

static void json_begin(void *state, struct byte_buffer *out)
{
    const struct result_json *json = state;

    if (json->choice.format == RESULT_ENVELOPE)
        byte_buffer_append(out, json->head.data, json->head.length);
    else if (json->choice.format == RESULT_JSON)
        byte_buffer_append_char(out, '[');
}

static int json_rows(void *state, const struct ArrowArray *batch, int64_t first_row,
                     int64_t row_count, bool is_first, struct byte_buffer *out, struct error *err)
{
    struct result_json *json = state;
    bool lines = json->choice.format == RESULT_NDJSON;

    if (result_columns_bind(json->columns, batch, err) < 0)
        return -1;
    for (int64_t row = first_row; row < first_row + row_count; row++) {
        if (!lines && !is_first)
            byte_buffer_append_char(out, ',');
        is_first = false;
        if (!json_column_write_struct(&json->root, row, out))
            return error_set(err, ERROR_ENGINE_ERROR, "result batch: row %lld is malformed",
                             (long long)row);
        if (lines)
            byte_buffer_append_char(out, '\n');
    }
    return 0;
}

static void json_end(void *state, const struct result_end *end, struct byte_buffer *out)
{
    const struct result_json *json = state;

    if (json->choice.format == RESULT_ENVELOPE)
        result_envelope_tail(out, end);
    else if (json->choice.format == RESULT_JSON)
        byte_buffer_append_char(out, ']');
    else if (json->choice.end_line)
        byte_buffer_append_format(out, "[\"end\",{\"rows\":%lld,\"truncated\":%s}]\n",
                                  (long long)end->rows, end->truncated ? "true" : "false");
}

static size_t json_end_bytes_max(const void *state)
{
    const struct result_json *json = state;

    if (json->choice.format == RESULT_ENVELOPE)
        return RESULT_ENVELOPE_TAIL_BYTES_MAX;
    if (json->choice.format == RESULT_JSON)
        return 1;
    return json->choice.end_line ? END_LINE_BYTES_MAX : 0;
}

const struct result_writer_class result_json_class = {
    .make = json_make,
    .free_state = json_free,
    .begin = json_begin,
    .rows = json_rows,
    .end = json_end,
    .end_bytes_max = json_end_bytes_max,
};
