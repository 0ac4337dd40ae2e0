/* needs: unit/service_process.c unit/service_client.c unit/service_queries.c */
/* Queries whose callers come back: 202, results and their chunks, expiry, restart,
 * bounds; each kind of request in each state. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "deadline.h"
#include "service_client.h"
#include "service_process.h"
#include "service_queries.h"

#define ONE_ID QUERIES "/" QUERY_ID(1)
#define RESULTS ONE_ID "/results"
#define ASYNC ",\"wait_ms\":0"
#define PARQUET "/api/spark/query/parquet"

static struct service_process *service;

static void start_with(const char *const *settings)
{
    service = service_process_start_ready(settings);
}

static int start_service(void **state)
{
    (void)state;
    start_with(
        SETTINGS("--workers=2", "--shared-queries=0", "--queue-length=2", "--history-length=2"));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    service_process_stop_idle(&service);
    return 0;
}

static void check_answer(struct service_client *client, int status, const char *part)
{
    struct answer answer;

    assert_true(service_client_read(client, &answer));
    if (answer.status != status || strstr(answer.body, part) == NULL)
        fail_msg("%d %s", answer.status, answer.body);
    answer_done(&answer);
    service_client_close(client);
}

static void get(const char *target, const char *headers, struct answer *ret_answer)
{
    assert_true(service_client_once(service->port, "GET", target, headers, NULL, ret_answer));
}

/* A problem, or a 202, with that code or state in it. */
static void check_refused(const char *method, const char *target, int status, const char *part)
{
    struct answer answer;

    assert_true(service_client_once(service->port, method, target, "", NULL, &answer));
    if (answer.status != status || strstr(answer.body, part) == NULL)
        fail_msg("%s %s: %d %s", method, target, answer.status, answer.body);
    answer_done(&answer);
}

/* Fills both slots until they are cancelled by their tag. */
static void occupy(struct service_client clients[2])
{
    for (size_t i = 0; i < 2; i++)
        service_process_query(service, &clients[i], FOREVER, NO_TIMEOUT WITH_TAGS("\"occupied\""));
    service_process_wait_health(service, "slots", "busy", 2);
}

static void release(struct service_client clients[2])
{
    json_decref(fetch_json(service, "DELETE", QUERIES "?tag=occupied", 202));
    for (size_t i = 0; i < 2; i++)
        check_answer(&clients[i], 409, "cancelled");
}

/* ---- 202 ---- */

static void test_goes_async_at_once(void **state)
{
    struct answer answer;
    json_t *query = NULL;

    (void)state;
    assert_true(service_client_query_once(service->port, service->data, "sleep 50 rows 3",
                                          ASYNC WITH_ID(1) WITH_TAGS("\"a\""), &answer));
    assert_int_equal(answer.status, 202);
    answer_check_header(&answer, "Content-Type", "application/json");
    answer_check_header(&answer, "Location", ONE_ID);
    answer_check_header(&answer, "Retry-After", "1");
    answer_check_header(&answer, "Query-Id", QUERY_ID(1));
    answer_check_header(&answer, "Preference-Applied", NULL);
    query = json_loads(answer.body, 0, NULL);
    assert_string_equal(member_text(query, "query_id"), QUERY_ID(1));
    assert_string_equal(member_text(query, "results"), RESULTS);
    check_member_null(query, "ended_at");
    check_member_null(query, "chunks");
    check_member_null(query, "error");
    json_decref(query);
    answer_done(&answer);

    wait_query_state(service, ONE_ID, "SUCCEEDED");
    query = fetch_json(service, "GET", ONE_ID, 200);
    assert_int_equal(member_number(query, "rows"), 3);
    assert_int_equal(member_number(query, "chunks"), 1);
    assert_string_equal(member_text(query, "results"), RESULTS);
    assert_true(member_number(query, "bytes") > 0);
    json_decref(query);

    get("/metrics", "", &answer);
    assert_non_null(strstr(answer.body, "\nspark_service_handles 1\n"));
    assert_non_null(strstr(answer.body, "\nspark_service_handles_given_total 1\n"));
    answer_done(&answer);

    get(RESULTS, "", &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "[{\"n\":0},{\"n\":1},{\"n\":2}]");
    answer_check_header(&answer, "Query-Id", QUERY_ID(1));
    answer_check_header(&answer, "Query-Engine", "spark");
    answer_check_header(&answer, "Result-Truncated", "false");
    answer_check_header(&answer, "Content-Length", "25");
    answer_done(&answer);
}

