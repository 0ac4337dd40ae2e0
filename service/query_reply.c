#include "query_reply.h"

#include <stdio.h>
#include <stdlib.h>

#include "byte_buffer.h"
#include "content_coding.h"
#include "delivery.h"
#include "http_reply.h"
#include "problem.h"
#include "query.h"
#include "query_cache.h"
#include "query_status.h"

#define TIMING_BYTES 160
#define HEADERS_MAX 12
/* Seconds; a refused client should come back after the typical small query. */
#define RETRY_AFTER_S 1
#define RETRY_AFTER_STARTING_S 5
#define TRAILER_NAMES "Server-Timing, Result-Truncated"
#define CACHED_STATUS "spark-service; hit"
#define CACHED_TIMING "queue;dur=0, plan;dur=0, run;dur=0, write;dur=0"

/* Server-Timing (W3C): milliseconds. */
static void format_timing(const struct query *query, const struct delivery *delivery,
                          char ret_text[TIMING_BYTES])
{
    const struct query_timing *timing = &query->timing;

    snprintf(ret_text, TIMING_BYTES, "queue;dur=%.3f, plan;dur=%.3f, run;dur=%.3f, write;dur=%.3f",
             (double)timing->queue_us / 1000.0, (double)timing->plan_us / 1000.0,
             (double)timing->run_us / 1000.0, (double)delivery->tally.write_us / 1000.0);
}

/* The headers of every answer with rows. */
static size_t row_headers(const char *query_id, const char *engine, const char *cache_status,
                          enum content_coding coding, struct http_header ret_headers[HEADERS_MAX])
{
    size_t count = 0;

    ret_headers[count++] = (struct http_header){"Query-Id", query_id};
    ret_headers[count++] = (struct http_header){"Query-Engine", engine};
    ret_headers[count++] = (struct http_header){"Cache-Status", cache_status};
    ret_headers[count++] = (struct http_header){"Vary", "Accept, Accept-Encoding"};
    if (coding != CODING_IDENTITY)
        ret_headers[count++] =
            (struct http_header){"Content-Encoding", content_coding_name(coding)};
    return count;
}

/* `cache_status` is what the headers point at. */
static size_t common_headers(const struct query *query, const struct delivery *delivery,
                             enum content_coding coding, char cache_status[CACHE_STATUS_BYTES],
                             struct http_header ret_headers[HEADERS_MAX])
{
    const char *reason = query_request_engine_reason(&query->request);
    size_t count = 0;

    query_cache_status(query, delivery, cache_status);
    count = row_headers(query->id, query_engine_name(query), cache_status, coding, ret_headers);
    if (reason != NULL)
        ret_headers[count++] = (struct http_header){"Query-Engine-Reason", reason};
    return count;
}

/* Adds the tag to a GET's answer. True: the client has this very body already. */
static bool add_tag(const struct http_exchange *exchange, const struct entity_tag *tag,
                    struct http_header *headers, size_t *count)
{
    struct byte_buffer field = {0};
    bool has_it = false;

    if (http_exchange_request(exchange)->method != METHOD_GET || tag->text[0] == '\0')
        return false;
    headers[(*count)++] = (struct http_header){"ETag", tag->text};
    headers[(*count)++] = (struct http_header){"Cache-Control", "private, no-cache"};
    if (http_exchange_join_header(exchange, "If-None-Match", &field) && !field.failed)
        has_it = entity_tag_is_named(tag, field.data);
    byte_buffer_done(&field);
    return has_it;
}

void query_reply_cached(struct http_exchange *exchange, const char *query_id,
                        const struct cached_answer *answer)
{
    struct http_header headers[HEADERS_MAX];
    size_t count = row_headers(query_id, "spark", CACHED_STATUS, answer->coding, headers);

    if (add_tag(exchange, &answer->tag, headers, &count)) {
        http_reply_send(exchange, 304, NULL, headers, count, NULL, 0);
        return;
    }
    headers[count++] = (struct http_header){"Server-Timing", CACHED_TIMING};
    headers[count++] =
        (struct http_header){"Result-Truncated", answer->truncated ? "true" : "false"};
    http_reply_send_shared(exchange, 200, answer->content_type, headers, count, answer->body);
}

