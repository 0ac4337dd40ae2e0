/*
 * The state machine of a query in one piece; what is not a transition lives in
 * query_reply.c and query_log.c.
 */
#include "queries.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canceller.h"
#include "http_reply.h"
#include "log.h"
#include "mysql_engine.h"
#include "query.h"
#include "query_log.h"
#include "query_metrics.h"
#include "query_queue.h"
#include "query_reply.h"

/* Ids of ended queries, kept so that a late DELETE is told 409 and not 404. */
#define ENDED_KEPT 1024
#define WATCH_INTERVAL_MS 500

struct queries {
    struct queries_config config;
    struct canceller *canceller; /* NULL until the engine is ready */
    struct query *by_id;         /* hash of all that live */
    struct queries_counts counts;
    uint64_t last_generation;
    struct event *watch_timer;
    bool draining;
    char ended_ids[ENDED_KEPT][QUERY_ID_BYTES]; /* ring */
    size_t ended_next;
};

static void on_started(struct query *query);
static void on_page(struct query *query, char *bytes, size_t length);
static void on_done(struct query *query, char *bytes, size_t length);

static const struct query_events EVENTS = {on_started, on_page, on_done};

/* ---- the end of a query ---- */

static void remember_ended(struct queries *queries, const char *id)
{
    memcpy(queries->ended_ids[queries->ended_next], id, QUERY_ID_BYTES);
    queries->ended_next = (queries->ended_next + 1) % ENDED_KEPT;
}

static bool has_ended(const struct queries *queries, const char *id)
{
    for (size_t i = 0; i < ENDED_KEPT; i++) {
        if (strcmp(queries->ended_ids[i], id) == 0)
            return true;
    }
    return false;
}

/* Lets go of a query that neither queue nor worker holds. */
static void forget(struct queries *queries, struct query *query)
{
    HASH_DELETE(hash_by_id, queries->by_id, query);
    query_metrics_ended(query);
    remember_ended(queries, query->id);
    if (query->timer != NULL)
        event_free(query->timer);
    query_free(query);
    if (queries->draining && queries->by_id == NULL)
        queries->config.on_idle(queries->config.user);
}

/* The client is answered or gone; nobody reads pages any more. */
static void detach_client(struct query *query)
{
    query->exchange = NULL;
    page_credits_stop(&query->credits);
}

static void answer_problem(struct query *query, const struct error *err)
{
    struct http_exchange *exchange = query->exchange;

    if (exchange == NULL)
        return;
    detach_client(query);
    if (query->streaming)
        http_reply_abort(exchange);
    else
        query_reply_problem(exchange, query, err);
}

/* Ends a query that was taken out of the queue again. */
static void end_queued(struct queries *queries, struct query *query, enum query_state ends_as,
                       const struct error *err)
{
    queries->counts.queued--;
    query->state = ends_as;
    if (err != NULL)
        answer_problem(query, err);
    query_log_ended(query, err);
    forget(queries, query);
}

/* Gets a query out of its worker; the engines end it in their own ways. */
static void interrupt(struct queries *queries, struct query *query)
{
    if (query_request_is_direct(&query->request))
        mysql_engine_cancel(queries->config.mysql, &query->cutoff);
    else
        canceller_add(queries->canceller, query->tag);
}

/* Ends a query before its time: answers with `err` (NULL: the client is gone)
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
    event_del(query->timer);
    if (err != NULL)
        answer_problem(query, err);
    detach_client(query);
    if (query->state == QUERY_CANCELLING)
        return;
    atomic_store(&query->cancelled, true);
    /* A worker has it, even if its started() is still in the mailbox. */
    if (query->state == QUERY_QUEUED) {
        queries->counts.queued--;
        queries->counts.busy++;
    }
    query->state = QUERY_CANCELLING;
    query->ends_as = ends_as;
    query->cancel_began = monotime_now();
    interrupt(queries, query);
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

static void on_client_gone(void *user)
{
    struct query *query = user;

    end_early(query->events_user, query, QUERY_CANCELLED, METRIC_CANCELLED_CLIENT_GONE, NULL);
}

static void on_client_drained(void *user)
{
    struct query *query = user;

    page_credits_return(&query->credits, query->pages_unreturned);
    query->pages_unreturned = 0;
}

/* ---- news from the worker ---- */

static void on_started(struct query *query)
{
    struct queries *queries = query->events_user;

    if (query->state != QUERY_QUEUED)
        return; /* ended early in the meantime; already counted as busy */
    queries->counts.queued--;
    queries->counts.busy++;
    query->state = QUERY_RUNNING;
    query_metrics_started(query);
    event_del(query->timer);
    start_timer(query, query->request.timeout_ms);
}

static void on_page(struct query *query, char *bytes, size_t length)
{
    if (query->exchange == NULL) {
        free(bytes);
        return;
    }
    if (!query->streaming) {
        query->streaming = true;
        query_reply_begin(query->exchange, query);
    }
    query->pages_unreturned++;
    http_reply_write_taken(query->exchange, bytes, length);
    /* The write may have ended the client; else ask how much it left behind. */
    if (query->exchange != NULL && http_reply_unsent(query->exchange) < QUERY_REPLY_LOW_WATER)
        on_client_drained(query);
}

static void answer_success(struct query *query, char *bytes, size_t length)
{
    struct http_exchange *exchange = query->exchange;

    http_exchange_watch(exchange, NULL, NULL, NULL);
    query_log_when_sent(exchange, query);
    detach_client(query);
    if (query->streaming)
        query_reply_end(exchange, query, bytes, length);
    else
        query_reply_whole(exchange, query, bytes, length);
}

