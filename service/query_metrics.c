#include "query_metrics.h"

#include <string.h>

#include "deadline.h"
#include "query.h"

static enum metric in_flight_of(const struct query *query)
{
    static const enum metric METRICS[QUERY_SOURCE_COUNT] = {
        [QUERY_MYSQL] = METRIC_IN_FLIGHT_MYSQL,
        [QUERY_PARQUET] = METRIC_IN_FLIGHT_PARQUET,
        [QUERY_DELTA] = METRIC_IN_FLIGHT_DELTA,
        [QUERY_ICEBERG] = METRIC_IN_FLIGHT_ICEBERG,
    };

    return METRICS[query->request.source];
}

/* The histograms of one source and engine follow each other in this order. */
static enum metric_histogram duration_of(const struct query *query)
{
    static const enum metric_histogram FIRST[QUERY_SOURCE_COUNT] = {
        [QUERY_MYSQL] = HISTOGRAM_DURATION_MYSQL_SPARK_SUCCEEDED,
        [QUERY_PARQUET] = HISTOGRAM_DURATION_PARQUET_SUCCEEDED,
        [QUERY_DELTA] = HISTOGRAM_DURATION_DELTA_SUCCEEDED,
        [QUERY_ICEBERG] = HISTOGRAM_DURATION_ICEBERG_SUCCEEDED,
    };
    enum metric_histogram first = FIRST[query->request.source];

    if (query_request_is_direct(&query->request))
        first = HISTOGRAM_DURATION_MYSQL_DIRECT_SUCCEEDED;
    switch (query->state) {
    case QUERY_SUCCEEDED:
        return first;
    case QUERY_CANCELLED:
        return first + 2;
    case QUERY_TIMED_OUT:
        return first + 3;
    default:
        return first + 1;
    }
}

void query_metrics_admitted(const struct query *query)
{
    metrics_add(in_flight_of(query), 1);
}

void query_metrics_refused(enum error_code code)
{
    switch (code) {
    case ERROR_STARTING:
        metrics_add(METRIC_REFUSED_STARTING, 1);
        break;
    case ERROR_DRAINING:
        metrics_add(METRIC_REFUSED_DRAINING, 1);
        break;
    case ERROR_QUEUE_FULL:
        metrics_add(METRIC_REFUSED_QUEUE_FULL, 1);
        break;
    case ERROR_QUEUE_TIMEOUT:
        metrics_add(METRIC_REFUSED_QUEUE_TIMEOUT, 1);
        break;
    case ERROR_CONFLICT:
        metrics_add(METRIC_REFUSED_CONFLICT, 1);
        break;
    default:
        metrics_add(METRIC_REFUSED_OTHER, 1);
        break;
    }
}

void query_metrics_started(const struct query *query)
{
    metrics_observe_us(HISTOGRAM_QUEUE_WAIT_SMALL + (enum metric_histogram)query->guess.size,
                       query->timing.queue_us);
}

void query_metrics_cancelled(enum metric reason)
{
    metrics_add(reason, 1);
}

void query_metrics_fetched(int64_t rows, int64_t bytes)
{
    metrics_add(METRIC_RESULT_ROWS, rows);
    metrics_add(METRIC_RESULT_BYTES, bytes);
}

/* The bridge names the limit in the error's class. */
static void count_limit(const char *error_class)
{
    static const struct {
        const char *name;
        enum metric metric;
    } LIMITS[] = {
        {"LIMIT_EXCEEDED.DEPTH", METRIC_LIMIT_DEPTH},
        {"LIMIT_EXCEEDED.NODES", METRIC_LIMIT_NODES},
        {"LIMIT_EXCEEDED.IN_ITEMS", METRIC_LIMIT_IN_ITEMS},
        {"LIMIT_EXCEEDED.VALUE_BYTES", METRIC_LIMIT_VALUE_BYTES},
        {"LIMIT_EXCEEDED.RESULT_ROWS", METRIC_LIMIT_RESULT_ROWS},
        {"LIMIT_EXCEEDED.PATTERN", METRIC_LIMIT_PATTERN},
        {"LIMIT_EXCEEDED.MEMORY", METRIC_LIMIT_MEMORY},
    };

    for (size_t i = 0; i < sizeof(LIMITS) / sizeof(LIMITS[0]); i++)
        if (strcmp(error_class, LIMITS[i].name) == 0)
            metrics_add(LIMITS[i].metric, 1);
}

static void count_failure(const struct error *err)
{
    if (err->code == ERROR_FORBIDDEN)
        metrics_add(METRIC_FENCED, 1);
    else if (err->code == ERROR_SQL_ERROR)
        count_limit(err->error_class);
}

void query_metrics_ended(const struct query *query)
{
    struct monotime now = monotime_now();

    count_failure(&query->problem);
    metrics_add(in_flight_of(query), -1);
    metrics_observe_us(duration_of(query), monotime_span_us(query->received, now));
    if (monotime_is_set(query->cancel_began))
        metrics_observe_us(HISTOGRAM_CANCEL_LATENCY,
                           monotime_span_us(query->cancel_began, query->ended));
    if (query->kept != NULL)
        return; /* counted as they are fetched */
    metrics_add(METRIC_RESULT_ROWS, query->outcome.rows);
    metrics_add(METRIC_RESULT_BYTES, query->outcome.bytes);
    if (query->outcome.truncated)
        metrics_add(METRIC_RESULTS_TRUNCATED, 1);
}
