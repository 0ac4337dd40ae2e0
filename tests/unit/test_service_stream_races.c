/* needs: unit/service_process.c unit/service_client.c */
/* Long answers that change hands (worker, spool, pool) while their clients read,
 * leave and cancel at any instant: each gets all of its own rows or sees that it
 * doesn't, and nothing is left behind. */
#include <pthread.h>
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

#define CALLERS 12
#define ROUNDS 12
#define ROWS 300000
#define LAST_ROW "{\"n\":299999}]"
#define NARROW (16 * 1024)

enum action { READ_ALL, READ_LATE, LEAVE, CANCEL, FAIL, CUT, ACTION_COUNT };

/* One thread with its connections; counts instead of asserting. */
struct caller {
    pthread_t thread;
    unsigned number;
    unsigned random; /* rand_r state; the seed is the caller's number: runs repeat */
    size_t errors;   /* broken connections, unexpected statuses */
    size_t wrong;    /* rows that are not the client's, or a cut that can't be seen */
    size_t whole;
};

static struct service_process *service;
static size_t body_bytes;

static void pause_random(struct caller *caller)
{
    pause_ms(rand_r(&caller->random) % 20);
}

static void judge(struct caller *caller, enum action action, const struct answer *answer)
{
    bool is_whole = answer->status == 200 && answer->complete;

    if (!is_whole) {
        /* Only who cancels or fails may get less. */
        caller->wrong += action == READ_ALL || action == READ_LATE || action == CUT;
        return;
    }
    caller->whole++;
    if (action == FAIL)
        caller->wrong++;
    else if (action == CUT)
        caller->wrong += answer->body_length > 3000000 || answer->body_length < 2999900;
    else
        caller->wrong += answer->body_length != body_bytes ||
                         strcmp(answer->body + body_bytes - strlen(LAST_ROW), LAST_ROW) != 0;
}

/* -1: it could not be had. */
static int64_t metric(const char *name)
{
    struct answer answer = {0};
    char line[128];
    int64_t value = -1;

    snprintf(line, sizeof(line), "\nspark_service_%s ", name);
    if (service_client_once(service->port, "GET", "/metrics", "", NULL, &answer) &&
        strstr(answer.body, line) != NULL)
        value = atoll(strstr(answer.body, line) + strlen(line));
    answer_done(&answer);
    return value;
}

static void cancel(struct caller *caller, const char *id)
{
    struct answer answer = {0};
    char target[96];

    snprintf(target, sizeof(target), "/api/spark/queries/%s", id);
    if (!service_client_once(service->port, "DELETE", target, "", NULL, &answer) ||
        (answer.status != 202 && answer.status != 409 && answer.status != 404))
        caller->errors++;
    answer_done(&answer);
}

/* The first round is read when every caller's answer has changed hands. */
static bool all_are_spooled(void)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    while (metric("streams_spooled_total") < CALLERS) {
        if (monotime_reached(limit, monotime_now()))
            return false;
        pause_ms(10);
    }
    return true;
}

static void ask(struct caller *caller, unsigned round)
{
    enum action action =
        round == 0 ? READ_LATE : (enum action)(rand_r(&caller->random) % ACTION_COUNT);
    struct service_client client;
    struct answer answer = {0};
    char script[64];
    char fields[128];
    char id[40];

    snprintf(id, sizeof(id), "%08x-0000-4000-8000-%012x", caller->number, round);
    snprintf(script, sizeof(script), "rows %d%s", ROWS, action == FAIL ? " fail sql_error" : "");
    snprintf(fields, sizeof(fields), ",\"query_id\":\"%s\",\"timeout_ms\":600000%s", id,
             action == CUT ? ",\"byte_limit\":3000000" : "");
    if (!service_client_open_narrow(&client, service->port, NARROW) ||
        !service_client_query(&client, service->data, script, fields)) {
        caller->errors++;
        return;
    }
    if (round == 0)
        caller->errors += !all_are_spooled();
    else if (action != READ_ALL)
        pause_random(caller);
    if (action == CANCEL)
        cancel(caller, id);
    if (action == LEAVE)
        service_client_reset(&client);
    else if (service_client_read(&client, &answer))
        judge(caller, action, &answer);
    else if (action != CANCEL && action != FAIL)
        caller->errors++;
    answer_done(&answer);
    service_client_close(&client);
}

static void *work(void *argument)
{
    struct caller *caller = argument;

    for (unsigned round = 0; round < ROUNDS; round++)
        ask(caller, round);
    return NULL;
}

static void wait_metric_zero(const char *name)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    while (metric(name) != 0) {
        assert_false(monotime_reached(limit, monotime_now()));
        pause_ms(10);
    }
}

static void learn_the_length(void)
{
    struct answer answer;
    char script[32];

    snprintf(script, sizeof(script), "rows %d", ROWS);
    assert_true(service_client_query_once(service->port, service->data, script, "", &answer));
    assert_true(answer.complete);
    body_bytes = answer.body_length;
    assert_string_equal(answer.body + body_bytes - strlen(LAST_ROW), LAST_ROW);
    answer_done(&answer);
}

/* Without patience the worker hands over whenever four pages are on their way. */
static void test_answers_that_change_hands(void **state)
{
    struct caller callers[CALLERS] = {0};
    int descriptors = 0;
    size_t whole = 0;

    (void)state;
    service = service_process_start_ready(SETTINGS("--workers=4", "--stream-patience-ms=0",
                                                   "--stream-threads=3", "--queue-timeout-ms=60000",
                                                   "--stream-bytes=4194304"));
    learn_the_length();
    descriptors = service_process_descriptors(service);
    for (unsigned i = 0; i < CALLERS; i++) {
        callers[i].number = i;
        callers[i].random = i + 1;
        assert_int_equal(pthread_create(&callers[i].thread, NULL, work, &callers[i]), 0);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].errors, 0);
        assert_int_equal(callers[i].wrong, 0);
        whole += callers[i].whole;
    }
    assert_true(whole > CALLERS * ROUNDS / ACTION_COUNT);
    assert_true(metric("streams_spooled_total") >= CALLERS);
    service_process_wait_health(service, "slots", "busy", 0);
    assert_int_equal(service_process_health(service, "slots", "lost"), 0);
    wait_metric_zero("streams_open");
    wait_metric_zero("stream_bytes");
    wait_metric_zero("spool_bytes");
    assert_in_range(service_process_descriptors(service), descriptors - 2, descriptors + 2);
    service_process_stop(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_that_change_hands),
    };

    return cmocka_run_group_tests_name("service_stream_races", tests, NULL, NULL);
}