void query_reply_cached_begin(struct http_exchange *exchange, const char *query_id,
                              const struct cached_answer *answer)
{
    struct http_header headers[HEADERS_MAX];
    size_t count = row_headers(query_id, "spark", CACHED_STATUS, answer->coding, headers);

    http_reply_begin(exchange, 200, answer->content_type, headers, count, TRAILER_NAMES);
}

void query_reply_cached_end(struct http_exchange *exchange, const struct cached_answer *answer)
{
    const struct http_header trailers[] = {
        {"Server-Timing", CACHED_TIMING},
        {"Result-Truncated", answer->truncated ? "true" : "false"},
    };

    http_reply_end(exchange, trailers, sizeof(trailers) / sizeof(trailers[0]));
}

/* The wait that an answer with rows kept to; respond-async it wasn't. */
static void add_preference(const struct query *query, char ret_text[PREFER_APPLIED_BYTES],
                           struct http_header *headers, size_t *count)
{
    struct prefer applied = query->request.prefer;

    applied.respond_async = false;
    if (!query->request.wait_preferred || query->promised || applied.wait_s < 0)
        return;
    prefer_format_applied(&applied, ret_text);
    headers[(*count)++] = (struct http_header){"Preference-Applied", ret_text};
}

/* HEAD: the query was planned, not run, so that nobody knows how long its rows
 * are. Takes `plan`, which isn't sent. */
static void send_head(struct http_exchange *exchange, const struct query *query,
                      const struct http_header *headers, size_t count, char *plan)
{
    free(plan);
    http_reply_begin(exchange, 200, result_choice_content_type(&query->request.answer), headers,
                     count, NULL);
    http_reply_end(exchange, NULL, 0);
}

/* The head of a short answer, and what its headers point at. */
struct whole_head {
    struct http_header headers[HEADERS_MAX];
    size_t count;
    char cache_status[CACHE_STATUS_BYTES];
    char timing[TIMING_BYTES];
    char preference[PREFER_APPLIED_BYTES];
};

/* False: it was a 304, and all is said. */
static bool begin_whole(struct http_exchange *exchange, const struct query *query,
                        const struct delivery *delivery, struct whole_head *head)
{
    head->count =
        common_headers(query, delivery, delivery->tally.coding, head->cache_status, head->headers);
    add_preference(query, head->preference, head->headers, &head->count);
    format_timing(query, delivery, head->timing);
    head->headers[head->count++] = (struct http_header){"Server-Timing", head->timing};
    if (query->request.heads)
        return true;
    if (add_tag(exchange, &delivery->tally.tag, head->headers, &head->count)) {
        http_reply_send(exchange, 304, NULL, head->headers, head->count, NULL, 0);
        return false;
    }
    head->headers[head->count++] =
        (struct http_header){"Result-Truncated", delivery->tally.truncated ? "true" : "false"};
    return true;
}

void query_reply_whole(struct http_exchange *exchange, const struct query *query,
                       const struct delivery *delivery, char *body, size_t length)
{
    const char *content_type = result_choice_content_type(&delivery->options.choice);
    struct whole_head head;

    if (!begin_whole(exchange, query, delivery, &head))
        free(body);
    else if (query->request.heads)
        send_head(exchange, query, head.headers, head.count, body);
    else
        http_reply_send_taken(exchange, 200, content_type, head.headers, head.count, body, length);
}

void query_reply_shared(struct http_exchange *exchange, const struct query *query,
                        const struct delivery *delivery, struct shared_bytes *body)
{
    const char *content_type = result_choice_content_type(&delivery->options.choice);
    struct whole_head head;

    if (begin_whole(exchange, query, delivery, &head))
        http_reply_send_shared(exchange, 200, content_type, head.headers, head.count, body);
}