static void check_preference(const char *headers, const char *fields, int status,
                             const char *applied)
{
    struct service_client client;
    struct answer answer;
    char body[512];
    char head[256];

    snprintf(head, sizeof(head), "Content-Type: application/json\r\n%s", headers);
    snprintf(body, sizeof(body), "{\"path\":\"%s\",\"sql\":\"sleep 30 rows 1\"%s}", service->data,
             fields);
    assert_true(service_client_open(&client, service->port));
    assert_true(service_client_request(&client, "POST", PARQUET, head, body));
    assert_true(service_client_read(&client, &answer));
    assert_int_equal(answer.status, status);
    answer_check_header(&answer, "Preference-Applied", applied);
    answer_done(&answer);
    service_client_close(&client);
    service_process_wait_health(service, "slots", "busy", 0);
}

static void test_preferences(void **state)
{
    (void)state;
    check_preference("Prefer: respond-async\r\n", "", 202, "respond-async");
    check_preference("Prefer: wait=0\r\n", "", 202, "wait=0");
    check_preference("Prefer: respond-async\r\nPrefer: wait=600\r\n", "", 200, "wait=600");
    check_preference("Prefer: wait=600\r\n", "", 200, "wait=600");
    check_preference("Prefer: wait=soon, return=minimal\r\n", "", 200, NULL);
    /* The body counts; then no preference was applied. */
    check_preference("Prefer: respond-async\r\n", ",\"wait_ms\":600000", 200, NULL);
    check_preference("Prefer: wait=600\r\n", ASYNC, 202, NULL);
    check_preference("Prefer: wait=0\r\n", ",\"on_wait\":\"cancel\"", 504, NULL);
    check_preference("", ",\"on_wait\":\"cancel\"", 400, NULL);
}

/* Short reads by GET go asynchronous as well; what only plans has no rows to keep. */
static void test_preferences_of_other_methods(void **state)
{
    struct answer answer;
    char target[256];

    (void)state;
    snprintf(target, sizeof(target), PARQUET "?path=%s&sql=rows+1&query_id=" QUERY_ID(1),
             service->data);
    get(target, "Prefer: respond-async\r\n", &answer);
    assert_int_equal(answer.status, 202);
    answer_check_header(&answer, "Preference-Applied", "respond-async");
    answer_done(&answer);
    wait_query_state(service, ONE_ID, "SUCCEEDED");
    check_refused("GET", RESULTS, 200, "[{\"n\":0}]");
    snprintf(target, sizeof(target), PARQUET "?path=%s&sql=rows+1", service->data);
    assert_true(
        service_client_once(service->port, "HEAD", target, "Prefer: wait=0\r\n", NULL, &answer));
    assert_int_equal(answer.status, 200);
    answer_check_header(&answer, "Preference-Applied", NULL);
    answer_done(&answer);
}

static void test_answer_within_the_wait(void **state)
{
    struct answer answer;
    json_t *query = NULL;

    (void)state;
    assert_true(service_client_query_once(service->port, service->data, "sleep 20 rows 12",
                                          ",\"wait_ms\":600000" WITH_ID(1), &answer));
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body_length, 10 * 8 + 2 * 9 + 1);
    assert_non_null(strstr(answer.head, "run;dur="));
    answer_done(&answer);
    query = fetch_json(service, "GET", ONE_ID, 200);
    assert_string_equal(member_text(query, "state"), "SUCCEEDED");
    check_member_null(query, "results"); /* nobody was told to come back */
    check_member_null(query, "chunks");
    json_decref(query);
    check_refused("GET", RESULTS, 410, "went to the client that asked");
    service_process_wait_no_spool(service);
}

/* Much more than a page, still within the wait. */
static void test_long_answer_within_the_wait(void **state)
{
    struct answer answer;

    (void)state;
    assert_true(service_client_query_once(service->port, service->data, "rows 400000",
                                          ",\"wait_ms\":600000", &answer));
    assert_int_equal(answer.status, 200);
    assert_true(answer.chunked);
    assert_true(answer.complete);
    assert_string_equal(answer.body + answer.body_length - 13, "{\"n\":399999}]");
    answer_done(&answer);
    service_process_wait_no_spool(service);
}

