/* needs: unit/service_process.c unit/service_client.c unit/service_queries.c fakes/scripted_mysql.c */
/* Direct queries that the loop itself sends to MySQL: answered there, or gone on with by a worker, and the
 * client never sees a difference. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scripted_mysql.h"
#include "service_client.h"
#include "service_process.h"
#include "service_queries.h"

#include "../../service/deadline.h"

enum { LONG = 3, BINARY = 63 };

#define TARGET "/api/spark/query/mysql"
#define JSON "Content-Type: application/json\r\n"
#define PLAIN "SELECT n FROM plain WHERE n = 1"
#define LOOK_AT_PLAIN                                                                              \
    "SELECT (SELECT COUNT(*) = 1 AND MIN(TABLE_TYPE = 'BASE TABLE' AND ENGINE IN ('InnoDB', "      \
    "'MyISAM', 'Aria')) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND "       \
    "TABLE_NAME = 'plain')"
#define ONE "[{\"n\":1}]"
#define MANY_ROWS 5000
/* So long the loop waits here, however slow the machine is. */
#define EXPRESS_MS "2000"

static const struct scripted_column number_column[] = {{"n", LONG, 0, BINARY, 11, 0}};
static const struct scripted_answer plain = {.sql = PLAIN,
                                             .columns = number_column,
                                             .column_count = 1,
                                             .row = "\0\1\0\0\0",
                                             .row_bytes = 5,
                                             .text = "\0011",
                                             .text_bytes = 2,
                                             .row_count = 1};

struct rig {
    struct scripted_mysql *server;
    struct service_process *service;
};

static void begin_with(struct rig *rig, const char *express_ms)
{
    const struct scripted_answer answers[] = {
        plain,
        {.sql = LOOK_AT_PLAIN,
         .columns = number_column,
         .column_count = 1,
         .text = "\0011",
         .text_bytes = 2,
         .row_count = 1},
        {.sql = NULL},
    };
    char port[40];
    char express[40];

    rig->server = scripted_mysql_start(answers, "ONLY_FULL_GROUP_BY");
    snprintf(port, sizeof(port), "MYSQL_PORT=%d", scripted_mysql_port(rig->server));
    snprintf(express, sizeof(express), "--mysql-express-ms=%s", express_ms);
    rig->service = service_process_start_ready(
        SETTINGS("--workers=2", "--mysql-reuse-ms=3600000", "--drain-ms=100", express,
                 "MYSQL_HOST=127.0.0.1", port, "MYSQL_USER=reader", "MYSQL_PASSWORD=secret",
                 "MYSQL_DATABASE=app"));
}

static void begin(struct rig *rig)
{
    begin_with(rig, EXPRESS_MS);
}

static void end(struct rig *rig)
{
    scripted_mysql_go_on(rig->server);
    service_process_stop_idle(&rig->service);
    scripted_mysql_stop(rig->server);
}

static int64_t count(const struct rig *rig, const char *result)
{
    struct answer answer;
    char line[96];
    const char *at = NULL;
    int64_t value = 0;

    assert_true(service_client_once(rig->service->port, "GET", "/metrics", "", NULL, &answer));
    snprintf(line, sizeof(line), "\nspark_service_mysql_express_total{result=\"%s\"} ", result);
    at = strstr(answer.body, line);
    assert_non_null(at);
    value = atoll(at + strlen(line));
    answer_done(&answer);
    return value;
}

static void wait_count(const struct rig *rig, const char *result, int64_t value)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    while (count(rig, result) != value) {
        assert_false(monotime_reached(limit, monotime_now()));
        pause_ms(5);
    }
}

static void wait_said(const struct rig *rig, const char *text, size_t times)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    while (scripted_mysql_count(rig->server, text) < times) {
        assert_false(monotime_reached(limit, monotime_now()));
        pause_ms(2);
    }
}

static void send_query(const struct rig *rig, struct service_client *client, const char *fields)
{
    char body[256];

    snprintf(body, sizeof(body), "{\"sql\":\"" PLAIN "\"%s}", fields);
    assert_true(service_client_open(client, rig->service->port));
    assert_true(service_client_request(client, "POST", TARGET, JSON, body));
}

/* `wanted`: what its body is, or begins with when it is a problem's. */
static void check_answer(struct service_client *client, int status, const char *wanted)
{
    struct answer answer;

    assert_true(service_client_read(client, &answer));
    if (answer.status != status || strstr(answer.body, wanted) == NULL)
        fail_msg("%d %s", answer.status, answer.body);
    answer_done(&answer);
    service_client_close(client);
}

