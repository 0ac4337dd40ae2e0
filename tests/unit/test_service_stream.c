/* needs: unit/service_process.c unit/service_client.c */
/* Long answers to clients of every pace: what they hold, and what they get. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "service_client.h"
#include "service_process.h"

#include "../../service/deadline.h"

#define ID "0f0e0d0c-0b0a-4908-8706-0504030201dd"
#define WITH_ID ",\"query_id\":\"" ID "\""
#define WORKERS 2
/* 17 MB of JSON: more than the kernel takes for a client that doesn't read. */
#define LONG_ROWS "rows 1300000"
#define NARROW (16 * 1024)

static struct service_process *service;

static int start_service(void **state)
{
    (void)state;
    service = service_process_start_ready(SETTINGS("--workers=2", "--stream-patience-ms=50"));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    if (service != NULL)
        service_process_stop(service);
    return 0;
}

static void restart(const char *const *settings)
{
    service_process_stop(service);
    service = service_process_start_ready(settings);
}

/* ---- looking ---- */

static int spool_files(void)
{
    char path[128];
    int count = 0;

    snprintf(path, sizeof(path), "%s/state/results", service->folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void wait_spool_files(int count)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    while (spool_files() != count) {
        assert_false(monotime_reached(limit, monotime_now()));
        pause_ms(5);
    }
}

static void wait_idle(void)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    service_process_wait_health(service, "slots", "busy", 0);
    while (service_process_metric(service, "streams_open") != 0 ||
           service_process_metric(service, "stream_bytes") != 0 ||
           service_process_metric(service, "spool_bytes") != 0) {
        assert_false(monotime_reached(limit, monotime_now()));
        pause_ms(5);
    }
    wait_spool_files(0);
}

/* ---- asking ---- */

/* A client that asks, sees the answer begin, and reads no further for now. */
static void open_stopped(struct service_client *client, const char *sql, const char *fields)
{
    assert_true(service_client_open_narrow(client, service->port, NARROW));
    assert_true(service_client_query(client, service->data, sql, fields));
    assert_true(service_client_wait_bytes(client, 1024));
}

static void read_rest(struct service_client *client, struct answer *answer)
{
    assert_true(service_client_read(client, answer));
    service_client_close(client);
}

/* Incomplete, or cut off before anything could be read at all. */
static void check_cut_off(struct service_client *client)
{
    struct answer answer;

    if (service_client_read(client, &answer))
        assert_false(answer.complete);
    answer_done(&answer);
    service_client_close(client);
}

static void check_small_query(void)
{
    struct answer answer;

    assert_true(service_client_query_once(service->port, service->data, "rows 1",
                                          ",\"queue_timeout_ms\":5000", &answer));
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "[{\"n\":0}]");
    answer_done(&answer);
}

/* ---- what a stopped reader holds ---- */

static void test_a_stopped_reader_holds_no_slot(void **state)
{
    struct service_client client;
    struct answer answer;
    struct answer fast;

    (void)state;
    open_stopped(&client, LONG_ROWS, "");
    service_process_wait_health(service, "slots", "busy", 0);
    assert_int_equal(spool_files(), 1);
    assert_int_equal(service_process_metric(service, "streams_open"), 1);
    assert_in_range(service_process_metric(service, "stream_bytes"), 1, 5 * 1024 * 1024);
    assert_true(service_process_metric(service, "spool_bytes") > 0);
    read_rest(&client, &answer); /* byte for byte what a fast one gets */
    assert_true(answer.complete);
    assert_true(service_client_query_once(service->port, service->data, LONG_ROWS, "", &fast));
    assert_int_equal(answer.body_length, fast.body_length);
    assert_memory_equal(answer.body, fast.body, fast.body_length);
    answer_done(&answer);
    answer_done(&fast);
    wait_idle();
}

static void ask_for(struct service_client *client, const char *accept)
{
    char headers[128];
    char body[256];

    snprintf(headers, sizeof(headers), "Content-Type: application/json\r\nAccept: %s\r\n", accept);
    snprintf(body, sizeof(body), "{\"sql\":\"" LONG_ROWS "\",\"path\":\"%s\"}", service->data);
    assert_true(service_client_open_narrow(client, service->port, NARROW));
    assert_true(service_client_request(client, "POST", "/api/spark/query/parquet", headers, body));
}

/* Each writer is handed over in the middle of its answer. */
static void test_every_format_from_the_spool(void **state)
{
    static const char *const formats[] = {"application/x-ndjson;end=1", "text/csv",
                                          "application/vnd.apache.arrow.stream"};

    (void)state;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        int64_t spooled = service_process_metric(service, "streams_spooled_total");
        struct service_client client;
        struct answer slow;
        struct answer fast;

        ask_for(&client, formats[i]);
        assert_true(service_client_wait_bytes(&client, 1024));
        service_process_wait_health(service, "slots", "busy", 0);
        assert_int_equal(service_process_metric(service, "streams_spooled_total"), spooled + 1);
        read_rest(&client, &slow);
        ask_for(&client, formats[i]);
        read_rest(&client, &fast);
        assert_true(slow.complete && fast.complete);
        assert_int_equal(slow.body_length, fast.body_length);
        assert_memory_equal(slow.body, fast.body, fast.body_length);
        answer_done(&slow);
        answer_done(&fast);
    }
    wait_idle();
}