static void test_cancel_after_the_wait(void **state)
{
    struct answer answer;

    (void)state;
    assert_true(service_client_query_once(service->port, service->data, FOREVER,
                                          ",\"wait_ms\":20,\"on_wait\":\"cancel\"" WITH_ID(1),
                                          &answer));
    assert_int_equal(answer.status, 504);
    assert_non_null(strstr(answer.body, "\"code\":\"timeout\""));
    answer_done(&answer);
    wait_query_state(service, ONE_ID, "TIMED_OUT");
    /* What has begun in time goes on. */
    assert_true(service_client_query_once(service->port, service->data,
                                          "rows 400000 sleep 400 rows 1",
                                          ",\"wait_ms\":300,\"on_wait\":\"cancel\"", &answer));
    if (answer.status == 200)
        assert_true(answer.complete);
    else
        assert_int_equal(answer.status, 504); /* this machine is slow */
    answer_done(&answer);
}

/* ---- after the 202 ---- */

/* A wait for a slot that ends behind the 202: longer than the disk takes for the id. */
static void run_past_the_202(const char *path)
{
    char fields[160];
    int status = 0;

    for (int wait_ms = 100; status != 202; wait_ms *= 2) {
        struct answer answer;

        assert_true(wait_ms < PATIENCE_MS);
        snprintf(fields, sizeof(fields), ASYNC WITH_ID(2) ",\"queue_timeout_ms\":%d", wait_ms);
        assert_true(
            service_client_query_once(service->port, service->data, "rows 1", fields, &answer));
        status = answer.status;
        if (status != 202 && strstr(answer.body, "\"code\":\"queue_timeout\"") == NULL)
            fail_msg("%d %s", answer.status, answer.body);
        answer_done(&answer);
    }
    wait_query_state(service, path, "TIMED_OUT");
}

static void test_it_still_times_out(void **state)
{
    struct service_client clients[2];
    json_t *query = NULL;

    (void)state;
    run_query(service, FOREVER, ASYNC WITH_ID(1) ",\"timeout_ms\":200", 202);
    check_refused("GET", RESULTS, 202, "\"state\":");
    wait_query_state(service, ONE_ID, "TIMED_OUT");
    check_refused("GET", RESULTS, 504, "\"code\":\"timeout\"");
    query = fetch_json(service, "GET", ONE_ID, 200);
    check_member_null(query, "results");
    json_decref(query);
    check_refused("DELETE", ONE_ID, 409, "conflict");

    occupy(clients);
    run_past_the_202(QUERIES "/" QUERY_ID(2));
    check_refused("GET", QUERIES "/" QUERY_ID(2) "/results", 503, "\"code\":\"queue_timeout\"");
    release(clients);
}

static void test_it_fails(void **state)
{
    (void)state;
    run_query(service, "sleep 20 fail sql_error", ASYNC WITH_ID(1), 202);
    wait_query_state(service, ONE_ID, "FAILED");
    check_refused("GET", RESULTS, 422, "\"detail\":\"told to fail\"");
    check_refused("GET", RESULTS "?chunk=0", 422, "sql_error");
    run_query(service, "sleep 20 rows 5000 fail source_error", ASYNC WITH_ID(2), 202);
    wait_query_state(service, QUERIES "/" QUERY_ID(2), "FAILED");
    check_refused("GET", QUERIES "/" QUERY_ID(2) "/results", 502, "source_error");
    service_process_wait_no_spool(service); /* half a result is none */
}

