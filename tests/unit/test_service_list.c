/* needs: unit/service_process.c unit/service_client.c unit/service_queries.c */
/* GET /api/spark/queries and one of them, in every state; cancel by tag. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "deadline.h"
#include "service_client.h"
#include "service_process.h"
#include "service_queries.h"

static struct service_process *service;

/* A fresh one for each test: lists show everything that went before. */
static int start_service(void **state)
{
    (void)state;
    service = service_process_start_ready(
        SETTINGS("--workers=2", "--shared-queries=0", "--queue-length=4", "--history-length=5"));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    service_process_stop_idle(&service);
    return 0;
}

/* First digits of the ids, in the order of the list: "321". */
static void check_list(const char *parameters, const char *wanted)
{
    char target[256];
    char found[64] = "";
    json_t *body = NULL;
    const json_t *query = NULL;
    size_t i = 0;

    snprintf(target, sizeof(target), QUERIES "%s", parameters);
    body = fetch_json(service, "GET", target, 200);
    json_array_foreach(json_object_get(body, "queries"), i, query) found[i] =
        member_text(query, "query_id")[7];
    assert_string_equal(found, wanted);
    json_decref(body);
}

/* "2024-01-31T09:57:06.123Z" as milliseconds since 1970; within a minute of now. */
static int64_t read_time(const json_t *object, const char *key)
{
    const char *text = member_text(object, key);
    struct tm utc = {0};
    int milliseconds = 0;
    int64_t when = 0;

    assert_int_equal(strlen(text), 24);
    assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &utc.tm_year, &utc.tm_mon,
                            &utc.tm_mday, &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &milliseconds),
                     7);
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    when = (int64_t)timegm(&utc) * 1000 + milliseconds;
    assert_true(llabs(when - wall_time_now_us() / 1000) < 60000);
    return when;
}

/* ---- one query ---- */

static void test_queued_and_running(void **state)
{
    struct service_client clients[3];
    json_t *query = NULL;
    json_t *body = NULL;

    (void)state;
    service_process_query(service, &clients[0], FOREVER,
                          NO_TIMEOUT WITH_ID(1) WITH_TAGS("\"a\",\"b\""));
    service_process_query(service, &clients[1], FOREVER, NO_TIMEOUT WITH_ID(2));
    service_process_wait_health(service, "slots", "busy", 2);
    service_process_query(service, &clients[2], "rows 1", NO_TIMEOUT WITH_ID(3));
    wait_query_state(service, QUERIES "/" QUERY_ID(1), "RUNNING");
    wait_query_state(service, QUERIES "/" QUERY_ID(3), "QUEUED");

    query = fetch_json(service, "GET", QUERIES "/" QUERY_ID(1), 200);
    assert_string_equal(member_text(query, "query_id"), QUERY_ID(1));
    assert_string_equal(member_text(query, "source"), "parquet");
    assert_string_equal(member_text(query, "sql"), FOREVER);
    assert_int_equal(json_array_size(json_object_get(query, "tags")), 2);
    assert_true(read_time(query, "queued_at") <= read_time(query, "started_at"));
    check_member_null(query, "ended_at");
    assert_int_equal(member_number(query, "rows"), 0);
    assert_int_equal(member_number(query, "bytes"), 0);
    check_member_null(query, "results");
    check_member_null(query, "chunks");
    check_member_null(query, "error");
    json_decref(query);

    query = fetch_json(service, "GET", QUERIES "/" QUERY_ID(3), 200);
    read_time(query, "queued_at");
    check_member_null(query, "started_at");
    check_member_null(query, "ended_at");
    json_decref(query);

    check_list("", "321");
    check_list("?state=QUEUED", "3");
    check_list("?state=QUEUED,RUNNING&tag=b", "1");
    body = fetch_json(service, "DELETE", QUERIES "/" QUERY_ID(1), 202);
    json_decref(body);
    for (size_t i = 0; i < 3; i++)
        service_client_close(&clients[i]);
}

