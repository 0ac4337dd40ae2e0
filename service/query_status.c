#include "query_status.h"

#include <string.h>

#include "byte_buffer.h"
#include "engine_facts.h"
#include "json_text.h"
#include "problem.h"
#include "query.h"
#include "result_spool.h"
#include "utf8.h"

static void append_key(struct byte_buffer *out, const char *key)
{
    byte_buffer_append_format(out, ",\"%s\":", key);
}

static void append_text(struct byte_buffer *out, const char *key, const char *text, size_t length)
{
    append_key(out, key);
    json_text_append_string(out, text, length);
}

/* Wall-clock times are told from the monotonic ones: a clock that is set in
 * between can't let a query end before it began. */
static void append_time(struct byte_buffer *out, const char *key, const struct query *query,
                        struct monotime when)
{
    char text[32];

    append_key(out, key);
    if (!monotime_is_set(when)) {
        byte_buffer_append_text(out, "null");
        return;
    }
    wall_time_format_ms(query->queued_at_us + monotime_span_us(query->received, when), text);
    json_text_append_string(out, text, strlen(text));
}

static void append_tags(struct byte_buffer *out, const struct query *query)
{
    append_key(out, "tags");
    byte_buffer_append_char(out, '[');
    for (size_t i = 0; i < query->request.tag_count; i++) {
        if (i > 0)
            byte_buffer_append_char(out, ',');
        json_text_append_string(out, query->request.tags[i], strlen(query->request.tags[i]));
    }
    byte_buffer_append_char(out, ']');
}

static void append_problem(struct byte_buffer *out, const struct query *query)
{
    append_key(out, "error");
    if (query->problem.code == ERROR_NONE)
        byte_buffer_append_text(out, "null");
    else
        problem_append(out, &query->problem, NULL, query->id, -1);
}

static void append_progress(struct byte_buffer *out, const struct query *query,
                            struct engine_facts *facts)
{
    struct spark_progress progress;

    append_key(out, "progress");
    if (query->state != QUERY_RUNNING || !engine_facts_progress(facts, query->tag, &progress)) {
        byte_buffer_append_text(out, "null");
        return;
    }
    byte_buffer_append_format(
        out, "{\"stages_done\":%lld,\"stages\":%lld,\"tasks_done\":%lld,\"tasks\":%lld}",
        (long long)progress.stages_done, (long long)progress.stages, (long long)progress.tasks_done,
        (long long)progress.tasks);
}

static void append_results(struct byte_buffer *out, const struct query *query)
{
    bool is_over = query_state_is_over(query->state); /* before, `kept` is the worker's */

    if (query->promised && (!is_over || query->kept != NULL))
        byte_buffer_append_format(out, ",\"results\":\"" QUERIES_PATH "/%s/results\"", query->id);
    else
        byte_buffer_append_text(out, ",\"results\":null");
    if (is_over && query->kept != NULL)
        byte_buffer_append_format(out, ",\"chunks\":%zu", result_spool_look(query->kept).chunks);
    else
        byte_buffer_append_text(out, ",\"chunks\":null");
}

void query_status_append(struct byte_buffer *out, const struct query *query,
                         struct engine_facts *facts)
{
    const char *source = query_source_name(query->request.source);
    const char *state = query_state_name(query->state);
    const char *sql = query->request.sql;

    byte_buffer_append_format(out, "{\"query_id\":\"%s\"", query->id);
    append_text(out, "state", state, strlen(state));
    append_text(out, "source", source, strlen(source));
    append_text(out, "sql", sql, utf8_cut(sql, strlen(sql), QUERY_SQL_SHOWN_BYTES));
    append_tags(out, query);
    append_time(out, "queued_at", query, query->received);
    append_time(out, "started_at", query, query->started);
    append_time(out, "ended_at", query, query->ended);
    byte_buffer_append_format(out, ",\"rows\":%lld,\"bytes\":%lld",
                              atomic_load_explicit(&query->rows_so_far, memory_order_relaxed),
                              atomic_load_explicit(&query->bytes_so_far, memory_order_relaxed));
    append_progress(out, query, facts);
    append_results(out, query);
    append_problem(out, query);
    byte_buffer_append_char(out, '}');
}
