/* needs: unit/service_process.c unit/service_client.c */
/* Many callers at once: each gets its own answer, once; a cancel hits only the
 * query it names; no slot is lost. */
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

#define TAG_BYTES 64

#define CANCELS 10000
#define CANCEL_ROUNDS (CANCELS * 3 / 2 + 800) /* two of three are named by a DELETE */
#define ECHO_ROUNDS 2000
#define LEAVE_ROUNDS 960
#define CALLERS 32
#define QUERIES "/api/spark/queries/"

/* One thread with its connections; counts instead of asserting. */
struct caller {
    pthread_t thread;
    unsigned number;
    unsigned random; /* rand_r state; the seed is the caller's number: runs repeat */
    size_t rounds;
    size_t errors;           /* broken connections, unexpected statuses */
    size_t wrong;            /* an answer of somebody else, or a contradiction */
    size_t answered;         /* 200 */
    size_t cancelled;        /* 409 */
    size_t deletes;          /* sent */
    char (*tags)[TAG_BYTES]; /* of the 200 ones */
};

static struct service_process *service;

static int start_service(void **state)
{
    (void)state;
    service = service_process_start_ready(SETTINGS("--workers=8"));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    service_process_stop_idle(&service);
    return 0;
}

static void run_callers(struct caller callers[CALLERS], size_t rounds, void *(*work)(void *))
{
    for (unsigned i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){
            .number = i, .random = i + 1, .rounds = (rounds + CALLERS - 1) / CALLERS};
        callers[i].tags = calloc(callers[i].rounds, TAG_BYTES);
        assert_non_null(callers[i].tags);
        assert_int_equal(pthread_create(&callers[i].thread, NULL, work, &callers[i]), 0);
    }
    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
}

static void make_id(const struct caller *caller, size_t round, char ret_id[40])
{
    snprintf(ret_id, 40, "%08x-0000-4000-8000-%012x", caller->number, (unsigned)round);
}

/* `[{"tag":"q<generation>-<id>"}]` */
static bool take_tag(struct caller *caller, const struct answer *answer, const char *id)
{
    char tag[TAG_BYTES];
    char *dash = NULL;

    if (sscanf(answer->body, "[{\"tag\":\"%63[^\"]\"}]", tag) != 1)
        return false;
    dash = strchr(tag, '-');
    if (dash == NULL || strcmp(dash + 1, id) != 0)
        return false;
    memcpy(caller->tags[caller->answered++], tag, TAG_BYTES);
    return true;
}

