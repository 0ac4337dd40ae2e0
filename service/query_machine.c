/*
 * All transitions of a query in one piece, so that they can be read as one: run
 * and answer end in any order, and each way a query can end passes here.
 */
#include "query_machine.h"

#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>

#include "callers.h"
#include "canceller.h"
#include "delivery.h"
#include "http_reply.h"
#include "kept_answers.h"
#include "kept_file.h"
#include "log.h"
#include "mysql_engine.h"
#include "query.h"
#include "query_audit.h"
#include "query_flights.h"
#include "query_handles.h"
#include "query_log.h"
#include "query_metrics.h"
#include "query_queue.h"
#include "query_registry.h"
#include "query_reply.h"
#include "spool_disposal.h"
#include "watchdog.h"

static void on_started(struct query *query);
static void on_done(struct query *query);
static void on_answer_begin(struct delivery *delivery);
static void on_client_gone(struct delivery *delivery, bool stalled);
static void on_answer_over(struct delivery *delivery, struct result_page last);
static void start_followers(const struct query *leader);

static const struct query_events RUN_EVENTS = {on_started, on_done};
static const struct delivery_events ANSWER_EVENTS = {on_answer_begin, on_client_gone,
                                                     on_answer_over};

/* ---- the end of a query ---- */

/* -1: without memory, and only when the timer isn't running yet. */
static int start_timer(struct event *timer, int64_t span_ms)
{
    struct timeval span = span_timeval(span_ms);

    return event_add(timer, &span);
}

static void stop_timers(struct query *query)
{
    event_del(query->timer);
    if (query->wait_timer != NULL)
        event_del(query->wait_timer);
}

void query_machine_free_timers(struct query *query)
{
    if (query->timer != NULL)
        event_free(query->timer);
    if (query->wait_timer != NULL)
        event_free(query->wait_timer);
    query->timer = NULL;
    query->wait_timer = NULL;
}

/* The run is over; the answer may still be on its way, or be a 202. */
static void end_run(struct query *query, enum query_state state)
{
    query->state = state;
    query->ended = monotime_now();
    stop_timers(query);
}

static void drop_kept(const struct queries *queries, struct query *query)
{
    spool_disposal_take(queries->disposal, query->kept);
    query->kept = NULL;
}

/* Nobody holds a query or is answered any more: the process may end. */
void query_machine_tell_if_idle(const struct queries *queries)
{
    if (queries->draining && query_registry_first_live(queries->registry) == NULL &&
        kept_results_open(queries->kept) == 0 && kept_answers_open(queries->kept_answers) == 0)
        queries->config.on_idle(queries->config.user);
}

/* Neither queue nor worker holds the query any more, and its answer is over. */
static void retire(struct queries *queries, struct query *query)
{
    query_metrics_ended(query);
    if (queries->config.audits)
        query_audit_ended(query);
    callers_leave(queries->config.callers, query->token_id);
    query_machine_free_timers(query);
    query_shed(query);
    if (query->promised) {
        query_handles_keep(queries->handles, query);
    } else {
        drop_kept(queries, query); /* its client left in the last moment */
        query_handles_leave_place(queries->handles, query);
        query_registry_end(queries->registry, query);
    }
    query_machine_tell_if_idle(queries);
}

static void settle(struct queries *queries, struct query *query)
{
    if (query_state_is_over(query->state) && query->delivery == NULL)
        retire(queries, query);
}

/* Nothing makes the pages of its answer yet, as they are made of kept rows. */
static bool answer_has_no_producer(const struct query *query)
{
    return query_request_keeps_rows(&query->request) && !query->sends_kept;
}

/* Its run is for others, too. */
static bool is_followed(const struct query *query)
{
    return query_flights_follower(query) != NULL;
}

/* Takes the exchange from the answer, NULL when the client is gone. The answer is
 * over when what makes its pages says so; at once when nothing does. */
static struct http_exchange *end_answer(struct query *query)
{
    struct http_exchange *exchange = delivery_detach(query->delivery);

    if (!is_followed(query))
        delivery_stop(query->delivery);
    if (answer_has_no_producer(query)) {
        delivery_free(query->delivery);
        query->delivery = NULL;
    }
    return exchange;
}

