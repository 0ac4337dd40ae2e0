/* needs: unit/service_process.c unit/service_client.c */
/* Start, health, lost slots, stop: what orchestrators see. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "service_client.h"
#include "service_process.h"

#include "../../service/deadline.h"

static void check_get(const struct service_process *service, const char *target, int status,
                      const char *part)
{
    struct answer answer;

    assert_true(service_client_once(service->port, "GET", target, "", NULL, &answer));
    assert_int_equal(answer.status, status);
    assert_non_null(strstr(answer.body, part));
    answer_done(&answer);
}

static void wait_get(const struct service_process *service, const char *target, int status,
                     const char *part)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    for (;;) {
        struct answer answer;
        bool fits = service_client_once(service->port, "GET", target, "", NULL, &answer) &&
                    answer.status == status && strstr(answer.body, part) != NULL;

        answer_done(&answer);
        if (fits)
            return;
        assert_false(monotime_reached(limit, monotime_now()));
        pause_ms(10);
    }
}

static void check_refused(const struct service_process *service, const char *code,
                          const char *retry_after)
{
    struct answer answer;
    char value[32];
    char field[48];

    assert_true(service_client_query_once(service->port, service->data, "rows 1", "", &answer));
    assert_int_equal(answer.status, 503);
    snprintf(field, sizeof(field), "\"code\":\"%s\"", code);
    assert_non_null(strstr(answer.body, field));
    assert_string_equal(answer_header(&answer, "Retry-After", value, sizeof(value)), retry_after);
    answer_done(&answer);
}

/* The answer of a query sent before. */
static void check_answer(struct service_client *client, int status, const char *part)
{
    struct answer answer;

    assert_true(service_client_read(client, &answer));
    assert_int_equal(answer.status, status);
    assert_non_null(strstr(answer.body, part));
    answer_done(&answer);
    service_client_close(client);
}

/* ---- starting ---- */

static void test_starting(void **state)
{
    struct service_process *service = service_process_start(SETTINGS("FAKE_START_MS=1000"));
    struct answer answer;

    (void)state;
    check_refused(service, "starting", "5");
    check_get(service, "/livez", 200, "live\n");
    check_get(service, "/readyz", 503, "starting\n");
    check_get(service, "/startupz", 503, "starting\n");
    check_get(service, "/api/spark/health", 503,
              "{\"status\":\"starting\",\"spark_version\":null,");
    check_get(service, "/api/spark/health", 503, "\"canary_age_ms\":null");
    assert_true(service_client_once(service->port, "HEAD", "/livez", "", NULL, &answer));
    assert_int_equal(answer.status, 200);
    answer_done(&answer);
    service_process_wait_ready(service);
    check_get(service, "/readyz", 200, "ready\n");
    check_get(service, "/startupz", 200, "started\n");
    check_get(service, "/livez", 200, "live\n");
    check_get(service, "/api/spark/health", 200,
              "{\"status\":\"healthy\",\"spark_version\":\"0.0.0-fake\",\"uptime_ms\":");
    check_get(service, "/api/spark/health", 200,
              "\"queue\":{\"length\":0,\"limit\":256},\"slots\":{\"total\":8,\"busy\":0,"
              "\"lost\":0},\"canary_age_ms\":");
    check_get(service, "/api/spark/health", 200, "\"sources\":{}}");
    service_process_stop(service);
}

/* Queries are answered before what readiness waits for is over, which is when the file named
 * by that variable of the scripted engine is there. */
static void check_answers_before_ready(const char *variable)
{
    char gate[] = "/tmp/spark-service-warm-XXXXXX";
    char until[64];
    struct service_process *service = NULL;
    struct service_client client;
    int fd = mkstemp(gate);

    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(gate), 0);
    snprintf(until, sizeof(until), "%s=%s", variable, gate);
    service = service_process_start(SETTINGS(until, "WARM_UP_MS=600000"));
    service_process_wait_logged(service, "open for queries");
    service_process_query(service, &client, "rows 1", "");
    check_answer(&client, 200, "[{");
    check_get(service, "/readyz", 503, "starting\n");
    check_get(service, "/startupz", 503, "starting\n");
    check_get(service, "/api/spark/health", 503,
              "{\"status\":\"starting\",\"spark_version\":\"0.0.0-fake\",");
    check_get(service, "/api/spark/health", 503, "\"canary_age_ms\":null");
    check_get(service, "/metrics", 200, "spark_service_healthy 0");
    fd = open(gate, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    service_process_wait_ready(service);
    check_get(service, "/startupz", 200, "started\n");
    service_process_stop(service);
    assert_int_equal(unlink(gate), 0);
}

