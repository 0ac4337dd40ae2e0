#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/query_request.h"

static const struct query_limits limits = {
    .timeout_ms_default = 30000,
    .timeout_ms_max = 600000,
    .queue_timeout_ms_default = 10000,
    .wait_ms_preferred = -1,
};

static struct query_request accept_bytes(enum query_source source, const char *body, size_t length)
{
    struct query_request request;
    struct error err;

    if (query_request_parse(source, body, length, &limits, &request, &err) != 0)
        fail_msg("%s: %s", body, err.detail);
    return request;
}

static struct query_request accept(enum query_source source, const char *body)
{
    return accept_bytes(source, body, strlen(body));
}

static void refuse_as(enum error_code code, enum query_source source, const char *body,
                      size_t length, const char *detail)
{
    struct query_request request;
    struct error err;

    memset(&request, 0x5a, sizeof(request));
    if (query_request_parse(source, body, length, &limits, &request, &err) != -1)
        fail_msg("accepted: %s", body);
    for (size_t i = 0; i < sizeof(request); i++)
        assert_int_equal(((const unsigned char *)&request)[i], 0x5a);
    assert_int_equal(err.code, code);
    if (strcmp(err.detail, detail) != 0)
        fail_msg("%s\n  gave:     %s\n  expected: %s", body, err.detail, detail);
}

static void refuse_bytes(enum query_source source, const char *body, size_t length,
                         const char *detail)
{
    refuse_as(ERROR_BAD_REQUEST, source, body, length, detail);
}

static void refuse(enum query_source source, const char *body, const char *detail)
{
    refuse_bytes(source, body, strlen(body), detail);
}

/* A body with `fields` behind the ones that the endpoint requires. */
static const char *body_with(enum query_source source, const char *fields)
{
    static char body[8192];

    snprintf(body, sizeof(body), "{\"sql\":\"SELECT 1\"%s,%s}",
             source == QUERY_PARQUET ? ",\"path\":\"/data/a\"" : "", fields);
    return body;
}

static struct query_request accept_fields(enum query_source source, const char *fields)
{
    return accept(source, body_with(source, fields));
}

static void refuse_fields(enum query_source source, const char *fields, const char *detail)
{
    refuse(source, body_with(source, fields), detail);
}

static void test_defaults(void **state)
{
    struct query_request request =
        accept(QUERY_PARQUET, "{\"sql\":\"SELECT 1\",\"path\":\"/data/a\"}");

    (void)state;
    assert_int_equal(request.source, QUERY_PARQUET);
    assert_string_equal(request.sql, "SELECT 1");
    assert_string_equal(request.path, "/data/a");
    assert_null(request.table);
    assert_null(request.config.source);
    assert_null(request.config.host);
    assert_null(request.params_json);
    assert_false(request.as_of.has_version);
    assert_false(request.as_of.has_snapshot_id);
    assert_null(request.as_of.timestamp);
    assert_int_equal(request.engine, ENGINE_AUTO);
    assert_int_equal(request.timeout_ms, 30000);
    assert_int_equal(request.queue_timeout_ms, 10000);
    assert_int_equal(request.row_limit, -1);
    assert_int_equal(request.byte_limit, -1);
    assert_null(request.query_id);
    assert_int_equal(request.tag_count, 0);
    assert_int_equal(request.cache, CACHE_USE);
    assert_false(request.numbers_as_strings);
    query_request_done(&request);
    assert_null(request.sql);
    query_request_done(&request);
    query_request_done(NULL);
}

static void test_common_fields(void **state)
{
    struct query_request request = accept_fields(
        QUERY_ICEBERG,
        "\"timeout_ms\":600000,\"queue_timeout_ms\":0,\"row_limit\":0,\"byte_limit\":1,"
        "\"query_id\":\"7D0C1B1E-0000-4000-8000-ABCDEFabcdef\",\"tags\":[\"users-page\","
        "\"\xc3\xbc\"],"
        "\"cache\":\"refresh\",\"numbers\":\"string\",\"table\":\"local.db.users\"");

    (void)state;
    assert_int_equal(request.timeout_ms, 600000);
    assert_int_equal(request.queue_timeout_ms, 0);
    assert_int_equal(request.row_limit, 0);
    assert_int_equal(request.byte_limit, 1);
    assert_string_equal(request.query_id, "7d0c1b1e-0000-4000-8000-abcdefabcdef");
    assert_int_equal(request.tag_count, 2);
    assert_string_equal(request.tags[0], "users-page");
    assert_string_equal(request.tags[1], "\xc3\xbc");
    assert_int_equal(request.cache, CACHE_REFRESH);
    assert_true(request.numbers_as_strings);
    assert_string_equal(request.table, "local.db.users");
    query_request_done(&request);
}