static void note_outcome(struct query *query, const struct delivery_tally *tally)
{
    query->outcome.rows = tally->rows;
    query->outcome.bytes = tally->bytes;
    query->outcome.truncated = tally->truncated;
    atomic_store_explicit(&query->bytes_so_far, tally->bytes, memory_order_relaxed);
}

/* Ends the answer, if it isn't over; a promise that is still being journaled is off. */
static void answer_problem(struct query *query, const struct error *err)
{
    const struct delivery *delivery = query->delivery;
    struct http_exchange *exchange = NULL;
    bool streaming = false;

    if (delivery == NULL)
        return;
    streaming = delivery->streaming;
    query->promised = false;
    exchange = end_answer(query);
    if (exchange != NULL && streaming)
        query_reply_break_off(exchange, query, delivery, err);
    else if (exchange != NULL)
        query_reply_problem(exchange, query, err);
}

/* Ends a query that has no run. */
static void end_unrun(struct queries *queries, struct query *query, enum query_state ends_as,
                      const struct error *err)
{
    end_run(query, ends_as);
    query->problem = *err;
    answer_problem(query, err);
    query_log_ended(query, err);
    delivery_free(query->delivery); /* nobody was making its pages yet */
    query->delivery = NULL;
    settle(queries, query);
}

/* Gets a query out of its worker; the engines end it in their own ways. */
static void interrupt(struct queries *queries, struct query *query)
{
    if (query_request_is_direct(&query->request))
        mysql_engine_cancel(queries->config.mysql, &query->cutoff);
    else
        canceller_add(queries->canceller, query->tag);
}

/* Nobody wants what the run of a CANCELLING query makes: gets it out of its worker. */
static void abandon_run(struct queries *queries, struct query *query)
{
    atomic_store(&query->cancelled, true);
    query->cancel_began = monotime_now();
    interrupt(queries, query);
}

/* A query whose run is under way will end as `ends_as`: at once, or, as long as others
 * follow it, when its run is over. */
static void stop_run(struct queries *queries, struct query *query, enum query_state ends_as)
{
    stop_timers(query);
    /* A worker has it, even if its started() is still in the mailbox. */
    if (query->state == QUERY_QUEUED) {
        queries->queued--;
        queries->busy++;
        start_followers(query);
    }
    query->state = QUERY_CANCELLING;
    query->ends_as = ends_as;
    if (!is_followed(query))
        abandon_run(queries, query);
}

/* ---- followers: identical queries that wait for the run of another ---- */

/* The run that it waits for is under way. */
static void start_following(struct query *follower)
{
    if (follower->state != QUERY_QUEUED)
        return;
    follower->state = QUERY_RUNNING;
    follower->started = monotime_now();
    follower->timing.queue_us = monotime_span_us(follower->received, follower->started);
    query_metrics_started(follower);
    (void)start_timer(follower->timer, follower->request.timeout_ms);
}

static void start_followers(const struct query *leader)
{
    for (struct query *follower = query_flights_follower(leader); follower != NULL;
         follower = query_flights_next(follower))
        start_following(follower);
}

/* Its own part is over; the run goes on unless it was the last one that wanted it. */
static void leave_flight(struct queries *queries, struct query *follower)
{
    struct query *leader = query_flights_leader(follower);

    query_flights_leave(queries->flights, follower);
    if (leader->state != QUERY_CANCELLING || is_followed(leader))
        return;
    delivery_stop(leader->delivery);
    abandon_run(queries, leader);
}

/* When those that wait now will have had their turn, as the last runs took. */
static void set_retry_after(const struct queries *queries, struct error *err)
{
    err->retry_after_s =
        run_history_wait_s(queries->history, query_queue_length(queries->config.queue),
                           queries->config.slots - watchdog_lost(queries->watchdog));
}

int query_machine_set_full(const struct queries *queries, struct error *err)
{
    error_set(err, ERROR_QUEUE_FULL, "%zu queries are waiting already",
              query_queue_limit(queries->config.queue));
    set_retry_after(queries, err);
    return -1;
}

/* What it waited for is not for it: it begins anew, behind those that wait by now. */
static void run_itself(struct queries *queries, struct query *follower)
{
    struct error err;

    query_flights_leave(queries->flights, follower);
    follower->state = QUERY_QUEUED;
    follower->started = (struct monotime){0};
    (void)start_timer(follower->timer, follower->request.queue_timeout_ms);
    metrics_add(METRIC_SHARED_IN_VAIN, 1);
    if (query_queue_try_push(queries->config.queue, follower)) {
        queries->queued++;
        return;
    }
    query_machine_set_full(queries, &err);
    query_metrics_refused(err.code);
    end_unrun(queries, follower, QUERY_FAILED, &err);
}

