/*
 * query_reply: what the answer to a query looks like on the wire: its headers,
 * trailers and problems.   [loop]
 */
#ifndef SERVICE_QUERY_REPLY_H
#define SERVICE_QUERY_REPLY_H

#include <stddef.h>

#include "error.h"

struct cached_answer;
struct delivery;
struct engine_facts;
struct http_exchange;
struct query;
struct shared_bytes;

/* A short answer: headers say how it went. Takes `body`. */
void query_reply_whole(struct http_exchange *exchange, const struct query *query,
                       const struct delivery *delivery, char *body, size_t length);

/* The same, of a body that others hold as well. */
void query_reply_shared(struct http_exchange *exchange, const struct query *query,
                        const struct delivery *delivery, struct shared_bytes *body);

/* An answer out of the result cache, under an id of its own. */
void query_reply_cached(struct http_exchange *exchange, const char *query_id,
                        const struct cached_answer *answer);

/* The same of a long one: its status line and headers; and, once its bytes are out, its
 * trailers. */
void query_reply_cached_begin(struct http_exchange *exchange, const char *query_id,
                              const struct cached_answer *answer);
void query_reply_cached_end(struct http_exchange *exchange, const struct cached_answer *answer);

/* A long answer: the status line and headers; the rest is told by trailers. */
void query_reply_begin(struct http_exchange *exchange, const struct query *query,
                       const struct delivery *delivery);

/* Last bytes (taken) and the trailers. */
void query_reply_end(struct http_exchange *exchange, const struct query *query,
                     const struct delivery *delivery, char *bytes, size_t length);

/* 202: where the query is to be asked for, and how it is now. Its progress is in
 * `facts`, or unknown (NULL). */
void query_reply_accepted(struct http_exchange *exchange, const struct query *query,
                          struct engine_facts *facts);

/* A query that failed amid its long answer: breaks the stream off. NDJSON with
 * an end line says why in it first. */
void query_reply_break_off(struct http_exchange *exchange, const struct query *query,
                           const struct delivery *delivery, const struct error *err);

/* A failed query. */
void query_reply_problem(struct http_exchange *exchange, const struct query *query,
                         const struct error *err);

/* A request that never became a query. */
void query_reply_refusal(struct http_exchange *exchange, const struct error *err);

#endif
