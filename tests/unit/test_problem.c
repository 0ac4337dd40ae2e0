#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/problem.h"

static void check(const struct error *err, const char *instance, const char *query_id,
                  int64_t elapsed_ms, const char *wanted)
{
    struct byte_buffer out = {0};

    problem_append(&out, err, instance, query_id, elapsed_ms);
    byte_buffer_append_char(&out, '\0');
    assert_false(out.failed);
    assert_string_equal(out.data, wanted);
    byte_buffer_done(&out);
}

static void test_members_and_their_order(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, ERROR_SQL_ERROR, "no \"such\" column \xc3\xa4\n");
    memcpy(err.sqlstate, "42703", 6);
    memcpy(err.error_class, "UNRESOLVED_COLUMN", 18);
    err.line = 2;
    err.column = 7;
    check(&err, "/api/spark/query/delta", "an-id", 12,
          "{\"type\":\"urn:spark-service:problem:sql_error\",\"title\":\"Unprocessable Content\","
          "\"status\":422,\"detail\":\"no \\\"such\\\" column \xc3\xa4\\n\","
          "\"instance\":\"/api/spark/query/delta\",\"code\":\"sql_error\",\"query_id\":\"an-id\","
          "\"sqlstate\":\"42703\",\"error_class\":\"UNRESOLVED_COLUMN\",\"line\":2,\"column\":7,"
          "\"retryable\":false,\"elapsed_ms\":12}");
}

static void test_unknown_members_are_left_out(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, ERROR_QUEUE_FULL, "%s", "");
    check(&err, NULL, NULL, -1,
          "{\"type\":\"urn:spark-service:problem:queue_full\",\"title\":\"Service Unavailable\","
          "\"status\":503,\"code\":\"queue_full\",\"retryable\":true}");
}

static void test_every_code_has_a_title(void **state)
{
    (void)state;
#define X(name, wire, status, retryable)                                                           \
    assert_string_not_equal(problem_reason_phrase(error_status(ERROR_##name)), "");
    ERROR_CODE_TABLE(X)
#undef X
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_and_their_order),
        cmocka_unit_test(test_unknown_members_are_left_out),
        cmocka_unit_test(test_every_code_has_a_title),
    };

    return cmocka_run_group_tests_name("problem", tests, NULL, NULL);
}
