/*
 * http_metrics: spark_service_http_requests_total{route,method,code}.   [loop]
 *
 * All labels are from closed lists: the router's patterns, the methods we have a
 * name for, the statuses of the error table. What a route may well be asked is
 * there from the start; a method it refuses, only once somebody tried.
 */
#ifndef SERVICE_HTTP_METRICS_H
#define SERVICE_HTTP_METRICS_H

#include "byte_buffer.h"

#define HTTP_METRICS_ROUTES_MAX 64

/* `route` as router_route_name takes it; `status` 0: the client left unanswered. */
void http_metrics_count(int route, unsigned method, int status);

void http_metrics_write(struct byte_buffer *out);

#endif