/* The leader's run is of no use to anybody else. */
static void dissolve_flight(struct queries *queries, struct query *leader)
{
    struct query *follower = NULL;

    while ((follower = query_flights_follower(leader)) != NULL)
        run_itself(queries, follower);
    query_flights_end(queries->flights, leader);
}

/* Answers a follower with what the leader's run has made. */
static void answer_follower(struct queries *queries, struct query *follower,
                            const struct delivery_tally *tally, struct shared_bytes *body)
{
    struct delivery *delivery = follower->delivery;
    struct http_exchange *exchange = delivery_detach(delivery);

    query_flights_leave(queries->flights, follower);
    start_following(follower);
    end_run(follower, QUERY_SUCCEEDED);
    follower->timing.run_us = monotime_span_us(follower->started, follower->ended);
    follower->timing.bridge_us = follower->timing.run_us;
    follower->collapsed = true;
    delivery->tally = *tally;
    delivery->tally.write_us = 0;
    note_outcome(follower, tally);
    query_log_when_sent(exchange, follower, delivery);
    query_reply_shared(exchange, follower, delivery, body);
    delivery_free(delivery);
    follower->delivery = NULL;
    metrics_add(METRIC_SHARED_ANSWERS, 1);
    settle(queries, follower);
}

/* Its rows are for all who follow: what was read is the same now, after the last of them
 * came. Else each has to look for itself. */
static void answer_followers(struct queries *queries, struct query *leader,
                             const struct delivery_tally *tally, struct shared_bytes *body)
{
    struct query *follower = NULL;

    query_flights_note(queries->flights, leader, leader->identity != NULL);
    if (is_followed(leader) && !query_cache_is_current(leader)) {
        dissolve_flight(queries, leader);
        return;
    }
    while ((follower = query_flights_follower(leader)) != NULL)
        answer_follower(queries, follower, tally, body);
    query_flights_end(queries->flights, leader);
}

/* ---- early ends ---- */

/* Takes a query out of the queue; who follows it has its place then. */
static bool leave_queue(struct queries *queries, struct query *query, bool has_to_wait)
{
    struct query_queue *queue = queries->config.queue;
    struct query *heir = query_flights_follower(query);

    if (heir == NULL) {
        if (has_to_wait ? !query_queue_expire(queue, query) : !query_queue_remove(queue, query))
            return false;
        queries->queued--;
        query_flights_end(queries->flights, query);
        return true;
    }
    if ((has_to_wait && !query_queue_has_to_wait(queue, query)) ||
        !query_queue_replace(queue, query, heir))
        return false;
    query_flights_pass_on(queries->flights, query);
    return true;
}

/* The run is over, its answer is not: ends that. */
static void cut_answer(struct query *query, const struct error *err)
{
    query_log_ended(query, err);
    answer_problem(query, err);
}

/* Ends a query before its time: answers with `err`, if the client is still there,
 * and gets it out of the queue or its worker. */
void query_machine_end_early(struct queries *queries, struct query *query, enum query_state ends_as,
                             enum metric reason, const struct error *err)
{
    if (query->state != QUERY_CANCELLING)
        query_metrics_cancelled(reason);
    if (query_flights_leader(query) != NULL) {
        leave_flight(queries, query);
        end_unrun(queries, query, ends_as, err);
        return;
    }
    if (leave_queue(queries, query, false)) {
        end_unrun(queries, query, ends_as, err);
        return;
    }
    if (query_state_is_over(query->state)) {
        cut_answer(query, err);
        settle(queries, query);
        return;
    }
    answer_problem(query, err);
    if (query->state == QUERY_CANCELLING)
        return;
    query->problem = *err;
    stop_run(queries, query, ends_as);
}

/* ---- timers and the client's side ---- */

