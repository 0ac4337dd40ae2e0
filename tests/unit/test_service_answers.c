/* needs: unit/service_process.c unit/service_client.c */
/* What a caller gets: bytes, headers, limits, failures; the engine is scripted. */
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

#define MIB ((size_t)1024 * 1024)

static struct service_process *service;

static int start_service(void **state)
{
    (void)state;
    service = service_process_start_ready(SETTINGS("--mysql-hosts=db.example:3306"));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    service_process_stop_idle(&service);
    return 0;
}

static void query(const char *sql, const char *fields, struct answer *ret_answer)
{
    assert_true(service_client_query_once(service->port, service->data, sql, fields, ret_answer));
}

static void check_no_header(const struct answer *answer, const char *name)
{
    char value[256];

    assert_null(answer_header(answer, name, value, sizeof(value)));
}

/* Every field of Server-Timing with a number of milliseconds. */
static void check_timing(const char *text)
{
    double queue = -1, plan = -1, run = -1, write = -1;

    assert_non_null(text);
    assert_int_equal(sscanf(text, "queue;dur=%lf, plan;dur=%lf, run;dur=%lf, write;dur=%lf", &queue,
                            &plan, &run, &write),
                     4);
    assert_true(queue >= 0 && plan >= 0 && run >= 0 && write >= 0);
}

/* The exact answer to `rows N`. */
static char *rows_text(size_t rows, size_t *ret_length)
{
    char *text = malloc(rows * 32 + 3);
    size_t length = 0;

    assert_non_null(text);
    text[length++] = '[';
    for (size_t i = 0; i < rows; i++)
        length += (size_t)sprintf(text + length, "%s{\"n\":%zu}", i > 0 ? "," : "", i);
    text[length++] = ']';
    text[length] = '\0';
    *ret_length = length;
    return text;
}

static void check_rows(const struct answer *answer, size_t rows)
{
    size_t length = 0;
    char *wanted = rows_text(rows, &length);

    assert_int_equal(answer->status, 200);
    assert_true(answer->complete);
    assert_int_equal(answer->body_length, length);
    assert_memory_equal(answer->body, wanted, length);
    free(wanted);
}

static void test_short_answer(void **state)
{
    struct answer answer;
    char value[256];

    (void)state;
    query("rows 3", "", &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "[{\"n\":0},{\"n\":1},{\"n\":2}]");
    answer_check_header(&answer, "Content-Type", "application/json");
    answer_check_header(&answer, "Content-Length", "25");
    answer_check_header(&answer, "Query-Engine", "spark");
    answer_check_header(&answer, "Vary", "Accept, Accept-Encoding");
    answer_check_header(&answer, "Result-Truncated", "false");
    check_timing(answer_header(&answer, "Server-Timing", value, sizeof(value)));
    assert_non_null(answer_header(&answer, "Query-Id", value, sizeof(value)));
    assert_int_equal(strlen(value), 36);
    check_no_header(&answer, "Transfer-Encoding");
    check_no_header(&answer, "Trailer");
    answer_done(&answer);
}

static void test_no_rows(void **state)
{
    static const char *const SCRIPTS[] = {"rows 0", "sleep 1"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct answer answer;

        query(SCRIPTS[i], "", &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, "[]");
        answer_check_header(&answer, "Result-Truncated", "false");
        answer_done(&answer);
    }
}

static void test_long_answer(void **state)
{
    struct answer answer;
    char value[256];

    (void)state;
    query("rows 200000", "", &answer);
    assert_true(answer.chunked);
    check_rows(&answer, 200000);
    answer_check_header(&answer, "Trailer", "Server-Timing, Result-Truncated");
    answer_check_header(&answer, "Query-Engine", "spark");
    check_no_header(&answer, "Content-Length");
    check_no_header(&answer, "Server-Timing");
    check_no_header(&answer, "Result-Truncated");
    check_timing(answer_trailer(&answer, "Server-Timing", value, sizeof(value)));
    assert_string_equal(answer_trailer(&answer, "Result-Truncated", value, sizeof(value)), "false");
    answer_done(&answer);
}