static void check_query(const struct rig *rig, const char *fields, int status, const char *wanted)
{
    struct service_client client;

    send_query(rig, &client, fields);
    check_answer(&client, status, wanted);
}

/* So that the connection knows the statement; and then answers as the script says. */
static void learn(struct rig *rig, enum scripted_end its_end, size_t rows)
{
    struct scripted_answer answer = plain;

    for (int i = 0; i < 2; i++)
        check_query(rig, "", 200, ONE);
    answer.end = its_end;
    answer.row_count = rows;
    scripted_mysql_change(rig->server, &answer);
}

/* ---- answered by the loop ---- */

static void test_a_whole_answer(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    learn(&rig, SCRIPTED_ENDS, 1);
    assert_int_equal(count(&rig, "unfit"), 2);
    for (int i = 0; i < 20; i++)
        check_query(&rig, "", 200, ONE);
    assert_int_equal(count(&rig, "answered"), 20);
    check_query(&rig, ",\"wait_ms\":60000", 200, ONE); /* its rows are kept: a worker's */
    assert_int_equal(count(&rig, "answered"), 20);
    assert_int_equal(scripted_mysql_logins(rig.server), 1);
    end(&rig);
}

static void test_other_formats(void **state)
{
    struct rig rig;
    struct service_client client;
    struct answer answer;

    (void)state;
    begin(&rig);
    learn(&rig, SCRIPTED_ENDS, 2);
    assert_true(service_client_open(&client, rig.service->port));
    assert_true(service_client_request(&client, "POST", TARGET, JSON "Accept: text/csv\r\n",
                                       "{\"sql\":\"" PLAIN "\",\"row_limit\":1}"));
    check_answer(&client, 200, "n\r\n1\r\n"); /* the session gets its limit */
    assert_true(service_client_open(&client, rig.service->port));
    assert_true(service_client_request(&client, "POST", TARGET, JSON "Accept: text/csv\r\n",
                                       "{\"sql\":\"" PLAIN "\",\"row_limit\":1}"));
    assert_true(service_client_read(&client, &answer));
    assert_string_equal(answer.body, "n\r\n1\r\n");
    answer_check_header(&answer, "Result-Truncated", "true");
    answer_done(&answer);
    service_client_close(&client);
    assert_int_equal(count(&rig, "answered"), 1);
    end(&rig);
}

static void test_off(void **state)
{
    struct rig rig;

    (void)state;
    begin_with(&rig, "0");
    learn(&rig, SCRIPTED_ENDS, 1);
    for (int i = 0; i < 3; i++)
        check_query(&rig, "", 200, ONE);
    assert_int_equal(count(&rig, "answered") + count(&rig, "unfit"), 0);
    end(&rig);
}

/* ---- handed over ---- */

static void test_a_late_answer(void **state)
{
    struct rig rig;
    struct service_client client;

    (void)state;
    begin_with(&rig, "20");
    learn(&rig, SCRIPTED_WAITS_FIRST, 1);
    send_query(&rig, &client, WITH_ID(1));
    wait_count(&rig, "slow", 1);
    assert_int_equal(service_process_health(rig.service, "slots", "busy"), 1);
    wait_query_state(rig.service, QUERIES "/" QUERY_ID(1), "RUNNING");
    scripted_mysql_go_on(rig.server);
    check_answer(&client, 200, ONE);
    assert_int_equal(scripted_mysql_logins(rig.server), 1);
    end(&rig);
}

static void test_a_large_answer(void **state)
{
    struct rig rig;
    struct service_client client;
    struct answer answer;

    (void)state;
    begin(&rig);
    learn(&rig, SCRIPTED_ENDS, MANY_ROWS);
    send_query(&rig, &client, "");
    assert_true(service_client_read(&client, &answer));
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body_length, MANY_ROWS * strlen("{\"n\":1},") + 1);
    answer_done(&answer);
    service_client_close(&client);
    assert_int_equal(count(&rig, "large"), 1);
    end(&rig);
}

static void test_errors_are_the_same(void **state)
{
    struct scripted_answer answer = plain;
    struct rig rig;

    (void)state;
    begin(&rig);
    learn(&rig, SCRIPTED_REFUSES_TO_RUN, 1);
    check_query(&rig, "", 403, "\"sqlstate\":\"25006\"");
    assert_int_equal(count(&rig, "failed"), 1);
    answer.end = SCRIPTED_FAILS;
    scripted_mysql_change(rig.server, &answer);
    check_query(&rig, "", 502, "\"sqlstate\":\"HY000\"");
    assert_int_equal(count(&rig, "failed"), 2);
    end(&rig);
}

