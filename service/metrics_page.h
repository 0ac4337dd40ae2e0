/*
 * metrics_page: GET /metrics. Asks every owner for what it knows, then writes
 * all families. Nothing is worked out between two scrapes.   [loop]
 */
#ifndef SERVICE_METRICS_PAGE_H
#define SERVICE_METRICS_PAGE_H

struct http_exchange;
struct service;

void metrics_page_answer(const struct service *service, struct http_exchange *exchange);

#endif
