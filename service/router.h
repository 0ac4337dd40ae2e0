/*
 * router: route table -> handler. Answers what needs no handler: unknown route
 * (404), wrong method (405 + Allow), wrong media type (415, 406), all before
 * the body is read.   [loop]
 */
#ifndef SERVICE_ROUTER_H
#define SERVICE_ROUTER_H

struct http_exchange;
struct service;

/* The two callbacks of http_server; `user` is the struct service. */
void router_on_headers(struct http_exchange *exchange, void *user);
void router_on_request(struct http_exchange *exchange, void *user);

#endif
