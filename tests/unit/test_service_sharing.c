/* needs: unit/service_process.c unit/service_client.c unit/service_queries.c */
/*
 * Identical queries in flight share one run. The engine's `echo` answers with the tag of
 * its run, so that equal bodies mean one run; `until` holds it until a file is there.
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
#include "service_queries.h"

#define FOLLOWERS 12
#define COLLAPSED "spark-service; fwd=uri-miss; collapsed"
#define STORED "spark-service; fwd=uri-miss; stored"

static struct service_process *service;

/* A table that has settled, and what a held run waits for. */
struct scene {
    char table[160];
    char gate[192];
    char sql[512];
};

static int start_service(void **state)
{
    (void)state;
    service = service_process_start_ready(SETTINGS("--workers=2", "--queue-length=16",
                                                   "--shared-queries=12", "--cache-disk-bytes=0"));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    service_process_stop_idle(&service);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int64_t metric(const char *series)
{
    struct answer page;
    char line[160];
    const char *found = NULL;
    int64_t value = -1;

    assert_true(service_client_once(service->port, "GET", "/metrics", "", NULL, &page));
    snprintf(line, sizeof(line), "\n%s ", series);
    found = strstr(page.body, line);
    if (found != NULL)
        value = atoll(found + strlen(line));
    answer_done(&page);
    assert_true(value >= 0);
    return value;
}

static void wait_metric(const char *series, int64_t wanted)
{
    for (int64_t waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 5) {
        if (metric(series) == wanted)
            return;
        pause_ms(5);
    }
    fail_msg("%s never %lld", series, (long long)wanted);
}

#define WAITING "spark_service_shared_waiting"
#define ANSWERED "spark_service_shared_runs_total{result=\"answered\"}"
#define IN_VAIN "spark_service_shared_runs_total{result=\"in_vain\"}"

/* Waits until an answer about the table would be kept: it is older than the clock is coarse. */
static void settle_table(const char *table)
{
    char sql[512];

    for (int64_t waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 5) {
        struct answer answer;
        char status[128];

        snprintf(sql, sizeof(sql), "reads %s rows 1", table);
        assert_true(service_client_query_once(service->port, table, sql, ",\"cache\":\"refresh\"",
                                              &answer));
        assert_non_null(answer_header(&answer, "Cache-Status", status, sizeof(status)));
        answer_done(&answer);
        if (strstr(status, "stored") != NULL)
            return;
        pause_ms(5);
    }
    fail_msg("%s never settled", table);
}

static struct scene new_scene(const char *script)
{
    static int count;
    struct scene scene;
    char file[192];

    snprintf(scene.table, sizeof(scene.table), "%s/t%d", service->data, count);
    snprintf(scene.gate, sizeof(scene.gate), "%s/gate%d", service->folder, count++);
    snprintf(file, sizeof(file), "%s/a.parquet", scene.table);
    assert_int_equal(mkdir(scene.table, 0755), 0);
    write_file(file, "a");
    snprintf(scene.sql, sizeof(scene.sql), "reads %s until %s %s", scene.table, scene.gate, script);
    settle_table(scene.table);
    return scene;
}

static void open_gate(const struct scene *scene)
{
    write_file(scene->gate, "");
}

static void send_query(struct service_client *client, const struct scene *scene, const char *fields)
{
    assert_true(service_client_open(client, service->port));
    assert_true(service_client_query(client, scene->table, scene->sql, fields));
}

static struct answer read_answer(struct service_client *client)
{
    struct answer answer;

    assert_true(service_client_read(client, &answer));
    service_client_close(client);
    return answer;
}

static void check_status(const struct answer *answer, const char *cache_status)
{
    if (answer->status != 200)
        fail_msg("%d %s", answer->status, answer->body);
    answer_check_header(answer, "Cache-Status", cache_status);
}

/* A leader whose run is held, and so many that follow it. */
static void take_off(const struct scene *scene, struct service_client *leader,
                     struct service_client *followers, size_t count, const char *fields)
{
    send_query(leader, scene, fields);
    service_process_wait_health(service, "slots", "busy", 1);
    for (size_t i = 0; i < count; i++)
        send_query(&followers[i], scene, "");
    wait_metric(WAITING, (int64_t)count);
}

static void delete_query(const char *target)
{
    struct answer answer;

    assert_true(service_client_once(service->port, "DELETE", target, "", NULL, &answer));
    assert_int_equal(answer.status, 202);
    answer_done(&answer);
}

static void test_one_run_for_all(void **state)
{
    struct scene scene = new_scene("echo");
    struct service_client leader, followers[FOLLOWERS];
    struct answer first;
    int64_t answered = metric(ANSWERED);
    char id[64], other[64];

    (void)state;
    take_off(&scene, &leader, followers, FOLLOWERS, "");
    assert_int_equal(service_process_health(service, "queue", "length"), 0);
    open_gate(&scene);
    first = read_answer(&leader);
    check_status(&first, STORED);
    assert_non_null(answer_header(&first, "Query-Id", id, sizeof(id)));
    for (size_t i = 0; i < FOLLOWERS; i++) {
        struct answer answer = read_answer(&followers[i]);

        check_status(&answer, COLLAPSED);
        assert_string_equal(answer.body, first.body);
        assert_string_not_equal(answer_header(&answer, "Query-Id", other, sizeof(other)), id);
        answer_check_header(&answer, "Result-Truncated", "false");
        answer_done(&answer);
    }
    assert_int_equal(metric(ANSWERED), answered + FOLLOWERS);
    assert_int_equal(metric(WAITING), 0);
    answer_done(&first);
}

/* Each has its own id, state and end. */
static void test_follower_is_a_query(void **state)
{
    struct scene scene = new_scene("echo");
    struct service_client leader, follower;
    struct answer answer;
    json_t *query = NULL;

    (void)state;
    take_off(&scene, &leader, NULL, 0, "");
    send_query(&follower, &scene, WITH_ID(1) WITH_TAGS("\"mine\""));
    wait_metric(WAITING, 1);
    wait_query_state(service, QUERIES "/" QUERY_ID(1), "RUNNING");
    delete_query(QUERIES "/" QUERY_ID(1));
    answer = read_answer(&follower);
    assert_int_equal(answer.status, 409);
    answer_done(&answer);
    query = fetch_json(service, "GET", QUERIES "/" QUERY_ID(1), 200);
    assert_string_equal(member_text(query, "state"), "CANCELLED");
    json_decref(query);
    assert_int_equal(metric(WAITING), 0);
    open_gate(&scene);
    answer = read_answer(&leader);
    check_status(&answer, STORED);
    answer_done(&answer);
}

/* Who began it may leave, be cancelled or run out of time: the run is the others', too. */
static void test_run_outlives_who_began_it(void **state)
{
    static const char *const ENDS[] = {"leave", "delete", "timeout"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct scene scene = new_scene("echo");
        struct service_client leader, followers[2];
        struct answer answers[2];
        bool timeout = strcmp(ENDS[i], "timeout") == 0;
        bool deletes = strcmp(ENDS[i], "delete") == 0;

        take_off(&scene, &leader, followers, 2,
                 timeout ? WITH_ID(2) ",\"timeout_ms\":3000" : WITH_ID(2));
        if (deletes)
            delete_query(QUERIES "/" QUERY_ID(2));
        if (timeout || deletes) {
            struct answer answer = read_answer(&leader);
            assert_int_equal(answer.status, timeout ? 504 : 409);
            answer_done(&answer);
        } else {
            service_client_close(&leader);
        }
        wait_query_state(service, QUERIES "/" QUERY_ID(2), "CANCELLING");
        assert_int_equal(metric(WAITING), 2);
        open_gate(&scene);
        for (size_t j = 0; j < 2; j++) {
            answers[j] = read_answer(&followers[j]);
            check_status(&answers[j], COLLAPSED);
        }
        assert_string_equal(answers[0].body, answers[1].body);
        wait_query_state(service, QUERIES "/" QUERY_ID(2), timeout ? "TIMED_OUT" : "CANCELLED");
        answer_done(&answers[0]);
        answer_done(&answers[1]);
    }
}

/* The run ends with the last one that wanted it. */
static void test_run_ends_with_the_last(void **state)
{
    struct scene scene = new_scene("echo");
    struct service_client leader, followers[2];

    (void)state;
    take_off(&scene, &leader, followers, 2, "");
    service_client_close(&leader);
    service_client_close(&followers[0]);
    wait_metric(WAITING, 1);
    assert_int_equal(service_process_health(service, "slots", "busy"), 1);
    service_client_close(&followers[1]);
    wait_metric(WAITING, 0);
    service_process_wait_health(service, "slots", "busy", 0);
    assert_int_equal(service_process_health(service, "slots", "lost"), 0);
}

static void test_own_timeout(void **state)
{
    struct scene scene = new_scene("echo");
    struct service_client leader, follower;
    struct answer answer;

    (void)state;
    take_off(&scene, &leader, NULL, 0, "");
    send_query(&follower, &scene, ",\"timeout_ms\":50");
    answer = read_answer(&follower);
    assert_int_equal(answer.status, 504);
    answer_done(&answer);
    open_gate(&scene);
    answer = read_answer(&leader);
    check_status(&answer, STORED);
    answer_done(&answer);
}

/* Nobody gets rows of before a change: each looks for itself. */
static void test_change_midway(void **state)
{
    struct scene scene = new_scene("echo");
    struct service_client leader, followers[3];
    struct answer answers[3], first;
    char file[192];
    int64_t in_vain = metric(IN_VAIN);

    (void)state;
    take_off(&scene, &leader, followers, 3, "");
    snprintf(file, sizeof(file), "%s/b.parquet", scene.table);
    write_file(file, "b");
    open_gate(&scene);
    first = read_answer(&leader);
    check_status(&first, "spark-service; fwd=uri-miss; detail=source-changed-lately");
    for (size_t i = 0; i < 3; i++) {
        answers[i] = read_answer(&followers[i]);
        assert_int_equal(answers[i].status, 200);
        assert_string_not_equal(answers[i].body, first.body);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(answers[i].body, answers[j].body);
    }
    assert_int_equal(metric(IN_VAIN), in_vain + 3);
    for (size_t i = 0; i < 3; i++)
        answer_done(&answers[i]);
    answer_done(&first);
}

/* A failure is that run's alone. */
static void test_failure_is_not_shared(void **state)
{
    struct scene scene = new_scene("fail sql_error");
    struct service_client leader, followers[3];
    int64_t in_vain = metric(IN_VAIN);
    struct answer answer;

    (void)state;
    take_off(&scene, &leader, followers, 3, "");
    open_gate(&scene);
    answer = read_answer(&leader);
    assert_int_equal(answer.status, 422);
    answer_done(&answer);
    for (size_t i = 0; i < 3; i++) {
        answer = read_answer(&followers[i]);
        assert_int_equal(answer.status, 422);
        answer_done(&answer);
    }
    assert_int_equal(metric(IN_VAIN), in_vain + 3);
}

/* What was not to be shared once isn't waited for again, until it is. */
static void test_hopeless_run_is_not_followed(void **state)
{
    struct scene scene = new_scene("rows 200000");
    struct service_client leader, follower;
    struct answer answer;

    (void)state;
    take_off(&scene, &leader, &follower, 1, "");
    open_gate(&scene);
    answer = read_answer(&leader);
    check_status(&answer, "spark-service; fwd=uri-miss; detail=too-large");
    answer_done(&answer);
    answer = read_answer(&follower);
    assert_int_equal(answer.status, 200);
    answer_done(&answer);

    assert_int_equal(unlink(scene.gate), 0);
    take_off(&scene, &leader, NULL, 0, "");
    send_query(&follower, &scene, "");
    service_process_wait_health(service, "slots", "busy", 2);
    open_gate(&scene);
    answer = read_answer(&leader);
    answer_done(&answer);
    answer = read_answer(&follower);
    answer_done(&answer);
}

/* An orphan whose answer turns out long has nobody left to send it to. */
static void test_long_answer_of_who_left(void **state)
{
    struct scene scene = new_scene("rows 200000");
    struct service_client leader, follower;
    struct answer answer;

    (void)state;
    take_off(&scene, &leader, &follower, 1, WITH_ID(3));
    service_client_close(&leader);
    wait_query_state(service, QUERIES "/" QUERY_ID(3), "CANCELLING");
    open_gate(&scene);
    answer = read_answer(&follower);
    check_status(&answer, "spark-service; fwd=uri-miss; detail=too-large");
    assert_true(answer.complete);
    answer_done(&answer);
    service_process_wait_health(service, "slots", "busy", 0);
}

static void test_bound(void **state)
{
    struct scene scene = new_scene("echo");
    struct service_client leader, followers[FOLLOWERS], further;
    struct answer first, answer;

    (void)state;
    take_off(&scene, &leader, followers, FOLLOWERS, "");
    assert_int_equal(metric("spark_service_shared_waiting_limit"), FOLLOWERS);
    send_query(&further, &scene, "");
    service_process_wait_health(service, "slots", "busy", 2);
    assert_int_equal(metric(WAITING), FOLLOWERS);
    open_gate(&scene);
    first = read_answer(&leader);
    answer = read_answer(&further);
    assert_string_not_equal(first.body, answer.body);
    answer_done(&answer);
    for (size_t i = 0; i < FOLLOWERS; i++) {
        answer = read_answer(&followers[i]);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, first.body);
        answer_done(&answer);
    }
    answer_done(&first);
}