static void test_warming_up(void **state)
{
    (void)state;
    check_answers_before_ready("FAKE_WARM_UP_UNTIL");
}

static void test_first_canary(void **state)
{
    (void)state;
    check_answers_before_ready("FAKE_CANARY_FROM");
}

/* Who has waited long enough is ready, although those queries go on. */
static void test_warming_up_at_its_bound(void **state)
{
    struct service_process *service =
        service_process_start(SETTINGS("FAKE_WARM_UP_UNTIL=/nonexistent", "WARM_UP_MS=300"));

    (void)state;
    service_process_wait_ready(service);
    service_process_stop(service);
}

static void test_stop_while_warming_up(void **state)
{
    struct service_process *service =
        service_process_start(SETTINGS("FAKE_WARM_UP_UNTIL=/nonexistent", "WARM_UP_MS=600000"));

    (void)state;
    service_process_wait_logged(service, "open for queries");
    service_process_stop(service);
}

static void test_mysql_of_health(void **state)
{
    struct service_process *service = service_process_start_ready(
        SETTINGS("MYSQL_HOST=127.0.0.1", "MYSQL_PORT=1", "MYSQL_USER=u", "MYSQL_PASSWORD=s3cret"));

    (void)state;
    wait_get(service, "/api/spark/health", 200,
             "\"sources\":{\"mysql\":\"unreachable\",\"main\":\"unreachable\"}");
    check_get(service, "/readyz", 200, "ready\n");
    assert_false(service_process_logged(service, "s3cret"));
    service_process_stop(service);
}

static void test_failing_start(void **state)
{
    struct service_process *service = service_process_spawn(SETTINGS("FAKE_START_FAIL=1"));

    (void)state;
    service_process_wait_logged(service, "detail=\"told to fail\"");
    service_process_finish(service, 70);
}

/* Never ready without a canary that sang. */
static void test_failing_first_canary(void **state)
{
    struct service_process *service = service_process_spawn(SETTINGS("FAKE_CANARY_FAIL_AFTER=-1"));

    (void)state;
    service_process_wait_logged(service, "detail=\"told to fail\"");
    service_process_finish(service, 70);
}

static void test_bad_setting(void **state)
{
    struct service_process *service = service_process_spawn(SETTINGS("--workers=0"));

    (void)state;
    service_process_wait_logged(service, "spark-service: --workers: '0' is not a whole number");
    service_process_finish(service, 2);
}

static void test_second_service_on_one_folder(void **state)
{
    struct service_process *first = service_process_start_ready(SETTINGS());
    struct service_process *second = NULL;
    char flag[128];

    (void)state;
    snprintf(flag, sizeof(flag), "--state-dir=%s/state", first->folder);
    second = service_process_spawn(SETTINGS(flag));
    service_process_wait_logged(second, "another spark-service uses");
    service_process_finish(second, 2);
    service_process_stop(first);
}

static void test_port_in_use(void **state)
{
    struct service_process *first = service_process_start_ready(SETTINGS());
    struct service_process *second = NULL;
    char flag[64];

    (void)state;
    snprintf(flag, sizeof(flag), "--listen=127.0.0.1:%d", first->port);
    second = service_process_spawn(SETTINGS(flag));
    service_process_wait_logged(second, flag + strlen("--listen="));
    service_process_finish(second, 2);
    service_process_stop(first);
}

static void test_probe(void **state)
{
    struct service_process *service = service_process_start_ready(SETTINGS());
    char listen[64];
    char command[512];

    (void)state;
    snprintf(listen, sizeof(listen), "127.0.0.1:%d", service->port);
    snprintf(command, sizeof(command), "%s --listen=%s probe ready > %s/probe",
             getenv("FAKE_SERVICE"), listen, service->folder);
    assert_int_equal(system(command), 0);
    service_process_stop(service);
    snprintf(command, sizeof(command), "%s --listen=%s probe live > /dev/null",
             getenv("FAKE_SERVICE"), listen);
    assert_int_equal(WEXITSTATUS(system(command)), 1);
}

/* ---- not well ---- */