static void test_succeeded(void **state)
{
    json_t *query = NULL;

    (void)state;
    run_query(service, "rows 12", WITH_ID(1), 200);
    query = fetch_json(service, "GET", QUERIES "/" QUERY_ID(1), 200);
    assert_string_equal(member_text(query, "state"), "SUCCEEDED");
    assert_int_equal(member_number(query, "rows"), 12);
    assert_int_equal(member_number(query, "bytes"),
                     10 * 8 + 2 * 9 + 1); /* {"n":0}, and a bracket */
    assert_true(read_time(query, "queued_at") <= read_time(query, "started_at"));
    assert_true(read_time(query, "started_at") <= read_time(query, "ended_at"));
    check_member_null(query, "error");
    check_member_null(query, "results");
    json_decref(query);
}

static void test_failed(void **state)
{
    json_t *query = NULL;
    const json_t *problem = NULL;

    (void)state;
    run_query(service, "fail sql_error", WITH_ID(1), 422);
    query = fetch_json(service, "GET", QUERIES "/" QUERY_ID(1), 200);
    assert_string_equal(member_text(query, "state"), "FAILED");
    problem = json_object_get(query, "error");
    assert_string_equal(member_text(problem, "code"), "sql_error");
    assert_string_equal(member_text(problem, "detail"), "told to fail");
    assert_int_equal(member_number(problem, "status"), 422);
    json_decref(query);
}

static void test_timed_out(void **state)
{
    struct service_client clients[2];
    json_t *query = NULL;

    (void)state;
    run_query(service, FOREVER, ",\"timeout_ms\":1" WITH_ID(1), 504);
    wait_query_state(service, QUERIES "/" QUERY_ID(1), "TIMED_OUT");
    query = fetch_json(service, "GET", QUERIES "/" QUERY_ID(1), 200);
    assert_string_equal(member_text(json_object_get(query, "error"), "code"), "timeout");
    json_decref(query);

    service_process_query(service, &clients[0], FOREVER, NO_TIMEOUT WITH_ID(2));
    service_process_query(service, &clients[1], FOREVER, NO_TIMEOUT WITH_ID(3));
    service_process_wait_health(service, "slots", "busy", 2);
    run_query(service, "rows 1", ",\"queue_timeout_ms\":1" WITH_ID(4), 503);
    query = fetch_json(service, "GET", QUERIES "/" QUERY_ID(4), 200);
    assert_string_equal(member_text(query, "state"), "TIMED_OUT");
    assert_string_equal(member_text(json_object_get(query, "error"), "code"), "queue_timeout");
    check_member_null(query, "started_at");
    read_time(query, "ended_at");
    json_decref(query);
    service_client_close(&clients[0]);
    service_client_close(&clients[1]);
}

static void test_cancelled(void **state)
{
    struct service_client client;
    json_t *query = NULL;

    (void)state;
    service_process_query(service, &client, "stuck 300", NO_TIMEOUT WITH_ID(1));
    wait_query_state(service, QUERIES "/" QUERY_ID(1), "RUNNING");
    json_decref(fetch_json(service, "DELETE", QUERIES "/" QUERY_ID(1), 202));
    query = fetch_json(service, "GET", QUERIES "/" QUERY_ID(1), 200);
    assert_string_equal(member_text(query, "state"), "CANCELLING");
    check_member_null(query, "ended_at");
    json_decref(query);
    json_decref(
        fetch_json(service, "DELETE", QUERIES "/" QUERY_ID(1), 202)); /* it isn't over yet */
    wait_query_state(service, QUERIES "/" QUERY_ID(1), "CANCELLED");
    query = fetch_json(service, "GET", QUERIES "/" QUERY_ID(1), 200);
    assert_string_equal(member_text(json_object_get(query, "error"), "code"), "cancelled");
    json_decref(query);
    service_client_close(&client);

    service_process_query(service, &client, FOREVER, NO_TIMEOUT WITH_ID(2));
    wait_query_state(service, QUERIES "/" QUERY_ID(2), "RUNNING");
    service_client_close(&client);
    wait_query_state(service, QUERIES "/" QUERY_ID(2), "CANCELLED");
    query = fetch_json(service, "GET", QUERIES "/" QUERY_ID(2), 200);
    assert_string_equal(member_text(json_object_get(query, "error"), "detail"), "the client left");
    json_decref(query);
}

