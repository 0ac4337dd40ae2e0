#include "mysql_express.h"

#include <event2/event.h>
#include <stdlib.h>
#include <utlist.h>

#include "deadline.h"
#include "metrics.h"
#include "mysql_engine.h"
#include "query.h"
#include "query_queue.h"
#include "query_runner.h"

/* A statement under way. */
struct express_run {
    struct express_run *prev, *next;
    struct mysql_express *express;
    struct query *query; /* lent */
    struct mysql_cursor *cursor;
    struct event *event; /* bytes have come, or the time is over; at first: it is to be sent */
    struct monotime limit;
};

struct mysql_express {
    struct mysql_express_config config;
    struct query_runner runner; /* of whole answers */
    struct express_run *runs;
    bool stopped;
};

int mysql_express_new(const struct mysql_express_config *config, struct mysql_express **ret_express,
                      struct error *err)
{
    struct mysql_express *express = calloc(1, sizeof(*express));

    if (express == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    express->config = *config;
    express->runner = (struct query_runner){
        .slot = -1,
        .mysql = config->mysql,
        .channel = config->channel,
        .spools = config->spools,
        .queue = config->queue,
    };
    *ret_express = express;
    return 0;
}

void mysql_express_free(struct mysql_express *express)
{
    free(express);
}

/* ---- the end of a run here ---- */

/* The socket is nobody's here any more; gives the query with its cursor. */
static struct query *take_out(struct express_run *run)
{
    struct query *query = run->query;

    query->begun = run->cursor;
    query->timing.plan_us = monotime_span_us(query->run_started, monotime_now());
    DL_DELETE(run->express->runs, run);
    if (run->event != NULL)
        event_free(run->event);
    free(run);
    return query;
}

static void hand_over(struct express_run *run, enum metric why)
{
    struct query_queue *queue = run->express->config.queue;

    metrics_add(why, 1);
    query_queue_hand_over(queue, take_out(run));
}

static void answer(struct express_run *run)
{
    struct mysql_express *express = run->express;

    metrics_add(METRIC_MYSQL_EXPRESS_ANSWERED, 1);
    query_runner_run(&express->runner, take_out(run));
}

void mysql_express_stop(struct mysql_express *express)
{
    if (express == NULL)
        return;
    express->stopped = true;
    while (express->runs != NULL) {
        struct express_run *run = express->runs;

        atomic_store(&run->query->cancelled, true);
        mysql_engine_cancel(express->config.mysql, &run->query->cutoff);
        hand_over(run, METRIC_MYSQL_EXPRESS_CANCELLED);
    }
}

/* ---- while it is under way ---- */

/* For bytes, as long as it may take. -1: there is no memory to wait with. */
static int wait_for_bytes(struct express_run *run)
{
    int64_t left_ms = monotime_span_ms(monotime_now(), run->limit);
    struct timeval span = span_timeval(left_ms > 0 ? left_ms : 0);

    return event_add(run->event, &span);
}

/* Behind all else that this turn has to do: MySQL may be woken on this very core, and is to
 * have it. */
static void send_statement(struct express_run *run)
{
    if (wait_for_bytes(run) == 0)
        mysql_cursor_send(run->cursor);
    else
        hand_over(run, METRIC_MYSQL_EXPRESS_FAILED);
}

static void on_event(evutil_socket_t fd, short what, void *user)
{
    struct express_run *run = user;

    (void)fd;
    if (atomic_load(&run->query->cancelled)) {
        hand_over(run, METRIC_MYSQL_EXPRESS_CANCELLED);
        return;
    }
    if ((what & EV_WRITE) != 0) {
        send_statement(run);
        return;
    }
    if ((what & EV_READ) == 0) {
        hand_over(run, METRIC_MYSQL_EXPRESS_SLOW);
        return;
    }
    switch (mysql_cursor_look(run->cursor, run->express->config.bytes_max)) {
    case MYSQL_PROGRESS_WAITS:
        if (wait_for_bytes(run) != 0)
            hand_over(run, METRIC_MYSQL_EXPRESS_FAILED);
        break;
    case MYSQL_PROGRESS_WHOLE:
        answer(run);
        break;
    case MYSQL_PROGRESS_LARGE:
        hand_over(run, METRIC_MYSQL_EXPRESS_LARGE);
        break;
    case MYSQL_PROGRESS_FAILED:
        hand_over(run, METRIC_MYSQL_EXPRESS_FAILED);
        break;
    }
}

/* ---- the beginning ---- */

/* Rows that are wanted now, and of which nothing says that they take long. */
static bool is_fit(const struct query *query)
{
    const struct query_request *request = &query->request;

    return query_request_is_direct(request) && !request->explains && request->wait_ms < 0 &&
           query->guess.size != RUN_HEAVY;
}

static struct express_run *run_new(struct mysql_express *express, struct query *query)
{
    struct express_run *run = calloc(1, sizeof(*run));

    if (run == NULL)
        return NULL;
    run->express = express;
    run->query = query;
    run->limit = monotime_after(monotime_now(), express->config.answer_ms);
    return run;
}

/* The statement is sent at the end of the turn. False: nothing was begun. */
static bool begin(struct express_run *run)
{
    struct mysql_express *express = run->express;
    struct query *query = run->query;
    struct mysql_query wanted;

    query->run_started = monotime_now();
    wanted = query_runner_direct(query);
    run->cursor = mysql_cursor_begin(express->config.mysql, &wanted, express->config.answer_ms);
    if (run->cursor == NULL) {
        query->run_started = (struct monotime){0};
        return false;
    }
    query_runner_begin(query, express->config.channel);
    run->event =
        event_new(express->config.base, mysql_cursor_fd(run->cursor), EV_READ, on_event, run);
    DL_APPEND(express->runs, run);
    if (run->event != NULL)
        event_active(run->event, EV_WRITE, 0);
    else
        hand_over(run, METRIC_MYSQL_EXPRESS_FAILED);
    return true;
}

bool mysql_express_try(struct mysql_express *express, struct query *query)
{
    struct express_run *run = NULL;

    if (express->config.answer_ms == 0 || express->stopped || !is_fit(query))
        return false;
    if (!query_queue_reserve(express->config.queue)) {
        metrics_add(METRIC_MYSQL_EXPRESS_NO_SLOT, 1);
        return false;
    }
    run = run_new(express, query);
    if (run != NULL && begin(run))
        return true;
    metrics_add(METRIC_MYSQL_EXPRESS_UNFIT, 1);
    free(run);
    query_queue_release(express->config.queue);
    return false;
}
