/* needs: unit/service_process.c unit/service_client.c */
/* GET /metrics of the whole service: each bound, reached once, is counted. */
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

#define ID "0f0e0d0c-0b0a-4908-8706-0504030201cc"
#define FOREVER "sleep 600000"
#define LONG ",\"timeout_ms\":600000,\"queue_timeout_ms\":600000"

static struct service_process *service;

static int start_service(void **state)
{
    (void)state;
    service = service_process_start_ready(
        SETTINGS("--workers=2", "--queue-length=1", "--shared-queries=0", "--max-connections=6",
                 "--slot-lost-ms=100", "--history-length=4", "--journal-length=2",
                 "--log-buffer-bytes=65536"));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    if (service != NULL)
        service_process_stop(service);
    return 0;
}

static void read_page(struct answer *answer)
{
    char type[80];

    assert_true(service_client_once(service->port, "GET", "/metrics", "", NULL, answer));
    assert_int_equal(answer->status, 200);
    assert_string_equal(answer_header(answer, "Content-Type", type, sizeof(type)),
                        "text/plain; version=0.0.4; charset=utf-8");
}

/* Of a series as it stands on the page, labels included; fails when there is none. */
static int64_t value_of(const char *series)
{
    struct answer answer;
    char line[256];
    const char *at = NULL;
    int64_t value = 0;

    read_page(&answer);
    snprintf(line, sizeof(line), "\n%s ", series);
    at = strstr(answer.body, line);
    if (at == NULL)
        fail_msg("no %s in:\n%s", series, answer.body);
    value = atoll(at + strlen(line));
    answer_done(&answer);
    return value;
}

static void wait_value(const char *series, int64_t value)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);
    int64_t seen = 0;

    while ((seen = value_of(series)) != value) {
        if (monotime_reached(limit, monotime_now()))
            fail_msg("%s is %lld, not %lld", series, (long long)seen, (long long)value);
        pause_ms(10);
    }
}

/* Of a family whose classes are guesses. */
static int64_t value_of_classes(const char *name)
{
    static const char *const CLASSES[] = {"small", "middle", "heavy"};
    int64_t sum = 0;

    for (size_t i = 0; i < 3; i++) {
        char series[128];
        snprintf(series, sizeof(series), "%s{class=\"%s\"}", name, CLASSES[i]);
        sum += value_of(series);
    }
    return sum;
}

static void check_answer(struct service_client *client, int status)
{
    struct answer answer;

    assert_true(service_client_read(client, &answer));
    assert_int_equal(answer.status, status);
    answer_done(&answer);
    service_client_close(client);
}

static void check_query(const char *sql, const char *fields, int status)
{
    struct service_client client;

    service_process_query(service, &client, sql, fields);
    check_answer(&client, status);
}

#define DURATION(outcome)                                                                          \
    "spark_service_query_duration_seconds_count{source=\"parquet\",engine=\"spark\","              \
    "outcome=\"" outcome "\"}"
#define CANCELLED(reason) "spark_service_cancellations_total{reason=\"" reason "\"}"
#define REFUSED(reason) "spark_service_queries_refused_total{reason=\"" reason "\"}"

static void test_zero_at_the_start(void **state)
{
    (void)state;
    assert_int_equal(value_of(DURATION("succeeded")), 0);
    assert_int_equal(value_of(CANCELLED("tag")), 0);
    assert_int_equal(value_of("spark_service_result_rows_total"), 0);
    assert_int_equal(value_of("spark_service_slots_lost"), 0);
    assert_int_equal(value_of("spark_service_slots"), 2);
    assert_int_equal(value_of("spark_service_healthy"), 1);
    assert_int_equal(value_of("spark_service_queue_limit"), 1);
    assert_int_equal(value_of("spark_service_http_connections_limit"), 6);
}

