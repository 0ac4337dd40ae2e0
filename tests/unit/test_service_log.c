/* needs: unit/service_process.c unit/service_client.c */
/* Access lines and traces of the whole service. */
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
#include "../../service/trace_context.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define ID "0f0e0d0c-0b0a-4908-8706-0504030201dd"
#define OTHER_ID "0f0e0d0c-0b0a-4908-8706-0504030201ee"

static struct service_process *service;

static int start_service(void **state)
{
    (void)state;
    service = service_process_start_ready(SETTINGS("--workers=1"));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    if (service != NULL)
        service_process_stop(service);
    return 0;
}

static void ask(const char *method, const char *target, const char *headers, const char *body,
                int status)
{
    struct answer answer;

    assert_true(service_client_once(service->port, method, target, headers, body, &answer));
    assert_int_equal(answer.status, status);
    answer_done(&answer);
}

static void query(const char *headers, const char *sql, const char *id, int status)
{
    char body[512];
    char all[512];

    snprintf(all, sizeof(all), "Content-Type: application/json\r\n%s", headers);
    snprintf(body, sizeof(body), "{\"sql\":\"%s\",\"path\":\"%s\",\"query_id\":\"%s\"}", sql,
             service->data, id);
    ask("POST", "/api/spark/query/parquet", all, body, status);
}

/* The log line that has both texts; in `line`. */
static bool find_line(const char *first, const char *second, char *line, size_t size)
{
    FILE *log = fopen(service->log, "re");
    bool found = false;

    assert_non_null(log);
    while (!found && fgets(line, (int)size, log) != NULL)
        found = strstr(line, first) != NULL && strstr(line, second) != NULL;
    fclose(log);
    return found;
}

static void check_line(const char *first, const char *second, char *line, size_t size)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    while (!find_line(first, second, line, size)) {
        if (monotime_reached(limit, monotime_now()))
            fail_msg("no line with %s and %s", first, second);
        pause_ms(5);
    }
}

static void test_query(void **state)
{
    char line[2048];

    (void)state;
    query("traceparent: 00-" TRACE "-" PARENT "-01\r\n", "rows 2", ID, 200);
    check_line("msg=request", "query_id=" ID, line, sizeof(line));
    assert_non_null(strstr(line, " level=info msg=request method=POST "
                                 "route=/api/spark/query/parquet status=200 bytes=17 "
                                 "duration_us="));
    assert_non_null(strstr(line, " client=127.0.0.1:"));
    assert_non_null(strstr(line, " trace_id=" TRACE " parent_id=" PARENT "\n"));
    assert_null(strstr(line, "whole="));
    check_line("msg=\"query done\"", "query_id=" ID, line, sizeof(line));
    assert_non_null(strstr(line, " trace_id=" TRACE " "));
    query("traceparent: 00-" TRACE "-" PARENT "-00\r\n", "fail sql_error", ID, 422);
    check_line("msg=\"query ended\"", "query_id=" ID, line, sizeof(line));
    assert_non_null(strstr(line, " trace_id=" TRACE " "));
}

/* One trace of its own for what came without, or with a broken one, or with two. */
static void test_new_trace(void **state)
{
    static const char *const headers[] = {
        "",
        "traceparent: 00-" TRACE "-0000000000000000-01\r\n",
        "traceparent: 00-" TRACE "-" PARENT "-01\r\ntraceparent: 00-" TRACE "-" PARENT "-01\r\n",
        "tracestate: a=b\r\n",
    };
    char seen[4][TRACE_ID_BYTES] = {{0}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char id[48];
        char line[2048];
        const char *at = NULL;

        snprintf(id, sizeof(id), "0f0e0d0c-0b0a-4908-8706-0504030202%02zx", i);
        query(headers[i], "rows 1", id, 200);
        check_line("msg=request", id, line, sizeof(line));
        assert_null(strstr(line, "parent_id="));
        at = strstr(line, " trace_id=");
        assert_non_null(at);
        at += strlen(" trace_id=");
        assert_int_equal(strspn(at, "0123456789abcdef"), 32);
        snprintf(seen[i], sizeof(seen[i]), "%s", at);
        assert_string_not_equal(seen[i], TRACE);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
        check_line("msg=\"query done\"", seen[i], line, sizeof(line));
        assert_non_null(strstr(line, id));
    }
}