/* It has waited too long for a slot, or for one of whom it follows. */
static void end_waiting(struct queries *queries, struct query *query)
{
    const struct query *leader = query_flights_leader(query);
    struct error err;

    if (leader != NULL && !query_queue_has_to_wait(queries->config.queue, leader))
        return; /* its run is about to begin; the news of it is on its way */
    if (leader != NULL)
        leave_flight(queries, query);
    else if (!leave_queue(queries, query, true))
        return; /* started in time; the news of it is on its way */
    error_set(&err, ERROR_QUEUE_TIMEOUT, "no slot was free within %lld ms",
              (long long)query->request.queue_timeout_ms);
    set_retry_after(queries, &err);
    query_metrics_refused(err.code);
    end_unrun(queries, query, QUERY_TIMED_OUT, &err);
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
    struct query *query = user;
    struct queries *queries = query->events_user;
    struct error err;

    (void)fd;
    (void)what;
    if (query->state == QUERY_QUEUED) {
        end_waiting(queries, query);
    } else {
        error_set(&err, ERROR_TIMEOUT, "the query ran longer than %lld ms and is cancelled",
                  (long long)query->request.timeout_ms);
        query_machine_end_early(queries, query, QUERY_TIMED_OUT, METRIC_CANCELLED_TIMEOUT, &err);
    }
}

static void on_client_gone(struct delivery *delivery, bool stalled)
{
    struct query *query = delivery->user;
    struct error err;

    if (stalled) {
        error_set(&err, ERROR_CANCELLED, "the client took nothing of its answer for too long");
        query_machine_end_early(query->events_user, query, QUERY_CANCELLED,
                                METRIC_CANCELLED_STALLED, &err);
        return;
    }

    error_set(&err, ERROR_CANCELLED, "the client left");
    query_machine_end_early(query->events_user, query, QUERY_CANCELLED,
                            METRIC_CANCELLED_CLIENT_GONE, &err);
}

/* ---- the end of a wait, and what comes after a 202 ---- */

static void cancel_after_wait(struct queries *queries, struct query *query)
{
    struct error err;

    if (query->delivery->streaming)
        return; /* the answer has begun in time */
    error_set(&err, ERROR_TIMEOUT, "no answer within the wait of %lld ms; the query is cancelled",
              (long long)query->request.wait_ms);
    query_machine_end_early(queries, query, QUERY_TIMED_OUT, METRIC_CANCELLED_WAIT, &err);
}

/* The wait is over: the caller is told to come back as soon as its id is on disk.
 * Not while the service ends: nobody could come back. */
static void promise(struct queries *queries, struct query *query)
{
    struct error err;

    if (queries->draining)
        return;
    if (query_handles_promise(queries->handles, query, &err) == 0)
        query->promised = true;
    else
        query_machine_end_early(queries, query, QUERY_FAILED, METRIC_CANCELLED_WAIT, &err);
}

static void end_wait(struct query *query)
{
    if (query_request_keeps_rows(&query->request))
        promise(query->events_user, query);
    else
        cancel_after_wait(query->events_user, query);
}

static void on_wait_over(evutil_socket_t fd, short what, void *user)
{
    struct query *query = user;

    (void)fd;
    (void)what;
    if (query->delivery != NULL && query->delivery->exchange != NULL)
        end_wait(query);
}

/* The id is on disk, or could not be put there. */
void query_machine_on_promised(void *user, const char *key, const struct error *err)
{
    struct queries *queries = user;
    struct query *query = query_registry_find(queries->registry, key);
    struct http_exchange *exchange = NULL;
    struct error draining;

    if (query == NULL || !query->promised || query->delivery == NULL)
        return; /* it was cancelled, or its client left, meanwhile */
    if (err != NULL) {
        query_machine_end_early(queries, query, QUERY_FAILED, METRIC_CANCELLED_WAIT, err);
        return;
    }
    if (queries->draining) {
        error_set(&draining, ERROR_DRAINING, "the service is shutting down and keeps no rows");
        query_machine_end_early(queries, query, QUERY_CANCELLED, METRIC_CANCELLED_DRAIN, &draining);
        return;
    }
    exchange = end_answer(query);
    if (exchange != NULL)
        query_reply_accepted(exchange, query, NULL);
    metrics_add(METRIC_HANDLES_GIVEN, 1);
    settle(queries, query);
}

void query_machine_on_expired(void *user, struct query *query)
{
    const struct queries *queries = user;

    if (query->kept == NULL)
        return; /* it failed: it is forgotten, no more */
    drop_kept(queries, query);
    query->state = QUERY_EXPIRED;
}

void query_machine_on_fetch_came(void *user, struct query *query)
{
    (void)user;
    query_handles_reader_came(query);
}