static void test_rows_so_far(void **state)
{
    struct service_client client;
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);
    int64_t rows = 0;

    (void)state;
    service_process_query(service, &client, "rows 5000 " FOREVER, NO_TIMEOUT WITH_ID(1));
    while (rows != 5000) {
        json_t *query = fetch_json(service, "GET", QUERIES "/" QUERY_ID(1), 200);

        assert_false(monotime_reached(limit, monotime_now()));
        rows = member_number(query, "rows");
        assert_true(rows <= 5000);
        if (rows == 5000)
            assert_int_equal(member_number(query, "bytes"),
                             10 * 8 + 90 * 9 + 900 * 10 + 4000 * 11 - 1 + 1);
        json_decref(query);
    }
    service_client_close(&client);
}

static void test_progress(void **state)
{
    struct service_client client;
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);
    json_t *query = NULL;

    (void)state;
    service_process_query(service, &client, "stages 1/3 " FOREVER, NO_TIMEOUT WITH_ID(1));
    for (;;) {
        const json_t *progress = NULL;

        query = fetch_json(service, "GET", QUERIES "/" QUERY_ID(1), 200);
        progress = json_object_get(query, "progress");
        if (!json_is_null(progress) && member_number(progress, "stages") == 3) {
            assert_int_equal(member_number(progress, "stages_done"), 1);
            assert_int_equal(member_number(progress, "tasks_done"), 10);
            assert_int_equal(member_number(progress, "tasks"), 30);
            break;
        }
        json_decref(query);
        assert_false(monotime_reached(limit, monotime_now()));
        pause_ms(10);
    }
    json_decref(query);
    service_client_close(&client);
    wait_query_state(service, QUERIES "/" QUERY_ID(1), "CANCELLED");
    query = fetch_json(service, "GET", QUERIES "/" QUERY_ID(1), 200);
    check_member_null(query, "progress");
    json_decref(query);
}

static void test_unknown(void **state)
{
    struct answer answer;

    (void)state;
    json_decref(fetch_json(service, "GET", QUERIES "/" QUERY_ID(1), 404));
    json_decref(fetch_json(service, "GET", QUERIES "/x", 404));
    run_query(service, "rows 1", WITH_ID(1), 200);
    assert_true(
        service_client_once(service->port, "HEAD", QUERIES "/" QUERY_ID(1), "", NULL, &answer));
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body_length, 0);
    answer_done(&answer);
}

/* ---- the list ---- */

static void test_history_is_bounded(void **state)
{
    (void)state;
    run_query(service, "rows 1", WITH_ID(1), 200);
    run_query(service, "rows 1", WITH_ID(2), 200);
    run_query(service, "fail sql_error", WITH_ID(3), 422);
    run_query(service, "rows 1", WITH_ID(4), 200);
    run_query(service, "rows 1", WITH_ID(5), 200);
    check_list("", "54321");
    run_query(service, "rows 1", WITH_ID(6), 200);
    check_list("", "65432");
    json_decref(fetch_json(service, "GET", QUERIES "/" QUERY_ID(1), 404));
    check_list("?state=FAILED", "3");
    run_query(service, "rows 1", WITH_ID(4), 200); /* the same id again */
    check_list("", "46532");
}

static void test_pages(void **state)
{
    char target[128] = QUERIES "?limit=2&state=SUCCEEDED";
    char found[8] = "";
    size_t pages = 0;

    (void)state;
    run_query(service, "rows 1", WITH_ID(1), 200);
    run_query(service, "rows 1", WITH_ID(2), 200);
    run_query(service, "fail sql_error", WITH_ID(3), 422);
    run_query(service, "rows 1", WITH_ID(4), 200);
    for (;;) {
        json_t *body = fetch_json(service, "GET", target, 200);
        const char *next = json_string_value(json_object_get(body, "next"));
        const json_t *query = NULL;
        size_t i = 0;

        pages++;
        json_array_foreach(json_object_get(body, "queries"), i, query)
            strncat(found, member_text(query, "query_id") + 7, 1);
        if (next != NULL)
            snprintf(target, sizeof(target), QUERIES "?limit=2&state=SUCCEEDED&after=%s", next);
        json_decref(body);
        if (next == NULL)
            break;
        run_query(service, "rows 1", WITH_ID(9), 200); /* newer ones don't shift the pages */
    }
    assert_string_equal(found, "421");
    assert_int_equal(pages, 2);
}

