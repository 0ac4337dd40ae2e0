#include "result_envelope.h"

#include <string.h>

#include "json_text.h"
#include "result_schema.h"

/* Longer ones aren't versions of ours. */
#define VERSION_BYTES_MAX 32
#define US_PER_MS 1000

static void append_text(struct byte_buffer *out, const char *text)
{
    json_text_append_string(out, text, strlen(text));
}

void result_envelope_head(struct byte_buffer *out, const char *query_id,
                          const struct ArrowSchema *schema, const struct result_column *root)
{
    byte_buffer_append_text(out, "{\"query_id\":");
    append_text(out, query_id != NULL ? query_id : "");
    byte_buffer_append_text(out, ",\"schema\":");
    result_schema_append(out, schema, root);
    byte_buffer_append_text(out, ",\"data\":[");
}

static void append_source(struct byte_buffer *out, const struct result_end *end)
{
    if (end->source_kind == NULL)
        return;
    byte_buffer_append_text(out, ",\"source\":{\"kind\":");
    append_text(out, end->source_kind);
    if (end->source_version != NULL && strlen(end->source_version) <= VERSION_BYTES_MAX) {
        byte_buffer_append_text(out, ",\"version\":");
        append_text(out, end->source_version);
    }
    if (end->engine != NULL) {
        byte_buffer_append_text(out, ",\"engine\":");
        append_text(out, end->engine);
        byte_buffer_append_text(out, ",\"engine_reason\":");
        append_text(out, end->engine_reason);
    }
    byte_buffer_append_char(out, '}');
}

static void append_stats(struct byte_buffer *out, const struct result_end *end)
{
    const struct {
        const char *name;
        int64_t value;
    } stats[] = {
        {"queue_ms", end->queue_us < 0 ? -1 : end->queue_us / US_PER_MS},
        {"plan_ms", end->plan_us < 0 ? -1 : end->plan_us / US_PER_MS},
        {"run_ms", end->run_us < 0 ? -1 : end->run_us / US_PER_MS},
        {"files_read", end->files_read},
        {"files_total", end->files_total},
        {"bytes_read", end->bytes_read},
    };
    bool is_first = true;

    byte_buffer_append_text(out, ",\"stats\":{");
    for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++) {
        if (stats[i].value < 0)
            continue;
        byte_buffer_append_format(out, "%s\"%s\":%lld", is_first ? "" : ",", stats[i].name,
                                  (long long)stats[i].value);
        is_first = false;
    }
    byte_buffer_append_char(out, '}');
}

void result_envelope_tail(struct byte_buffer *out, const struct result_end *end)
{
    byte_buffer_append_format(out, "],\"row_count\":%lld,\"truncated\":%s", (long long)end->rows,
                              end->truncated ? "true" : "false");
    append_source(out, end);
    append_stats(out, end);
    byte_buffer_append_char(out, '}');
}
