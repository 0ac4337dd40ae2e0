/* needs: unit/service_process.c unit/service_client.c */
/*
 * Kept answers, as a client sees them. The engine's `echo` answers with the tag
 * of its run, so that equal bodies mean that there was one run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "service_client.h"
#include "service_process.h"

#define MISS "spark-service; fwd=uri-miss"
#define STORED MISS "; stored"
#define JSON "Content-Type: application/json\r\n"
#define HIT "spark-service; hit"

static struct service_process *service;

static int start_service(void **state)
{
    (void)state;
    service =
        service_process_start_ready(SETTINGS("--workers=1", "--queue-length=0", "--cache-files=8",
                                             "--cache-bytes=200000", "--cache-disk-bytes=0"));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    service_process_stop_idle(&service);
    return 0;
}

static struct answer ask(const char *table, const char *script, const char *fields)
{
    struct answer answer;
    char sql[512];

    snprintf(sql, sizeof(sql), "reads %s %s", table, script);
    assert_true(service_client_query_once(service->port, table, sql, fields, &answer));
    return answer;
}

static void check_status(const struct answer *answer, const char *cache_status)
{
    if (answer->status != 200)
        fail_msg("%d %s", answer->status, answer->body);
    answer_check_header(answer, "Cache-Status", cache_status);
}

static bool has_status(const struct answer *answer, const char *cache_status)
{
    char value[128];
    const char *found = answer_header(answer, "Cache-Status", value, sizeof(value));

    return found != NULL && strcmp(found, cache_status) == 0;
}

/* Asks until the answer is stored: a table has to be older than the kernel's clock
 * is coarse. */
static struct answer ask_until(const char *table, const char *script, const char *fields,
                               const char *cache_status)
{
    for (int64_t waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 5) {
        struct answer answer = ask(table, script, fields);
        if (has_status(&answer, cache_status))
            return answer;
        answer_done(&answer);
        pause_ms(5);
    }
    fail_msg("never %s", cache_status);
    return (struct answer){0};
}

static void check_same_body(const struct answer *one, const struct answer *other)
{
    assert_int_equal(one->body_length, other->body_length);
    assert_memory_equal(one->body, other->body, one->body_length);
}

static void test_second_is_not_run(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer first = ask_until(table, "echo", "", STORED);
    struct answer second = ask(table, "echo", "");
    char one[64], other[64];

    (void)state;
    check_status(&second, HIT);
    check_same_body(&first, &second);
    assert_string_not_equal(answer_header(&first, "Query-Id", one, sizeof(one)),
                            answer_header(&second, "Query-Id", other, sizeof(other)));
    answer_check_header(&second, "Query-Engine", "spark");
    answer_check_header(&second, "Content-Type", "application/json");
    answer_check_header(&second, "Result-Truncated", "false");
    answer_check_header(&second, "Vary", "Accept, Accept-Encoding");
    answer_check_header(&second, "ETag", NULL);
    answer_done(&first);
    answer_done(&second);
}

static void test_change_is_seen_at_once(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer first = ask_until(table, "echo", "", STORED);
    struct answer second;

    (void)state;
    write_table_file(table, "b.parquet", "b");
    second = ask(table, "echo", "");
    check_status(&second, "spark-service; fwd=stale; detail=source-changed-lately");
    assert_string_not_equal(first.body, second.body);
    answer_done(&first);
    answer_done(&second);
    second = ask_until(table, "echo", "", STORED);
    answer_done(&second);
}

static void test_caller_may_refuse_it(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer stored = ask_until(table, "echo", "", STORED);
    struct answer off = ask(table, "echo", ",\"cache\":\"off\"");
    struct answer anew = ask(table, "echo", ",\"cache\":\"refresh\"");
    struct answer kept = ask(table, "echo", "");

    (void)state;
    check_status(&off, "spark-service; fwd=bypass; detail=cache-off");
    assert_string_not_equal(stored.body, off.body);
    check_status(&anew, "spark-service; fwd=request; stored");
    assert_string_not_equal(stored.body, anew.body);
    check_status(&kept, HIT);
    check_same_body(&anew, &kept);
    answer_done(&stored);
    answer_done(&off);
    answer_done(&anew);
    answer_done(&kept);
}