/* Up to 1 MiB an answer is sent whole, above it in chunks. */
static void test_border_of_whole_answers(void **state)
{
    struct answer answer;
    char script[32];
    size_t rows = 10000;
    size_t length = 0;

    (void)state;
    free(rows_text(rows, &length));
    /* rows of five digits have 12 bytes with their comma, of four to six 11 to 13 */
    while (length + 13 <= MIB) {
        length += rows < 100000 ? 12 : 13;
        rows++;
    }
    snprintf(script, sizeof(script), "rows %zu", rows);
    query(script, "", &answer);
    assert_false(answer.chunked);
    check_rows(&answer, rows);
    assert_int_equal(answer.body_length, length);
    answer_done(&answer);

    snprintf(script, sizeof(script), "rows %zu", rows + 1);
    query(script, "", &answer);
    assert_true(answer.chunked);
    check_rows(&answer, rows + 1);
    answer_done(&answer);
}

static void check_row_limit(const char *script, size_t limit, size_t rows, const char *truncated)
{
    struct answer answer;
    char field[48];

    snprintf(field, sizeof(field), ",\"row_limit\":%zu", limit);
    query(script, field, &answer);
    check_rows(&answer, rows);
    answer_check_header(&answer, "Result-Truncated", truncated);
    answer_done(&answer);
}

static void test_row_limit(void **state)
{
    (void)state;
    check_row_limit("rows 10", 9, 9, "true");
    check_row_limit("rows 10", 10, 10, "false");
    check_row_limit("rows 10", 11, 10, "false");
    check_row_limit("rows 10", 1, 1, "true");
    check_row_limit("rows 2000", 999, 999, "true"); /* the engine's batches have 1000 rows */
    check_row_limit("rows 2000", 1000, 1000, "true");
    check_row_limit("rows 2000", 1001, 1001, "true");
    check_row_limit("rows 1000", 1000, 1000, "false");
    check_row_limit("rows 2000", 2000, 2000, "false");
    check_row_limit("rows 0", 1, 0, "false");
}

static void check_byte_limit(size_t limit, size_t rows, const char *truncated)
{
    struct answer answer;
    char field[48];

    snprintf(field, sizeof(field), ",\"byte_limit\":%zu", limit);
    query("rows 3", field, &answer);
    check_rows(&answer, rows);
    answer_check_header(&answer, "Result-Truncated", truncated);
    answer_done(&answer);
}

static void test_byte_limit(void **state)
{
    (void)state;
    check_byte_limit(26, 3, "false");
    check_byte_limit(25, 3, "false");
    check_byte_limit(24, 2, "true");
    check_byte_limit(17, 2, "true");
    check_byte_limit(16, 1, "true");
    check_byte_limit(2, 0, "true");
}

static void test_byte_limit_of_a_stream(void **state)
{
    struct answer answer;
    char value[64];
    size_t rows = 0;
    size_t length = 0;
    char *prefix = NULL;

    (void)state;
    query("rows 400000", ",\"byte_limit\":3000000", &answer);
    assert_true(answer.chunked && answer.complete);
    assert_string_equal(answer_trailer(&answer, "Result-Truncated", value, sizeof(value)), "true");
    assert_true(answer.body_length <= 3000000 && answer.body_length + 20 > 3000000);
    for (size_t i = 0; i < answer.body_length; i++)
        rows += answer.body[i] == '{';
    prefix = rows_text(rows, &length);
    assert_int_equal(answer.body_length, length);
    assert_memory_equal(answer.body, prefix, length);
    free(prefix);
    answer_done(&answer);
}

static void check_problem(const struct answer *answer, int status, const char *code)
{
    char field[64];

    assert_int_equal(answer->status, status);
    assert_true(answer->complete);
    answer_check_header(answer, "Content-Type", "application/problem+json");
    snprintf(field, sizeof(field), "\"code\":\"%s\"", code);
    assert_non_null(strstr(answer->body, field));
    snprintf(field, sizeof(field), "\"status\":%d", status);
    assert_non_null(strstr(answer->body, field));
}