static void test_many_stopped_readers(void **state)
{
    struct service_client clients[3 * WORKERS];

    (void)state;
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        assert_true(service_client_open_narrow(&clients[i], service->port, NARROW));
        assert_true(service_client_query(&clients[i], service->data, LONG_ROWS, ""));
    }
    check_small_query();
    service_process_wait_health(service, "slots", "busy", 0);
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        struct answer answer;

        read_rest(&clients[i], &answer);
        assert_true(answer.complete);
        answer_done(&answer);
    }
    wait_idle();
}

static void test_the_log_line_of_a_spooled_answer(void **state)
{
    (void)state;
    service_process_wait_logged(service, "rows=1300000");
    assert_true(service_process_metric(service, "streams_spooled_total") > 0);
}

/* ---- what ends an answer ---- */

static void test_delete_while_delivered(void **state)
{
    struct service_client client;
    struct answer answer;

    (void)state;
    open_stopped(&client, LONG_ROWS, WITH_ID);
    service_process_wait_health(service, "slots", "busy", 0);
    assert_true(
        service_client_once(service->port, "DELETE", "/api/spark/queries/" ID, "", NULL, &answer));
    assert_int_equal(answer.status, 202);
    answer_done(&answer);
    check_cut_off(&client);
    wait_idle();
    assert_true(
        service_client_once(service->port, "DELETE", "/api/spark/queries/" ID, "", NULL, &answer));
    assert_int_equal(answer.status, 409);
    answer_done(&answer);
}

static void test_twin_id_while_delivered(void **state)
{
    struct service_client client;
    struct answer answer;

    (void)state;
    open_stopped(&client, LONG_ROWS, WITH_ID);
    service_process_wait_health(service, "slots", "busy", 0);
    assert_true(
        service_client_query_once(service->port, service->data, "rows 1", WITH_ID, &answer));
    assert_int_equal(answer.status, 409);
    answer_done(&answer);
    service_client_reset(&client);
    wait_idle();
    assert_true(
        service_client_query_once(service->port, service->data, "rows 1", WITH_ID, &answer));
    assert_int_equal(answer.status, 200);
    answer_done(&answer);
}

static void test_client_gone_while_delivered(void **state)
{
    struct service_client client;

    (void)state;
    open_stopped(&client, LONG_ROWS, "");
    service_process_wait_health(service, "slots", "busy", 0);
    service_client_reset(&client);
    wait_idle();
    open_stopped(&client, "rows 1300000 sleep 600000", ",\"timeout_ms\":600000");
    wait_spool_files(1);
    service_client_reset(&client); /* while it runs and is spooled */
    wait_idle();
}

/* The rows before the failure are there; that they aren't all must be seen. */
static void test_failure_behind_the_spool(void **state)
{
    struct service_client client;

    (void)state;
    open_stopped(&client, LONG_ROWS " fail sql_error", "");
    service_process_wait_health(service, "slots", "busy", 0);
    check_cut_off(&client);
    wait_idle();
}

static void test_run_timeout_behind_the_spool(void **state)
{
    struct service_client client;

    (void)state;
    open_stopped(&client, LONG_ROWS " sleep 600000", ",\"timeout_ms\":1500");
    check_cut_off(&client);
    wait_idle();
}

/* The time of the run is over long before the answer is. */
static void test_reading_does_not_count_as_running(void **state)
{
    struct service_client client;
    struct answer answer;
    struct monotime until;

    (void)state;
    open_stopped(&client, LONG_ROWS, ",\"timeout_ms\":3000");
    service_process_wait_health(service, "slots", "busy", 0);
    until = monotime_after(monotime_now(), 3200);
    while (!monotime_reached(until, monotime_now()))
        pause_ms(50);
    read_rest(&client, &answer);
    assert_true(answer.complete);
    answer_done(&answer);
    wait_idle();
}

/* ---- limits ---- */

static void test_byte_limit_ends_the_run_too(void **state)
{
    struct service_client client;
    struct answer answer;
    char value[16];

    (void)state;
    open_stopped(&client, "rows 1300000 sleep 600000",
                 ",\"byte_limit\":16000000,\"timeout_ms\":600000");
    wait_spool_files(1);
    read_rest(&client, &answer);
    assert_true(answer.complete);
    assert_in_range(answer.body_length, 15000000, 16000000);
    assert_string_equal(answer_trailer(&answer, "Result-Truncated", value, sizeof(value)), "true");
    answer_done(&answer);
    wait_idle();
}

