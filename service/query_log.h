/*
 * query_log: the one log line of each query.   [loop]
 *
 * A query that was answered whole is logged when its last byte went to the
 * kernel, with overhead_us = last byte of the request to last byte of the
 * answer, less the time inside the engine's calls.
 */
#ifndef SERVICE_QUERY_LOG_H
#define SERVICE_QUERY_LOG_H

#include "error.h"

struct delivery;
struct http_exchange;
struct query;

/* Logs once the answer that is about to be given is sent. */
void query_log_when_sent(struct http_exchange *exchange, const struct query *query,
                         const struct delivery *delivery);

/* Logs now: its rows are kept for who comes back. */
void query_log_kept(const struct query *query);

/* Logs now. */
void query_log_ended(const struct query *query, const struct error *err);

#endif