/* The families of the HTTP contract, "Metrics", with a series each. */
static void test_contract(void **state)
{
    static const char *const families[] = {
        "http_requests_total{route=\"/api/spark/query/mysql\",method=\"POST\",code=\"200\"} ",
        "query_duration_seconds_bucket{source=\"mysql\",engine=\"direct\",outcome=\"failed\",",
        "queue_wait_seconds_bucket{class=",
        "queue_depth{class=",
        "queries_in_flight{source=\"iceberg\"} ",
        "cache_requests_total{source=\"delta\",result=\"hit\"} ",
        "result_rows_total ",
        "result_bytes_total ",
        "cancellations_total{reason=\"timeout\"} ",
        "cancel_latency_seconds_bucket{le=",
        "slots_lost ",
        "spool_bytes ",
        "canary_age_seconds ",
        "jvm_memory_bytes{area=\"heap\",kind=\"used\"} ",
        "build_info{version=",
    };
    struct answer answer;

    (void)state;
    read_page(&answer);
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        char line[160];

        snprintf(line, sizeof(line), "\nspark_service_%s", families[i]);
        if (strstr(answer.body, line) == NULL)
            fail_msg("no %s", line + 1);
    }
    assert_non_null(strstr(answer.body, "\nprocess_open_fds "));
    assert_non_null(strstr(answer.body, "\nprocess_resident_memory_bytes "));
    answer_done(&answer);
}

static void test_queries(void **state)
{
    struct service_client running;

    (void)state;
    check_query("rows 5", "", 200);
    check_query("rows 5", ",\"row_limit\":2", 200);
    check_query("fail sql_error", "", 422);
    assert_int_equal(value_of("spark_service_result_rows_total"), 7);
    assert_int_equal(value_of("spark_service_result_bytes_total"),
                     (int64_t)(strlen("[{\"n\":0},{\"n\":1},{\"n\":2},{\"n\":3},{\"n\":4}]") +
                               strlen("[{\"n\":0},{\"n\":1}]")));
    assert_int_equal(value_of("spark_service_results_truncated_total"), 1);
    assert_int_equal(
        value_of("spark_service_cache_requests_total{source=\"parquet\",result=\"miss\"}"), 3);
    assert_int_equal(value_of(DURATION("succeeded")), 2);
    assert_int_equal(value_of(DURATION("failed")), 1);
    assert_int_equal(value_of_classes("spark_service_queue_wait_seconds_count"), 3);
    service_process_query(service, &running, FOREVER, LONG);
    wait_value("spark_service_slots_busy", 1);
    assert_int_equal(value_of("spark_service_queries_in_flight{source=\"parquet\"}"), 1);
    service_client_close(&running);
    wait_value("spark_service_slots_busy", 0);
    assert_int_equal(value_of("spark_service_queries_in_flight{source=\"parquet\"}"), 0);
    assert_int_equal(value_of(CANCELLED("client_gone")), 1);
    assert_int_equal(value_of(DURATION("cancelled")), 1);
    assert_int_equal(value_of("spark_service_cancel_latency_seconds_count"), 1);
}

static void test_cancels(void **state)
{
    struct service_client running;
    struct answer answer;

    (void)state;
    service_process_query(service, &running, FOREVER, LONG ",\"query_id\":\"" ID "\"");
    wait_value("spark_service_slots_busy", 1);
    assert_true(service_client_query_once(service->port, service->data, "rows 1",
                                          ",\"query_id\":\"" ID "\"", &answer));
    assert_int_equal(answer.status, 409);
    answer_done(&answer);
    assert_int_equal(value_of(REFUSED("conflict")), 1);
    assert_true(
        service_client_once(service->port, "DELETE", "/api/spark/queries/" ID, "", NULL, &answer));
    assert_int_equal(answer.status, 202);
    answer_done(&answer);
    check_answer(&running, 409);
    assert_int_equal(value_of(CANCELLED("delete")), 1);
    service_process_query(service, &running, FOREVER, LONG ",\"tags\":[\"mine\"]");
    wait_value("spark_service_slots_busy", 1);
    assert_true(service_client_once(service->port, "DELETE", "/api/spark/queries?tag=mine", "",
                                    NULL, &answer));
    assert_int_equal(answer.status, 202);
    answer_done(&answer);
    check_answer(&running, 409);
    assert_int_equal(value_of(CANCELLED("tag")), 1);
    check_query(FOREVER, ",\"timeout_ms\":50", 504);
    assert_int_equal(value_of(CANCELLED("timeout")), 1);
    wait_value(DURATION("timed_out"), 1);
}

static void test_refused_statements(void **state)
{
    static const char *const reasons[] = {"depth",       "nodes",   "in_items", "value_bytes",
                                          "result_rows", "pattern", "memory"};
    static const char *const classes[] = {"DEPTH",       "NODES",   "IN_ITEMS", "VALUE_BYTES",
                                          "RESULT_ROWS", "PATTERN", "MEMORY"};
    char text[96];

    (void)state;
    check_query("fail forbidden", "", 403);
    wait_value("spark_service_sql_refused_total{reason=\"fence\"}", 1);
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        snprintf(text, sizeof(text), "fail sql_error/LIMIT_EXCEEDED.%s", classes[i]);
        check_query(text, "", 422);
        snprintf(text, sizeof(text), "spark_service_sql_refused_total{reason=\"%s\"}", reasons[i]);
        wait_value(text, 1); /* counted once the query is over */
    }
    assert_int_equal(value_of("spark_service_sql_refused_total{reason=\"fence\"}"), 1);
}