static void test_own_query_id_is_given_back(void **state)
{
    static const char ID[] = "7d0c1b1e-9f2b-4c55-8d5e-3b9f1f6f0a11";
    const char *table = service_process_new_table(service);
    struct answer stored = ask_until(table, "echo", "", STORED);
    struct answer kept =
        ask(table, "echo", ",\"query_id\":\"7d0c1b1e-9f2b-4c55-8d5e-3b9f1f6f0a11\"");

    (void)state;
    check_status(&kept, HIT);
    answer_check_header(&kept, "Query-Id", ID);
    answer_done(&stored);
    answer_done(&kept);
}

static void test_not_repeatable_is_not_stored(void **state)
{
    struct answer answer;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(service_client_query_once(service->port, service->data, "echo", "", &answer));
        check_status(&answer, MISS "; detail=not-deterministic");
        answer_done(&answer);
    }
}

static void test_failure_is_not_stored(void **state)
{
    const char *table = service_process_new_table(service);

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct answer answer = ask(table, "fail sql_error", "");
        assert_int_equal(answer.status, 422);
        answer_done(&answer);
    }
}

static void test_hit_needs_no_slot(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer stored = ask_until(table, "echo", "", STORED);
    struct service_client sleeper;
    struct answer kept, refused;

    (void)state;
    service_process_query(service, &sleeper, "sleep 600000", "");
    service_process_wait_health(service, "slots", "busy", 1);
    refused = ask(table, "rows 2", "");
    assert_int_equal(refused.status, 503);
    kept = ask(table, "echo", "");
    check_status(&kept, HIT);
    check_same_body(&stored, &kept);
    service_client_close(&sleeper);
    service_process_wait_health(service, "slots", "busy", 0);
    answer_done(&stored);
    answer_done(&kept);
    answer_done(&refused);
}

static void test_limits_and_formats_are_apart(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer whole = ask_until(table, "rows 9", "", STORED);
    struct answer cut = ask(table, "rows 9", ",\"row_limit\":2");

    (void)state;
    check_status(&cut, STORED);
    assert_string_equal(cut.body, "[{\"n\":0},{\"n\":1}]");
    answer_done(&cut);
    cut = ask(table, "rows 9", ",\"row_limit\":2");
    check_status(&cut, HIT);
    answer_check_header(&cut, "Result-Truncated", "true");
    assert_string_equal(cut.body, "[{\"n\":0},{\"n\":1}]");
    answer_done(&cut);
    answer_done(&whole);
}

/* 1 MiB and more is streamed and not kept; what doesn't fit the cache isn't either. */
static void test_large_answers_are_not_stored(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer small = ask_until(table, "rows 3", "", STORED);

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct answer streamed = ask(table, "rows 200000", "");
        struct answer large = ask(table, "rows 30000", "");
        assert_true(streamed.chunked);
        check_status(&streamed, MISS "; detail=too-large");
        check_status(&large, MISS "; detail=too-large");
        answer_done(&streamed);
        answer_done(&large);
    }
    answer_done(&small);
    small = ask(table, "rows 3", "");
    check_status(&small, HIT);
    answer_done(&small);
}

static void fill(const char *table, int files)
{
    for (int i = 1; i < files; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%d.parquet", i);
        write_table_file(table, name, "x");
    }
}

/* The folder counts too. The second table has settled once the first has. */
static void test_bound_of_files(void **state)
{
    char larger[160];
    const char *table = NULL;
    struct answer answer;

    (void)state;
    snprintf(larger, sizeof(larger), "%s", service_process_new_table(service));
    fill(larger, 8);
    table = service_process_new_table(service);
    fill(table, 7);
    answer = ask_until(table, "echo", "", STORED);
    answer_done(&answer);
    answer = ask(larger, "echo", "");
    check_status(&answer, MISS "; detail=too-many-files");
    answer_done(&answer);
}

static struct answer get(const char *table, const char *headers)
{
    char target[512];
    struct answer answer;

    snprintf(target, sizeof(target), "/api/spark/query/parquet?path=%s&sql=reads+%s+echo", table,
             table);
    assert_true(service_client_once(service->port, "GET", target, headers, NULL, &answer));
    return answer;
}

