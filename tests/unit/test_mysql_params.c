#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/mysql_params.h"
#include "../../service/mysql_statement.h"

static int bind(const char *sql, const char *params, struct mysql_values *ret_values,
                struct error *err)
{
    struct mysql_statement statement = {0};
    int rc = 0;

    assert_int_equal(mysql_statement_parse(sql, (struct mysql_modes){0}, &statement, err), 0);
    rc = mysql_params_bind(&statement, params, ret_values, err);
    mysql_statement_done(&statement);
    return rc;
}

/* The values as the bridge gets them. */
static void check(const char *sql, const char *params, const char *expected)
{
    struct mysql_values values = {0};
    struct error err = {0};
    char *json = NULL;

    if (bind(sql, params, &values, &err) != 0)
        fail_msg("%s: %s", params, err.detail);
    json = mysql_values_to_json(&values);
    assert_string_equal(json, expected);
    free(json);
    mysql_values_done(&values);
}

static void check_value(const char *value, const char *expected)
{
    char params[512];
    char json[512];

    snprintf(params, sizeof(params), "{\"a\":%s}", value);
    snprintf(json, sizeof(json), "[%s]", expected);
    check("SELECT :a", params, json);
}

static void check_typed(const char *type, const char *value, const char *expected)
{
    char typed[256];

    snprintf(typed, sizeof(typed), "{\"type\":\"%s\",\"value\":%s}", type, value);
    check_value(typed, expected);
}

static void refuse(const char *sql, const char *params, enum error_code code, const char *part)
{
    struct mysql_values values = {0};
    struct error err = {0};

    if (bind(sql, params, &values, &err) == 0)
        fail_msg("accepted: %s", params);
    assert_int_equal(err.code, code);
    if (strstr(err.detail, part) == NULL)
        fail_msg("%s: %s", params, err.detail);
}

static void refuse_typed(const char *type, const char *value)
{
    char params[256];

    snprintf(params, sizeof(params), "{\"a\":{\"type\":\"%s\",\"value\":%s}}", type, value);
    refuse("SELECT :a", params, ERROR_BAD_REQUEST, "params.a: ");
}

static void test_plain_values(void **state)
{
    (void)state;
    check_value("7", "{\"kind\":\"integer\",\"value\":7}");
    check_value("-9223372036854775808", "{\"kind\":\"integer\",\"value\":-9223372036854775808}");
    check_value("1.5", "{\"kind\":\"double\",\"value\":1.5}");
    check_value("0.1", "{\"kind\":\"double\",\"value\":0.10000000000000001}");
    check_value("\"a'b\"", "{\"kind\":\"text\",\"value\":\"a'b\"}");
    check_value("\"\"", "{\"kind\":\"text\",\"value\":\"\"}");
    check_value("true", "{\"kind\":\"boolean\",\"value\":true}");
    check_value("false", "{\"kind\":\"boolean\",\"value\":false}");
    check_value("null", "{\"kind\":\"null\",\"value\":null}");
}

static void test_order_and_repetition(void **state)
{
    (void)state;
    check("SELECT :b, :a, :b", "{\"a\":1,\"b\":2}",
          "[{\"kind\":\"integer\",\"value\":2},{\"kind\":\"integer\",\"value\":1},"
          "{\"kind\":\"integer\",\"value\":2}]");
    check("SELECT 1", NULL, "[]");
    check("SELECT 1", "{}", "[]");
}

static void test_typed_values(void **state)
{
    (void)state;
    check_typed("TINYINT", "-128", "{\"kind\":\"integer\",\"value\":-128}");
    check_typed("int", "\"5\"", "{\"kind\":\"integer\",\"value\":5}");
    check_typed("DOUBLE", "1.5", "{\"kind\":\"double\",\"value\":1.5}");
    check_typed("DOUBLE", "\"-1e3\"", "{\"kind\":\"double\",\"value\":-1000.0}");
    check_typed("VARCHAR(10)", "\"x\"", "{\"kind\":\"text\",\"value\":\"x\"}");
    check_typed("STRING", "7", "{\"kind\":\"text\",\"value\":\"7\"}");
    check_typed("BOOLEAN", "\"TRUE\"", "{\"kind\":\"boolean\",\"value\":true}");
    check_typed("DATE", "\"2024-02-29\"", "{\"kind\":\"date\",\"value\":\"2024-02-29\"}");
    check_typed("TIMESTAMP", "\"2024-01-31 09:57:06.5Z\"",
                "{\"kind\":\"datetime\",\"value\":\"2024-01-31T09:57:06.5\"}");
    check_typed("DATE", "null", "{\"kind\":\"null\",\"value\":null}");
}

