#include "query_reply.h"

#include <stdio.h>
#include <stdlib.h>

#include "http_reply.h"
#include "query.h"

#define JSON_TYPE "application/json"
#define TIMING_BYTES 160
/* Seconds; a refused client should come back after the typical small query. */
#define RETRY_AFTER_S 1
#define RETRY_AFTER_STARTING_S 5

/* Server-Timing (W3C): milliseconds. */
static void format_timing(const struct query *query, char ret_text[TIMING_BYTES])
{
    const struct query_timing *timing = &query->timing;

    snprintf(ret_text, TIMING_BYTES, "queue;dur=%.3f, plan;dur=%.3f, run;dur=%.3f, write;dur=%.3f",
             (double)timing->queue_us / 1000.0, (double)timing->plan_us / 1000.0,
             (double)timing->run_us / 1000.0, (double)timing->write_us / 1000.0);
}

void query_reply_whole(struct http_exchange *exchange, const struct query *query, char *body,
                       size_t length)
{
    char timing[TIMING_BYTES];
    const struct http_header headers[] = {
        {"Query-Id", query->id},
        {"Query-Engine", query_engine_name(query)},
        {"Vary", "Accept"},
        {"Server-Timing", timing},
        {"Result-Truncated", query->outcome.truncated ? "true" : "false"},
    };

    format_timing(query, timing);
    http_reply_send_taken(exchange, 200, JSON_TYPE, headers, sizeof(headers) / sizeof(headers[0]),
                          body, length);
}

void query_reply_begin(struct http_exchange *exchange, const struct query *query)
{
    const struct http_header headers[] = {
        {"Query-Id", query->id},
        {"Query-Engine", query_engine_name(query)},
        {"Vary", "Accept"},
    };

    http_reply_begin(exchange, 200, JSON_TYPE, headers, sizeof(headers) / sizeof(headers[0]),
                     "Server-Timing, Result-Truncated");
}

void query_reply_end(struct http_exchange *exchange, const struct query *query, char *bytes,
                     size_t length)
{
    char timing[TIMING_BYTES];
    const struct http_header trailers[] = {
        {"Server-Timing", timing},
        {"Result-Truncated", query->outcome.truncated ? "true" : "false"},
    };

    format_timing(query, timing);
    if (length > 0)
        http_reply_write_taken(exchange, bytes, length);
    else
        free(bytes);
    http_reply_end(exchange, trailers, sizeof(trailers) / sizeof(trailers[0]));
}

static int retry_after_s(const struct error *err)
{
    if (err->code == ERROR_STARTING)
        return RETRY_AFTER_STARTING_S;
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
