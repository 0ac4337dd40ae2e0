/* needs: unit/service_process.c unit/service_client.c */
/* The end of a wait, the end of the query, DELETE and the client's leaving at the
 * same time: one answer each, never somebody else's rows, and nothing is lost. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "deadline.h"
#include "service_client.h"
#include "service_process.h"

#define CALLERS 16
#define ROUNDS 1600
#define QUERIES "/api/spark/queries/"

struct caller {
    pthread_t thread;
    unsigned number;
    unsigned random; /* rand_r state: runs repeat */
    size_t errors;   /* broken connections, unexpected statuses */
    size_t wrong;    /* somebody else's rows, a second answer, a contradiction */
    size_t rows;     /* answered with rows, at once or later */
    size_t handles;  /* 202 */
    size_t cancelled;
};

static struct service_process *service;

static int start_service(void **state)
{
    (void)state;
    service = service_process_start_ready(
        SETTINGS("--workers=4", "--max-handles=100000", "--spool-ttl-s=1"));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    service_process_stop_idle(&service);
    return 0;
}

/* The rows of `echo` are the query's own tag, "q<generation>-<id>". */
static bool are_my_rows(const struct answer *answer, const char *id)
{
    return answer->complete && strncmp(answer->body, "[{\"tag\":\"q", 10) == 0 &&
           strstr(answer->body, id) != NULL;
}

/* Polls the results of a handle to their end: rows, or that it was cancelled. */
static void come_back(struct caller *caller, const char *id, bool may_be_cancelled)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);
    char target[128];

    snprintf(target, sizeof(target), QUERIES "%s/results", id);
    for (;;) {
        struct answer answer;
        bool read = service_client_once(service->port, "GET", target, "", NULL, &answer);
        int status = read ? answer.status : 0;

        if (status == 200 && are_my_rows(&answer, id))
            caller->rows++;
        else if (status == 409 && may_be_cancelled)
            caller->cancelled++;
        else if (status == 200)
            caller->wrong++;
        else if (status != 202 || monotime_reached(limit, monotime_now()))
            caller->errors++;
        answer_done(&answer);
        if (status != 202 || monotime_reached(limit, monotime_now()))
            return;
        pause_ms(1);
    }
}

/* Nothing may be left on the connection: a second answer would show here. */
static bool is_silent(struct service_client *client)
{
    service_client_half_close(client);
    return service_client_at_end(client);
}

static void take_answer(struct caller *caller, struct service_client *client, const char *id,
                        bool deleted)
{
    struct answer answer;
    bool read = service_client_read(client, &answer);
    bool silent = read && is_silent(client);

    if (!read)
        caller->errors++;
    else if (!silent || (answer.status == 200 && !are_my_rows(&answer, id)))
        caller->wrong++;
    else if (answer.status == 200)
        caller->rows++;
    else if (answer.status == 409 && deleted)
        caller->cancelled++;
    else if (answer.status != 202 || strstr(answer.body, id) == NULL)
        caller->errors++;
    if (read && answer.status == 202) {
        caller->handles++;
        come_back(caller, id, deleted);
    }
    answer_done(&answer);
}

static void delete_query(struct caller *caller, const char *id)
{
    char target[128];
    struct answer answer;
    bool read = false;

    snprintf(target, sizeof(target), QUERIES "%s", id);
    read = service_client_once(service->port, "DELETE", target, "", NULL, &answer);
    if (!read || (answer.status != 202 && answer.status != 404 && answer.status != 409))
        caller->errors++;
    answer_done(&answer);
}

static void run_round(struct caller *caller, size_t round)
{
    struct service_client client;
    char id[40];
    char sql[32];
    char fields[128];
    unsigned way = (unsigned)rand_r(&caller->random) % 4;

    snprintf(id, sizeof(id), "%08x-0000-4000-8000-%012x", caller->number, (unsigned)round);
    snprintf(sql, sizeof(sql), "sleep %d echo", rand_r(&caller->random) % 4);
    snprintf(fields, sizeof(fields), ",\"query_id\":\"%s\",\"wait_ms\":%d", id,
             rand_r(&caller->random) % 5);
    if (!service_client_open(&client, service->port) ||
        !service_client_query(&client, service->data, sql, fields)) {
        caller->errors++;
        return;
    }
    if (way == 0)
        delete_query(caller, id);
    if (way == 1)
        service_client_reset(&client);
    else
        take_answer(caller, &client, id, way == 0);
    service_client_close(&client);
}

static void *call(void *argument)
{
    struct caller *caller = argument;

    for (size_t round = 0; round < ROUNDS / CALLERS; round++)
        run_round(caller, round);
    return NULL;
}

static void test_everything_at_once(void **state)
{
    struct caller callers[CALLERS] = {0};
    struct caller sum = {0};

    (void)state;
    for (unsigned i = 0; i < CALLERS; i++) {
        callers[i].number = i;
        callers[i].random = i + 1;
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
        sum.errors += callers[i].errors;
        sum.wrong += callers[i].wrong;
        sum.rows += callers[i].rows;
        sum.handles += callers[i].handles;
        sum.cancelled += callers[i].cancelled;
    }
    print_message("%zu with rows, %zu handles, %zu cancelled\n", sum.rows, sum.handles,
                  sum.cancelled);
    assert_int_equal(sum.wrong, 0);
    assert_int_equal(sum.errors, 0);
    assert_true(sum.handles > 0);
    assert_true(sum.rows > 0);
    service_process_wait_no_spool(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_everything_at_once)};

    return cmocka_run_group_tests_name("service_async_races", tests, start_service, stop_service);
}