/* Who wants rows anew gets them from a run of its own. */
static void test_refresh_and_off_do_not_follow(void **state)
{
    struct scene scene = new_scene("echo");
    struct service_client leader, other;
    struct answer first, answer;

    (void)state;
    take_off(&scene, &leader, NULL, 0, "");
    send_query(&other, &scene, ",\"cache\":\"refresh\"");
    service_process_wait_health(service, "slots", "busy", 2);
    open_gate(&scene);
    first = read_answer(&leader);
    answer = read_answer(&other);
    assert_string_not_equal(first.body, answer.body);
    answer_done(&first);
    answer_done(&answer);
}

/* A place in the queue is inherited. */
static void test_queued_leader_leaves(void **state)
{
    struct scene held = new_scene("rows 1");
    struct scene scene = new_scene("echo");
    struct service_client busy[2], leader, followers[2];
    struct answer answers[2], answer;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        send_query(&busy[i], &held, ",\"cache\":\"off\"");
    service_process_wait_health(service, "slots", "busy", 2);
    send_query(&leader, &scene, "");
    service_process_wait_health(service, "queue", "length", 1);
    for (size_t i = 0; i < 2; i++)
        send_query(&followers[i], &scene, "");
    wait_metric(WAITING, 2);
    service_client_close(&leader);
    wait_metric(WAITING, 1);
    assert_int_equal(service_process_health(service, "queue", "length"), 1);
    open_gate(&scene);
    open_gate(&held);
    for (size_t i = 0; i < 2; i++)
        answers[i] = read_answer(&followers[i]);
    check_status(&answers[0], STORED);
    check_status(&answers[1], COLLAPSED);
    assert_string_equal(answers[0].body, answers[1].body);
    for (size_t i = 0; i < 2; i++) {
        answer_done(&answers[i]);
        answer = read_answer(&busy[i]);
        assert_int_equal(answer.status, 200);
        answer_done(&answer);
    }
}