static void test_decimals(void **state)
{
    (void)state;
    check_typed("DECIMAL(10,2)", "\"1.5\"", "{\"kind\":\"decimal\",\"value\":\"1.50\"}");
    check_typed("decimal( 10 , 2 )", "\"-0.500\"", "{\"kind\":\"decimal\",\"value\":\"-0.50\"}");
    check_typed("DECIMAL(5)", "42", "{\"kind\":\"decimal\",\"value\":\"42\"}");
    check_typed("NUMERIC", "\"007\"", "{\"kind\":\"decimal\",\"value\":\"7\"}");
    check_typed("DECIMAL(2,2)", "\".25\"", "{\"kind\":\"decimal\",\"value\":\"0.25\"}");
    check_typed("DECIMAL(2,2)", "\"0.25\"", "{\"kind\":\"decimal\",\"value\":\"0.25\"}");
    check_typed("DECIMAL(65,30)", "\"99999999999999999999999999999999999\"",
                "{\"kind\":\"decimal\",\"value\":"
                "\"99999999999999999999999999999999999.000000000000000000000000000000\"}");
    refuse_typed("DECIMAL(3,1)", "\"1.25\"");
    refuse_typed("DECIMAL(3,1)", "\"100\"");
    refuse_typed("DECIMAL(66,1)", "\"1\"");
    refuse_typed("DECIMAL(10,31)", "\"1\"");
    refuse_typed("DECIMAL(2,3)", "\"0\"");
    refuse_typed("DECIMAL(10,2)", "\"1e3\"");
    refuse_typed("DECIMAL(10,2)", "\"\"");
    refuse_typed("DECIMAL(10,2)", "\".\"");
    refuse_typed("DECIMAL(10,2)", "true");
}

static void test_refused_values(void **state)
{
    (void)state;
    refuse("SELECT :a", "{\"a\":[1]}", ERROR_BAD_REQUEST, "arrays");
    refuse_typed("INT", "[1]");
    refuse_typed("TINYINT", "128");
    refuse_typed("INT", "\"1x\"");
    refuse_typed("INT", "\" 1\"");
    refuse_typed("INT", "\"\"");
    refuse_typed("BIGINT", "\"9223372036854775808\"");
    refuse_typed("DOUBLE", "\"0x10\"");
    refuse_typed("DOUBLE", "\"nan\"");
    refuse_typed("DOUBLE", "\"1e999\"");
    refuse_typed("BOOLEAN", "1");
    refuse_typed("DATE", "\"2023-02-29\"");
    refuse_typed("DATE", "\"2024-1-31\"");
    refuse_typed("DATE", "\"2024-01-31T00:00:00\"");
    refuse_typed("DATETIME", "\"2024-01-31\"");
    refuse_typed("DATETIME", "\"2024-01-31T24:00:00\"");
    refuse_typed("DATETIME", "\"2024-01-31T00:00:00.\"");
    refuse_typed("DATETIME", "\"2024-01-31T00:00:00.1234567\"");
    refuse_typed("DATETIME", "\"2024-01-31T00:00:00+02:00\"");
    refuse_typed("GEOMETRY", "\"x\"");
    refuse_typed("INT(10)", "1");
    refuse_typed("DECIMAL(10", "1");
    refuse_typed("DECIMAL(10,2", "1");
    refuse_typed("DECIMAL(10,2)x", "1");
    refuse_typed("DECIMAL 10", "1");
    refuse_typed("ARRAY<INT>", "1");
}

static void test_names_must_match(void **state)
{
    struct mysql_values values = {0};
    struct error err;

    (void)state;
    refuse("SELECT 1", "{\"a\":1}", ERROR_BAD_REQUEST, "params.a");
    refuse("SELECT :a", "{\"a\":1,\"b\":1}", ERROR_BAD_REQUEST, "params.b");
    refuse("SELECT :a, :c", "{\"a\":1}", ERROR_SQL_ERROR, ":c");
    assert_int_equal(bind("SELECT :a", NULL, &values, &err), -1);
    assert_string_equal(err.sqlstate, "42P02");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_values),   cmocka_unit_test(test_order_and_repetition),
        cmocka_unit_test(test_typed_values),   cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_refused_values), cmocka_unit_test(test_names_must_match),
    };

    return cmocka_run_group_tests_name("mysql_params", tests, NULL, NULL);
}