static void check_row_limit(const char *limit, int64_t rows, const char *truncated)
{
    struct service_client client;
    struct answer answer;
    char fields[64];
    char last[64];
    char value[16];

    snprintf(fields, sizeof(fields), ",\"row_limit\":%s", limit);
    snprintf(last, sizeof(last), "{\"n\":%lld}]", (long long)rows - 1);
    open_stopped(&client, LONG_ROWS, fields);
    service_process_wait_health(service, "slots", "busy", 0);
    read_rest(&client, &answer);
    assert_true(answer.complete);
    assert_string_equal(answer.body + answer.body_length - strlen(last), last);
    assert_string_equal(answer_trailer(&answer, "Result-Truncated", value, sizeof(value)),
                        truncated);
    answer_done(&answer);
}

static void test_row_limit_within_the_spool(void **state)
{
    (void)state;
    check_row_limit("1200500", 1200500, "true");
    check_row_limit("1200000", 1200000, "true");
    check_row_limit("1300000", 1300000, "false");
    wait_idle();
}

/* ---- the bounds, with settings of their own ---- */

static void test_a_stalled_reader_is_cut_off(void **state)
{
    struct service_client client;

    (void)state;
    restart(SETTINGS("--workers=1", "--stream-patience-ms=20", "--stream-stall-ms=300"));
    open_stopped(&client, LONG_ROWS, "");
    service_process_wait_logged(service, "client took nothing for too long");
    wait_idle();
    assert_int_equal(service_process_metric(service, "cancellations_total{reason=\"stalled\"}"), 1);
    check_cut_off(&client);
}

static void test_spool_cap(void **state)
{
    struct service_client client;

    (void)state;
    restart(SETTINGS("--workers=1", "--stream-patience-ms=20", "--spool-bytes=2097152"));
    open_stopped(&client, LONG_ROWS, "");
    service_process_wait_logged(service, "code=storage_full");
    check_cut_off(&client);
    wait_idle();
    check_small_query();
}

/* One page each is what many stopped readers hold under a tight budget. */
static void test_stream_budget(void **state)
{
    struct service_client clients[6];
    const size_t count = sizeof(clients) / sizeof(clients[0]);

    (void)state;
    restart(SETTINGS("--workers=2", "--stream-patience-ms=20", "--stream-bytes=1048576"));
    for (size_t i = 0; i < count; i++)
        open_stopped(&clients[i], LONG_ROWS, "");
    service_process_wait_health(service, "slots", "busy", 0);
    assert_int_equal(service_process_metric(service, "streams_open"), count);
    assert_in_range(service_process_metric(service, "stream_bytes"), 1,
                    1048576 + count * 1200 * 1024);
    for (size_t i = 0; i < count; i++) {
        struct answer answer;

        read_rest(&clients[i], &answer); /* nobody waits for anybody */
        assert_true(answer.complete);
        answer_done(&answer);
    }
    wait_idle();
}

/* ---- stopping ---- */

static void test_drain_waits_for_deliveries(void **state)
{
    struct service_client client;
    struct answer answer;

    (void)state;
    restart(SETTINGS("--workers=1", "--stream-patience-ms=20"));
    open_stopped(&client, LONG_ROWS, "");
    service_process_wait_health(service, "slots", "busy", 0);
    kill(service->pid, SIGTERM);
    service_process_wait_logged(service, "stopping");
    read_rest(&client, &answer);
    assert_true(answer.complete);
    answer_done(&answer);
    service_process_finish(service, 0);
    service = service_process_start_ready(SETTINGS("--workers=1"));
}

static void test_drain_does_not_wait_for_ever(void **state)
{
    struct service_client client;

    (void)state;
    restart(SETTINGS("--workers=1", "--stream-patience-ms=20", "--drain-ms=200"));
    open_stopped(&client, LONG_ROWS, "");
    service_process_wait_health(service, "slots", "busy", 0);
    kill(service->pid, SIGTERM);
    service_process_finish(service, 0);
    check_cut_off(&client);
    service = service_process_start_ready(SETTINGS("--workers=1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stopped_reader_holds_no_slot),
        cmocka_unit_test(test_every_format_from_the_spool),
        cmocka_unit_test(test_many_stopped_readers),
        cmocka_unit_test(test_the_log_line_of_a_spooled_answer),
        cmocka_unit_test(test_delete_while_delivered),
        cmocka_unit_test(test_twin_id_while_delivered),
        cmocka_unit_test(test_client_gone_while_delivered),
        cmocka_unit_test(test_failure_behind_the_spool),
        cmocka_unit_test(test_run_timeout_behind_the_spool),
        cmocka_unit_test(test_reading_does_not_count_as_running),
        cmocka_unit_test(test_byte_limit_ends_the_run_too),
        cmocka_unit_test(test_row_limit_within_the_spool),
        cmocka_unit_test(test_a_stalled_reader_is_cut_off),
        cmocka_unit_test(test_spool_cap),
        cmocka_unit_test(test_stream_budget),
        cmocka_unit_test(test_drain_waits_for_deliveries),
        cmocka_unit_test(test_drain_does_not_wait_for_ever),
    };

    return cmocka_run_group_tests_name("service_stream", tests, start_service, stop_service);
}