static void test_delete_in_each_state(void **state)
{
    struct service_client clients[2];
    struct service_client waiting;

    (void)state;
    /* running */
    run_query(service, FOREVER, ASYNC WITH_ID(1), 202);
    wait_query_state(service, ONE_ID, "RUNNING");
    check_refused("DELETE", ONE_ID, 202, QUERY_ID(1));
    wait_query_state(service, ONE_ID, "CANCELLED");
    check_refused("GET", RESULTS, 409, "\"code\":\"cancelled\"");
    check_refused("DELETE", ONE_ID, 409, "conflict");
    /* queued */
    occupy(clients);
    run_query(service, "rows 1", ASYNC WITH_ID(2), 202);
    wait_query_state(service, QUERIES "/" QUERY_ID(2), "QUEUED");
    check_refused("GET", QUERIES "/" QUERY_ID(2) "/results", 202, "QUEUED");
    check_refused("DELETE", QUERIES "/" QUERY_ID(2), 202, QUERY_ID(2));
    wait_query_state(service, QUERIES "/" QUERY_ID(2), "CANCELLED");
    release(clients);
    /* being spooled */
    run_query(service, "rows 50000 " FOREVER, ASYNC WITH_ID(3), 202);
    wait_query_state(service, QUERIES "/" QUERY_ID(3), "RUNNING");
    check_refused("DELETE", QUERIES "/" QUERY_ID(3), 202, QUERY_ID(3));
    wait_query_state(service, QUERIES "/" QUERY_ID(3), "CANCELLED");
    /* still waited for */
    service_process_query(service, &waiting, FOREVER, ",\"wait_ms\":600000" WITH_ID(4));
    service_process_wait_health(service, "slots", "busy", 1);
    check_refused("GET", QUERIES "/" QUERY_ID(4) "/results", 202, "\"results\":null");
    check_refused("DELETE", QUERIES "/" QUERY_ID(4), 202, QUERY_ID(4));
    check_answer(&waiting, 409, "\"code\":\"cancelled\"");
    /* succeeded: over, and its rows stay */
    run_query(service, "rows 2", ASYNC WITH_ID(5), 202);
    wait_query_state(service, QUERIES "/" QUERY_ID(5), "SUCCEEDED");
    check_refused("DELETE", QUERIES "/" QUERY_ID(5), 409, "conflict");
    check_refused("GET", QUERIES "/" QUERY_ID(5) "/results", 200, "[{\"n\":0},{\"n\":1}]");
    check_refused("DELETE", QUERIES "?tag=x", 202, "{\"cancelled\":[]}");
    service_process_wait_health(service, "slots", "busy", 0);
}

static void test_clients_that_leave(void **state)
{
    struct service_client client;

    (void)state;
    /* before its 202: it is cancelled */
    service_process_query(service, &client, FOREVER, ",\"wait_ms\":600000" WITH_ID(1));
    wait_query_state(service, ONE_ID, "RUNNING");
    service_client_reset(&client);
    service_client_close(&client);
    wait_query_state(service, ONE_ID, "CANCELLED");
    /* after it: nothing happens */
    service_process_query(service, &client, "sleep 100 rows 1", ASYNC WITH_ID(2));
    check_answer(&client, 202, QUERY_ID(2)); /* and closes */
    wait_query_state(service, QUERIES "/" QUERY_ID(2), "SUCCEEDED");
    check_refused("GET", QUERIES "/" QUERY_ID(2) "/results", 200, "[{\"n\":0}]");
}

static void test_ids_that_are_taken(void **state)
{
    (void)state;
    run_query(service, FOREVER, ASYNC WITH_ID(1), 202);
    run_query(service, "rows 1", WITH_ID(1), 409);
    check_refused("DELETE", ONE_ID, 202, QUERY_ID(1));
    wait_query_state(service, ONE_ID, "CANCELLED");
    run_query(service, "rows 1", WITH_ID(1), 409); /* its end can still be asked for */
    run_query(service, "rows 1", WITH_ID(2), 200);
    run_query(service, "rows 1", WITH_ID(2), 200);
}

/* What callers may come back for isn't forgotten because others query. */
static void test_history_leaves_handles_alone(void **state)
{
    (void)state;
    run_query(service, "rows 2", ASYNC WITH_ID(1), 202);
    run_query(service, "fail sql_error", ASYNC WITH_ID(2), 202);
    wait_query_state(service, ONE_ID, "SUCCEEDED");
    wait_query_state(service, QUERIES "/" QUERY_ID(2), "FAILED");
    for (int i = 0; i < 20; i++)
        run_query(service, "rows 1", "", 200);
    check_refused("GET", RESULTS, 200, "[{\"n\":0},{\"n\":1}]");
    check_refused("GET", QUERIES "/" QUERY_ID(2) "/results", 422, "told to fail");
}

/* ---- results ---- */

/* `[{"n":first},…]`: its rows are counted on from *next. */
static void count_rows(const char *body, int64_t *next)
{
    json_t *rows = json_loads(body, 0, NULL);
    const json_t *row = NULL;
    size_t i = 0;

    assert_true(json_is_array(rows));
    json_array_foreach(rows, i, row) assert_int_equal(member_number(row, "n"), (*next)++);
    json_decref(rows);
}