static void test_not_a_json_object(void **state)
{
    (void)state;
    refuse(QUERY_DELTA, "[]", "body must be a JSON object");
    refuse(QUERY_DELTA, "", "body is not valid JSON: '[' or '{' expected (line 1, column 0)");
    refuse(QUERY_DELTA, "7", "body is not valid JSON: '[' or '{' expected (line 1, column 1)");
    refuse(QUERY_DELTA, "{\"sql\":\"x\"} x",
           "body is not valid JSON: end of file expected (line 1, column 13)");
    refuse(QUERY_DELTA, "{\"sql\":\"x\",}",
           "body is not valid JSON: string or '}' expected (line 1, column 12)");
    refuse(QUERY_DELTA, "{\"sql\":\"x\",\n\"sql\":\"y\"}",
           "body is not valid JSON: duplicate object key near '\"sql\"' (line 2, column 5)");
    refuse(QUERY_DELTA, "{\"sql\":\"\xff\"}",
           "body is not valid JSON: unable to decode byte 0xff (line 1, column 8)");
    refuse(QUERY_DELTA, "{\"a\\u0000b\":1}",
           "body is not valid JSON: NUL byte in object key not supported (line 1, column 11)");
    refuse_bytes(QUERY_DELTA, "{\"sql\":\"a\0b\"}", 13,
                 "body is not valid JSON: control character 0x0 (line 1, column 9)");
}

static void test_nul_character(void **state)
{
    (void)state;
    refuse(QUERY_DELTA, "{\"sql\":\"a\\u0000b\"}", "sql: must not have a NUL character");
    refuse(QUERY_DELTA, "{\"sql\":\"x\",\"tags\":[\"a\",\"b\\u0000\"]}",
           "tags: must not have a NUL character");
    refuse(QUERY_MYSQL, "{\"sql\":\"x\",\"engine\":\"spark\\u0000\"}",
           "engine: must not have a NUL character");
    refuse(QUERY_MYSQL, "{\"sql\":\"x\",\"config\":{\"host\":\"a\\u0000\"}}",
           "config: must not have a NUL character");
    refuse(QUERY_DELTA, "{\"sql\":\"x\",\"params\":{\"a\":{\"type\":\"INT\\u0000\",\"value\":1}}}",
           "params: must not have a NUL character");
    const char *path = "{\"sql\":\"x\",\"path\":\"/a\\u0000\"}";

    refuse_as(ERROR_FORBIDDEN, QUERY_PARQUET, path, strlen(path), "path has a NUL character");
}

static void test_broken_json_does_not_repeat_a_password(void **state)
{
    const char *body = "{\"sql\":\"x\",\"config\":{\"password\":\"hunter2\\q\"}}";
    struct query_request request;
    struct error err;

    (void)state;
    assert_int_equal(query_request_parse(QUERY_MYSQL, body, strlen(body), &limits, &request, &err),
                     -1);
    assert_null(strstr(err.detail, "hunter2"));
}

static void test_unknown_fields(void **state)
{
    (void)state;
    refuse_fields(QUERY_MYSQL, "\"sqll\":1", "unknown field sqll");
    refuse_fields(QUERY_MYSQL, "\"\":1", "unknown field ");
    refuse_fields(QUERY_MYSQL, "\"config\":{\"jdbc_url\":\"x\"}", "unknown field config.jdbc_url");
    refuse_fields(QUERY_MYSQL, "\"config.host\":\"x\"", "unknown field config.host");
    refuse_fields(QUERY_DELTA, "\"as_of\":{\"tag\":\"x\"}", "unknown field as_of.tag");
}

