/* needs: unit/service_process.c unit/service_client.c */
/* Waiting, timeouts, DELETE, clients that leave, readers that are slow. */
#include <setjmp.h>
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

#define ID "0f0e0d0c-0b0a-4908-8706-0504030201aa"
#define ID_UPPER "0F0E0D0C-0B0A-4908-8706-0504030201AA"
#define OTHER_ID "0f0e0d0c-0b0a-4908-8706-0504030201bb"
#define WITH_ID(id) ",\"query_id\":\"" id "\""
#define QUERIES "/api/spark/queries/"
/* More than any test waits: what runs that long was not cancelled. */
#define FOREVER "sleep 600000"
#define NO_TIMEOUT ",\"timeout_ms\":600000,\"queue_timeout_ms\":600000"

static struct service_process *service;

static int start_service(void **state)
{
    (void)state;
    service = service_process_start_ready(
        SETTINGS("--workers=1", "--queue-length=1", "--shared-queries=0"));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    service_process_stop_idle(&service);
    return 0;
}

/* One that holds the only slot until it is cancelled. */
static void occupy(struct service_client *client)
{
    service_process_query(service, client, FOREVER, NO_TIMEOUT WITH_ID(OTHER_ID));
    service_process_wait_health(service, "slots", "busy", 1);
}

static void read_answer(struct service_client *client, int status, const char *part)
{
    struct answer answer;

    assert_true(service_client_read(client, &answer));
    assert_int_equal(answer.status, status);
    assert_true(answer.complete);
    assert_non_null(strstr(answer.body, part));
    answer_done(&answer);
}

static void check_answer(struct service_client *client, int status, const char *part)
{
    read_answer(client, status, part);
    service_client_close(client);
}

static void check_delete(const char *target, int status, const char *part)
{
    struct answer answer;

    assert_true(service_client_once(service->port, "DELETE", target, "", NULL, &answer));
    assert_int_equal(answer.status, status);
    assert_non_null(strstr(answer.body, part));
    answer_done(&answer);
}

static void release(struct service_client *client)
{
    check_delete(QUERIES OTHER_ID, 202, "{\"cancelled\":[\"" OTHER_ID "\"]}");
    check_answer(client, 409, "\"code\":\"cancelled\"");
    service_process_wait_health(service, "slots", "busy", 0);
}

/* ---- the waiting room ---- */

static void test_queue_full(void **state)
{
    struct service_client running;
    struct service_client waiting;
    struct answer answer;
    char value[16];

    (void)state;
    occupy(&running);
    service_process_query(service, &waiting, "rows 1", NO_TIMEOUT);
    service_process_wait_health(service, "queue", "length", 1);
    assert_true(service_client_query_once(service->port, service->data, "rows 1", "", &answer));
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.body, "\"code\":\"queue_full\""));
    assert_string_equal(answer_header(&answer, "Retry-After", value, sizeof(value)), "1");
    answer_done(&answer);
    release(&running);
    check_answer(&waiting, 200, "[{\"n\":0}]");
}

static void test_queue_timeout(void **state)
{
    struct service_client running;
    struct service_client waiting;
    struct answer answer;
    char value[16];

    (void)state;
    occupy(&running);
    service_process_query(service, &waiting, "rows 1", ",\"queue_timeout_ms\":50");
    assert_true(service_client_read(&waiting, &answer));
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.body, "\"code\":\"queue_timeout\""));
    assert_non_null(answer_header(&answer, "Retry-After", value, sizeof(value)));
    answer_done(&answer);
    service_client_close(&waiting);
    assert_int_equal(service_process_health(service, "queue", "length"), 0);
    release(&running);
}

/* "Don't wait" is not "don't run": an idle worker takes it, however late it wakes. */
static void test_no_waiting_time_with_an_idle_worker(void **state)
{
    struct service_client client;

    (void)state;
    assert_true(service_client_open(&client, service->port));
    for (int i = 0; i < 300; i++) {
        assert_true(
            service_client_query(&client, service->data, "rows 1", ",\"queue_timeout_ms\":0"));
        read_answer(&client, 200, "[{\"n\":0}]");
        service_process_wait_health(service, "slots", "busy", 0);
    }
    service_client_close(&client);
}

static void test_run_timeout_frees_the_slot(void **state)
{
    struct service_client client;

    (void)state;
    service_process_query(service, &client, FOREVER, ",\"timeout_ms\":50");
    check_answer(&client, 504, "\"code\":\"timeout\"");
    service_process_wait_health(service, "slots", "busy", 0);
    service_process_query(service, &client, "rows 1", "");
    check_answer(&client, 200, "[{\"n\":0}]");
}

/* The run time counts from the start of the run, not from the request. */
static void test_waiting_does_not_count_as_running(void **state)
{
    struct service_client running;
    struct service_client waiting;

    (void)state;
    service_process_query(service, &running, "sleep 400", "");
    service_process_wait_health(service, "slots", "busy", 1);
    service_process_query(service, &waiting, "sleep 1 rows 1", ",\"timeout_ms\":300");
    check_answer(&running, 200, "[]");
    check_answer(&waiting, 200, "[{\"n\":0}]");
}