static void on_done(struct query *query, char *bytes, size_t length)
{
    struct queries *queries = query->events_user;
    bool failed = query->outcome.err.code != ERROR_NONE;

    queries->counts.busy--;
    if (query->lost) {
        queries->counts.lost--;
        log_line(LOG_INFO, "lost slot is back", LOG_NUMBER("slot", query->slot),
                 LOG_TEXT("query_id", query->id));
    }
    if (query->state == QUERY_CANCELLING) {
        if (!query_request_is_direct(&query->request))
            canceller_remove(queries->canceller, query->tag);
        query->state = query->ends_as;
        query_log_ended(query, NULL);
    } else if (failed) {
        query->state = QUERY_FAILED;
        query_log_ended(query, &query->outcome.err);
        answer_problem(query, &query->outcome.err);
    } else {
        query->state = QUERY_SUCCEEDED;
        answer_success(query, bytes, length);
        bytes = NULL;
    }
    free(bytes);
    forget(queries, query);
}

/* ---- lost slots ---- */

static void on_watch(evutil_socket_t fd, short what, void *user)
{
    struct queries *queries = user;
    struct monotime now = monotime_now();

    (void)fd;
    (void)what;
    for (struct query *query = queries->by_id; query != NULL; query = query->hash_by_id.next) {
        if (query->state != QUERY_CANCELLING || query->lost ||
            monotime_span_ms(query->cancel_began, now) < queries->config.slot_lost_ms)
            continue;
        query->lost = true;
        queries->counts.lost++;
        metrics_add(METRIC_SLOT_LOSSES, 1);
        log_line(LOG_ERROR, "slot lost: its query does not end after its cancel",
                 LOG_NUMBER("slot", query->slot), LOG_TEXT("query_id", query->id),
                 LOG_NUMBER("lost", queries->counts.lost));
    }
    if (queries->counts.lost * 2 > queries->config.slots)
        queries->config.on_slots_lost(queries->config.user);
}

/* ---- what others call ---- */

int queries_new(const struct queries_config *config, struct queries **ret_queries,
                struct error *err)
{
    struct queries *queries = calloc(1, sizeof(*queries));
    struct timeval interval = {.tv_usec = WATCH_INTERVAL_MS * 1000};

    if (queries == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    queries->config = *config;
    queries->watch_timer = event_new(config->base, -1, EV_PERSIST, on_watch, queries);
    if (queries->watch_timer == NULL || event_add(queries->watch_timer, &interval) != 0) {
        queries_free(queries);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    *ret_queries = queries;
    return 0;
}

void queries_free(struct queries *queries)
{
    struct query *query = NULL;
    struct query *next = NULL;

    if (queries == NULL)
        return;
    HASH_ITER(hash_by_id, queries->by_id, query, next)
    {
        HASH_DELETE(hash_by_id, queries->by_id, query);
        if (query->timer != NULL)
            event_free(query->timer);
        query_free(query);
    }
    if (queries->watch_timer != NULL)
        event_free(queries->watch_timer);
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
    struct query *twin = NULL;

    if (queries->draining)
        return error_set(err, ERROR_DRAINING, "the service is shutting down");
    if (queries->canceller == NULL && !query_request_is_direct(request))
        return error_set(err, ERROR_STARTING, "Spark is still starting");
    if (request->query_id != NULL)
        HASH_FIND(hash_by_id, queries->by_id, request->query_id, strlen(request->query_id), twin);
    if (twin != NULL)
        return error_set(err, ERROR_CONFLICT, "query_id: %s is in flight", request->query_id);
    return 0;
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
    query->events = &EVENTS;
    query->events_user = queries;
    query->timer = event_new(queries->config.base, -1, 0, on_timer, query);
    if (query->timer == NULL) {
        query_free(query);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    if (!query_queue_try_push(queries->config.queue, query)) {
        event_free(query->timer);
        query_free(query);
        return error_set(err, ERROR_QUEUE_FULL, "%zu queries are waiting already",
                         query_queue_limit(queries->config.queue));
    }
    /* The worker's first news waits in the mailbox until we are back in the loop. */
    queries->counts.queued++;
    query->exchange = exchange;
    HASH_ADD(hash_by_id, queries->by_id, id[0], (unsigned)strlen(query->id), query);
    http_exchange_watch(exchange, on_client_gone, on_client_drained, query);
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

int queries_cancel(struct queries *queries, const char *id, struct error *err)
{
    struct query *query = NULL;
    struct error cancelled;

    HASH_FIND(hash_by_id, queries->by_id, id, strlen(id), query);
    if (query == NULL && has_ended(queries, id))
        return error_set(err, ERROR_CONFLICT, "query %s is over", id);
    if (query == NULL)
        return error_set(err, ERROR_NOT_FOUND, "no query %s", id);
    error_set(&cancelled, ERROR_CANCELLED, "the query was cancelled by DELETE");
    end_early(queries, query, QUERY_CANCELLED, METRIC_CANCELLED_DELETE, &cancelled);
    return 0;
}

void queries_drain(struct queries *queries)
{
    queries->draining = true;
    if (queries->by_id == NULL)
        queries->config.on_idle(queries->config.user);
}

void queries_cancel_all(struct queries *queries)
{
    struct query *query = NULL;
    struct query *next = NULL;
    struct error err;

    error_set(&err, ERROR_DRAINING, "the service is shutting down; the query is cancelled");
    HASH_ITER(hash_by_id, queries->by_id, query, next)
    end_early(queries, query, QUERY_CANCELLED, METRIC_CANCELLED_DRAIN, &err);
}

struct queries_counts queries_count(const struct queries *queries)
{
    return queries->counts;
}