static void test_failures_before_the_first_byte(void **state)
{
    static const struct {
        const char *script;
        int status;
        const char *code;
    } CASES[] = {
        {"fail sql_error", 422, "sql_error"},
        {"fail source_error", 502, "source_error"},
        {"fail forbidden", 403, "forbidden"},
        {"fail not_found", 404, "not_found"},
        {"fail storage_full", 507, "storage_full"},
        {"fail engine_error", 500, "engine_error"},
        {"fail timeout", 504, "timeout"},
        {"rows 3 fail sql_error", 422, "sql_error"},
        {"nonsense", 422, "sql_error"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct answer answer;
        char id[64];
        char wanted[96];

        query(CASES[i].script, "", &answer);
        check_problem(&answer, CASES[i].status, CASES[i].code);
        assert_non_null(answer_header(&answer, "Query-Id", id, sizeof(id)));
        snprintf(wanted, sizeof(wanted), "\"query_id\":\"%s\"", id);
        assert_non_null(strstr(answer.body, wanted));
        answer_done(&answer);
    }
}

static void test_failure_amid_a_stream(void **state)
{
    struct service_client client;
    struct answer answer;
    char value[64];

    (void)state;
    assert_true(service_client_open(&client, service->port));
    assert_true(service_client_query(&client, service->data, "rows 1000000 fail sql_error", ""));
    assert_true(service_client_read(&client, &answer));
    assert_int_equal(answer.status, 200);
    assert_true(answer.chunked);
    assert_false(answer.complete);
    assert_null(answer_trailer(&answer, "Result-Truncated", value, sizeof(value)));
    answer_done(&answer);
    assert_true(service_client_at_end(&client));
    service_client_close(&client);
}

static void test_paths(void **state)
{
    struct answer answer;
    char inside[256];

    (void)state;
    assert_true(service_client_query_once(service->port, "/etc", "rows 1", "", &answer));
    check_problem(&answer, 403, "forbidden");
    answer_done(&answer);
    snprintf(inside, sizeof(inside), "%s/absent", service->data);
    assert_true(service_client_query_once(service->port, inside, "rows 1", "", &answer));
    check_problem(&answer, 404, "not_found");
    answer_done(&answer);
}

static void check_request(const char *method, const char *target, const char *headers,
                          const char *body, int status, const char *code)
{
    struct answer answer;

    assert_true(service_client_once(service->port, method, target, headers, body, &answer));
    check_problem(&answer, status, code);
    answer_done(&answer);
}

#define JSON "Content-Type: application/json\r\n"
#define QUERY "/api/spark/query/"

static void test_mysql_config(void **state)
{
    (void)state;
    check_request("POST", QUERY "mysql", JSON, "{\"sql\":\"rows 1\"}", 400, "bad_request");
    check_request("POST", QUERY "mysql", JSON,
                  "{\"sql\":\"rows 1\",\"config\":{\"host\":\"other\",\"user\":\"u\"}}", 403,
                  "forbidden");
}

#define ON_SPARK                                                                                   \
    "\"engine\":\"spark\",\"config\":{\"host\":\"db.example\",\"port\":3306,\"user\":\"u\"}"

/* MySQL's statements through Spark pass the same gate, with the same values. */
static void test_mysql_on_spark(void **state)
{
    struct answer answer;

    (void)state;
    assert_true(service_client_once(
        service->port, "POST", QUERY "mysql", JSON,
        "{\"sql\":\"SELECT :a rows 3\",\"params\":{\"a\":1}," ON_SPARK "}", &answer));
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "[{\"n\":0},{\"n\":1},{\"n\":2}]");
    answer_done(&answer);
    check_request("POST", QUERY "mysql", JSON, "{\"sql\":\"SELECT :a rows 3\"," ON_SPARK "}", 422,
                  "sql_error");
    check_request("POST", QUERY "mysql", JSON, "{\"sql\":\"DROP TABLE t\"," ON_SPARK "}", 403,
                  "forbidden");
}