static void test_full_queue(void **state)
{
    struct service_client running[2];
    struct service_client waiting;

    (void)state;
    for (int i = 0; i < 2; i++) {
        service_process_query(service, &running[i], FOREVER, LONG);
        wait_value("spark_service_slots_busy", i + 1);
    }
    service_process_query(service, &waiting, "rows 1", ",\"queue_timeout_ms\":100");
    check_answer(&waiting, 503);
    assert_int_equal(value_of(REFUSED("queue_timeout")), 1);
    service_process_query(service, &waiting, "rows 1", LONG);
    service_process_wait_health(service, "queue", "length", 1);
    assert_int_equal(value_of_classes("spark_service_queue_depth"), 1);
    check_query("rows 1", "", 503);
    assert_int_equal(value_of(REFUSED("queue_full")), 1);
    for (int i = 0; i < 2; i++)
        service_client_close(&running[i]);
    check_answer(&waiting, 200);
    wait_value("spark_service_slots_busy", 0);
    assert_int_equal(value_of_classes("spark_service_queue_depth"), 0);
}

/* The page itself takes one of the six. */
static void test_full_house(void **state)
{
    struct service_client page;
    struct service_client guests[5];
    struct answer answer;

    (void)state;
    wait_value("spark_service_http_connections", 1);
    assert_true(service_client_open(&page, service->port));
    for (int i = 0; i < 5; i++)
        assert_true(service_client_open(&guests[i], service->port));
    assert_true(service_client_once(service->port, "GET", "/livez", "", NULL, &answer));
    assert_int_equal(answer.status, 503);
    answer_done(&answer);
    assert_true(service_client_request(&page, "GET", "/metrics", "", NULL));
    assert_true(service_client_read(&page, &answer));
    assert_non_null(strstr(answer.body, "\nspark_service_http_connections 6\n"));
    assert_non_null(strstr(answer.body, "\nspark_service_http_connections_refused_total 1\n"));
    answer_done(&answer);
    service_client_close(&page);
    for (int i = 0; i < 5; i++)
        service_client_close(&guests[i]);
}

/* A slot is lost, readiness is red, the slot comes back. */
static void test_lost_slot(void **state)
{
    struct answer answer;

    (void)state;
    check_query("stuck 1500", ",\"timeout_ms\":50", 504);
    wait_value("spark_service_slots_lost", 1);
    assert_int_equal(value_of("spark_service_slot_losses_total"), 1);
    assert_int_equal(value_of("spark_service_healthy"), 0);
    assert_true(service_client_once(service->port, "GET", "/readyz", "", NULL, &answer));
    assert_int_equal(answer.status, 503);
    answer_done(&answer);
    wait_value("spark_service_slots_lost", 0);
    assert_int_equal(value_of("spark_service_slot_losses_total"), 1);
    assert_int_equal(value_of("spark_service_healthy"), 1);
}

/* What is remembered of queries that are over. */
static void test_history_and_journal(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        check_query("rows 1", "", 200);
    wait_value("spark_service_history_queries", 4);
    assert_int_equal(value_of("spark_service_history_queries_limit"), 4);
    assert_int_equal(value_of("spark_service_journal_ids"), 0);
    for (int i = 0; i < 3; i++) {
        check_query("rows 1", ",\"wait_ms\":0", 202);
        wait_value("spark_service_journal_ids", i < 1 ? 1 : 2);
    }
    assert_int_equal(value_of("spark_service_journal_ids_limit"), 2);
    assert_int_equal(value_of("spark_service_log_buffer_limit_bytes"), 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zero_at_the_start),
        cmocka_unit_test(test_contract),
        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_cancels),
        cmocka_unit_test(test_full_queue),
        cmocka_unit_test(test_full_house),
        cmocka_unit_test(test_lost_slot),
        cmocka_unit_test(test_refused_statements),
        cmocka_unit_test(test_history_and_journal),
    };

    return cmocka_run_group_tests_name("service_metrics", tests, start_service, stop_service);
}
