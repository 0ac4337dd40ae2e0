/*
 * query_audit: one log line for each query, at its end or its refusal: who asked, from
 * which source, which statement (its SHA-256, never its text), how it ended. The line's
 * message is `audit`; AUDIT_LOG=0 turns it off. A request that never became a query
 * (no token, not JSON) has none.   [loop]
 */
#ifndef SERVICE_QUERY_AUDIT_H
#define SERVICE_QUERY_AUDIT_H

#include "error.h"

struct cached_answer;
struct caller;
struct http_exchange;
struct query;
struct query_request;

/* It is over, answer and run; before query_shed. */
void query_audit_ended(const struct query *query);

/* It was refused before it was a query. */
void query_audit_refused(const struct caller *caller, struct http_exchange *exchange,
                         const struct query_request *request, const struct error *err);

/* It was answered out of the cache: there was no query. */
void query_audit_kept(const struct caller *caller, struct http_exchange *exchange,
                      const struct query_request *request, const struct cached_answer *answer);

#endif
