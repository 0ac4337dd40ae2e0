#include "metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

struct series {
    enum metric_kind kind;
    const char *name;
    const char *labels;
    const char *help;
};

static const struct series SERIES[] = {
#define X(name, kind, text, labels, help) {METRIC_##kind, text, labels, help},
#include "metrics_table.h"
};

static const struct series HISTOGRAMS[] = {
#define HISTOGRAM(name, text, labels, help) {METRIC_COUNTER, text, labels, help},
#include "metrics_table.h"
};

/* Upper bounds. From a MySQL point read to the longest query. */
static const struct {
    int64_t us;
    const char *text; /* seconds */
} BUCKETS[] = {
    {1000, "0.001"},    {2000, "0.002"},    {5000, "0.005"},    {10000, "0.01"},  {20000, "0.02"},
    {50000, "0.05"},    {100000, "0.1"},    {200000, "0.2"},    {500000, "0.5"},  {1000000, "1"},
    {2000000, "2"},     {5000000, "5"},     {10000000, "10"},   {30000000, "30"}, {60000000, "60"},
    {120000000, "120"}, {300000000, "300"}, {600000000, "600"},
};
#define BUCKET_COUNT (sizeof(BUCKETS) / sizeof(BUCKETS[0]))

struct histogram {
    atomic_uint_fast64_t buckets[BUCKET_COUNT + 1]; /* not cumulated; the last: above all */
    atomic_uint_fast64_t sum_us;
};

static atomic_int_fast64_t values[METRIC_COUNT];
static struct histogram histograms[HISTOGRAM_COUNT];

void metrics_add(enum metric metric, int64_t by)
{
    atomic_fetch_add_explicit(&values[metric], by, memory_order_relaxed);
}

void metrics_set(enum metric metric, int64_t value)
{
    atomic_store_explicit(&values[metric], value, memory_order_relaxed);
}

int64_t metrics_get(enum metric metric)
{
    return atomic_load_explicit(&values[metric], memory_order_relaxed);
}

void metrics_observe_us(enum metric_histogram histogram, int64_t span_us)
{
    struct histogram *into = &histograms[histogram];
    size_t bucket = 0;

    if (span_us < 0)
        span_us = 0;
    while (bucket < BUCKET_COUNT && span_us > BUCKETS[bucket].us)
        bucket++;
    atomic_fetch_add_explicit(&into->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&into->sum_us, (uint64_t)span_us, memory_order_relaxed);
}

uint64_t metrics_observed(enum metric_histogram histogram)
{
    uint64_t count = 0;

    for (size_t i = 0; i <= BUCKET_COUNT; i++)
        count += atomic_load_explicit(&histograms[histogram].buckets[i], memory_order_relaxed);
    return count;
}

/* ---- as text ---- */

/* A help text: backslash and line feed are escaped; a label's value: quotes too. */
static void write_escaped(struct byte_buffer *out, const char *text, bool in_quotes)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            byte_buffer_append_text(out, "\\n");
            continue;
        }
        if (*text == '\\' || (in_quotes && *text == '"'))
            byte_buffer_append_char(out, '\\');
        byte_buffer_append_char(out, *text);
    }
}

void metrics_write_head(struct byte_buffer *out, const char *name, const char *type,
                        const char *help)
{
    byte_buffer_append_format(out, "# HELP %s ", name);
    write_escaped(out, help, false);
    byte_buffer_append_format(out, "\n# TYPE %s %s\n", name, type);
}

void metrics_write_label_value(struct byte_buffer *out, const char *value)
{
    byte_buffer_append_char(out, '"');
    write_escaped(out, value, true);
    byte_buffer_append_char(out, '"');
}

/* Exact: a double would lose counts above 2^53 and spans below a microsecond of many. */
static void write_seconds(struct byte_buffer *out, uint64_t count, uint64_t units_per_second,
                          int digits)
{
    byte_buffer_append_format(out, "%" PRIu64 ".%0*" PRIu64 "\n", count / units_per_second, digits,
                              count % units_per_second);
}

static void write_series(struct byte_buffer *out, enum metric metric)
{
    const struct series *series = &SERIES[metric];
    int64_t value = metrics_get(metric);

    byte_buffer_append_text(out, series->name);
    if (series->labels[0] != '\0')
        byte_buffer_append_format(out, "{%s}", series->labels);
    byte_buffer_append_char(out, ' ');
    if (series->kind == METRIC_GAUGE_MS)
        write_seconds(out, value > 0 ? (uint64_t)value : 0, 1000, 3);
    else
        byte_buffer_append_format(out, "%" PRId64 "\n", value);
}

static void write_histogram(struct byte_buffer *out, enum metric_histogram which)
{
    const struct series *series = &HISTOGRAMS[which];
    const struct histogram *histogram = &histograms[which];
    const char *comma = series->labels[0] != '\0' ? "," : "";
    const char *open = series->labels[0] != '\0' ? "{" : "";
    const char *close = series->labels[0] != '\0' ? "}" : "";
    uint64_t count = 0;

    for (size_t i = 0; i <= BUCKET_COUNT; i++) {
        count += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        byte_buffer_append_format(out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", series->name,
                                  series->labels, comma,
                                  i < BUCKET_COUNT ? BUCKETS[i].text : "+Inf", count);
    }
    byte_buffer_append_format(out, "%s_sum%s%s%s ", series->name, open, series->labels, close);
    write_seconds(out, atomic_load_explicit(&histogram->sum_us, memory_order_relaxed), 1000000, 6);
    byte_buffer_append_format(out, "%s_count%s%s%s %" PRIu64 "\n", series->name, open,
                              series->labels, close, count);
}

void metrics_write(struct byte_buffer *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        if (i == 0 || strcmp(SERIES[i].name, SERIES[i - 1].name) != 0)
            metrics_write_head(out, SERIES[i].name,
                               SERIES[i].kind == METRIC_COUNTER ? "counter" : "gauge",
                               SERIES[i].help);
        write_series(out, (enum metric)i);
    }
    for (size_t i = 0; i < HISTOGRAM_COUNT; i++) {
        if (i == 0 || strcmp(HISTOGRAMS[i].name, HISTOGRAMS[i - 1].name) != 0)
            metrics_write_head(out, HISTOGRAMS[i].name, "histogram", HISTOGRAMS[i].help);
        write_histogram(out, (enum metric_histogram)i);
    }
}