static int compare_tags(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Sums up, frees; all tags have to be different. */
static struct caller add_up(struct caller callers[CALLERS])
{
    struct caller sum = {0};

    for (size_t i = 0; i < CALLERS; i++)
        sum.rounds += callers[i].rounds;
    sum.tags = calloc(sum.rounds, TAG_BYTES);
    assert_non_null(sum.tags);
    for (size_t i = 0; i < CALLERS; i++) {
        memcpy(sum.tags[sum.answered], callers[i].tags, callers[i].answered * TAG_BYTES);
        sum.errors += callers[i].errors;
        sum.wrong += callers[i].wrong;
        sum.answered += callers[i].answered;
        sum.cancelled += callers[i].cancelled;
        sum.deletes += callers[i].deletes;
        free(callers[i].tags);
    }
    qsort(sum.tags, sum.answered, TAG_BYTES, compare_tags);
    for (size_t i = 1; i < sum.answered; i++)
        assert_string_not_equal(sum.tags[i - 1], sum.tags[i]);
    free(sum.tags);
    sum.tags = NULL;
    return sum;
}

/* Nothing may be left on the connection: a second answer would show here. */
static bool is_silent(struct service_client *client)
{
    service_client_half_close(client);
    return service_client_at_end(client);
}

/* ---- echo ---- */

static void *ask_who_am_i(void *argument)
{
    struct caller *caller = argument;
    struct service_client client;
    char fields[96];
    char id[40];

    if (!service_client_open(&client, service->port))
        caller->errors++;
    for (size_t round = 0; round < caller->rounds && caller->errors == 0; round++) {
        struct answer answer = {0};

        make_id(caller, round, id);
        snprintf(fields, sizeof(fields), ",\"query_id\":\"%s\"", id);
        if (!service_client_query(&client, service->data, "echo", fields) ||
            !service_client_read(&client, &answer) || answer.status != 200 || !answer.complete)
            caller->errors++;
        else if (!take_tag(caller, &answer, id))
            caller->wrong++;
        answer_done(&answer);
    }
    if (caller->errors == 0 && !is_silent(&client))
        caller->wrong++;
    service_client_close(&client);
    return NULL;
}

static void test_each_gets_its_own(void **state)
{
    struct caller callers[CALLERS];
    struct caller sum;

    (void)state;
    run_callers(callers, ECHO_ROUNDS, ask_who_am_i);
    sum = add_up(callers);
    assert_int_equal(sum.errors, 0);
    assert_int_equal(sum.wrong, 0);
    assert_int_equal(sum.answered, sum.rounds);
}

/* ---- cancels at any instant ---- */

/* Status of DELETE, 0 when none came. */
static int send_delete(struct service_client *client, const char *id)
{
    struct answer answer = {0};
    char target[96];
    int status = 0;

    snprintf(target, sizeof(target), QUERIES "%s", id);
    if (service_client_request(client, "DELETE", target, "", NULL) &&
        service_client_read(client, &answer))
        status = answer.status;
    answer_done(&answer);
    return status;
}

/* 202 promises that the waiting request hears 409; every other that it does not. */
static void judge(struct caller *caller, int delete_status, const struct answer *answer,
                  const char *id)
{
    bool hit = delete_status == 202;

    if (hit != (answer->status == 409))
        caller->wrong++;
    else if (answer->status == 409)
        caller->cancelled += strstr(answer->body, "\"code\":\"cancelled\"") != NULL;
    else if (answer->status != 200)
        caller->errors++;
    else if (!take_tag(caller, answer, id))
        caller->wrong++;
}

/* One query, of two in three named by a DELETE within some milliseconds: before
 * it starts, while it runs, just after it ended. */
static void race_once(struct caller *caller, struct service_client *asking,
                      struct service_client *cancelling, size_t round)
{
    struct answer answer = {0};
    const char *script = rand_r(&caller->random) % 2 == 0 ? "echo" : "sleep 2 echo";
    char fields[96];
    char id[40];
    int delete_status = -1;

    make_id(caller, round, id);
    snprintf(fields, sizeof(fields), ",\"query_id\":\"%s\"", id);
    if (!service_client_query(asking, service->data, script, fields)) {
        caller->errors++;
        return;
    }
    if (rand_r(&caller->random) % 3 != 0) {
        const struct timespec instant = {.tv_nsec = rand_r(&caller->random) % 6000000};

        nanosleep(&instant, NULL);
        delete_status = send_delete(cancelling, id);
        caller->deletes++;
        if (delete_status != 202 && delete_status != 404 && delete_status != 409)
            caller->errors++;
    }
    if (service_client_read(asking, &answer))
        judge(caller, delete_status, &answer, id);
    else
        caller->errors++;
    answer_done(&answer);
}

static void *race(void *argument)
{
    struct caller *caller = argument;
    struct service_client asking;
    struct service_client cancelling;

    if (!service_client_open(&asking, service->port) ||
        !service_client_open(&cancelling, service->port))
        caller->errors++;
    for (size_t round = 0; round < caller->rounds && caller->errors == 0; round++)
        race_once(caller, &asking, &cancelling, ECHO_ROUNDS + round);
    if (caller->errors == 0 && (!is_silent(&asking) || !is_silent(&cancelling)))
        caller->wrong++;
    service_client_close(&asking);
    service_client_close(&cancelling);
    return NULL;
}

static void test_cancel_at_any_instant(void **state)
{
    struct caller callers[CALLERS];
    struct caller sum;

    (void)state;
    run_callers(callers, CANCEL_ROUNDS, race);
    sum = add_up(callers);
    assert_int_equal(sum.errors, 0);
    assert_int_equal(sum.wrong, 0);
    assert_int_equal(sum.answered + sum.cancelled, sum.rounds);
    assert_true(sum.deletes >= CANCELS);
    assert_true(sum.cancelled > sum.rounds / 20); /* else nothing was raced */
    assert_true(sum.answered > sum.rounds / 3);
}

/* ---- clients that go at any instant ---- */

static void *leave(void *argument)
{
    static const char *const SCRIPTS[] = {"echo", "sleep 2 echo", "rows 200000", "rows 2000"};
    struct caller *caller = argument;

    for (size_t round = 0; round < caller->rounds; round++) {
        const struct timespec instant = {.tv_nsec = rand_r(&caller->random) % 4000000};
        const char *script = SCRIPTS[rand_r(&caller->random) % 4];
        struct service_client client;

        if (!service_client_open(&client, service->port) ||
            !service_client_query(&client, service->data, script, ""))
            caller->errors++;
        nanosleep(&instant, NULL);
        if (rand_r(&caller->random) % 2 == 0)
            service_client_reset(&client);
        else
            service_client_close(&client);
    }
    return NULL;
}

static void test_leave_at_any_instant(void **state)
{
    struct caller callers[CALLERS];
    struct caller sum;

    (void)state;
    run_callers(callers, LEAVE_ROUNDS, leave);
    sum = add_up(callers);
    assert_int_equal(sum.errors, 0);
    service_process_wait_health(service, "slots", "busy", 0);
    assert_int_equal(service_process_health(service, "slots", "lost"), 0);
    run_callers(callers, CALLERS, ask_who_am_i); /* and it still answers everybody */
    sum = add_up(callers);
    assert_int_equal(sum.answered, CALLERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_gets_its_own),
        cmocka_unit_test(test_cancel_at_any_instant),
        cmocka_unit_test(test_leave_at_any_instant),
    };

    return cmocka_run_group_tests_name("service_races", tests, start_service, stop_service);
}