static void test_queue_timeout_of_followers(void **state)
{
    struct scene held = new_scene("rows 1");
    struct scene scene = new_scene("echo");
    struct service_client busy[2], leader, follower;
    struct answer answer;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        send_query(&busy[i], &held, ",\"cache\":\"off\"");
    service_process_wait_health(service, "slots", "busy", 2);
    send_query(&leader, &scene, "");
    service_process_wait_health(service, "queue", "length", 1);
    send_query(&follower, &scene, ",\"queue_timeout_ms\":30");
    answer = read_answer(&follower);
    assert_int_equal(answer.status, 503);
    answer_done(&answer);
    open_gate(&held);
    open_gate(&scene);
    answer = read_answer(&leader);
    check_status(&answer, STORED);
    answer_done(&answer);
    for (size_t i = 0; i < 2; i++) {
        answer = read_answer(&busy[i]);
        answer_done(&answer);
    }
}

/* Clients that come, leave and change the table at random: each whole answer is one of a
 * run that began after the table's last change. */
static void test_races(void **state)
{
    struct scene scene = new_scene("echo");
    struct service_client clients[FOLLOWERS];
    unsigned seed = 7;
    char sql[512];

    (void)state;
    for (int round = 0; round < 40; round++) {
        snprintf(sql, sizeof(sql), "reads %s sleep %d echo", scene.table, (int)(seed % 7));
        for (size_t i = 0; i < FOLLOWERS; i++) {
            assert_true(service_client_open(&clients[i], service->port));
            assert_true(service_client_query(&clients[i], scene.table, sql, ""));
        }
        for (size_t i = 0; i < FOLLOWERS; i++) {
            seed = seed * 1103515245U + 12345U;
            if ((seed >> 16) % 3 == 0) {
                service_client_close(&clients[i]);
            } else {
                struct answer answer = read_answer(&clients[i]);
                assert_int_equal(answer.status, 200);
                assert_true(answer.complete);
                answer_done(&answer);
            }
        }
        if (round % 4 == 0) {
            char file[192];
            snprintf(file, sizeof(file), "%s/r%d.parquet", scene.table, round);
            write_file(file, "r");
        }
    }
    wait_metric(WAITING, 0);
    service_process_wait_health(service, "slots", "busy", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_run_for_all),
        cmocka_unit_test(test_follower_is_a_query),
        cmocka_unit_test(test_run_outlives_who_began_it),
        cmocka_unit_test(test_run_ends_with_the_last),
        cmocka_unit_test(test_own_timeout),
        cmocka_unit_test(test_change_midway),
        cmocka_unit_test(test_failure_is_not_shared),
        cmocka_unit_test(test_hopeless_run_is_not_followed),
        cmocka_unit_test(test_long_answer_of_who_left),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_refresh_and_off_do_not_follow),
        cmocka_unit_test(test_queued_leader_leaves),
        cmocka_unit_test(test_queue_timeout_of_followers),
        cmocka_unit_test(test_races),
    };

    return cmocka_run_group_tests(tests, start_service, stop_service);
}