static void test_fields_of_other_endpoints(void **state)
{
    (void)state;
    refuse_fields(QUERY_MYSQL, "\"path\":\"/data/a\"", "path: is not a field of mysql queries");
    refuse_fields(QUERY_MYSQL, "\"table\":\"a.b\"", "table: is not a field of mysql queries");
    refuse_fields(QUERY_MYSQL, "\"as_of\":{}", "as_of: is not a field of mysql queries");
    refuse_fields(QUERY_PARQUET, "\"config\":{}", "config: is not a field of parquet queries");
    refuse_fields(QUERY_PARQUET, "\"table\":\"a.b\"", "table: is not a field of parquet queries");
    refuse_fields(QUERY_PARQUET, "\"as_of\":{}", "as_of: is not a field of parquet queries");
    refuse_fields(QUERY_PARQUET, "\"engine\":\"auto\"",
                  "engine: is not a field of parquet queries");
    refuse_fields(QUERY_DELTA, "\"config\":{}", "config: is not a field of delta queries");
    refuse_fields(QUERY_ICEBERG, "\"engine\":\"spark\"",
                  "engine: is not a field of iceberg queries");
    refuse_fields(QUERY_ICEBERG, "\"as_of\":{\"version\":1}",
                  "as_of.version: is not a field of iceberg queries");
    refuse_fields(QUERY_DELTA, "\"as_of\":{\"snapshot_id\":1}",
                  "as_of.snapshot_id: is not a field of delta queries");
}

static void test_sql(void **state)
{
    size_t size = QUERY_SQL_MAX_BYTES;
    char *body = malloc(size + 64);

    (void)state;
    refuse(QUERY_DELTA, "{}", "sql: is required");
    refuse(QUERY_DELTA, "{\"sql\":\"\"}", "sql: must not be empty");
    refuse(QUERY_DELTA, "{\"sql\":\" \\t\\r\\n\"}", "sql: must not be empty");
    refuse(QUERY_DELTA, "{\"sql\":1}", "sql: must be a string");
    refuse(QUERY_DELTA, "{\"sql\":null}", "sql: must be a string");
    for (size_t extra = 0; extra < 2; extra++) {
        int start = sprintf(body, "{\"sql\":\"");
        memset(body + start, 'x', size + extra);
        strcpy(body + (size_t)start + size + extra, "\"}");
        if (extra == 0) {
            struct query_request request = accept(QUERY_DELTA, body);
            assert_int_equal(strlen(request.sql), size);
            query_request_done(&request);
        } else {
            refuse(QUERY_DELTA, body, "sql: must have at most 65536 bytes");
        }
    }
    free(body);
}

static void test_path_and_table(void **state)
{
    static const char *const good[] = {"db.users", "local.db.users", "a-b._c", "\xc3\xbc.x"};
    static const char *const bad[] = {"users", "a..b", ".a",    "a.",   "a.b.c.d",
                                      "a b.c", "a`.b", "a.b;c", "a.b'", "."};
    char fields[256];

    (void)state;
    refuse(QUERY_PARQUET, "{\"sql\":\"x\"}", "path: is required");
    refuse(QUERY_PARQUET, "{\"sql\":\"x\",\"path\":\"\"}", "path: must not be empty");
    refuse(QUERY_PARQUET, "{\"sql\":\"x\",\"path\":[]}", "path: must be a string");
    refuse_fields(QUERY_DELTA, "\"path\":\"/a\",\"table\":\"a.b\"",
                  "table: can't be given together with path");
    struct query_request request = accept(QUERY_DELTA, "{\"sql\":\"x\"}");
    query_request_done(&request);
    request = accept(QUERY_ICEBERG, "{\"sql\":\"x\"}");
    query_request_done(&request);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(fields, sizeof(fields), "\"table\":\"%s\"", good[i]);
        request = accept_fields(QUERY_ICEBERG, fields);
        assert_string_equal(request.table, good[i]);
        query_request_done(&request);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(fields, sizeof(fields), "\"table\":\"%s\"", bad[i]);
        refuse_fields(QUERY_ICEBERG, fields, "table: must be db.table or catalog.db.table");
    }
}

