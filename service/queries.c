/*
 * The state machine of a query in one piece; what is not a transition lives in
 * query_registry.c, watchdog.c, query_reply.c and query_log.c.
 */
#include "queries.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canceller.h"
#include "delivery.h"
#include "http_record.h"
#include "http_reply.h"
#include "log.h"
#include "mysql_engine.h"
#include "query.h"
#include "query_log.h"
#include "query_metrics.h"
#include "query_queue.h"
#include "query_registry.h"
#include "query_reply.h"
#include "watchdog.h"

struct queries {
    struct queries_config config;
    struct query_registry *registry;
    struct watchdog *watchdog;
    struct canceller *canceller; /* NULL until the engine is ready */
    size_t queued;
    size_t busy;
    uint64_t last_generation;
    bool draining;
};

static void on_started(struct query *query);
static void on_done(struct query *query);
static void on_answer_begin(struct delivery *delivery);
static void on_client_gone(struct delivery *delivery, bool stalled);
static void on_answer_over(struct delivery *delivery, struct result_page last);

static const struct query_events EVENTS = {on_started, on_done};
static const struct delivery_events ANSWER_EVENTS = {on_answer_begin, on_client_gone,
                                                     on_answer_over};

/* ---- the end of a query ---- */

/* The run is over; the answer may still be on its way. */
static void end_run(struct query *query, enum query_state state)
{
    query->state = state;
    query->ended = monotime_now();
    event_del(query->timer);
}

/* Neither queue nor worker holds the query any more, and its answer is over. */
static void retire(struct queries *queries, struct query *query)
{
    query_metrics_ended(query);
    event_free(query->timer);
    query->timer = NULL;
    query_shed(query);
    query_registry_end(queries->registry, query);
    if (queries->draining && query_registry_first_live(queries->registry) == NULL)
        queries->config.on_idle(queries->config.user);
}

static void settle(struct queries *queries, struct query *query)
{
    if (query_state_is_over(query->state) && query->delivery == NULL)
        retire(queries, query);
}

/* Ends the answer, if it isn't over; what makes its pages is told to stop. */
static void answer_problem(struct query *query, const struct error *err)
{
    struct http_exchange *exchange =
        query->delivery != NULL ? delivery_detach(query->delivery) : NULL;

    if (exchange == NULL)
        return;
    if (query->delivery->streaming)
        query_reply_break_off(exchange, query, query->delivery, err);
    else
        query_reply_problem(exchange, query, err);
}