static void test_failing_canary(void **state)
{
    struct service_process *service = service_process_start_ready(SETTINGS(
        "FAKE_CANARY_FAIL_AFTER=3", "--canary-interval-ms=100", "--canary-max-age-ms=1000"));
    struct answer answer;

    (void)state;
    wait_get(service, "/readyz", 503, "degraded: the last good canary query is ");
    check_get(service, "/api/spark/health", 503, "{\"status\":\"degraded\"");
    check_get(service, "/livez", 200, "live\n");
    check_get(service, "/startupz", 200, "started\n");
    assert_true(service_client_query_once(service->port, service->data, "rows 1", "", &answer));
    assert_int_equal(answer.status, 200);
    answer_done(&answer);
    service_process_stop(service);
}

static void test_lost_slot_comes_back(void **state)
{
    struct service_process *service =
        service_process_start_ready(SETTINGS("--workers=2", "--slot-lost-ms=100"));
    struct service_client client;

    (void)state;
    service_process_query(service, &client, "stuck 2500", ",\"timeout_ms\":50");
    check_answer(&client, 504, "\"code\":\"timeout\"");
    wait_get(service, "/readyz", 503, "degraded: 1 of 2 slots are lost");
    assert_int_equal(service_process_health(service, "slots", "lost"), 1);
    assert_int_equal(service_process_health(service, "slots", "busy"), 1);
    service_process_wait_ready(service);
    assert_int_equal(service_process_health(service, "slots", "lost"), 0);
    assert_int_equal(service_process_health(service, "slots", "busy"), 0);
    service_process_stop(service);
}

static void test_most_slots_lost(void **state)
{
    struct service_process *service =
        service_process_start_ready(SETTINGS("--workers=1", "--slot-lost-ms=100"));
    struct service_client client;

    (void)state;
    service_process_query(service, &client, "stuck 60000", ",\"timeout_ms\":50");
    check_answer(&client, 504, "\"code\":\"timeout\"");
    service_process_finish(service, 75);
}

/* ---- stopping ---- */

static void ask_to_stop(const struct service_process *service, int signal)
{
    assert_int_equal(kill(service->pid, signal), 0);
    service_process_wait_logged(service, "stopping: no new queries");
}

static void check_drains(int signal)
{
    struct service_process *service = service_process_start_ready(SETTINGS("--workers=1"));
    struct service_client running;
    struct service_client waiting;

    service_process_query(service, &running, "sleep 700 rows 2", "");
    service_process_wait_health(service, "slots", "busy", 1);
    service_process_query(service, &waiting, "rows 1", "");
    service_process_wait_health(service, "queue", "length", 1);
    ask_to_stop(service, signal);
    check_refused(service, "draining", "1");
    check_get(service, "/readyz", 503, "draining\n");
    check_get(service, "/livez", 200, "live\n");
    check_get(service, "/api/spark/health", 503, "{\"status\":\"draining\"");
    check_answer(&running, 200, "[{\"n\":0},{\"n\":1}]");
    check_answer(&waiting, 200, "[{\"n\":0}]");
    service_process_finish(service, 0);
}

static void test_drain(void **state)
{
    (void)state;
    check_drains(SIGTERM);
    check_drains(SIGINT);
}

static void test_hang_up_signal_changes_nothing(void **state)
{
    struct service_process *service = service_process_start_ready(SETTINGS());

    (void)state;
    assert_int_equal(kill(service->pid, SIGHUP), 0);
    check_get(service, "/readyz", 200, "ready\n");
    service_process_stop(service);
}

static void test_drain_limit(void **state)
{
    struct service_process *service =
        service_process_start_ready(SETTINGS("--workers=1", "--drain-ms=100"));
    struct service_client running;
    struct service_client waiting;

    (void)state;
    service_process_query(service, &running, "sleep 60000", "");
    service_process_wait_health(service, "slots", "busy", 1);
    service_process_query(service, &waiting, "rows 1", "");
    service_process_wait_health(service, "queue", "length", 1);
    ask_to_stop(service, SIGTERM);
    check_answer(&running, 503, "\"code\":\"draining\"");
    check_answer(&waiting, 503, "\"code\":\"draining\"");
    service_process_finish(service, 0);
}