/* ---- ids and DELETE ---- */

static void test_delete_running(void **state)
{
    struct service_client client;

    (void)state;
    service_process_query(service, &client, FOREVER, NO_TIMEOUT WITH_ID(ID));
    service_process_wait_health(service, "slots", "busy", 1);
    check_delete(QUERIES ID_UPPER, 202, "{\"cancelled\":[\"" ID "\"]}");
    check_answer(&client, 409, "\"query_id\":\"" ID "\"");
    service_process_wait_health(service, "slots", "busy", 0);
    check_delete(QUERIES ID, 409, "\"code\":\"conflict\"");
}

static void test_delete_queued(void **state)
{
    struct service_client running;
    struct service_client waiting;

    (void)state;
    occupy(&running);
    service_process_query(service, &waiting, "rows 1", NO_TIMEOUT WITH_ID(ID));
    service_process_wait_health(service, "queue", "length", 1);
    check_delete(QUERIES ID, 202, ID);
    check_answer(&waiting, 409, "\"code\":\"cancelled\"");
    assert_int_equal(service_process_health(service, "queue", "length"), 0);
    assert_int_equal(service_process_health(service, "slots", "busy"), 1);
    check_delete(QUERIES ID, 409, "\"code\":\"conflict\"");
    release(&running);
}

static void test_delete_a_stream(void **state)
{
    struct service_client client;
    struct answer answer;

    (void)state;
    service_process_query(service, &client, "rows 50000000", NO_TIMEOUT WITH_ID(ID));
    assert_true(service_client_wait_bytes(&client, 1024));
    check_delete(QUERIES ID, 202, ID);
    assert_true(service_client_read(&client, &answer));
    assert_int_equal(answer.status, 200);
    assert_false(answer.complete);
    answer_done(&answer);
    service_client_close(&client);
    service_process_wait_health(service, "slots", "busy", 0);
}

static void test_delete_what_is_not_there(void **state)
{
    struct service_client client;

    (void)state;
    check_delete(QUERIES "11111111-1111-4111-8111-111111111111", 404, "\"code\":\"not_found\"");
    check_delete(QUERIES "x", 404, "\"code\":\"not_found\"");
    service_process_query(service, &client, "rows 1", WITH_ID(ID_UPPER));
    check_answer(&client, 200, "[{\"n\":0}]");
    check_delete(QUERIES ID, 409, "\"code\":\"conflict\"");
    check_delete(QUERIES ID "0", 404, "\"code\":\"not_found\"");
}

static void test_twin_id(void **state)
{
    struct service_client client;
    struct service_client twin;

    (void)state;
    service_process_query(service, &client, FOREVER, NO_TIMEOUT WITH_ID(OTHER_ID));
    service_process_wait_health(service, "slots", "busy", 1);
    service_process_query(service, &twin, "rows 1", WITH_ID(OTHER_ID));
    check_answer(&twin, 409, "\"code\":\"conflict\"");
    release(&client);
    service_process_query(service, &client, "rows 1", WITH_ID(OTHER_ID)); /* free again */
    check_answer(&client, 200, "[{\"n\":0}]");
}

/* A cancel that comes late for one attempt must not hit the next of the same id. */
static void test_each_attempt_has_its_own_tag(void **state)
{
    struct answer first;
    struct answer second;

    (void)state;
    assert_true(
        service_client_query_once(service->port, service->data, "echo", WITH_ID(ID), &first));
    assert_true(
        service_client_query_once(service->port, service->data, "echo", WITH_ID(ID), &second));
    assert_non_null(strstr(first.body, ID));
    assert_non_null(strstr(second.body, ID));
    assert_string_not_equal(first.body, second.body);
    answer_done(&first);
    answer_done(&second);
}

/* ---- clients that leave ---- */

static void leave_fin(struct service_client *client)
{
    service_client_close(client);
}

static void leave_reset(struct service_client *client)
{
    service_client_reset(client);
}

static void leave_half(struct service_client *client)
{
    service_client_half_close(client);
}

static void (*const WAYS_TO_LEAVE[])(struct service_client *) = {leave_fin, leave_reset,
                                                                 leave_half};
#define WAY_COUNT (sizeof(WAYS_TO_LEAVE) / sizeof(WAYS_TO_LEAVE[0]))

static void test_leave_while_queued(void **state)
{
    struct service_client running;

    (void)state;
    occupy(&running);
    for (size_t way = 0; way < WAY_COUNT; way++) {
        struct service_client waiting;

        service_process_query(service, &waiting, "rows 1", NO_TIMEOUT);
        service_process_wait_health(service, "queue", "length", 1);
        WAYS_TO_LEAVE[way](&waiting);
        service_process_wait_health(service, "queue", "length", 0);
        assert_int_equal(service_process_health(service, "slots", "busy"), 1);
        service_client_close(&waiting);
    }
    release(&running);
}