/* Ends a query that was taken out of the queue again. */
static void end_queued(struct queries *queries, struct query *query, enum query_state ends_as,
                       const struct error *err)
{
    queries->queued--;
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

/* Gets a query out of its worker: it will end as `ends_as`. */
static void stop_run(struct queries *queries, struct query *query, enum query_state ends_as)
{
    event_del(query->timer);
    atomic_store(&query->cancelled, true);
    /* A worker has it, even if its started() is still in the mailbox. */
    if (query->state == QUERY_QUEUED) {
        queries->queued--;
        queries->busy++;
    }
    query->state = QUERY_CANCELLING;
    query->ends_as = ends_as;
    query->cancel_began = monotime_now();
    interrupt(queries, query);
}

/* The run is over, its answer is not: ends that. */
static void cut_answer(struct query *query, const struct error *err)
{
    query_log_ended(query, err);
    answer_problem(query, err);
}

/* Ends a query before its time: answers with `err`, if the client is still there,
 * and gets it out of the queue or its worker. */
static void end_early(struct queries *queries, struct query *query, enum query_state ends_as,
                      enum metric reason, const struct error *err)
{
    if (query->state != QUERY_CANCELLING)
        query_metrics_cancelled(reason);
    if (query_queue_remove(queries->config.queue, query)) {
        end_queued(queries, query, ends_as, err);
        return;
    }
    if (query_state_is_over(query->state)) {
        cut_answer(query, err);
        return;
    }
    answer_problem(query, err);
    if (query->state == QUERY_CANCELLING)
        return;
    query->problem = *err;
    stop_run(queries, query, ends_as);
}

/* ---- timers and the client's side ---- */

static void start_timer(struct query *query, int64_t span_ms)
{
    struct timeval span = {.tv_sec = span_ms / 1000,
                           .tv_usec = (suseconds_t)(span_ms % 1000 * 1000)};

    if (event_add(query->timer, &span) != 0)
        log_line(LOG_ERROR, "no timer for a query", LOG_TEXT("query_id", query->id));
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
    struct query *query = user;
    struct queries *queries = query->events_user;
    struct error err;

    (void)fd;
    (void)what;
    if (query->state == QUERY_QUEUED) {
        if (!query_queue_expire(queries->config.queue, query))
            return; /* started in time; the news of it is on its way */
        error_set(&err, ERROR_QUEUE_TIMEOUT, "no slot was free within %lld ms",
                  (long long)query->request.queue_timeout_ms);
        query_metrics_refused(err.code);
        end_queued(queries, query, QUERY_TIMED_OUT, &err);
    } else {
        error_set(&err, ERROR_TIMEOUT, "the query ran longer than %lld ms and is cancelled",
                  (long long)query->request.timeout_ms);
        end_early(queries, query, QUERY_TIMED_OUT, METRIC_CANCELLED_TIMEOUT, &err);
    }
}

static void on_client_gone(struct delivery *delivery, bool stalled)
{
    struct query *query = delivery->user;
    struct error err;

    if (stalled) {
        error_set(&err, ERROR_CANCELLED, "the client took nothing of its answer for too long");
        end_early(query->events_user, query, QUERY_CANCELLED, METRIC_CANCELLED_STALLED, &err);
        return;
    }

    error_set(&err, ERROR_CANCELLED, "the client left");
    end_early(query->events_user, query, QUERY_CANCELLED, METRIC_CANCELLED_CLIENT_GONE, &err);
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
    event_del(query->timer);
    start_timer(query, query->request.timeout_ms);
}

static void on_done(struct query *query)
{
    struct queries *queries = query->events_user;
    bool failed = query->outcome.err.code != ERROR_NONE;

    queries->busy--;
    watchdog_slot_back(queries->watchdog, query);
    if (query->state == QUERY_CANCELLING) {
        if (!query_request_is_direct(&query->request))
            canceller_remove(queries->canceller, query->tag);
        end_run(query, query->ends_as);
        if (query->state != QUERY_SUCCEEDED)
            query_log_ended(query, &query->problem);
    } else if (failed) {
        end_run(query, QUERY_FAILED);
        query->problem = query->outcome.err;
        query_log_ended(query, &query->outcome.err);
        answer_problem(query, &query->outcome.err);
    } else {
        end_run(query, QUERY_SUCCEEDED);
    }
    settle(queries, query);
}

/* ---- news from the answer ---- */

static void on_answer_begin(struct delivery *delivery)
{
    query_reply_begin(delivery->exchange, delivery->user, delivery);
}

static void answer_rows(struct query *query, struct delivery *delivery, struct result_page last)
{
    struct http_exchange *exchange = delivery_detach(delivery);

    query->outcome.rows = delivery->tally.rows;
    query->outcome.bytes = delivery->tally.bytes;
    query->outcome.truncated = delivery->tally.truncated;
    query_log_when_sent(exchange, query, delivery);
    if (delivery->streaming)
        query_reply_end(exchange, query, delivery, last.data, last.length);
    else
        query_reply_whole(exchange, query, delivery, last.data, last.length);
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

    if (delivery->exchange == NULL) {
        free(last.data);
    } else if (err->code == ERROR_NONE) {
        answer_rows(query, delivery, last);
        if (query->state == QUERY_RUNNING)
            stop_run(queries, query, QUERY_SUCCEEDED);
    } else {
        free(last.data);
        fail_answer(queries, query, err);
    }
    query->delivery = NULL;
    delivery_free(delivery);
    settle(queries, query);
}

/* ---- what others call ---- */

int queries_new(const struct queries_config *config, struct queries **ret_queries,
                struct error *err)
{
    struct queries *queries = calloc(1, sizeof(*queries));
    struct watchdog_config watchdog = {
        .base = config->base,
        .slots = config->slots,
        .slot_lost_ms = config->slot_lost_ms,
        .on_slots_lost = config->on_slots_lost,
        .user = config->user,
    };

    if (queries == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    queries->config = *config;
    queries->registry = query_registry_new(config->history);
    watchdog.registry = queries->registry;
    if (queries->registry == NULL) {
        error_set(err, ERROR_ENGINE_ERROR, "out of memory");
        goto fail;
    }
    if (watchdog_new(&watchdog, &queries->watchdog, err) != 0)
        goto fail;
    *ret_queries = queries;
    return 0;
fail:
    queries_free(queries);
    return -1;
}

void queries_free(struct queries *queries)
{
    if (queries == NULL)
        return;
    watchdog_free(queries->watchdog);
    if (queries->registry != NULL) {
        for (struct query *query = query_registry_first_live(queries->registry); query != NULL;
             query = query->group_next) {
            event_free(query->timer);
            delivery_free(query->delivery);
        }
    }
    query_registry_free(queries->registry);
    free(queries);
}

void queries_engine_ready(struct queries *queries, struct canceller *canceller)
{
    queries->canceller = canceller;
}

/* What keeps a new query out, before anything is made for it. */
static int check_admission(const struct queries *queries, const struct query_request *request,
                           struct error *err)
{
    const struct query *twin = NULL;

    if (queries->draining)
        return error_set(err, ERROR_DRAINING, "the service is shutting down");
    if (queries->canceller == NULL && !query_request_is_direct(request))
        return error_set(err, ERROR_STARTING, "Spark is still starting");
    if (request->query_id != NULL)
        twin = query_registry_find(queries->registry, request->query_id);
    if (twin != NULL && (!query_state_is_over(twin->state) || twin->delivery != NULL))
        return error_set(err, ERROR_CONFLICT, "query_id: %s is in flight", request->query_id);
    return 0;
}

/* The answer that `exchange` is to get. */
static int open_answer(struct queries *queries, struct query *query, struct http_exchange *exchange,
                       struct error *err)
{
    const struct query_request *request = &query->request;
    const struct result_options options = {.choice = request->answer,
                                           .numbers_as_strings = request->numbers_as_strings,
                                           .query_id = query->id};
    const struct result_limits limits = {.rows = request->row_limit, .bytes = request->byte_limit};

    return delivery_new(queries->config.deliveries, &ANSWER_EVENTS, query, exchange, &options,
                        &limits, &query->delivery, err);
}

/* Undoes what admit made. */
static void discard(struct query *query)
{
    if (query->delivery != NULL)
        (void)delivery_detach(query->delivery);
    delivery_free(query->delivery);
    if (query->timer != NULL)
        event_free(query->timer);
    query_free(query);
}

/* The request's end and the query's lines are to name each other. */
static void note_query(struct http_exchange *exchange, struct query *query)
{
    struct http_record *record = http_exchange_record(exchange);

    snprintf(record->query_id, sizeof(record->query_id), "%s", query->id);
    memcpy(query->trace_id, record->trace.trace_id, sizeof(query->trace_id));
}

static int admit(struct queries *queries, struct http_exchange *exchange,
                 struct query_request *request, struct mysql_target *target, struct error *err)
{
    struct query *query = NULL;

    if (check_admission(queries, request, err) != 0 ||
        query_new(request, ++queries->last_generation, &query, err) != 0)
        return -1;
    query->mysql = *target;
    memset(target, 0, sizeof(*target));
    query->received = http_exchange_request(exchange)->body_end;
    query->queued_at_us = wall_time_now_us() - monotime_span_us(query->received, monotime_now());
    query->events = &EVENTS;
    query->events_user = queries;
    query->timer = event_new(queries->config.base, -1, 0, on_timer, query);
    if (query->timer == NULL || open_answer(queries, query, exchange, err) != 0) {
        discard(query);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    if (!query_queue_try_push(queries->config.queue, query)) {
        discard(query);
        return error_set(err, ERROR_QUEUE_FULL, "%zu queries are waiting already",
                         query_queue_limit(queries->config.queue));
    }
    /* The worker's first news waits in the mailbox until we are back in the loop. */
    queries->queued++;
    query_registry_add(queries->registry, query);
    note_query(exchange, query);
    start_timer(query, query->request.queue_timeout_ms);
    query_metrics_admitted(query);
    return 0;
}

void queries_submit(struct queries *queries, struct http_exchange *exchange,
                    struct query_request *request, struct mysql_target *target)
{
    struct error err;

    if (admit(queries, exchange, request, target, &err) == 0)
        return;
    query_metrics_refused(err.code);
    query_reply_refusal(exchange, &err);
    query_request_done(request);
    mysql_target_done(target);
}

static void cancel_by_delete(struct queries *queries, struct query *query, enum metric reason)
{
    struct error err;

    error_set(&err, ERROR_CANCELLED, "the query was cancelled by DELETE");
    end_early(queries, query, QUERY_CANCELLED, reason, &err);
}

int queries_cancel(struct queries *queries, const char *id, struct error *err)
{
    struct query *query = query_registry_find(queries->registry, id);

    if (query == NULL)
        return error_set(err, ERROR_NOT_FOUND, "no query %s", id);
    if (query_state_is_over(query->state) && query->delivery == NULL)
        return error_set(err, ERROR_CONFLICT, "query %s is over", id);
    cancel_by_delete(queries, query, METRIC_CANCELLED_DELETE);
    return 0;
}

void queries_cancel_tagged(struct queries *queries, const char *tag,
                           void (*on_cancelled)(const char *id, void *user), void *user)
{
    struct query *next = NULL;

    for (struct query *query = query_registry_first_live(queries->registry); query != NULL;
         query = next) {
        next = query->group_next;
        if ((query->state > QUERY_RUNNING && query->delivery == NULL) || !query_has_tag(query, tag))
            continue;
        on_cancelled(query->id, user);
        cancel_by_delete(queries, query, METRIC_CANCELLED_TAG);
    }
}

void queries_drain(struct queries *queries)
{
    queries->draining = true;
    if (query_registry_first_live(queries->registry) == NULL)
        queries->config.on_idle(queries->config.user);
}

void queries_cancel_all(struct queries *queries)
{
    struct query *next = NULL;
    struct error err;

    error_set(&err, ERROR_DRAINING, "the service is shutting down; the query is cancelled");
    for (struct query *query = query_registry_first_live(queries->registry); query != NULL;
         query = next) {
        next = query->group_next;
        end_early(queries, query, QUERY_CANCELLED, METRIC_CANCELLED_DRAIN, &err);
    }
}

const struct query_registry *queries_known(const struct queries *queries)
{
    return queries->registry;
}

struct queries_counts queries_count(const struct queries *queries)
{
    return (struct queries_counts){
        .queued = queries->queued,
        .busy = queries->busy,
        .lost = watchdog_lost(queries->watchdog),
    };
}