static void test_chunks(void **state)
{
    static const int64_t ROWS = 1200000; /* 9.6 MB of Arrow: more than two chunks */
    struct answer whole;
    json_t *query = NULL;
    int64_t next = 0;
    int64_t chunks = 0;
    char sql[32];
    char target[128];

    (void)state;
    snprintf(sql, sizeof(sql), "rows %lld", (long long)ROWS);
    run_query(service, sql, ASYNC WITH_ID(1), 202);
    wait_query_state(service, ONE_ID, "SUCCEEDED");
    query = fetch_json(service, "GET", ONE_ID, 200);
    chunks = member_number(query, "chunks");
    assert_true(chunks >= 2);
    json_decref(query);
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        struct answer first;
        struct answer again;

        snprintf(target, sizeof(target), RESULTS "?chunk=%lld", (long long)chunk);
        get(target, "", &first);
        get(target, "", &again);
        assert_int_equal(first.status, 200);
        assert_true(first.complete);
        assert_int_equal(first.body_length, again.body_length);
        assert_memory_equal(first.body, again.body, first.body_length);
        count_rows(first.body, &next);
        answer_done(&first);
        answer_done(&again);
    }
    assert_int_equal(next, ROWS);
    get(RESULTS, "", &whole);
    next = 0;
    count_rows(whole.body, &next);
    assert_int_equal(next, ROWS);
    answer_done(&whole);

    snprintf(target, sizeof(target), RESULTS "?chunk=%lld", (long long)chunks);
    check_refused("GET", target, 404, "counted from 0");
    check_refused("GET", RESULTS "?chunk=-1", 400, "chunk");
    check_refused("GET", RESULTS "?chunk=", 400, "chunk");
    check_refused("GET", RESULTS "?chunk=1x", 400, "chunk");
    check_refused("GET", RESULTS "?chunk=18446744073709551615", 400, "chunk");
    check_refused("GET", RESULTS "?chunks=1", 400, "unknown query parameter");
    check_refused("POST", RESULTS, 405, "method_not_allowed");
}

static void test_result_without_rows(void **state)
{
    (void)state;
    run_query(service, "rows 0", ASYNC WITH_ID(1), 202);
    wait_query_state(service, ONE_ID, "SUCCEEDED");
    check_refused("GET", RESULTS, 200, "[]");
    check_refused("GET", RESULTS "?chunk=0", 200, "[]");
    check_refused("GET", RESULTS "?chunk=1", 404, "not_found");
}

static void test_limits_and_formats(void **state)
{
    struct answer answer;

    (void)state;
    run_query(service, "rows 5000", ASYNC WITH_ID(1) ",\"row_limit\":2", 202);
    wait_query_state(service, ONE_ID, "SUCCEEDED");
    get(RESULTS, "Accept: text/csv\r\n", &answer);
    assert_string_equal(answer.body, "n\r\n0\r\n1\r\n");
    answer_check_header(&answer, "Result-Truncated", "true");
    answer_done(&answer);
    get(RESULTS, "Accept: application/x-ndjson\r\n", &answer);
    assert_string_equal(answer.body, "{\"n\":0}\n{\"n\":1}\n");
    answer_done(&answer);
    get(RESULTS, "Accept: image/png\r\n", &answer);
    assert_int_equal(answer.status, 406);
    answer_done(&answer);
    assert_true(service_client_once(service->port, "HEAD", RESULTS, "", NULL, &answer));
    assert_int_equal(answer.status, 200);
    answer_check_header(&answer, "Content-Length", "17");
    answer_done(&answer);
    run_query(service, "rows 5000", ASYNC WITH_ID(2) ",\"byte_limit\":30", 202);
    wait_query_state(service, QUERIES "/" QUERY_ID(2), "SUCCEEDED");
    check_refused("GET", QUERIES "/" QUERY_ID(2) "/results", 200,
                  "[{\"n\":0},{\"n\":1},{\"n\":2}]");
}

struct reader {
    pthread_t thread;
    struct answer answer;
    bool answered;
};

static void *read_results(void *argument)
{
    struct reader *reader = argument;

    reader->answered =
        service_client_once(service->port, "GET", RESULTS, "", NULL, &reader->answer);
    return NULL;
}

