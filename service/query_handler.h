/*
 * query_handler: POST /api/spark/query/{source} and .../explain/{source}, from the bytes to `queries`.   [loop]
 */
#ifndef SERVICE_QUERY_HANDLER_H
#define SERVICE_QUERY_HANDLER_H

#include "query_request.h"

struct http_exchange;
struct service;

void query_handler_run(struct service *service, struct http_exchange *exchange,
                       enum query_source source);

/* The same request, but its plan is the answer. */
void query_handler_explain(struct service *service, struct http_exchange *exchange,
                           enum query_source source);

#endif