void query_machine_on_fetch_left(void *user, struct query *query)
{
    struct queries *queries = user;

    query_handles_reader_left(queries->handles, query);
    query_machine_tell_if_idle(queries);
}

void query_machine_on_kept_answer_left(void *user)
{
    query_machine_tell_if_idle(user);
}

/* ---- news from the worker ---- */

static void on_started(struct query *query)
{
    struct queries *queries = query->events_user;

    query->started = query->run_started;
    if (query->state != QUERY_QUEUED)
        return; /* ended early in the meantime; already counted as busy */
    queries->queued--;
    queries->busy++;
    query->state = QUERY_RUNNING;
    query_metrics_started(query);
    (void)start_timer(query->timer, query->request.timeout_ms); /* it runs since admission */
    start_followers(query);
}

/* All rows are kept: for the caller who comes back, or for the one that waits. */
static void use_kept(const struct queries *queries, struct query *query)
{
    if (query->kept == NULL)
        return;
    if (query->promised) {
        query_log_kept(query);
        return;
    }
    if (query->delivery != NULL) {
        query->sends_kept = true;
        delivery_follow(query->delivery, query->kept, 0, SIZE_MAX);
    }
    drop_kept(queries, query);
}

static void on_done(struct query *query)
{
    struct queries *queries = query->events_user;
    bool failed = query->outcome.err.code != ERROR_NONE;

    queries->busy--;
    watchdog_slot_back(queries->watchdog, query);
    if (!query->request.explains)
        run_history_note(queries->history, &query->request,
                         monotime_span_ms(query->run_started, monotime_now()),
                         failed || query->state == QUERY_CANCELLING);
    if (query->state == QUERY_CANCELLING) {
        if (!query_request_is_direct(&query->request))
            canceller_remove(queries->canceller, query->tag);
        end_run(query, query->ends_as);
        drop_kept(queries, query);
        if (query->state != QUERY_SUCCEEDED)
            query_log_ended(query, &query->problem);
    } else if (failed) {
        end_run(query, QUERY_FAILED);
        query->problem = query->outcome.err;
        query_log_ended(query, &query->outcome.err);
        if (!query->promised)
            answer_problem(query, &query->outcome.err);
    } else {
        end_run(query, QUERY_SUCCEEDED);
        use_kept(queries, query);
    }
    settle(queries, query);
}

/* ---- news from the answer ---- */

/* A long answer is one client's: it goes at that client's pace. */
static void on_answer_begin(struct delivery *delivery)
{
    struct query *query = delivery->user;
    struct queries *queries = query->events_user;
    bool was_followed = is_followed(query);

    query_flights_note(queries->flights, query, false);
    dissolve_flight(queries, query);
    if (delivery->exchange != NULL) {
        query_reply_begin(delivery->exchange, query, delivery);
    } else if (was_followed && query->state == QUERY_CANCELLING) {
        delivery_stop(delivery);
        abandon_run(queries, query);
    }
}

/* A whole answer that may be kept, and be that of others as well. The exchange is NULL
 * when only they are left. */
static void answer_shareable(struct queries *queries, struct query *query,
                             struct http_exchange *exchange, struct result_page body)
{
    struct delivery *delivery = query->delivery;
    struct shared_bytes *shared = shared_bytes_new(body.data, body.length);
    bool is_own = true;

    if (shared == NULL) {
        dissolve_flight(queries, query);
    } else {
        answer_followers(queries, query, &delivery->tally, shared);
        query_cache_keep(queries->cache, query, shared);
        is_own = shared_bytes_take_back(shared, &body.data);
    }
    if (exchange != NULL && is_own)
        query_reply_whole(exchange, query, delivery, body.data, body.length);
    else if (exchange != NULL)
        query_reply_shared(exchange, query, delivery, shared);
    else if (is_own)
        free(body.data);
    if (!is_own)
        shared_bytes_release(shared);
}

/* The exchange is NULL when it is others' rows only. */
static void answer_rows(struct query *query, struct delivery *delivery, struct result_page last)
{
    struct queries *queries = query->events_user;
    struct http_exchange *exchange = delivery_detach(delivery);

    if (exchange != NULL) {
        note_outcome(query, &delivery->tally);
        query_log_when_sent(exchange, query, delivery);
    }
    if (delivery->streaming) {
        query_cache_keep_file(queries->cache, query, delivery->copy);
        query_reply_end(exchange, query, delivery, last.data, last.length);
    } else if (query_cache_wants(query)) {
        answer_shareable(queries, query, exchange, last);
    } else {
        query_reply_whole(exchange, query, delivery, last.data, last.length);
    }
}