static void test_refusals(void **state)
{
    struct answer answer;

    (void)state;
    check_request("GET", "/nowhere", "", NULL, 404, "not_found");
    check_request("POST", QUERY "oracle", JSON, "{}", 404, "not_found");
    check_request("DELETE", "/api/spark/queries/", "", NULL, 404, "not_found");
    check_request("POST", QUERY "parquet", "", "{}", 415, "unsupported_media_type");
    check_request("POST", QUERY "parquet", "Content-Type: text/plain\r\n", "{}", 415,
                  "unsupported_media_type");
    check_request("POST", QUERY "parquet", JSON "Accept: text/html\r\n", "{}", 406,
                  "not_acceptable");
    check_request("POST", QUERY "parquet", JSON "Accept: application/json;q=0\r\n", "{}", 406,
                  "not_acceptable");
    check_request("POST", QUERY "parquet", JSON, "{", 400, "bad_request");
    check_request("POST", QUERY "parquet", JSON, "{\"sql\":\"rows 1\",\"sqll\":1}", 400,
                  "bad_request");

    assert_true(service_client_once(service->port, "PUT", QUERY "parquet", JSON, "{}", &answer));
    check_problem(&answer, 405, "method_not_allowed");
    answer_check_header(&answer, "Allow", "GET, HEAD, POST");
    answer_done(&answer);
    assert_true(service_client_once(service->port, "DELETE", "/livez", "", NULL, &answer));
    check_problem(&answer, 405, "method_not_allowed");
    answer_check_header(&answer, "Allow", "GET, HEAD");
    answer_done(&answer);
}

static void ask_by_target(const char *method, const char *query, const char *headers,
                          struct answer *ret_answer)
{
    char target[512];

    snprintf(target, sizeof(target), QUERY "parquet?path=%s&%s", service->data, query);
    assert_true(service_client_once(service->port, method, target, headers, NULL, ret_answer));
}

static void test_get(void **state)
{
    struct answer answer;
    char value[64];

    (void)state;
    ask_by_target("GET", "sql=rows+3&row_limit=2", "", &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "[{\"n\":0},{\"n\":1}]");
    answer_check_header(&answer, "Result-Truncated", "true");
    answer_check_header(&answer, "Vary", "Accept, Accept-Encoding");
    answer_done(&answer);

    ask_by_target("GET", "sql=rows%20200000", "Accept: text/csv\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_true(answer.chunked && answer.complete);
    assert_memory_equal(answer.body, "n\r\n0\r\n1\r\n", 9);
    assert_string_equal(answer_trailer(&answer, "Result-Truncated", value, sizeof(value)), "false");
    answer_done(&answer);

    ask_by_target("GET", "sql=fail+sql_error", "", &answer);
    check_problem(&answer, 422, "sql_error");
    answer_done(&answer);
    check_request("GET", QUERY "parquet?sql=x&config=%7B%7D", "", NULL, 400, "bad_request");
    check_request("GET", QUERY "parquet", "", NULL, 400, "bad_request");
    check_request("GET", QUERY "parquet?sql=x", "Accept: text/html\r\n", NULL, 406,
                  "not_acceptable");
}

/* Planned and checked, not run: the headers that GET would have, as far as a plan
 * can tell. */
static void test_head(void **state)
{
    struct answer answer;
    char value[64];

    (void)state;
    ask_by_target("HEAD", "sql=rows+3", "Accept: text/csv\r\n", &answer);
    assert_int_equal(answer.status, 200);
    answer_check_header(&answer, "Content-Type", "text/csv; charset=utf-8; header=present");
    answer_check_header(&answer, "Query-Engine", "spark");
    check_no_header(&answer, "Content-Length");
    check_no_header(&answer, "Result-Truncated");
    check_timing(answer_header(&answer, "Server-Timing", value, sizeof(value)));
    answer_done(&answer);

    ask_by_target("HEAD", "sql=fail+sql_error", "", &answer);
    assert_int_equal(answer.status, 422);
    answer_check_header(&answer, "Content-Type", "application/problem+json");
    answer_done(&answer);
}

static void test_openapi(void **state)
{
    struct answer answer;

    (void)state;
    assert_true(service_client_once(service->port, "GET", "/openapi.json", "", NULL, &answer));
    assert_int_equal(answer.status, 200);
    answer_check_header(&answer, "Content-Type", "application/json");
    assert_non_null(strstr(answer.body, "\"openapi\""));
    answer_done(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_answer),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_long_answer),
        cmocka_unit_test(test_border_of_whole_answers),
        cmocka_unit_test(test_row_limit),
        cmocka_unit_test(test_byte_limit),
        cmocka_unit_test(test_byte_limit_of_a_stream),
        cmocka_unit_test(test_failures_before_the_first_byte),
        cmocka_unit_test(test_failure_amid_a_stream),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_mysql_config),
        cmocka_unit_test(test_mysql_on_spark),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_openapi),
    };

    return cmocka_run_group_tests_name("service_answers", tests, start_service, stop_service);
}
