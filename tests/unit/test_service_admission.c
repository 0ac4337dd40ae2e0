/* needs: unit/service_process.c unit/service_client.c unit/service_queries.c */
/*
 * Small queries beside heavy ones, with two workers of which one is not for heavy ones.
 * `until` holds a run until a file is there; `sleep` makes a statement heavy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "service_client.h"
#include "service_process.h"
#include "service_queries.h"

#define OFF ",\"cache\":\"off\""

static struct service_process *service;
static char gate[160];
static char heavy[256]; /* a statement that is known to be heavy */

static void open_gate(void)
{
    FILE *file = fopen(gate, "w");

    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

static void check_ok(struct service_client *client)
{
    struct answer answer;

    assert_true(service_client_read(client, &answer));
    if (answer.status != 200)
        fail_msg("%d %s", answer.status, answer.body);
    answer_done(&answer);
    service_client_close(client);
}

static int start_service(void **state)
{
    (void)state;
    service = service_process_start_ready(
        SETTINGS("--workers=2", "--small-slots=1", "--small-query-ms=1000", "--queue-length=2"));
    snprintf(gate, sizeof(gate), "%s/gate", service->folder);
    snprintf(heavy, sizeof(heavy), "sleep 1100 until %s rows 1", gate);
    open_gate();
    run_query(service, heavy, OFF, 200);
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    service_process_stop_idle(&service);
    return 0;
}

static void begin_heavy(struct service_client *clients, size_t count)
{
    for (size_t i = 0; i < count; i++)
        service_process_query(service, &clients[i], heavy, OFF NO_TIMEOUT);
    service_process_wait_health(service, "slots", "busy", 1);
    service_process_wait_health(service, "queue", "length", (int64_t)count - 1);
}

/* Three heavy ones hold one slot; the other one is there for small ones at once. */
static void test_lane_is_free(void **state)
{
    struct service_client clients[3];

    (void)state;
    assert_int_equal(unlink(gate), 0);
    begin_heavy(clients, 3);
    for (int i = 0; i < 5; i++)
        run_query(service, "rows 1", OFF NO_TIMEOUT, 200);
    assert_int_equal(service_process_health(service, "slots", "busy"), 1);
    assert_int_equal(service_process_health(service, "queue", "length"), 2);
    open_gate();
    for (size_t i = 0; i < 3; i++)
        check_ok(&clients[i]);
}

/* The lane is no place in the queue. */
static void test_bound(void **state)
{
    struct service_client clients[3];
    struct answer answer;
    char retry_after[16];

    (void)state;
    assert_int_equal(unlink(gate), 0);
    begin_heavy(clients, 3);
    assert_true(service_client_query_once(service->port, service->data, heavy, OFF, &answer));
    assert_int_equal(answer.status, 503);
    assert_non_null(answer_header(&answer, "Retry-After", retry_after, sizeof(retry_after)));
    assert_in_range(atoi(retry_after), 1, 120);
    answer_done(&answer);
    run_query(service, "rows 1", OFF NO_TIMEOUT, 200);
    open_gate();
    for (size_t i = 0; i < 3; i++)
        check_ok(&clients[i]);
}

/* What nobody knows may take the lane, and then small ones wait, in front of heavy ones. */
static void test_small_goes_first(void **state)
{
    struct service_client clients[2], unknown, small;
    char sql[192];
    struct answer answer;

    (void)state;
    assert_int_equal(unlink(gate), 0);
    run_query(service, "rows 2", OFF, 200);
    begin_heavy(clients, 2);
    snprintf(sql, sizeof(sql), "until %s2 rows 1", gate);
    service_process_query(service, &unknown, sql, OFF NO_TIMEOUT WITH_ID(1));
    service_process_wait_health(service, "slots", "busy", 2);
    service_process_query(service, &small, "rows 2", OFF NO_TIMEOUT);
    service_process_wait_health(service, "queue", "length", 2);
    assert_true(
        service_client_once(service->port, "DELETE", QUERIES "/" QUERY_ID(1), "", NULL, &answer));
    answer_done(&answer);
    check_ok(&small); /* the heavy ones are held */
    open_gate();
    check_ok(&clients[0]);
    check_ok(&clients[1]);
    assert_true(service_client_read(&unknown, &answer));
    assert_int_equal(answer.status, 409);
    answer_done(&answer);
    service_client_close(&unknown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lane_is_free),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_small_goes_first),
    };

    return cmocka_run_group_tests(tests, start_service, stop_service);
}