static void check_not_modified(const char *table, const char *tag)
{
    char header[128];
    struct answer answer;

    snprintf(header, sizeof(header), "If-None-Match: \"other\", %s\r\n", tag);
    answer = get(table, header);
    assert_int_equal(answer.status, 304);
    assert_int_equal(answer.body_length, 0);
    answer_check_header(&answer, "ETag", tag);
    answer_check_header(&answer, "Cache-Status", HIT);
    answer_done(&answer);
}

static void test_get_is_conditional(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer stored = ask_until(table, "echo", "", STORED);
    struct answer answer = get(table, "");
    char tag[64], other[128];

    (void)state;
    check_status(&answer, HIT); /* the POST's */
    check_same_body(&stored, &answer);
    assert_non_null(answer_header(&answer, "ETag", tag, sizeof(tag)));
    answer_check_header(&answer, "Cache-Control", "private, no-cache");
    check_not_modified(table, tag);
    answer_done(&answer);

    write_table_file(table, "b.parquet", "b");
    snprintf(other, sizeof(other), "If-None-Match: %s\r\n", tag);
    answer = get(table, other);
    check_status(&answer, "spark-service; fwd=stale; detail=source-changed-lately");
    assert_string_not_equal(answer.body, stored.body);
    answer_done(&answer);
    answer_done(&stored);
}

/* The same rows after a run are the same bytes, so that they needn't go out again. */
static void test_get_is_conditional_without_a_kept_answer(void **state)
{
    static const char TARGET[] = "/api/spark/query/parquet?path=%s&sql=rows+3&cache=off";
    char target[256], header[128], tag[64];
    struct answer answer;

    (void)state;
    snprintf(target, sizeof(target), TARGET, service->data);
    assert_true(service_client_once(service->port, "GET", target, "", NULL, &answer));
    check_status(&answer, "spark-service; fwd=bypass; detail=cache-off");
    assert_non_null(answer_header(&answer, "ETag", tag, sizeof(tag)));
    answer_done(&answer);
    snprintf(header, sizeof(header), "If-None-Match: %s\r\n", tag);
    assert_true(service_client_once(service->port, "GET", target, header, NULL, &answer));
    assert_int_equal(answer.status, 304);
    answer_done(&answer);
}