static void test_a_lost_connection_is_made_anew(void **state)
{
    struct rig rig;
    struct service_client client;

    (void)state;
    begin(&rig);
    learn(&rig, SCRIPTED_WAITS_FIRST, 1);
    send_query(&rig, &client, "");
    wait_said(&rig, PLAIN, 3);
    scripted_mysql_change(rig.server, &plain);
    scripted_mysql_hang_up(rig.server);
    check_answer(&client, 200, ONE);
    assert_int_equal(count(&rig, "failed"), 1);
    assert_int_equal(scripted_mysql_logins(rig.server), 2);
    end(&rig);
}

/* ---- ended early ---- */

static void check_killed(struct rig *rig)
{
    wait_said(rig, "KILL QUERY 7", 1);
    service_process_wait_health(rig->service, "slots", "busy", 0);
    assert_int_equal(count(rig, "cancelled"), 1);
    scripted_mysql_change(rig->server, &plain);
    check_query(rig, "", 200, ONE);
    assert_int_equal(scripted_mysql_count(rig->server, "KILL"), 1);
}

static void test_delete_kills(void **state)
{
    struct rig rig;
    struct service_client client;

    (void)state;
    begin(&rig);
    learn(&rig, SCRIPTED_WAITS_FIRST, 1);
    send_query(&rig, &client, WITH_ID(2));
    wait_said(&rig, PLAIN, 3);
    json_decref(fetch_json(rig.service, "DELETE", QUERIES "/" QUERY_ID(2), 202));
    check_answer(&client, 409, "\"code\":\"cancelled\"");
    check_killed(&rig);
    wait_query_state(rig.service, QUERIES "/" QUERY_ID(2), "CANCELLED");
    end(&rig);
}

static void test_the_timeout_kills(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    learn(&rig, SCRIPTED_WAITS, 1); /* among the rows */
    check_query(&rig, ",\"timeout_ms\":50", 504, "\"code\":\"timeout\"");
    check_killed(&rig);
    end(&rig);
}

static void test_a_client_that_leaves_kills(void **state)
{
    struct rig rig;
    struct service_client client;

    (void)state;
    begin(&rig);
    learn(&rig, SCRIPTED_WAITS_FIRST, 1);
    send_query(&rig, &client, "");
    wait_said(&rig, PLAIN, 3);
    service_client_reset(&client);
    check_killed(&rig);
    end(&rig);
}

/* Both slots are held by the loop; who comes then waits for one. */
static void test_slots_are_held(void **state)
{
    struct rig rig;
    struct service_client clients[3];

    (void)state;
    begin_with(&rig, "20");
    learn(&rig, SCRIPTED_WAITS_FIRST, 1);
    for (size_t i = 0; i < 2; i++) {
        send_query(&rig, &clients[i], "");
        wait_said(&rig, PLAIN, 3 + i);
    }
    assert_int_equal(service_process_health(rig.service, "slots", "busy"), 2);
    send_query(&rig, &clients[2], "");
    service_process_wait_health(rig.service, "queue", "length", 1);
    scripted_mysql_go_on(rig.server);
    for (size_t i = 0; i < 3; i++)
        check_answer(&clients[i], 200, ONE);
    end(&rig);
}

/* The drain is over, and the service ends all the same. */
static void test_the_end_of_the_service(void **state)
{
    struct rig rig;
    struct service_client client;

    (void)state;
    begin(&rig);
    learn(&rig, SCRIPTED_WAITS_FIRST, 1);
    send_query(&rig, &client, "");
    wait_said(&rig, PLAIN, 3);
    kill(rig.service->pid, SIGTERM);
    check_answer(&client, 503, "\"code\":\"draining\"");
    service_process_finish(rig.service, 0);
    assert_int_equal(scripted_mysql_count(rig.server, "KILL QUERY 7"), 1);
    scripted_mysql_stop(rig.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_answer),
        cmocka_unit_test(test_other_formats),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_a_late_answer),
        cmocka_unit_test(test_a_large_answer),
        cmocka_unit_test(test_errors_are_the_same),
        cmocka_unit_test(test_a_lost_connection_is_made_anew),
        cmocka_unit_test(test_delete_kills),
        cmocka_unit_test(test_the_timeout_kills),
        cmocka_unit_test(test_a_client_that_leaves_kills),
        cmocka_unit_test(test_slots_are_held),
        cmocka_unit_test(test_the_end_of_the_service),
    };

    return cmocka_run_group_tests_name("service_express", tests, NULL, NULL);
}