/* Neither path, query string, header nor statement of a caller. */
static void test_no_text_of_the_caller(void **state)
{
    char line[2048];

    (void)state;
    ask("GET", "/api/spark/secret-path?password=secret-string", "X-Secret: secret-header\r\n", NULL,
        404);
    check_line("msg=request", "status=404", line, sizeof(line));
    assert_non_null(strstr(line, " method=GET route=none status=404 "));
    ask("DELETE", "/api/spark/queries/secret-id", "", NULL, 404);
    check_line("msg=request", "method=DELETE", line, sizeof(line));
    assert_non_null(strstr(line, " route=/api/spark/queries/* status=404 "));
    query("", "fail secret-statement", OTHER_ID, 500);
    check_line("msg=request", "status=500", line, sizeof(line));
    assert_false(service_process_logged(service, "secret"));
}

static void test_malformed(void **state)
{
    struct service_client client;
    struct answer answer;
    char line[2048];

    (void)state;
    assert_true(service_client_open(&client, service->port));
    assert_true(service_client_send(&client, "GET /livez HTTP/1.1\r\n\r\n", 23));
    assert_true(service_client_read(&client, &answer));
    assert_int_equal(answer.status, 400);
    answer_done(&answer);
    service_client_close(&client);
    check_line("msg=request", "status=400", line, sizeof(line));
    assert_non_null(strstr(line, " route=none status=400 "));
}

static void test_client_gone(void **state)
{
    struct service_client client;
    char line[2048];

    (void)state;
    assert_true(service_client_open(&client, service->port));
    assert_true(service_client_query(&client, service->data, "sleep 600000", ""));
    service_process_wait_health(service, "slots", "busy", 1);
    service_client_close(&client);
    check_line("msg=request", "status=0", line, sizeof(line));
    assert_non_null(strstr(line, " whole=false "));
    assert_non_null(strstr(line, " query_id="));
    service_process_wait_health(service, "slots", "busy", 0);
}

/* A reader that leaves amid its answer: no more bytes than it could have got. */
static void test_client_leaves_amid_a_stream(void **state)
{
    struct service_client client;
    char line[2048];
    int64_t bytes = 0;

    (void)state;
    assert_true(service_client_open_narrow(&client, service->port, 4096));
    assert_true(service_client_query(&client, service->data, "rows 50000000", ""));
    assert_true(service_client_wait_bytes(&client, 1000));
    service_client_reset(&client);
    check_line(" status=200 ", " whole=false ", line, sizeof(line));
    bytes = atoll(strstr(line, " bytes=") + strlen(" bytes="));
    assert_in_range(bytes, 1000, 16 * 1024 * 1024); /* of some 440 MB */
    service_process_wait_health(service, "slots", "busy", 0);
}

static void test_pipelined(void **state)
{
    static const char requests[] =
        "GET /startupz HTTP/1.1\r\nHost: a\r\n\r\n"
        "GET /startupz HTTP/1.1\r\nHost: a\r\n\r\n"
        "HEAD /startupz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    struct service_client client;
    char line[2048];
    int lines = 0;
    FILE *log = NULL;

    (void)state;
    assert_true(service_client_open(&client, service->port));
    assert_true(service_client_send(&client, requests, sizeof(requests) - 1));
    assert_true(service_client_wait_bytes(&client, 100));
    check_line("msg=request method=HEAD route=/startupz status=200 bytes=0 ", "", line,
               sizeof(line));
    service_client_close(&client);
    log = fopen(service->log, "re");
    assert_non_null(log);
    while (fgets(line, sizeof(line), log) != NULL)
        lines += strstr(line, "msg=request method=GET route=/startupz status=200 bytes=8 ") != NULL;
    fclose(log);
    assert_int_equal(lines, 2);
}

static void test_switched_off(void **state)
{
    struct service_process *quiet = service_process_start_ready(SETTINGS("--access-log=0"));
    struct answer answer;

    (void)state;
    assert_true(service_client_once(quiet->port, "GET", "/livez", "", NULL, &answer));
    answer_done(&answer);
    assert_true(service_client_once(quiet->port, "GET", "/metrics", "", NULL, &answer));
    assert_non_null(strstr(answer.body, "spark_service_http_requests_total{route=\"/livez\","
                                        "method=\"GET\",code=\"200\"} 1\n"));
    answer_done(&answer);
    assert_false(service_process_logged(quiet, "msg=request"));
    service_process_stop(quiet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_new_trace),
        cmocka_unit_test(test_no_text_of_the_caller),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_client_gone),
        cmocka_unit_test(test_client_leaves_amid_a_stream),
        cmocka_unit_test(test_pipelined),
        cmocka_unit_test(test_switched_off),
    };

    return cmocka_run_group_tests_name("service_log", tests, start_service, stop_service);
}