/* What the request itself rules out is said with its reason. */
static void test_bypass_says_why(void **state)
{
    static const struct {
        const char *endpoint;
        const char *headers;
        const char *fields;
        const char *wanted;
    } CASES[] = {
        {"query/parquet", JSON, ",\"cache\":\"off\"", "cache-off"},
        {"query/parquet", JSON, ",\"wait_ms\":60000", "asynchronous"},
        {"query/parquet", JSON "Accept: application/vnd.spark-service.result+json\r\n", "",
         "envelope"},
        {"explain/parquet", JSON, "", "no-rows"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        char target[64], body[256], wanted[128];
        struct answer answer;

        snprintf(target, sizeof(target), "/api/spark/%s", CASES[i].endpoint);
        snprintf(body, sizeof(body), "{\"path\":\"%s\",\"sql\":\"rows 1\"%s}", service->data,
                 CASES[i].fields);
        snprintf(wanted, sizeof(wanted), "spark-service; fwd=bypass; detail=%s", CASES[i].wanted);
        assert_true(
            service_client_once(service->port, "POST", target, CASES[i].headers, body, &answer));
        check_status(&answer, wanted);
        answer_done(&answer);
    }
}

static void test_counted(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer stored = ask_until(table, "echo", "", STORED);
    struct answer kept = ask(table, "echo", "");
    struct answer metrics;
    const char *hits = NULL;

    (void)state;
    assert_true(service_client_once(service->port, "GET", "/metrics", "", NULL, &metrics));
    hits = strstr(metrics.body,
                  "spark_service_cache_requests_total{source=\"parquet\",result=\"hit\"} ");
    assert_non_null(hits);
    assert_true(atoi(strchr(hits, '}') + 1) > 0);
    assert_non_null(strstr(metrics.body, "spark_service_cache_bytes_limit 200000\n"));
    service_process_wait_logged(service, "cache=hit");
    answer_done(&stored);
    answer_done(&kept);
    answer_done(&metrics);
}

static int64_t number_of(const char *series)
{
    struct answer metrics;
    const char *line = NULL;
    int64_t number = -1;

    assert_true(service_client_once(service->port, "GET", "/metrics", "", NULL, &metrics));
    line = strstr(metrics.body, series);
    assert_non_null(line);
    number = atoll(line + strlen(series));
    answer_done(&metrics);
    return number;
}

/* So many requests for the table's `echo` with one send. */
static void send_at_once(struct service_client *client, const char *table, int count)
{
    char requests[8192];
    size_t length = 0;

    for (int i = 0; i < count; i++) {
        char body[512];
        snprintf(body, sizeof(body), "{\"path\":\"%s\",\"sql\":\"reads %s echo\"}", table, table);
        length += (size_t)snprintf(requests + length, sizeof(requests) - length,
                                   "POST /api/spark/query/parquet HTTP/1.1\r\nHost: test\r\n" JSON
                                   "Content-Length: %zu\r\n\r\n%s",
                                   strlen(body), body);
        assert_true(length < sizeof(requests));
    }
    assert_true(service_client_open(client, service->port));
    assert_true(service_client_send(client, requests, length));
}

#define TOGETHER 10

static void test_requests_of_a_turn_share_a_look(void **state)
{
    static const char LOOKS[] = "\nspark_service_cache_looks_total ";
    const char *table = service_process_new_table(service);
    struct answer stored = ask_until(table, "echo", "", STORED);
    struct service_client client;
    int64_t looks = number_of(LOOKS);

    (void)state;
    send_at_once(&client, table, TOGETHER);
    for (int i = 0; i < TOGETHER; i++) {
        struct answer kept;
        assert_true(service_client_read(&client, &kept));
        check_status(&kept, HIT);
        check_same_body(&stored, &kept);
        answer_done(&kept);
    }
    assert_int_equal(number_of(LOOKS), looks + 1);
    service_client_close(&client);
    write_table_file(table, "b.parquet", "b");
    send_at_once(&client, table, TOGETHER);
    for (int i = 0; i < TOGETHER; i++) {
        struct answer anew;
        assert_true(service_client_read(&client, &anew));
        assert_int_equal(anew.status, 200);
        assert_string_not_equal(stored.body, anew.body);
        answer_done(&anew);
    }
    service_client_close(&client);
    answer_done(&stored);
}

/* Some are gone before their turn is handled, some amid it. */
static void test_those_who_leave_harm_nobody(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer stored = ask_until(table, "echo", "", STORED);
    struct answer kept;

    (void)state;
    for (int i = 0; i < 100; i++) {
        struct service_client client;
        send_at_once(&client, table, 1 + i % TOGETHER);
        if (i % 2 == 0)
            service_client_reset(&client);
        else
            service_client_close(&client);
    }
    kept = ask(table, "echo", "");
    check_status(&kept, HIT);
    check_same_body(&stored, &kept);
    answer_done(&stored);
    answer_done(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_is_not_run),
        cmocka_unit_test(test_change_is_seen_at_once),
        cmocka_unit_test(test_caller_may_refuse_it),
        cmocka_unit_test(test_own_query_id_is_given_back),
        cmocka_unit_test(test_not_repeatable_is_not_stored),
        cmocka_unit_test(test_failure_is_not_stored),
        cmocka_unit_test(test_hit_needs_no_slot),
        cmocka_unit_test(test_limits_and_formats_are_apart),
        cmocka_unit_test(test_large_answers_are_not_stored),
        cmocka_unit_test(test_bound_of_files),
        cmocka_unit_test(test_get_is_conditional),
        cmocka_unit_test(test_get_is_conditional_without_a_kept_answer),
        cmocka_unit_test(test_bypass_says_why),
        cmocka_unit_test(test_counted),
        cmocka_unit_test(test_requests_of_a_turn_share_a_look),
        cmocka_unit_test(test_those_who_leave_harm_nobody),
    };

    return cmocka_run_group_tests(tests, start_service, stop_service);
}
