/* The tables of metrics and their text form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "../../service/metrics.h"

struct row {
    const char *name;
    const char *labels;
    const char *help;
};

static const struct row ROWS[] = {
#define X(name, kind, text, labels, help) {text, labels, help},
#include "../../service/metrics_table.h"
#define HISTOGRAM(name, text, labels, help) {text, labels, help},
#include "../../service/metrics_table.h"
};
#define ROW_COUNT (sizeof(ROWS) / sizeof(ROWS[0]))

static char *text_now(void)
{
    struct byte_buffer out = {0};

    metrics_write(&out);
    byte_buffer_append_char(&out, '\0');
    assert_false(out.failed);
    return out.data;
}

static void check_says(const char *line)
{
    char *text = text_now();
    const char *at = strstr(text, line);

    if (at == NULL || at[strlen(line)] != '\n' || (at != text && at[-1] != '\n'))
        fail_msg("no line '%s' in:\n%s", line, text);
    free(text);
}

/* Before any other test counts something. */
static void test_every_series_starts_at_zero(void **state)
{
    char *text = text_now();
    char *rest = text;
    char *line = NULL;
    size_t samples = 0;

    (void)state;
    while ((line = strsep(&rest, "\n")) != NULL) {
        const char *value = strrchr(line, ' ');

        if (line[0] == '#' || line[0] == '\0')
            continue;
        samples++;
        assert_non_null(value);
        if (strspn(value + 1, "0.") != strlen(value + 1))
            fail_msg("not 0 at the start: %s", line);
    }
    assert_true(samples >= ROW_COUNT);
    free(text);
}

static void test_families_stand_together_and_have_one_help(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        bool first = i == 0 || strcmp(ROWS[i].name, ROWS[i - 1].name) != 0;

        assert_int_equal(strncmp(ROWS[i].name, "spark_service_", 14), 0);
        if (first != (ROWS[i].help[0] != '\0'))
            fail_msg("%s{%s}: the first line of a name, and no other, has the help", ROWS[i].name,
                     ROWS[i].labels);
        for (size_t j = 0; first && j < i; j++) {
            if (strcmp(ROWS[i].name, ROWS[j].name) == 0)
                fail_msg("%s stands in two places", ROWS[i].name);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(ROWS[i].name, ROWS[j].name) == 0 &&
                strcmp(ROWS[i].labels, ROWS[j].labels) == 0)
                fail_msg("%s{%s} twice", ROWS[i].name, ROWS[i].labels);
        }
    }
}

/* https://prometheus.io/docs/practices/naming/: base units, and _total for counters. */
static void test_names(void **state)
{
    static const struct {
        const char *name;
        enum metric_kind kind;
    } named[] = {
#define X(name, kind, text, labels, help) {text, METRIC_##kind},
#include "../../service/metrics_table.h"
    };

    (void)state;
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        size_t length = strlen(named[i].name);
        bool is_total = length > 6 && strcmp(named[i].name + length - 6, "_total") == 0;

        assert_int_equal(strspn(named[i].name, "abcdefghijklmnopqrstuvwxyz_"), length);
        if (is_total != (named[i].kind == METRIC_COUNTER))
            fail_msg("%s: a counter, and nothing else, ends with _total", named[i].name);
        if (named[i].kind == METRIC_GAUGE_MS)
            assert_non_null(strstr(named[i].name, "_seconds"));
    }
}

static void test_counter_and_gauges(void **state)
{
    (void)state;
    metrics_add(METRIC_RESULT_ROWS, INT64_C(9007199254740993));
    metrics_add(METRIC_RESULT_ROWS, 1);
    check_says("# TYPE spark_service_result_rows_total counter");
    check_says("spark_service_result_rows_total 9007199254740994");
    metrics_add(METRIC_SPOOL_BYTES, 5);
    metrics_add(METRIC_SPOOL_BYTES, -3);
    assert_int_equal(metrics_get(METRIC_SPOOL_BYTES), 2);
    check_says("# TYPE spark_service_spool_bytes gauge");
    check_says("spark_service_spool_bytes 2");
    metrics_set(METRIC_CANARY_AGE, 12045);
    check_says("spark_service_canary_age_seconds 12.045");
    metrics_add(METRIC_CANCELLED_CLIENT_GONE, 7);
    check_says("spark_service_cancellations_total{reason=\"client_gone\"} 7");
    check_says("spark_service_cancellations_total{reason=\"delete\"} 0");
}

static void test_histogram(void **state)
{
    (void)state;
    metrics_observe_us(HISTOGRAM_CANCEL_LATENCY, -1);
    metrics_observe_us(HISTOGRAM_CANCEL_LATENCY, 1000);
    metrics_observe_us(HISTOGRAM_CANCEL_LATENCY, 1001);
    metrics_observe_us(HISTOGRAM_CANCEL_LATENCY, INT64_C(600000001));
    assert_int_equal(metrics_observed(HISTOGRAM_CANCEL_LATENCY), 4);
    check_says("# TYPE spark_service_cancel_latency_seconds histogram");
    check_says("spark_service_cancel_latency_seconds_bucket{le=\"0.001\"} 2");
    check_says("spark_service_cancel_latency_seconds_bucket{le=\"0.002\"} 3");
    check_says("spark_service_cancel_latency_seconds_bucket{le=\"600\"} 3");
    check_says("spark_service_cancel_latency_seconds_bucket{le=\"+Inf\"} 4");
    check_says("spark_service_cancel_latency_seconds_sum 600.002002");
    check_says("spark_service_cancel_latency_seconds_count 4");
    metrics_observe_us(HISTOGRAM_DURATION_DELTA_FAILED, 42);
    check_says("spark_service_query_duration_seconds_bucket{source=\"delta\",engine=\"spark\","
               "outcome=\"failed\",le=\"0.001\"} 1");
    check_says("spark_service_query_duration_seconds_count{source=\"delta\",engine=\"spark\","
               "outcome=\"failed\"} 1");
}

static void test_escaping(void **state)
{
    struct byte_buffer out = {0};

    (void)state;
    metrics_write_head(&out, "a", "gauge", "back\\slash \"quoted\"\nline");
    metrics_write_label_value(&out, "back\\slash \"quoted\"\nline");
    byte_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, "# HELP a back\\\\slash \"quoted\"\\nline\n# TYPE a gauge\n"
                                  "\"back\\\\slash \\\"quoted\\\"\\nline\"");
    byte_buffer_done(&out);
}

#define THREADS 4
#define COUNTS 20000

static void *count_much(void *argument)
{
    (void)argument;
    for (int i = 0; i < COUNTS; i++) {
        metrics_add(METRIC_MYSQL_CONNECTS, 1);
        metrics_observe_us(HISTOGRAM_QUEUE_WAIT_SMALL, i);
    }
    return NULL;
}

static void test_threads_lose_no_count(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_much, NULL), 0);
    free(text_now()); /* reading meanwhile is fine */
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(metrics_get(METRIC_MYSQL_CONNECTS), THREADS * COUNTS);
    assert_int_equal(metrics_observed(HISTOGRAM_QUEUE_WAIT_SMALL), THREADS * COUNTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_series_starts_at_zero),
        cmocka_unit_test(test_families_stand_together_and_have_one_help),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_counter_and_gauges),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_escaping),
        cmocka_unit_test(test_threads_lose_no_count),
    };

    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