static void test_drain_limit_amid_a_stream(void **state)
{
    struct service_process *service = service_process_start_ready(SETTINGS("--drain-ms=100"));
    struct service_client client;
    struct answer answer;

    (void)state;
    service_process_query(service, &client, "rows 50000000", "");
    assert_true(service_client_wait_bytes(&client, 1024));
    ask_to_stop(service, SIGTERM);
    assert_true(service_client_read(&client, &answer));
    assert_int_equal(answer.status, 200);
    assert_false(answer.complete);
    answer_done(&answer);
    service_client_close(&client);
    service_process_finish(service, 0);
}

static void test_second_signal(void **state)
{
    struct service_process *service = service_process_start_ready(SETTINGS("--drain-ms=600000"));
    struct service_client client;

    (void)state;
    service_process_query(service, &client, "sleep 600000", ",\"timeout_ms\":600000");
    service_process_wait_health(service, "slots", "busy", 1);
    ask_to_stop(service, SIGTERM);
    assert_int_equal(kill(service->pid, SIGTERM), 0);
    service_process_wait_logged(service, "second signal: leaving now");
    service_client_close(&client);
    service_process_finish(service, 0);
}

static void test_stop_while_starting(void **state)
{
    struct service_process *service = service_process_start(SETTINGS("FAKE_START_MS=600000"));

    (void)state;
    service_process_stop(service);
}

/* A connection that waits between two requests does not hold up the end. */
static void test_stop_with_idle_connections(void **state)
{
    struct service_process *service = service_process_start_ready(SETTINGS());
    struct service_client client;
    struct answer answer;

    (void)state;
    service_process_query(service, &client, "rows 1", "");
    assert_true(service_client_read(&client, &answer));
    answer_done(&answer);
    assert_int_equal(kill(service->pid, SIGTERM), 0);
    assert_true(service_client_at_end(&client));
    service_client_close(&client);
    service_process_finish(service, 0);
}

static void write_sources(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_reload(void **state)
{
    char path[] = "/tmp/test_service_life.XXXXXX";
    char setting[64];
    struct service_process *service = NULL;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    write_sources(path, "{\"sources\":{\"a\":{\"host\":\"127.0.0.1\",\"port\":1,\"user\":\"u\"}}}");
    snprintf(setting, sizeof(setting), "SPARK_SERVICE_SOURCES_FILE=%s", path);
    service = service_process_start_ready(SETTINGS(setting));
    wait_get(service, "/api/spark/health", 200,
             "\"sources\":{\"mysql\":\"unreachable\",\"a\":\"unreachable\"}");
    write_sources(path, "{\"sources\":{\"a\":{\"host\":\"127.0.0.1\",\"port\":0,\"user\":\"u\"}}}");
    assert_int_equal(kill(service->pid, SIGHUP), 0);
    service_process_wait_logged(service, "RELOAD FAILED: what was in force stays in force");
    service_process_wait_logged(service, "sources.a.port");
    check_get(service, "/api/spark/health", 200, "\"a\":\"unreachable\"");
    write_sources(path, "{\"sources\":{\"b\":{\"host\":\"127.0.0.1\",\"port\":1,\"user\":\"u\"}}}");
    assert_int_equal(kill(service->pid, SIGHUP), 0);
    wait_get(service, "/api/spark/health", 200,
             "\"sources\":{\"mysql\":\"unreachable\",\"b\":\"unreachable\"}");
    check_get(service, "/readyz", 200, "ready\n");
    service_process_stop(service);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starting),
        cmocka_unit_test(test_warming_up),
        cmocka_unit_test(test_first_canary),
        cmocka_unit_test(test_warming_up_at_its_bound),
        cmocka_unit_test(test_stop_while_warming_up),
        cmocka_unit_test(test_mysql_of_health),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_failing_start),
        cmocka_unit_test(test_failing_first_canary),
        cmocka_unit_test(test_bad_setting),
        cmocka_unit_test(test_second_service_on_one_folder),
        cmocka_unit_test(test_port_in_use),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_failing_canary),
        cmocka_unit_test(test_lost_slot_comes_back),
        cmocka_unit_test(test_most_slots_lost),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_hang_up_signal_changes_nothing),
        cmocka_unit_test(test_drain_limit),
        cmocka_unit_test(test_drain_limit_amid_a_stream),
        cmocka_unit_test(test_second_signal),
        cmocka_unit_test(test_stop_while_starting),
        cmocka_unit_test(test_stop_with_idle_connections),
    };

    return cmocka_run_group_tests_name("service_life", tests, NULL, NULL);
}