static void test_many_readers_at_once(void **state)
{
    struct reader readers[8] = {0};

    (void)state;
    run_query(service, "rows 300000", ASYNC WITH_ID(1), 202);
    wait_query_state(service, ONE_ID, "SUCCEEDED");
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_results, &readers[i]), 0);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
    for (size_t i = 0; i < 8; i++) {
        assert_true(readers[i].answered);
        assert_true(readers[i].answer.complete);
        assert_int_equal(readers[i].answer.body_length, readers[0].answer.body_length);
        assert_memory_equal(readers[i].answer.body, readers[0].answer.body,
                            readers[0].answer.body_length);
    }
    for (size_t i = 0; i < 8; i++)
        answer_done(&readers[i].answer);
}

/* ---- the end of a handle ---- */

static void test_expiry(void **state)
{
    struct service_client reader;
    struct answer answer;
    json_t *query = NULL;

    (void)state;
    start_with(SETTINGS("--workers=2", "--spool-ttl-s=1", "--history-length=1"));
    run_query(service, "rows 3000000", ASYNC WITH_ID(1), 202);
    wait_query_state(service, ONE_ID, "SUCCEEDED");
    /* one that reads slowly while it expires gets all of it */
    assert_true(service_client_open_narrow(&reader, service->port, 16 * 1024));
    assert_true(service_client_request(&reader, "GET", RESULTS, "", NULL));
    assert_true(service_client_wait_bytes(&reader, 1024));
    wait_query_state(service, ONE_ID, "EXPIRED");
    check_refused("GET", RESULTS, 410, "expired");
    check_refused("DELETE", ONE_ID, 409, "conflict");
    query = fetch_json(service, "GET", ONE_ID, 200);
    check_member_null(query, "results");
    check_member_null(query, "chunks");
    json_decref(query);
    assert_true(service_client_read(&reader, &answer));
    assert_true(answer.complete);
    assert_string_equal(answer.body + answer.body_length - 14, "{\"n\":2999999}]");
    answer_done(&answer);
    service_client_close(&reader);
    service_process_wait_no_spool(service);
    /* out of history, the journal still knows the id */
    run_query(service, "rows 1", WITH_ID(2), 200);
    run_query(service, "rows 1", WITH_ID(3), 200);
    check_refused("GET", ONE_ID, 410, "have expired");
    check_refused("GET", RESULTS, 410, "have expired");
    check_refused("DELETE", ONE_ID, 410, "have expired");
    check_refused("GET", QUERIES "/" QUERY_ID(9), 404, "not_found");
    run_query(service, "rows 1", WITH_ID(1), 200); /* the id is free again */
    check_refused("GET", ONE_ID, 200, "SUCCEEDED");
    stop_service(state);
}

static void test_restart(void **state)
{
    const char *const *settings = SETTINGS("--workers=2");

    (void)state;
    start_with(settings);
    run_query(service, "rows 1", ASYNC WITH_ID(1), 202);
    wait_query_state(service, ONE_ID, "SUCCEEDED");
    run_query(service, FOREVER, ASYNC WITH_ID(2), 202);
    run_query(service, "rows 1", WITH_ID(3), 200);
    service_process_restart(service, SIGKILL, settings);
    check_refused("GET", ONE_ID, 410, "restarted");
    check_refused("GET", RESULTS, 410, "restarted");
    check_refused("DELETE", ONE_ID, 410, "restarted");
    check_refused("GET", QUERIES "/" QUERY_ID(2), 410, "restarted");
    check_refused("GET", QUERIES "/" QUERY_ID(3), 404, "not_found");
    service_process_wait_no_spool(service);
    run_query(service, "rows 2", ASYNC WITH_ID(4), 202);
    service_process_restart(service, SIGTERM, settings);
    check_refused("GET", ONE_ID, 410, "restarted");
    check_refused("GET", QUERIES "/" QUERY_ID(4), 410, "restarted");
    stop_service(state);
}

/* An asynchronous query keeps no one from leaving: nobody could fetch its rows. */
static void test_stop_with_handles(void **state)
{
    struct monotime begin;

    (void)state;
    start_with(SETTINGS("--workers=1", "--drain-ms=600000"));
    run_query(service, FOREVER, ASYNC WITH_ID(1), 202);
    run_query(service, FOREVER, ASYNC WITH_ID(2), 202);
    wait_query_state(service, ONE_ID, "RUNNING");
    begin = monotime_now();
    service_process_stop(service);
    assert_true(monotime_span_ms(begin, monotime_now()) < PATIENCE_MS);
    service = NULL;
}

