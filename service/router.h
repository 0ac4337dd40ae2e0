/*
 * router: route table -> handler. Answers what needs no handler: unknown route
 * (404), wrong method (405 + Allow), no valid token (401), its scope (403) and rate
 * (429), wrong media type (415, 406), all before the body is read.   [loop]
 */
#ifndef SERVICE_ROUTER_H
#define SERVICE_ROUTER_H

#include <stdbool.h>

struct http_exchange;
struct service;

/* Two callbacks of http_server; `user` is the struct service. */
void router_on_headers(struct http_exchange *exchange, void *user);
void router_on_request(struct http_exchange *exchange, void *user);

/* Routes have numbers from 0; HTTP_NO_ROUTE is "none", with no methods. The name
 * is the pattern, "*" for a component of the caller's; static storage. */
int router_route_count(void);
const char *router_route_name(int route);
unsigned router_route_methods(int route); /* enum http_method bits */

/* What a token needs for that route and method: enum caller_scope. Of one that isn't open. */
unsigned router_route_scope(int route, unsigned method);
bool router_route_is_open(int route);

#endif
