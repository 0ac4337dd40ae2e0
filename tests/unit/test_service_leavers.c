/* needs: unit/service_process.c unit/service_client.c unit/service_queries.c */
/* A thousand clients that leave while they wait, run or read: their work ends
 * at once and nothing of them stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "service_client.h"
#include "service_process.h"
#include "service_queries.h"

#include "../../service/deadline.h"

#define WORKERS 8
#define WAVE 40
#define WAVES 25 /* a thousand clients */
#define DESCRIPTORS_MORE 2

/* From the first leaving of a wave to the end of the last one's work: no cancel
 * of the wave can have begun later. Sanitized programs are several times slower. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define GONE_MS 5000
#else
#define GONE_MS 1000
#endif

/* Nothing of these ends by itself while the test runs. */
#define PATIENT ",\"timeout_ms\":600000,\"queue_timeout_ms\":600000"
#define RUNS "sleep 600000"
#define STREAMS "rows 3000000"
#define NARROW_BYTES 16384
#define ID_FORMAT "0a0b0c0d-0102-4304-8506-%012zu"

static struct service_process *service;

/* Of each client, from its leaving to the end of its work: its cancel began before. */
static int64_t spans_ms[WAVES * WAVE];
static size_t span_count; /* and the number of a wave's first client: none is used twice */

static int start_service(void **state)
{
    (void)state;
    service = service_process_start_ready(
        SETTINGS("--workers=8", "--shared-queries=0", "--queue-length=64", "--history-length=120"));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    if (service != NULL)
        service_process_stop(service);
    return 0;
}

/* Its number is in its query's id. */
static void ask(struct service_client *client, size_t number, const char *script)
{
    char fields[160];

    snprintf(fields, sizeof(fields), PATIENT ",\"query_id\":\"" ID_FORMAT "\"", number);
    assert_true(service_client_open_narrow(client, service->port, NARROW_BYTES));
    assert_true(service_client_query(client, service->data, script, fields));
}

/* Workers that run or stream, everybody else in the queue. */
static void arrive(struct service_client clients[WAVE], const char *script)
{
    for (size_t i = 0; i < WORKERS; i++)
        ask(&clients[i], span_count + i, script);
    if (strcmp(script, RUNS) == 0)
        service_process_wait_health(service, "slots", "busy", WORKERS);
    for (size_t i = 0; i < WORKERS && strcmp(script, STREAMS) == 0; i++)
        assert_true(service_client_wait_bytes(&clients[i], NARROW_BYTES));
    for (size_t i = WORKERS; i < WAVE; i++)
        ask(&clients[i], span_count + i, RUNS);
    while (service_process_health(service, "queue", "length") +
               service_process_health(service, "slots", "busy") <
           WAVE - WORKERS)
        pause_ms(1);
}

static void leave(struct service_client clients[WAVE], int64_t ret_left_us[WAVE])
{
    for (size_t i = 0; i < WAVE; i++) {
        ret_left_us[i] = wall_time_now_us();
        if (i % 2 == 0)
            service_client_close(&clients[i]);
        else
            service_client_reset(&clients[i]);
    }
}

static bool all_is_gone(int descriptors)
{
    return service_process_health(service, "slots", "busy") == 0 &&
           service_process_health(service, "queue", "length") == 0 &&
           service_process_descriptors(service) <= descriptors + DESCRIPTORS_MORE;
}

/* "2024-01-31T09:57:06.123Z" */
static int64_t parse_time_us(const char *text)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);

    assert_non_null(rest);
    return (int64_t)timegm(&parts) * 1000000 + (int64_t)(strtod(rest, NULL) * 1e6);
}

/* The rows of a stream may all be spooled before its client leaves. */
static bool may_have_succeeded(const char *script, size_t client)
{
    return client < WORKERS && strcmp(script, STREAMS) == 0;
}

static void note_spans(const char *script, const int64_t left_us[WAVE])
{
    const size_t first = span_count;

    for (size_t i = 0; i < WAVE; i++) {
        char path[80];
        json_t *query = NULL;
        int64_t span_us = 0;

        snprintf(path, sizeof(path), QUERIES "/" ID_FORMAT, first + i);
        query = fetch_json(service, "GET", path, 200);
        if (!may_have_succeeded(script, i) || strcmp(member_text(query, "state"), "SUCCEEDED") != 0)
            assert_string_equal(member_text(query, "state"), "CANCELLED");
        span_us = parse_time_us(member_text(query, "ended_at")) - left_us[i];
        spans_ms[span_count++] = span_us < 0 ? 0 : span_us / 1000; /* it is cut to milliseconds */
        json_decref(query);
    }
}

static void check_wave(int wave, int descriptors)
{
    const char *script = wave % 2 == 0 ? RUNS : STREAMS;
    struct service_client clients[WAVE];
    int64_t left_us[WAVE];
    struct monotime left;

    arrive(clients, script);
    left = monotime_now();
    leave(clients, left_us);
    while (!all_is_gone(descriptors)) {
        if (monotime_span_ms(left, monotime_now()) > GONE_MS)
            fail_msg("wave %d: %lld busy, %lld queued, %d descriptors (%d at first) after %d ms",
                     wave, (long long)service_process_health(service, "slots", "busy"),
                     (long long)service_process_health(service, "queue", "length"),
                     service_process_descriptors(service), descriptors, GONE_MS);
        pause_ms(1);
    }
    note_spans(script, left_us);
}

static int by_size(const void *a, const void *b)
{
    int64_t difference = *(const int64_t *)a - *(const int64_t *)b;

    return difference < 0 ? -1 : difference > 0;
}

static void test_a_thousand_leave(void **state)
{
    int descriptors = service_process_descriptors(service);

    (void)state;
    for (int wave = 0; wave < WAVES; wave++)
        check_wave(wave, descriptors);
    assert_int_equal(service_process_health(service, "slots", "lost"), 0);
    qsort(spans_ms, span_count, sizeof(spans_ms[0]), by_size);
    print_message("of %zu leavers: median %lld ms, p99 %lld ms\n", span_count,
                  (long long)spans_ms[span_count / 2], (long long)spans_ms[span_count * 99 / 100]);
    assert_true(spans_ms[span_count * 99 / 100] <= GONE_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thousand_leave),
    };

    return cmocka_run_group_tests_name("service_leavers", tests, start_service, stop_service);
}
