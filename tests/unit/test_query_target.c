#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/query_target.h"

static void check_body(const char *query, const char *expected)
{
    struct byte_buffer body = {0};
    struct error err;

    if (query_target_to_body(query, &body, &err) != 0)
        fail_msg("%s: %s", query, err.detail);
    byte_buffer_append_char(&body, '\0');
    assert_string_equal(body.data, expected);
    byte_buffer_done(&body);
}

static void check_refused(const char *query, const char *reason)
{
    struct byte_buffer body = {0};
    struct error err;

    assert_int_equal(query_target_to_body(query, &body, &err), -1);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    if (strstr(err.detail, reason) == NULL)
        fail_msg("%s: \"%s\" is not in \"%s\"", query, reason, err.detail);
    byte_buffer_done(&body);
}

static void test_fields(void **state)
{
    (void)state;
    check_body("", "{}");
    check_body("sql=SELECT+1", "{\"sql\":\"SELECT 1\"}");
    check_body("path=%2Fdata%2Fa&sql=SELECT%20%22x%22%20%2B%201",
               "{\"sql\":\"SELECT \\\"x\\\" + 1\",\"path\":\"/data/a\"}");
    check_body("sql=%E2%82%AC", "{\"sql\":\"\xe2\x82\xac\"}");
    check_body("row_limit=10&byte_limit=0&timeout_ms=999999999999999999&queue_timeout_ms=1",
               "{\"timeout_ms\":999999999999999999,\"queue_timeout_ms\":1,\"row_limit\":10,"
               "\"byte_limit\":0}");
    check_body("params=%7B%22age%22%3A%207%7D", "{\"params\":{\"age\": 7}}");
    check_body("as_of={\"version\":3}", "{\"as_of\":{\"version\":3}}");
    check_body("table=a.b&engine=direct&query_id=x&cache=off&numbers=string",
               "{\"table\":\"a.b\",\"engine\":\"direct\",\"query_id\":\"x\",\"cache\":\"off\","
               "\"numbers\":\"string\"}");
    check_body("on_wait=cancel&wait_ms=0", "{\"on_wait\":\"cancel\",\"wait_ms\":0}");
    check_body("sql=", "{\"sql\":\"\"}"); /* the parser of the body refuses it */
}

static void test_numbers(void **state)
{
    static const char *const BAD[] = {
        "", "-1", "+1", "1.5", "1e3", "0x1", "01", "1 ", "ten", "1,2", "1234567890123456789"};

    (void)state;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        char query[64] = "row_limit=";

        check_refused(strcat(query, BAD[i]), "row_limit: must be an integer");
    }
}

/* Nothing in a document can end the body around it. */
static void test_documents(void **state)
{
    static const char *const BAD[] = {
        "",        "7",
        "[]",      "null",
        "{",       "{}}",
        "{}x",     "{},\"config\":{\"source\":\"main\"}",
        "{}//",    "{\"a\":1,\"a\":2}",
        "{'a':1}", "{} {}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        char query[128] = "params=";

        check_refused(strcat(query, BAD[i]), "params: must be a JSON object");
    }
}

static void test_refusals(void **state)
{
    (void)state;
    check_refused("config={}", "unknown query parameter config");
    check_refused("tags=a", "unknown query parameter tags");
    check_refused("SQL=x", "unknown query parameter SQL");
    check_refused("sql=a&sql=b", "sql: is there twice");
    check_refused("sql=%", "percent-encoded");
    check_refused("sql=%4", "percent-encoded");
    check_refused("sql=%zz", "percent-encoded");
    check_refused("sql=%00", "percent-encoded");
    check_refused("sql=%ff", "percent-encoded");
    check_refused("sql=%c0%af", "percent-encoded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests_name("query_target", tests, NULL, NULL);
}