/* Who is fetching when the service is told to stop gets all of it. */
static void test_stop_amid_a_fetch(void **state)
{
    struct service_client reader;
    struct answer answer;

    (void)state;
    start_with(SETTINGS("--workers=1", "--drain-ms=60000"));
    run_query(service, "rows 3000000", ASYNC WITH_ID(1), 202);
    wait_query_state(service, ONE_ID, "SUCCEEDED");
    assert_true(service_client_open_narrow(&reader, service->port, 16 * 1024));
    assert_true(service_client_request(&reader, "GET", RESULTS, "", NULL));
    assert_true(service_client_wait_bytes(&reader, 1024));
    assert_int_equal(kill(service->pid, SIGTERM), 0);
    service_process_wait_logged(service, "no new queries");
    assert_true(service_client_read(&reader, &answer));
    assert_true(answer.complete);
    assert_string_equal(answer.body + answer.body_length - 14, "{\"n\":2999999}]");
    answer_done(&answer);
    service_client_close(&reader);
    service_process_finish(service, 0);
    service = NULL;
}

/* ---- bounds ---- */

static void test_handles_are_bounded(void **state)
{
    (void)state;
    start_with(SETTINGS("--workers=1", "--max-handles=2", "--spool-ttl-s=1"));
    run_query(service, "rows 1", ASYNC WITH_ID(1), 202);
    run_query(service, FOREVER, ASYNC WITH_ID(2), 202);
    run_query(service, "rows 1", ASYNC WITH_ID(3), 503);
    check_refused("GET", QUERIES "/" QUERY_ID(3), 404, "not_found");
    wait_query_state(service, ONE_ID, "EXPIRED");
    check_refused("GET", "/metrics", 200, "\nspark_service_handles_expired_total 1\n");
    check_refused("GET", "/metrics", 200, "\nspark_service_handles_limit 2\n");
    run_query(service, "rows 1", ASYNC WITH_ID(3), 202);
    check_refused("DELETE", QUERIES "/" QUERY_ID(2), 202, QUERY_ID(2));
    wait_query_state(service, QUERIES "/" QUERY_ID(3), "SUCCEEDED");
    stop_service(state);
}

static void test_spool_is_bounded(void **state)
{
    (void)state;
    start_with(SETTINGS("--workers=1", "--spool-bytes=2097152"));
    run_query(service, "rows 100000", ASYNC WITH_ID(1), 202);
    wait_query_state(service, ONE_ID, "SUCCEEDED");
    run_query(service, "rows 100000", ASYNC WITH_ID(2), 202);
    wait_query_state(service, QUERIES "/" QUERY_ID(2), "FAILED");
    check_refused("GET", QUERIES "/" QUERY_ID(2) "/results", 507, "storage_full");
    run_query(service, "rows 100000", ",\"wait_ms\":600000", 507);
    check_refused("GET", RESULTS, 200, "{\"n\":99999}]"); /* the older one stays */
    stop_service(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ONE(name) cmocka_unit_test_setup_teardown(name, start_service, stop_service)
        ONE(test_goes_async_at_once),
        ONE(test_preferences),
        ONE(test_preferences_of_other_methods),
        ONE(test_answer_within_the_wait),
        ONE(test_long_answer_within_the_wait),
        ONE(test_cancel_after_the_wait),
        ONE(test_it_still_times_out),
        ONE(test_it_fails),
        ONE(test_delete_in_each_state),
        ONE(test_clients_that_leave),
        ONE(test_ids_that_are_taken),
        ONE(test_history_leaves_handles_alone),
        ONE(test_chunks),
        ONE(test_result_without_rows),
        ONE(test_limits_and_formats),
        ONE(test_many_readers_at_once),
#undef ONE
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_stop_with_handles),
        cmocka_unit_test(test_stop_amid_a_fetch),
        cmocka_unit_test(test_handles_are_bounded),
        cmocka_unit_test(test_spool_is_bounded),
    };

    return cmocka_run_group_tests_name("service_async", tests, NULL, NULL);
}
