/* needs: unit/service_process.c unit/service_client.c */
/* POST /api/spark/explain/{source}: a query's way, a plan as the answer. */
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

#define JSON_HEADER "Content-Type: application/json\r\n"

static struct service_process *service;

static int start_service(void **state)
{
    (void)state;
    service = service_process_start_ready(SETTINGS("--mysql-hosts=127.0.0.1:1"));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    service_process_stop_idle(&service);
    return 0;
}

static void explain(const char *source, const char *path, const char *sql, const char *fields,
                    struct answer *ret_answer)
{
    char target[64];
    char body[1024];

    snprintf(target, sizeof(target), "/api/spark/explain/%s", source);
    snprintf(body, sizeof(body), "{\"sql\":\"%s\"%s%s%s%s}", sql,
             path != NULL ? ",\"path\":\"" : "", path != NULL ? path : "", path != NULL ? "\"" : "",
             fields);
    assert_true(service_client_once(service->port, "POST", target, JSON_HEADER, body, ret_answer));
}

static void check_problem(const char *source, const char *path, const char *sql, const char *fields,
                          int status, const char *code)
{
    struct answer answer;
    char member[64];

    explain(source, path, sql, fields, &answer);
    snprintf(member, sizeof(member), "\"code\":\"%s\"", code);
    assert_int_equal(answer.status, status);
    assert_non_null(strstr(answer.body, member));
    answer_done(&answer);
}

static void test_tells_all_in_the_order_of_the_contract(void **state)
{
    struct answer answer;
    char value[128];

    (void)state;
    explain("delta", service->data, "source 7", "", &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(
        answer.body,
        "{\"plan\":\"source 7\",\"schema\":[{\"name\":\"n\",\"type\":\"BIGINT\","
        "\"nullable\":false}],\"source\":{\"kind\":\"delta\",\"version\":\"7\"},"
        "\"pushed_filters\":[\"(n > 1)\"],\"unpushed_filters\":[{\"filter\":"
        "\"(f(n) = \\\"2\\\")\",\"reason\":\"the source has no form for it\"}],\"files_read\":1,"
        "\"files_total\":4,\"bytes_read\":4096,\"bytes_total\":16384}");
    assert_string_equal(answer_header(&answer, "Content-Type", value, sizeof(value)),
                        "application/json");
    assert_non_null(answer_header(&answer, "Query-Id", value, sizeof(value)));
    answer_done(&answer);
}

static void test_leaves_out_what_is_unknown(void **state)
{
    struct answer answer;

    (void)state;
    explain("parquet", service->data, "rows 3", ",\"row_limit\":1", &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "\"source\":{\"kind\":\"parquet\"},"));
    assert_null(strstr(answer.body, "files_read"));
    assert_null(strstr(answer.body, "bytes_total"));
    answer_done(&answer);
}

static void test_is_refused_like_a_query(void **state)
{
    struct answer answer;

    (void)state;
    check_problem("parquet", "/etc", "rows 1", "", 403, "forbidden");
    check_problem("parquet", service->data, "rows 1", ",\"rowlimit\":1", 400, "bad_request");
    check_problem("parquet", service->data, "fail sql_error", "", 422, "sql_error");
    check_problem("parquet", service->data, "sleep 600000", ",\"timeout_ms\":100", 504, "timeout");
    check_problem("mysql", NULL, "SELECT 1", ",\"engine\":\"spark\"", 400, "bad_request");
    assert_true(
        service_client_once(service->port, "GET", "/api/spark/explain/parquet", "", "", &answer));
    assert_int_equal(answer.status, 405);
    answer_done(&answer);
    assert_true(service_client_once(service->port, "POST", "/api/spark/explain/csv", JSON_HEADER,
                                    "{}", &answer));
    assert_int_equal(answer.status, 404);
    answer_done(&answer);
}

/* MySQL explains on the direct engine, which has its own way to fail. */
static void test_mysql_asks_the_server(void **state)
{
    (void)state;
    check_problem(
        "mysql", NULL, "SELECT 1",
        ",\"config\":{\"host\":\"127.0.0.1\",\"port\":1,\"user\":\"u\",\"password\":\"p\"},"
        "\"timeout_ms\":10000",
        502, "source_error");
    check_problem(
        "mysql", NULL, "DROP TABLE t",
        ",\"config\":{\"host\":\"127.0.0.1\",\"port\":1,\"user\":\"u\",\"password\":\"p\"}", 403,
        "forbidden");
}

static void test_is_cancelled_like_a_query(void **state)
{
    const char *id = "11111111-2222-4333-8444-555555555555";
    struct service_client client;
    struct answer answer;
    char body[512];
    char target[96];

    (void)state;
    snprintf(body, sizeof(body),
             "{\"sql\":\"sleep 600000\",\"path\":\"%s\",\"query_id\":\"%s\",\"timeout_ms\":600000}",
             service->data, id);
    assert_true(service_client_open(&client, service->port));
    assert_true(
        service_client_request(&client, "POST", "/api/spark/explain/parquet", JSON_HEADER, body));
    service_process_wait_health(service, "slots", "busy", 1);
    snprintf(target, sizeof(target), "/api/spark/queries/%s", id);
    assert_true(service_client_once(service->port, "DELETE", target, "", "", &answer));
    assert_int_equal(answer.status, 202);
    answer_done(&answer);
    assert_true(service_client_read(&client, &answer));
    assert_int_equal(answer.status, 409);
    answer_done(&answer);
    service_client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tells_all_in_the_order_of_the_contract),
        cmocka_unit_test(test_leaves_out_what_is_unknown),
        cmocka_unit_test(test_is_refused_like_a_query),
        cmocka_unit_test(test_mysql_asks_the_server),
        cmocka_unit_test(test_is_cancelled_like_a_query),
    };

    return cmocka_run_group_tests_name("service_explain", tests, start_service, stop_service);
}
