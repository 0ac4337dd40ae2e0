/*
 * query_handler: POST /api/spark/query/{source} and .../explain/{source}, from the bytes to `queries`.   [loop]
 */
#ifndef SERVICE_QUERY_HANDLER_H
#define SERVICE_QUERY_HANDLER_H

#include "query_request.h"

struct caller;
struct http_exchange;
struct service;

/* The form of an answer with rows that the request's headers ask for.
 * -1: ERROR_NOT_ACCEPTABLE. Needs no body. */
int query_handler_negotiate(const struct http_exchange *exchange, struct result_choice *ret_choice,
                            struct error *err);

void query_handler_run(struct service *service, struct caller *caller,
                       struct http_exchange *exchange, enum query_source source);

/* The same request, but its plan is the answer. */
void query_handler_explain(struct service *service, struct caller *caller,
                           struct http_exchange *exchange, enum query_source source);

#endif
