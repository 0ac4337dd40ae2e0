/*
 * metrics: what the service counts, and its text form for GET /metrics
 * (Prometheus text format 0.0.4).
 *
 * One line of a table is one series. Every series is there from the start, at
 * 0: a rate over a series that appears with its first event loses that event.
 * A label has a closed list of values, never one that a caller chose. Counters
 * are never reset. Lines of one name stand together; the first has the help.
 *
 * A gauge whose truth lives elsewhere (queue length, open connections) is not
 * kept here: metrics_page asks for it when it is scraped. Module state, like
 * log's: a counter needs no plumbing to reach.   [any], relaxed atomics
 */
#ifndef SERVICE_METRICS_H
#define SERVICE_METRICS_H

#include <stdint.h>

#include "byte_buffer.h"

/* COUNTER and GAUGE are whole numbers; GAUGE_MS is kept in milliseconds and told in seconds. */
enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_GAUGE_MS };

enum metric {
#define X(name, kind, text, labels, help) METRIC_##name,
#include "metrics_table.h"
    METRIC_COUNT
};

enum metric_histogram {
#define HISTOGRAM(name, text, labels, help) HISTOGRAM_##name,
#include "metrics_table.h"
    HISTOGRAM_COUNT
};

/* Adds to a counter, or moves a gauge up or down. */
void metrics_add(enum metric metric, int64_t by);

/* Sets a gauge. */
void metrics_set(enum metric metric, int64_t value);

int64_t metrics_get(enum metric metric);

/* One observed span, in microseconds; below 0 counts as 0. */
void metrics_observe_us(enum metric_histogram histogram, int64_t span_us);

/* How many were observed. */
uint64_t metrics_observed(enum metric_histogram histogram);

/* All tables as text. */
void metrics_write(struct byte_buffer *out);

/* HELP and TYPE of a family that is written elsewhere; and a label's value, escaped. */
void metrics_write_head(struct byte_buffer *out, const char *name, const char *type,
                        const char *help);
void metrics_write_label_value(struct byte_buffer *out, const char *value);

#endif
