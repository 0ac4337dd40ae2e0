#include "explanation.h"

#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "result_columns.h"
#include "result_schema.h"

static void append_text(struct byte_buffer *out, const char *text)
{
    json_text_append_string(out, text, strlen(text));
}

static void append_count(struct byte_buffer *out, const char *name, int64_t count)
{
    if (count >= 0)
        byte_buffer_append_format(out, ",\"%s\":%lld", name, (long long)count);
}

static int append_schema(struct byte_buffer *out, const struct ArrowSchema *schema,
                         struct error *err)
{
    struct result_column *root = NULL;

    if (result_columns_new(schema, &root, err) != 0)
        return -1;
    byte_buffer_append_text(out, ",\"schema\":");
    result_schema_append(out, schema, root);
    result_columns_free(root);
    return 0;
}

static void append_source(struct byte_buffer *out, const struct explanation *explanation,
                          const char *kind)
{
    byte_buffer_append_text(out, ",\"source\":{\"kind\":");
    append_text(out, kind);
    if (explanation->has_source && explanation->source.version[0] != '\0') {
        byte_buffer_append_text(out, ",\"version\":");
        append_text(out, explanation->source.version);
    }
    byte_buffer_append_char(out, '}');
}

static void append_filters(struct byte_buffer *out, const struct explanation *explanation)
{
    const char *separator = "";

    byte_buffer_append_text(out, ",\"pushed_filters\":[");
    for (size_t i = 0; i < explanation->filter_count; i++) {
        if (explanation->filters[i].reason != NULL)
            continue;
        byte_buffer_append_text(out, separator);
        append_text(out, explanation->filters[i].text);
        separator = ",";
    }
    separator = "";
    byte_buffer_append_text(out, "],\"unpushed_filters\":[");
    for (size_t i = 0; i < explanation->filter_count; i++) {
        if (explanation->filters[i].reason == NULL)
            continue;
        byte_buffer_append_format(out, "%s{\"filter\":", separator);
        append_text(out, explanation->filters[i].text);
        byte_buffer_append_text(out, ",\"reason\":");
        append_text(out, explanation->filters[i].reason);
        byte_buffer_append_char(out, '}');
        separator = ",";
    }
    byte_buffer_append_char(out, ']');
}

int explanation_write(const struct explanation *explanation, const char *source_kind,
                      struct byte_buffer *out, struct error *err)
{
    byte_buffer_append_text(out, "{\"plan\":");
    if (explanation->plan != NULL)
        append_text(out, explanation->plan);
    else
        byte_buffer_append_text(out, "null");
    if (append_schema(out, &explanation->schema, err) != 0)
        return -1;
    append_source(out, explanation, source_kind);
    if (explanation->has_filters)
        append_filters(out, explanation);
    if (explanation->has_source) {
        append_count(out, "files_read", explanation->source.files_read);
        append_count(out, "files_total", explanation->source.files_total);
        append_count(out, "bytes_read", explanation->source.bytes_read);
        append_count(out, "bytes_total", explanation->source.bytes_total);
    }
    byte_buffer_append_char(out, '}');
    return out->failed ? error_set(err, ERROR_ENGINE_ERROR, "out of memory for a plan") : 0;
}

void explanation_done(struct explanation *explanation)
{
    for (size_t i = 0; explanation->filters != NULL && i < explanation->filter_count; i++) {
        free(explanation->filters[i].text);
        free(explanation->filters[i].reason);
    }
    free(explanation->filters);
    free(explanation->plan);
    if (explanation->schema.release != NULL)
        explanation->schema.release(&explanation->schema);
    memset(explanation, 0, sizeof(*explanation));
}