/* The rows are there and can't be sent: no memory, a spool that can't be read. */
static void fail_answer(struct queries *queries, struct query *query, const struct error *err)
{
    if (query_state_is_over(query->state)) {
        cut_answer(query, err);
        return;
    }
    answer_problem(query, err);
    query->problem = *err;
    stop_run(queries, query, QUERY_FAILED);
}

/* The run may still be under way when the answer has all that it wants of it. */
static void on_answer_over(struct delivery *delivery, struct result_page last)
{
    struct query *query = delivery->user;
    struct queries *queries = query->events_user;
    const struct error *err = &delivery->tally.err;
    bool is_wanted = delivery->exchange != NULL || is_followed(query);

    if (is_wanted && err->code == ERROR_NONE) {
        answer_rows(query, delivery, last);
        if (query->state == QUERY_RUNNING)
            stop_run(queries, query, QUERY_SUCCEEDED);
    } else {
        free(last.data);
        if (query->state == QUERY_FAILED)
            query_flights_note(queries->flights, query, false);
        dissolve_flight(queries, query); /* a failure is nobody else's */
        if (delivery->exchange != NULL)
            fail_answer(queries, query, err);
    }
    query->delivery = NULL;
    spool_disposal_take_file(queries->disposal, delivery_take_copy(delivery));
    delivery_free(delivery);
    settle(queries, query);
}

/* ---- the beginning ---- */

/* The answer that `exchange` is to get. */
static int open_answer(struct queries *queries, struct query *query, struct http_exchange *exchange,
                       struct error *err)
{
    const struct query_request *request = &query->request;
    const struct result_options options = {.choice = request->answer,
                                           .numbers_as_strings = request->numbers_as_strings,
                                           .query_id = query->id};
    const struct result_limits limits = {.rows = request->row_limit, .bytes = request->byte_limit};

    if (delivery_new(queries->config.deliveries, &ANSWER_EVENTS, query, exchange, &options, &limits,
                     &query->delivery, err) != 0)
        return -1;
    query->delivery->wants_tag =
        query_cache_wants(query) || http_exchange_request(exchange)->method == METHOD_GET;
    if (query_cache_wants(query) && kept_file_store_is_on(queries->config.kept_files))
        query->delivery->copies = queries->config.kept_files;
    return 0;
}

/* Undoes what admit made. */
void query_machine_discard(struct queries *queries, struct query *query)
{
    callers_leave(queries->config.callers, query->token_id);
    query_handles_leave_place(queries->handles, query);
    if (query->delivery != NULL)
        (void)delivery_detach(query->delivery);
    delivery_free(query->delivery);
    query_machine_free_timers(query);
    query_free(query);
}

/* What it needs beside itself, before it is queued. */
int query_machine_equip(struct queries *queries, struct query *query,
                        struct http_exchange *exchange, struct error *err)
{
    if (query_request_keeps_rows(&query->request) &&
        query_handles_take_place(queries->handles, query, err) != 0)
        return -1;
    query->events = &RUN_EVENTS;
    query->events_user = queries;
    query->timer = event_new(queries->config.base, -1, 0, on_timer, query);
    if (query->request.wait_ms >= 0)
        query->wait_timer = event_new(queries->config.base, -1, 0, on_wait_over, query);
    if (query->timer == NULL || (query->request.wait_ms >= 0 && query->wait_timer == NULL) ||
        start_timer(query->timer, query->request.queue_timeout_ms) != 0 ||
        (query->request.wait_ms > 0 && start_timer(query->wait_timer, query->request.wait_ms) != 0))
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    return open_answer(queries, query, exchange, err);
}

void query_machine_begin(struct queries *queries, struct query *query)
{
    const struct query *leader = query_flights_leader(query);

    query_registry_add(queries->registry, query);
    query_metrics_admitted(query);
    /* The worker's first news waits in the mailbox until we are back in the loop. */
    if (leader == NULL)
        queries->queued++;
    else if (leader->state != QUERY_QUEUED)
        start_following(query);
    if (query->request.wait_ms == 0)
        end_wait(query);
}
