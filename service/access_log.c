#include "access_log.h"

#include "http_metrics.h"
#include "http_record.h"
#include "http_reply.h"
#include "log.h"
#include "router.h"
#include "service.h"

#define FIELDS_MAX 14
#define STATUS_UNAUTHENTICATED 401

void access_log_begin(struct http_exchange *exchange, int route)
{
    struct http_record *record = http_exchange_record(exchange);
    const char *traceparent = http_exchange_header(exchange, "traceparent");

    record->route = route;
    if (traceparent == NULL || http_exchange_header_count(exchange, "traceparent") > 1 ||
        !trace_context_parse(traceparent, &record->trace))
        trace_context_begin(&record->trace);
}

static void write_line(const struct http_record *record)
{
    struct log_field fields[FIELDS_MAX] = {
        LOG_TEXT("method", http_method_name(record->method)),
        LOG_TEXT("route", router_route_name(record->route)),
        LOG_NUMBER("status", record->status),
        LOG_NUMBER("bytes", record->bytes),
        LOG_NUMBER("duration_us", monotime_span_us(record->begin, record->end)),
        LOG_TEXT("client", record->client),
    };
    size_t count = 6;

    if (!record->whole)
        fields[count++] = LOG_TEXT("whole", "false");
    if (record->from_cache)
        fields[count++] = LOG_TEXT("cache", "hit");
    if (record->query_id[0] != '\0')
        fields[count++] = LOG_TEXT("query_id", record->query_id);
    if (record->caller[0] != '\0') {
        fields[count++] = LOG_TEXT("caller", record->caller);
        fields[count++] = LOG_TEXT("token_id", record->token_id);
    }
    if (record->trace.trace_id[0] != '\0')
        fields[count++] = LOG_TEXT("trace_id", record->trace.trace_id);
    if (record->trace.parent_id[0] != '\0')
        fields[count++] = LOG_TEXT("parent_id", record->trace.parent_id);
    log_write(LOG_INFO, "request", fields);
}

void access_log_end(const struct http_record *record, void *user)
{
    const struct service *service = user;

    http_metrics_count(record->route, record->method, record->status);
    /* Those without a valid token are told by caller_refusals. */
    if (service->settings.access_log && record->status != STATUS_UNAUTHENTICATED)
        write_line(record);
}
