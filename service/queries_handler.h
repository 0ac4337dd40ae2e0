/*
 * queries_handler: /api/spark/queries, /api/spark/queries/{id} and its results:
 * look at queries, cancel them, fetch kept rows.   [loop]
 */
#ifndef SERVICE_QUERIES_HANDLER_H
#define SERVICE_QUERIES_HANDLER_H

struct caller;
struct http_exchange;
struct service;

/* GET and HEAD: the list; DELETE: cancels by `tag`. */
void queries_handler_all(struct service *service, struct caller *caller,
                         struct http_exchange *exchange, const char *component);

/* GET and HEAD: one query; DELETE: cancels it. `component` starts with its id. */
void queries_handler_one(struct service *service, struct caller *caller,
                         struct http_exchange *exchange, const char *component);

/* GET and HEAD: its kept rows, all or `chunk`. */
void queries_handler_results(struct service *service, struct caller *caller,
                             struct http_exchange *exchange, const char *component);

#endif