static void test_bad_parameters(void **state)
{
    static const char *const TARGETS[] = {
        QUERIES "?limit=0",       QUERIES "?limit=501",
        QUERIES "?limit=-1",      QUERIES "?limit=x",
        QUERIES "?after=",        QUERIES "?after=-1",
        QUERIES "?after=1x",      QUERIES "?state=",
        QUERIES "?state=running", QUERIES "?states=X",
        QUERIES "?tag=a&tag=b",   QUERIES "?tag=%",
        QUERIES "?state=QUEUED,", QUERIES "?after=99999999999999999999",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(TARGETS) / sizeof(TARGETS[0]); i++)
        json_decref(fetch_json(service, "GET", TARGETS[i], 400));
    json_decref(fetch_json(service, "DELETE", QUERIES, 400));
    json_decref(fetch_json(service, "DELETE", QUERIES "?tag=", 400));
    json_decref(fetch_json(service, "DELETE", QUERIES "?state=QUEUED", 400));
    json_decref(fetch_json(service, "POST", QUERIES, 405));
    json_decref(fetch_json(service, "GET", QUERIES "/", 404));
    json_decref(fetch_json(service, "GET", QUERIES "/" QUERY_ID(1) "/", 404));
}

/* ---- cancel by tag ---- */

static void check_answer(struct service_client *client, int status)
{
    struct answer answer;

    assert_true(service_client_read(client, &answer));
    assert_int_equal(answer.status, status);
    answer_done(&answer);
    service_client_close(client);
}

static void test_cancel_by_tag(void **state)
{
    struct service_client clients[4];
    json_t *body = NULL;
    char *text = NULL;

    (void)state;
    service_process_query(service, &clients[0], FOREVER,
                          NO_TIMEOUT WITH_ID(1) WITH_TAGS("\"page\""));
    service_process_query(service, &clients[1], "sleep 300 rows 1",
                          NO_TIMEOUT WITH_ID(2) WITH_TAGS("\"other\""));
    service_process_wait_health(service, "slots", "busy", 2);
    service_process_query(service, &clients[2], "rows 1",
                          NO_TIMEOUT WITH_ID(3) WITH_TAGS("\"x\",\"page\""));
    service_process_wait_health(service, "queue", "length", 1);
    service_process_query(service, &clients[3], "rows 1", NO_TIMEOUT WITH_ID(4));
    service_process_wait_health(service, "queue", "length", 2);

    body = fetch_json(service, "DELETE", QUERIES "?tag=pag", 202);
    text = json_dumps(body, JSON_COMPACT);
    assert_string_equal(text, "{\"cancelled\":[]}");
    free(text);
    json_decref(body);
    body = fetch_json(service, "DELETE", QUERIES "?tag=page", 202);
    text = json_dumps(body, JSON_COMPACT);
    assert_string_equal(text, "{\"cancelled\":[\"" QUERY_ID(1) "\",\"" QUERY_ID(3) "\"]}");
    free(text);
    json_decref(body);
    check_answer(&clients[0], 409);
    check_answer(&clients[1], 200);
    check_answer(&clients[2], 409);
    check_answer(&clients[3], 200);

    body = fetch_json(service, "DELETE", QUERIES "?tag=page", 202); /* they are over */
    assert_int_equal(json_array_size(json_object_get(body, "cancelled")), 0);
    json_decref(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ONE(name) cmocka_unit_test_setup_teardown(name, start_service, stop_service)
        ONE(test_queued_and_running),
        ONE(test_succeeded),
        ONE(test_failed),
        ONE(test_timed_out),
        ONE(test_cancelled),
        ONE(test_rows_so_far),
        ONE(test_progress),
        ONE(test_unknown),
        ONE(test_history_is_bounded),
        ONE(test_pages),
        ONE(test_bad_parameters),
        ONE(test_cancel_by_tag),
#undef ONE
    };

    return cmocka_run_group_tests_name("service_list", tests, NULL, NULL);
}