static void test_integers(void **state)
{
    static const struct {
        const char *field;
        const char *detail;
    } cases[] = {
        {"\"timeout_ms\":0", "timeout_ms: must be an integer from 1 to 600000"},
        {"\"timeout_ms\":600001", "timeout_ms: must be an integer from 1 to 600000"},
        {"\"timeout_ms\":1.0", "timeout_ms: must be an integer from 1 to 600000"},
        {"\"timeout_ms\":\"1\"", "timeout_ms: must be an integer from 1 to 600000"},
        {"\"timeout_ms\":true", "timeout_ms: must be an integer from 1 to 600000"},
        {"\"queue_timeout_ms\":-1", "queue_timeout_ms: must be an integer from 0 to 600000"},
        {"\"queue_timeout_ms\":600001", "queue_timeout_ms: must be an integer from 0 to 600000"},
        {"\"row_limit\":-1", "row_limit: must be an integer, at least 0"},
        {"\"row_limit\":null", "row_limit: must be an integer, at least 0"},
        {"\"byte_limit\":0", "byte_limit: must be an integer, at least 1"},
        {"\"byte_limit\":[]", "byte_limit: must be an integer, at least 1"},
        {"\"row_limit\":9223372036854775808",
         "body: a number at line 1, column 49 does not fit 64 bits; as a parameter, write "
         "{\"type\": \"DECIMAL(38,0)\", \"value\": \"...\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        refuse_fields(QUERY_DELTA, cases[i].field, cases[i].detail);
    struct query_request request = accept_fields(
        QUERY_DELTA, "\"timeout_ms\":1,\"queue_timeout_ms\":600000,"
                     "\"row_limit\":9223372036854775807,\"byte_limit\":9223372036854775807");
    assert_int_equal(request.row_limit, INT64_MAX);
    query_request_done(&request);
}

static void check_wait(int64_t preferred, const char *fields, int64_t wait_ms,
                       enum query_on_wait on_wait, bool by_header, bool keeps_rows)
{
    struct query_limits with_header = limits;
    struct query_request request;
    struct error err;
    const char *body = body_with(QUERY_DELTA, fields);

    with_header.wait_ms_preferred = preferred;
    if (query_request_parse(QUERY_DELTA, body, strlen(body), &with_header, &request, &err) != 0)
        fail_msg("%s: %s", fields, err.detail);
    assert_int_equal(request.wait_ms, wait_ms);
    assert_int_equal(request.on_wait, on_wait);
    assert_int_equal(request.wait_preferred, by_header);
    assert_int_equal(query_request_keeps_rows(&request), keeps_rows);
    query_request_done(&request);
}

static void test_wait(void **state)
{
    (void)state;
    check_wait(-1, "\"cache\":\"use\"", -1, WAIT_CONTINUE, false, false);
    check_wait(-1, "\"wait_ms\":0", 0, WAIT_CONTINUE, false, true);
    check_wait(-1, "\"wait_ms\":600000,\"on_wait\":\"continue\"", 600000, WAIT_CONTINUE, false,
               true);
    check_wait(-1, "\"on_wait\":\"cancel\",\"wait_ms\":5", 5, WAIT_CANCEL, false, false);
    check_wait(7000, "\"cache\":\"use\"", 7000, WAIT_CONTINUE, true, true);
    check_wait(7000, "\"wait_ms\":5", 5, WAIT_CONTINUE, false, true); /* the field counts */
    check_wait(7000, "\"on_wait\":\"cancel\"", 7000, WAIT_CANCEL, true, false);
    refuse_fields(QUERY_DELTA, "\"wait_ms\":-1", "wait_ms: must be an integer from 0 to 600000");
    refuse_fields(QUERY_DELTA, "\"wait_ms\":600001",
                  "wait_ms: must be an integer from 0 to 600000");
    refuse_fields(QUERY_DELTA, "\"wait_ms\":\"5\"", "wait_ms: must be an integer from 0 to 600000");
    refuse_fields(QUERY_DELTA, "\"wait_ms\":null", "wait_ms: must be an integer from 0 to 600000");
    refuse_fields(QUERY_DELTA, "\"wait_ms\":5,\"on_wait\":\"stop\"",
                  "on_wait: must be continue or cancel");
    refuse_fields(QUERY_DELTA, "\"on_wait\":\"cancel\"",
                  "on_wait: needs wait_ms, or the header Prefer: wait");
}

static void test_choices(void **state)
{
    (void)state;
    refuse_fields(QUERY_MYSQL, "\"engine\":\"duck\"", "engine: must be auto, direct or spark");
    refuse_fields(QUERY_MYSQL, "\"engine\":1", "engine: must be auto, direct or spark");
    refuse_fields(QUERY_MYSQL, "\"cache\":\"USE\"", "cache: must be use, refresh or off");
    refuse_fields(QUERY_MYSQL, "\"cache\":true", "cache: must be use, refresh or off");
    refuse_fields(QUERY_MYSQL, "\"numbers\":\"strings\"", "numbers: must be native or string");
    struct query_request request =
        accept_fields(QUERY_MYSQL, "\"engine\":\"spark\",\"cache\":\"off\",\"numbers\":\"native\"");
    assert_int_equal(request.engine, ENGINE_SPARK);
    assert_int_equal(request.cache, CACHE_OFF);
    assert_false(request.numbers_as_strings);
    query_request_done(&request);
}

static void test_query_id_and_tags(void **state)
{
    static const char *const bad_ids[] = {
        "7d0c1b1e", "7d0c1b1e-0000-4000-8000-abcdefabcdeg", "7d0c1b1e00004000-8000-abcdefabcdef--",
        "7d0c1b1e-0000-4000-8000-abcdefabcdef0", "{7d0c1b1e-0000-4000-8000-abcdefabcde}"};
    char fields[256];
    char word[QUERY_TAG_MAX_BYTES + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(bad_ids) / sizeof(bad_ids[0]); i++) {
        snprintf(fields, sizeof(fields), "\"query_id\":\"%s\"", bad_ids[i]);
        refuse_fields(QUERY_DELTA, fields, "query_id: must be a UUID");
    }
    refuse_fields(QUERY_DELTA, "\"query_id\":7", "query_id: must be a string");
    refuse_fields(QUERY_DELTA, "\"tags\":\"a\"", "tags: must be an array of at most 8 strings");
    refuse_fields(QUERY_DELTA, "\"tags\":[1,2,3,4,5,6,7,8,9]",
                  "tags: must be an array of at most 8 strings");
    refuse_fields(QUERY_DELTA, "\"tags\":[\"a\",1]", "tags: must be a string");
    refuse_fields(QUERY_DELTA, "\"tags\":[\"\"]", "tags: must not be empty");
    refuse_fields(QUERY_DELTA, "\"tags\":[\"a b\"]",
                  "tags: a tag must not have spaces or control characters");
    refuse_fields(QUERY_DELTA, "\"tags\":[\"a\\u007f\"]",
                  "tags: a tag must not have spaces or control characters");
    memset(word, 'w', sizeof(word));
    word[QUERY_TAG_MAX_BYTES + 1] = '\0';
    snprintf(fields, sizeof(fields), "\"tags\":[\"%s\"]", word);
    refuse_fields(QUERY_DELTA, fields, "tags: must have at most 64 bytes");
    word[QUERY_TAG_MAX_BYTES] = '\0';
    snprintf(fields, sizeof(fields), "\"tags\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"%s\"]",
             word);
    struct query_request request = accept_fields(QUERY_DELTA, fields);
    assert_int_equal(request.tag_count, 8);
    assert_string_equal(request.tags[7], word);
    query_request_done(&request);
}

static void test_config(void **state)
{
    struct query_request request = accept_fields(QUERY_MYSQL, "\"config\":{\"source\":\"main\"}");

    (void)state;
    assert_string_equal(request.config.source, "main");
    query_request_done(&request);
    request = accept_fields(QUERY_MYSQL, "\"config\":{}");
    assert_null(request.config.source);
    assert_null(request.config.host);
    query_request_done(&request);
    request = accept_fields(QUERY_MYSQL,
                            "\"config\":{\"host\":\"db-1.example.com\",\"port\":3307,"
                            "\"user\":\"app\",\"password\":\"p@ss,()=?#\",\"database\":\"shop\"}");
    assert_string_equal(request.config.host, "db-1.example.com");
    assert_int_equal(request.config.port, 3307);
    assert_string_equal(request.config.user, "app");
    assert_string_equal(request.config.password, "p@ss,()=?#");
    assert_string_equal(request.config.database, "shop");
    query_request_done(&request);
    request = accept_fields(QUERY_MYSQL, "\"config\":{\"host\":\"h\",\"password\":\"\"}");
    assert_string_equal(request.config.password, "");
    assert_int_equal(request.config.port, 0);
    query_request_done(&request);

    refuse_fields(QUERY_MYSQL, "\"config\":\"main\"", "config: must be an object");
    refuse_fields(QUERY_MYSQL, "\"config\":{\"source\":\"main\",\"host\":\"h\"}",
                  "config.source: stands alone, without host, port, user, password and database");
    refuse_fields(QUERY_MYSQL, "\"config\":{\"user\":\"u\"}",
                  "config.host: is required unless config.source is given");
    refuse_fields(QUERY_MYSQL, "\"config\":{\"source\":\"a/b\"}",
                  "config.source: must be the name of a source");
    refuse_fields(QUERY_MYSQL, "\"config\":{\"source\":\"\"}", "config.source: must not be empty");
    refuse_fields(QUERY_MYSQL, "\"config\":{\"host\":\"h\",\"port\":0}",
                  "config.port: must be an integer from 1 to 65535");
    refuse_fields(QUERY_MYSQL, "\"config\":{\"host\":\"h\",\"port\":\"3306\"}",
                  "config.port: must be an integer from 1 to 65535");
    refuse_fields(QUERY_MYSQL, "\"config\":{\"host\":\"h\",\"password\":7}",
                  "config.password: must be a string");
}

static void test_config_hosts(void **state)
{
    static const char *const good[] = {"localhost", "mysql", "my_sql.svc",
                                       "10.0.0.1",  "::1",   "2001:db8::7",
                                       "a.b-c.d",   "1a",    "xn--bcher-kva.example"};
    static const char *const bad[] = {
        "a,b",        "(h)",       "h=x",       "u@h",       "h?x",    "h#x",    "h&x",
        "h%41",       "h/x",       "h\\\\",     "h x",       "h:3306", "[::1]",  "-h",
        "h-",         "h.",        ".h",        "a..b",      "127.1",  "0x7f.1", "2130706433",
        "0x7f000001", "1.2.3.4.5", "256.1.1.1", "h\xc3\xbc", "::g"};
    char fields[256];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(fields, sizeof(fields), "\"config\":{\"host\":\"%s\"}", good[i]);
        struct query_request request = accept_fields(QUERY_MYSQL, fields);
        assert_string_equal(request.config.host, good[i]);
        query_request_done(&request);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(fields, sizeof(fields), "\"config\":{\"host\":\"%s\"}", bad[i]);
        refuse_fields(QUERY_MYSQL, fields, "config.host: must be a DNS name or an IP address");
    }
}

static void test_config_accounts(void **state)
{
    static const char bad[] = ",()=@?#&%/ :;'`<>[]{}|^*";
    char fields[256];

    (void)state;
    for (size_t i = 0; bad[i] != '\0'; i++) {
        snprintf(fields, sizeof(fields), "\"config\":{\"host\":\"h\",\"user\":\"a%cb\"}", bad[i]);
        refuse_fields(QUERY_MYSQL, fields, "config.user: has a character that is not allowed");
        snprintf(fields, sizeof(fields), "\"config\":{\"host\":\"h\",\"database\":\"a%cb\"}",
                 bad[i]);
        refuse_fields(QUERY_MYSQL, fields, "config.database: has a character that is not allowed");
    }
    refuse_fields(QUERY_MYSQL, "\"config\":{\"host\":\"h\",\"database\":\"a\\\\b\"}",
                  "config.database: has a character that is not allowed");
    struct query_request request = accept_fields(
        QUERY_MYSQL,
        "\"config\":{\"host\":\"h\",\"user\":\"a_-$.+~!9\",\"database\":\"\xc3\xbc\"}");
    assert_string_equal(request.config.user, "a_-$.+~!9");
    query_request_done(&request);
}

static void check_params(const char *params, const char *expected)
{
    char fields[2048];

    snprintf(fields, sizeof(fields), "\"params\":%s", params);
    struct query_request request = accept_fields(QUERY_DELTA, fields);
    assert_string_equal(request.params_json, expected);
    query_request_done(&request);
}

static void refuse_params(const char *params, const char *detail)
{
    char fields[2048];

    snprintf(fields, sizeof(fields), "\"params\":%s", params);
    refuse_fields(QUERY_DELTA, fields, detail);
}

static void test_params(void **state)
{
    (void)state;
    check_params("{}", "{}");
    check_params("{ \"age\" : 7, \"s\" : \"x\\u00fc\\n\", \"b\" : true, \"n\" : null }",
                 "{\"age\":7,\"s\":\"x\xc3\xbc\\n\",\"b\":true,\"n\":null}");
    check_params("{\"min\":-9223372036854775808,\"max\":9223372036854775807}",
                 "{\"min\":-9223372036854775808,\"max\":9223372036854775807}");
    check_params("{\"one\":1.0,\"e\":1e300,\"half\":0.5}",
                 "{\"one\":1.0,\"e\":1.0000000000000001e300,\"half\":0.5}");
    check_params("{\"a\":[1,\"x\",null,[true]]}", "{\"a\":[1,\"x\",null,[true]]}");
    check_params("{\"d\":{\"type\":\"DECIMAL(10,2)\",\"value\":\"1.50\"}}",
                 "{\"d\":{\"type\":\"DECIMAL(10,2)\",\"value\":\"1.50\"}}");
    check_params("{\"d\":{\"type\":\"double\",\"value\":1.5}}",
                 "{\"d\":{\"type\":\"double\",\"value\":1.5}}");
    check_params("{\"d\":{\"type\":\"ARRAY<DATE>\",\"value\":[\"2024-01-31\"]}}",
                 "{\"d\":{\"type\":\"ARRAY<DATE>\",\"value\":[\"2024-01-31\"]}}");
}

static void test_params_refused(void **state)
{
    static const char exactly[] = "params.a: an object must have exactly \"type\" and \"value\"";

    (void)state;
    refuse_params("[]", "params: must be an object");
    refuse_params("{\"a b\":1}", "params.a b: a parameter's name has letters, digits and '_' only");
    refuse_params("{\"1a\":1}", "params.1a: a parameter's name has letters, digits and '_' only");
    refuse_params("{\"\":1}", "params.: a parameter's name has letters, digits and '_' only");
    refuse_params("{\"a\":{}}", exactly);
    refuse_params("{\"a\":{\"type\":\"INT\"}}", exactly);
    refuse_params("{\"a\":{\"type\":\"INT\",\"value\":1,\"x\":1}}", exactly);
    refuse_params("{\"a\":{\"type\":7,\"value\":1}}",
                  "params.a: \"type\" must be the name of a SQL type");
    refuse_params("{\"a\":{\"type\":\"INT; DROP\",\"value\":1}}",
                  "params.a: \"type\" must be the name of a SQL type");
    refuse_params("{\"a\":{\"type\":\"DECIMAL(10,2)\",\"value\":1.5}}",
                  "params.a: write a number with a point as a string, so that none of its digits "
                  "is lost");
    refuse_params("{\"a\":[{\"type\":\"INT\",\"value\":1}]}",
                  "params.a: must be a number, string, boolean, null, an array of such, or "
                  "{\"type\", \"value\"}");
    refuse_params("{\"a\":[[[[[1]]]]]}", "params.a: arrays are nested too deeply");
    refuse_params("{\"a\":18446744073709551615}",
                  "body: a number at line 1, column 52 does not fit 64 bits; as a parameter, write "
                  "{\"type\": \"DECIMAL(38,0)\", \"value\": \"...\"}");
    refuse_params("{\"a\":1e999}",
                  "body: a number at line 1, column 37 does not fit 64 bits; as a parameter, write "
                  "{\"type\": \"DECIMAL(38,0)\", \"value\": \"...\"}");
}

static void test_doubles_keep_their_value(void **state)
{
    struct query_request request =
        accept_fields(QUERY_DELTA, "\"params\":{\"a\":[0.1,123456.789e-30,5e-324]}");
    char *at = strchr(request.params_json, '[') + 1;

    (void)state;
    assert_true(strtod(at, &at) == 0.1);
    assert_true(strtod(at + 1, &at) == 123456.789e-30);
    assert_true(strtod(at + 1, &at) == 5e-324);
    query_request_done(&request);
}

static void test_as_of(void **state)
{
    struct query_request request = accept_fields(QUERY_DELTA, "\"as_of\":{\"version\":0}");

    (void)state;
    assert_true(request.as_of.has_version);
    assert_int_equal(request.as_of.version, 0);
    query_request_done(&request);
    request = accept_fields(QUERY_ICEBERG, "\"as_of\":{\"snapshot_id\":\"9223372036854775807\"}");
    assert_true(request.as_of.has_snapshot_id);
    assert_int_equal(request.as_of.snapshot_id, INT64_MAX);
    query_request_done(&request);
    request = accept_fields(QUERY_ICEBERG, "\"as_of\":{\"snapshot_id\":12}");
    assert_int_equal(request.as_of.snapshot_id, 12);
    query_request_done(&request);
    request =
        accept_fields(QUERY_DELTA, "\"as_of\":{\"timestamp\":\"2024-02-29T23:59:59.123456789Z\"}");
    assert_string_equal(request.as_of.timestamp, "2024-02-29T23:59:59.123456789Z");
    query_request_done(&request);

    refuse_fields(QUERY_DELTA, "\"as_of\":7", "as_of: must be an object");
    refuse_fields(QUERY_DELTA, "\"as_of\":{}", "as_of: must have exactly one field");
    refuse_fields(QUERY_DELTA, "\"as_of\":{\"version\":1,\"timestamp\":\"2024-01-31T00:00:00Z\"}",
                  "as_of: must have exactly one field");
    refuse_fields(QUERY_DELTA, "\"as_of\":{\"version\":-1}",
                  "as_of.version: must be an integer, at least 0");
    refuse_fields(QUERY_DELTA, "\"as_of\":{\"version\":\"1\"}",
                  "as_of.version: must be an integer, at least 0");
}

static void test_as_of_texts_refused(void **state)
{
    static const char *const ids[] = {"", "-1", "+1", " 1", "1x", "0x1", "9223372036854775808"};
    static const char *const times[] = {"2024-01-31",
                                        "2024-01-31T09:57:06",
                                        "2024-01-31 09:57:06Z",
                                        "2024-13-01T00:00:00Z",
                                        "2023-02-29T00:00:00Z",
                                        "2024-01-31T24:00:00Z",
                                        "2024-01-31T00:60:00Z",
                                        "2024-01-31T00:00:60Z",
                                        "2024-01-31T00:00:00.Z",
                                        "24-01-31T00:00:00Z",
                                        "2024-01-31T00:00:00+00:00",
                                        "2024-01-31T00:00:00.1234567890Z",
                                        "2024-01-31T00:00:00Zx",
                                        "2024-00-31T00:00:00Z"};
    char fields[256];

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        snprintf(fields, sizeof(fields), "\"as_of\":{\"snapshot_id\":\"%s\"}", ids[i]);
        refuse_fields(QUERY_ICEBERG, fields,
                      "as_of.snapshot_id: must be a decimal number of at most 64 bits");
    }
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        snprintf(fields, sizeof(fields), "\"as_of\":{\"timestamp\":\"%s\"}", times[i]);
        refuse_fields(QUERY_DELTA, fields,
                      "as_of.timestamp: must be a UTC time like 2024-01-31T09:57:06Z");
    }
}