void query_reply_begin(struct http_exchange *exchange, const struct query *query,
                       const struct delivery *delivery)
{
    struct http_header headers[HEADERS_MAX];
    char preference[PREFER_APPLIED_BYTES];
    char cache_status[CACHE_STATUS_BYTES];
    size_t count =
        common_headers(query, delivery, delivery->options.choice.coding, cache_status, headers);

    add_preference(query, preference, headers, &count);
    http_reply_begin(exchange, 200, result_choice_content_type(&delivery->options.choice), headers,
                     count, TRAILER_NAMES);
}

void query_reply_end(struct http_exchange *exchange, const struct query *query,
                     const struct delivery *delivery, char *bytes, size_t length)
{
    char timing[TIMING_BYTES];
    const struct http_header trailers[] = {
        {"Server-Timing", timing},
        {"Result-Truncated", delivery->tally.truncated ? "true" : "false"},
    };

    format_timing(query, delivery, timing);
    if (length > 0)
        http_reply_write_taken(exchange, bytes, length);
    else
        free(bytes);
    http_reply_end(exchange, trailers, sizeof(trailers) / sizeof(trailers[0]));
}

void query_reply_accepted(struct http_exchange *exchange, const struct query *query,
                          struct engine_facts *facts)
{
    struct byte_buffer body = {0};
    struct http_header headers[HEADERS_MAX];
    char location[sizeof(QUERIES_PATH) + QUERY_ID_BYTES];
    char applied[PREFER_APPLIED_BYTES];
    char retry_after[16];
    size_t count = 0;

    query_status_append(&body, query, facts);
    if (body.failed) {
        byte_buffer_done(&body);
        http_reply_abort(exchange);
        return;
    }
    snprintf(location, sizeof(location), QUERIES_PATH "/%s", query->id);
    snprintf(retry_after, sizeof(retry_after), "%d", RETRY_AFTER_S);
    headers[count++] = (struct http_header){"Query-Id", query->id};
    headers[count++] = (struct http_header){"Location", location};
    headers[count++] = (struct http_header){"Retry-After", retry_after};
    if (query->request.wait_preferred) {
        prefer_format_applied(&query->request.prefer, applied);
        headers[count++] = (struct http_header){"Preference-Applied", applied};
    }
    http_reply_send_taken(exchange, 202, "application/json", headers, count, body.data,
                          body.length);
}

/* A page ends behind a row, so a line of its own can follow any page. */
void query_reply_break_off(struct http_exchange *exchange, const struct query *query,
                           const struct delivery *delivery, const struct error *err)
{
    const struct result_choice *answer = &delivery->options.choice;
    struct byte_buffer line = {0};
    struct byte_buffer coded = {0};

    if (answer->end_line) {
        byte_buffer_append_text(&line, "[\"error\",");
        problem_append(&line, err, http_exchange_request(exchange)->path, query->id,
                       monotime_span_ms(query->received, monotime_now()));
        byte_buffer_append_text(&line, "]\n");
        content_coding_append_stored(answer->coding, line.data, line.length, &coded);
    }
    if (answer->end_line && !line.failed && !coded.failed) {
        http_reply_write_taken(exchange, coded.data, coded.length);
        http_reply_cut(exchange);
    } else {
        byte_buffer_done(&coded);
        http_reply_abort(exchange);
    }
    byte_buffer_done(&line);
}

static int retry_after_s(const struct error *err)
{
    if (err->retry_after_s > 0)
        return err->retry_after_s;
    if (err->code == ERROR_STARTING)
        return RETRY_AFTER_STARTING_S;
    if (err->code == ERROR_RATE_LIMITED) /* when a query of its ends; nobody knows when */
        return RETRY_AFTER_S;
    return error_status(err->code) == 503 ? RETRY_AFTER_S : 0;
}

void query_reply_problem(struct http_exchange *exchange, const struct query *query,
                         const struct error *err)
{
    http_reply_problem(exchange, err, query->id, monotime_span_ms(query->received, monotime_now()),
                       retry_after_s(err), NULL);
}

void query_reply_refusal(struct http_exchange *exchange, const struct error *err)
{
    const struct http_request *request = http_exchange_request(exchange);

    http_reply_problem(exchange, err, NULL, monotime_span_ms(request->body_end, monotime_now()),
                       retry_after_s(err), NULL);
}