static void test_leave_while_running(void **state)
{
    (void)state;
    for (size_t way = 0; way < WAY_COUNT; way++) {
        struct service_client client;

        service_process_query(service, &client, FOREVER, NO_TIMEOUT);
        service_process_wait_health(service, "slots", "busy", 1);
        WAYS_TO_LEAVE[way](&client);
        service_process_wait_health(service, "slots", "busy", 0);
        service_client_close(&client);
    }
}

static void test_leave_while_streaming(void **state)
{
    (void)state;
    for (size_t way = 0; way < WAY_COUNT; way++) {
        struct service_client client;

        service_process_query(service, &client, "rows 50000000", NO_TIMEOUT);
        assert_true(service_client_wait_bytes(&client, 1024));
        WAYS_TO_LEAVE[way](&client);
        service_process_wait_health(service, "slots", "busy", 0);
        service_client_close(&client);
    }
}

static void test_no_descriptor_is_left(void **state)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);
    int before = 0;

    (void)state;
    (void)service_process_health(service, "slots", "busy");
    before = service_process_descriptors(service);
    for (int i = 0; i < 50; i++) {
        struct service_client client;

        service_process_query(service, &client, "sleep 2 rows 1", NO_TIMEOUT);
        WAYS_TO_LEAVE[(size_t)i % WAY_COUNT](&client);
        service_client_close(&client);
    }
    while (service_process_descriptors(service) > before) {
        assert_false(monotime_reached(limit, monotime_now()));
        pause_ms(5);
    }
}

/* ---- slow readers ---- */

/* What nobody reads goes to disk: memory is bounded, and the slot free before long. */
static void test_reader_that_does_not_read(void **state)
{
    struct service_client client;
    int64_t before = service_process_rss_bytes(service);
    int64_t now = 0;
    int64_t last = -1;

    (void)state;
    assert_true(service_client_open_narrow(&client, service->port, 16 * 1024));
    assert_true(service_client_query(&client, service->data, "rows 50000000", NO_TIMEOUT));
    assert_true(service_client_wait_bytes(&client, 1024));
    for (int same = 0; same < 10; same = now == last ? same + 1 : 0) {
        pause_ms(20);
        last = now;
        now = service_process_rss_bytes(service);
        assert_true(now - before < 64 * 1024 * 1024); /* the answer has 700 MB */
    }
    service_process_wait_health(service, "slots", "busy", 0);
    service_client_reset(&client);
}

static void test_reader_that_reads_slowly(void **state)
{
    struct service_client client;
    struct answer answer;

    (void)state;
    assert_true(service_client_open_narrow(&client, service->port, 16 * 1024));
    assert_true(service_client_query(&client, service->data, "rows 400000", ""));
    for (size_t bytes = 0; bytes < (size_t)4 * 1024 * 1024; bytes += (size_t)128 * 1024) {
        pause_ms(5);
        assert_true(service_client_wait_bytes(&client, bytes));
    }
    assert_true(service_client_read(&client, &answer));
    assert_true(answer.complete);
    assert_string_equal(answer.body + answer.body_length - 13, "{\"n\":399999}]");
    answer_done(&answer);
    service_client_close(&client);
}

/* ---- no waiting room ---- */

static void test_no_waiting_room(void **state)
{
    struct service_process *shared = service;
    struct service_client running;
    struct service_client refused;

    (void)state;
    service = service_process_start_ready(SETTINGS("--workers=1", "--queue-length=0"));
    occupy(&running);
    service_process_query(service, &refused, "rows 1", "");
    check_answer(&refused, 503, "\"code\":\"queue_full\"");
    release(&running);
    service_process_stop(service);
    service = shared;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_full),
        cmocka_unit_test(test_queue_timeout),
        cmocka_unit_test(test_no_waiting_time_with_an_idle_worker),
        cmocka_unit_test(test_run_timeout_frees_the_slot),
        cmocka_unit_test(test_waiting_does_not_count_as_running),
        cmocka_unit_test(test_delete_running),
        cmocka_unit_test(test_delete_queued),
        cmocka_unit_test(test_delete_a_stream),
        cmocka_unit_test(test_delete_what_is_not_there),
        cmocka_unit_test(test_twin_id),
        cmocka_unit_test(test_each_attempt_has_its_own_tag),
        cmocka_unit_test(test_leave_while_queued),
        cmocka_unit_test(test_leave_while_running),
        cmocka_unit_test(test_leave_while_streaming),
        cmocka_unit_test(test_no_descriptor_is_left),
        cmocka_unit_test(test_reader_that_does_not_read),
        cmocka_unit_test(test_reader_that_reads_slowly),
        cmocka_unit_test(test_no_waiting_room),
    };

    return cmocka_run_group_tests_name("service_queue", tests, start_service, stop_service);
}
