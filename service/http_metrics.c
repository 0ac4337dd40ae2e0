#include "http_metrics.h"

#include <stdbool.h>
#include <stdint.h>

#include "http_record.h"
#include "http_reply.h"
#include "metrics.h"
#include "router.h"

#define METHODS 8 /* bits of enum http_method */

/* All that http_reply has a phrase for; anything else is counted in the last place. */
static const int STATUSES[] = {0,   200, 202, 204, 304, 400, 401, 403, 404, 405,
                               406, 408, 409, 410, 413, 414, 415, 417, 422, 429,
                               431, 500, 501, 502, 503, 504, 505, 507, -1};
#define STATUS_COUNT (sizeof(STATUSES) / sizeof(STATUSES[0]))

static uint64_t counts[HTTP_METRICS_ROUTES_MAX + 1][METHODS][STATUS_COUNT]; /* route 0: none */

static size_t status_index(int status)
{
    size_t i = 0;

    while (i < STATUS_COUNT - 1 && STATUSES[i] != status)
        i++;
    return i;
}

static size_t method_index(unsigned method)
{
    size_t i = 0;

    while (i < METHODS - 1 && (method >> i) > 1)
        i++;
    return i;
}

void http_metrics_count(int route, unsigned method, int status)
{
    counts[route + 1][method_index(method)][status_index(status)]++;
}

/* Statuses that are no surprise; their series are there from the start. */
static bool is_usual(unsigned method, int status)
{
    switch (method) {
    case METHOD_POST:
        return status == 0 || status == 200 || status == 202 || status == 400 || status == 403 ||
               status == 404 || status == 409 || status == 422 || status >= 500;
    case METHOD_DELETE:
        return status == 202 || status == 404 || status == 409;
    default:
        return status == 200 || status == 503;
    }
}

static void write_series(struct byte_buffer *out, int route, unsigned method, int status,
                         uint64_t count)
{
    byte_buffer_append_text(out, "spark_service_http_requests_total{route=");
    metrics_write_label_value(out, router_route_name(route));
    byte_buffer_append_format(out, ",method=\"%s\",code=", http_method_name(method));
    if (status > 0)
        byte_buffer_append_format(out, "\"%d\"", status);
    else
        metrics_write_label_value(out, status == 0 ? "none" : "other");
    byte_buffer_append_format(out, "} %llu\n", (unsigned long long)count);
}

static void write_route(struct byte_buffer *out, int route)
{
    for (size_t m = 0; m < METHODS; m++) {
        unsigned method = 1U << m;
        bool allowed = (router_route_methods(route) & method) != 0;

        for (size_t i = 0; i < STATUS_COUNT; i++) {
            uint64_t count = counts[route + 1][m][i];
            if (count > 0 || (allowed && is_usual(method, STATUSES[i])))
                write_series(out, route, method, STATUSES[i], count);
        }
    }
}

void http_metrics_write(struct byte_buffer *out)
{
    metrics_write_head(out, "spark_service_http_requests_total", "counter",
                       "Requests by route of the table, method and status; code=\"none\": the "
                       "client left unanswered.");
    for (int route = HTTP_NO_ROUTE; route < router_route_count(); route++)
        write_route(out, route);
}