static void test_deep_nesting_ends_in_an_error(void **state)
{
    enum { DEPTH = 500000 };
    char *body = malloc(DEPTH + 1);
    struct query_request request;
    struct error err;

    (void)state;
    memset(body, '[', DEPTH);
    assert_int_equal(query_request_parse(QUERY_DELTA, body, DEPTH, &limits, &request, &err), -1);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    free(body);
}

/* Every cut and every single-bit change of a full body is accepted or refused, cleanly. */
static void test_damaged_bodies(void **state)
{
    const char *body =
        "{\"sql\":\"SELECT :a\",\"config\":{\"host\":\"h\",\"port\":1,\"user\":\"u\",\"password\":"
        "\"secret\",\"database\":\"d\"},\"params\":{\"a\":[1,2.5,{\"x\":1}],\"b\":{\"type\":"
        "\"INT\","
        "\"value\":\"1\"}},\"tags\":[\"t\"],\"query_id\":\"7d0c1b1e-0000-4000-8000-abcdefabcdef\"}";
    size_t length = strlen(body);
    struct query_request request;
    struct error err;

    (void)state;
    for (size_t cut = 0; cut < length; cut++) {
        char *copy = malloc(cut + 1); /* exact size: ASan sees a read behind it */
        memcpy(copy, body, cut);
        assert_int_equal(query_request_parse(QUERY_MYSQL, copy, cut, &limits, &request, &err), -1);
        free(copy);
    }
    char *copy = strdup(body);
    for (size_t i = 0; i < length * 8; i++) {
        copy[i / 8] = (char)(copy[i / 8] ^ 1 << i % 8);
        if (query_request_parse(QUERY_MYSQL, copy, length, &limits, &request, &err) == 0)
            query_request_done(&request);
        else
            assert_int_equal(err.code, ERROR_BAD_REQUEST);
        copy[i / 8] = body[i / 8];
    }
    free(copy);
}

static void test_source_names(void **state)
{
    (void)state;
    assert_string_equal(query_source_name(QUERY_MYSQL), "mysql");
    assert_string_equal(query_source_name(QUERY_PARQUET), "parquet");
    assert_string_equal(query_source_name(QUERY_DELTA), "delta");
    assert_string_equal(query_source_name(QUERY_ICEBERG), "iceberg");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_common_fields),
        cmocka_unit_test(test_not_a_json_object),
        cmocka_unit_test(test_nul_character),
        cmocka_unit_test(test_broken_json_does_not_repeat_a_password),
        cmocka_unit_test(test_unknown_fields),
        cmocka_unit_test(test_fields_of_other_endpoints),
        cmocka_unit_test(test_sql),
        cmocka_unit_test(test_path_and_table),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_wait),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_query_id_and_tags),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_config_hosts),
        cmocka_unit_test(test_config_accounts),
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_params_refused),
        cmocka_unit_test(test_doubles_keep_their_value),
        cmocka_unit_test(test_as_of),
        cmocka_unit_test(test_as_of_texts_refused),
        cmocka_unit_test(test_deep_nesting_ends_in_an_error),
        cmocka_unit_test(test_damaged_bodies),
        cmocka_unit_test(test_source_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
