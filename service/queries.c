#include "queries.h"

#include <stdlib.h>
#include <string.h>

#include "callers.h"
#include "delivery.h"
#include "http_record.h"
#include "http_reply.h"
#include "kept_answers.h"
#include "metrics.h"
#include "mysql_express.h"
#include "query.h"
#include "query_audit.h"
#include "query_cache.h"
#include "query_flights.h"
#include "query_handles.h"
#include "query_machine.h"
#include "query_metrics.h"
#include "query_queue.h"
#include "query_registry.h"
#include "query_reply.h"
#include "spool_disposal.h"
#include "watchdog.h"

int queries_new(const struct queries_config *config, struct queries **ret_queries,
                struct error *err)
{
    struct queries *queries = calloc(1, sizeof(*queries));
    const struct kept_results_config kept = {
        .deliveries = config->deliveries,
        .on_came = query_machine_on_fetch_came,
        .on_left = query_machine_on_fetch_left,
        .user = queries,
    };
    struct query_handles_config handles = {
        .base = config->base,
        .channel = config->channel,
        .journal_path = config->journal_path,
        .journal_length = config->journal_length,
        .limit = config->handles_max,
        .ttl_s = config->spool_ttl_s,
        .on_promised = query_machine_on_promised,
        .on_expired = query_machine_on_expired,
        .user = queries,
    };
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
    queries->kept = kept_results_new(&kept);
    queries->disposal = spool_disposal_new(config->deliveries->pool, config->channel);
    watchdog.registry = queries->registry;
    handles.registry = queries->registry;
    queries->kept_answers =
        kept_answers_new(config->deliveries, query_machine_on_kept_answer_left, queries);
    queries->cache = result_cache_new(config->cache_bytes, queries->disposal);
    queries->flights = query_flights_new(config->followers_max);
    queries->history = run_history_new(config->small_ms);
    metrics_set(METRIC_CACHE_BYTES_LIMIT, (int64_t)config->cache_bytes);
    if (queries->registry == NULL || queries->kept == NULL || queries->disposal == NULL ||
        queries->kept_answers == NULL || queries->cache == NULL || queries->flights == NULL ||
        queries->history == NULL) {
        error_set(err, ERROR_ENGINE_ERROR, "out of memory");
        goto fail;
    }
    /* Handles last: once they have their thread, only queries_stop ends it. */
    if (watchdog_new(&watchdog, &queries->watchdog, err) != 0 ||
        query_handles_new(&handles, &queries->handles, err) != 0)
        goto fail;
    *ret_queries = queries;
    return 0;
fail:
    queries_free(queries);
    return -1;
}

bool queries_stop(struct queries *queries, int64_t limit_ms)
{
    if (queries == NULL)
        return true;
    spool_disposal_stop(queries->disposal);
    return query_handles_stop(queries->handles, limit_ms);
}

void queries_free(struct queries *queries)
{
    if (queries == NULL)
        return;
    watchdog_free(queries->watchdog);
    kept_results_free(queries->kept);
    kept_answers_free(queries->kept_answers);
    if (queries->registry != NULL) {
        for (struct query *query = query_registry_first_live(queries->registry); query != NULL;
             query = query->group_next) {
            query_machine_free_timers(query);
            delivery_free(query->delivery);
        }
    }
    query_handles_free(queries->handles);
    result_cache_free(queries->cache);
    spool_disposal_free(queries->disposal);
    query_flights_free(queries->flights);
    run_history_free(queries->history);
    query_registry_free(queries->registry);
    free(queries);
}

void queries_engine_open(struct queries *queries, struct canceller *canceller)
{
    queries->canceller = canceller;
}

/* What keeps a new query out, before anything is made for it. */
static int check_admission(const struct queries *queries, const struct caller *caller,
                           const struct query_request *request, struct error *err)
{
    const struct query *twin = NULL;
    char key[QUERY_ID_BYTES];

    if (queries->draining)
        return error_set(err, ERROR_DRAINING, "the service is shutting down");
    if (queries->canceller == NULL && !query_request_is_direct(request))
        return error_set(err, ERROR_STARTING, "Spark is still starting");
    if (request->query_id != NULL) {
        if (!query_make_key(caller_name(caller), request->query_id, key))
            return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
        twin = query_registry_find(queries->registry, key);
    }
    if (twin != NULL && (!query_state_is_over(twin->state) || twin->delivery != NULL))
        return error_set(err, ERROR_CONFLICT, "query_id: %s is in flight", request->query_id);
    if (twin != NULL && twin->has_place)
        return error_set(err, ERROR_CONFLICT, "query_id: the results of %s are kept",
                         request->query_id);
    return 0;
}

/* Answers out of the cache; false: it has to run. */
static bool answer_kept(struct queries *queries, const struct caller *caller,
                        struct http_exchange *exchange, const struct query_request *request,
                        struct cache_search *ret_search)
{
    const struct cached_answer *answer = NULL;
    struct http_record *record = http_exchange_record(exchange);
    struct error err;

    if (!query_cache_find(queries->cache, request, http_exchange_request(exchange)->body_end,
                          &answer, ret_search))
        return false;
    if (query_make_id(request, record->query_id, &err) != 0 ||
        (answer->file != NULL &&
         kept_answers_send(queries->kept_answers, exchange, record->query_id, answer, &err) != 0)) {
        query_reply_refusal(exchange, &err);
        return true;
    }
    record->from_cache = true;
    if (queries->config.audits)
        query_audit_kept(caller, exchange, request, answer);
    if (answer->file != NULL)
        return true;
    query_metrics_fetched(answer->rows, cached_answer_bytes(answer));
    query_reply_cached(exchange, record->query_id, answer);
    return true;
}

/* The request's end and the query's lines are to name each other. */
static void note_query(struct http_exchange *exchange, struct query *query)
{
    struct http_record *record = http_exchange_record(exchange);

    snprintf(record->query_id, sizeof(record->query_id), "%s", query->id);
    memcpy(query->trace_id, record->trace.trace_id, sizeof(query->trace_id));
}

/* Whether the run of an identical query will do, and there is one. */
static bool follow(const struct queries *queries, struct query *query)
{
    return (query->cache_use == CACHE_USE_MISS || query->cache_use == CACHE_USE_STALE) &&
           query->cache_key.length > 0 && query_flights_join(queries->flights, query);
}

/* Begun, into the queue or behind another one, or not made at all. */
static int enqueue(struct queries *queries, struct http_exchange *exchange, struct query *query,
                   struct error *err)
{
    if (query_machine_equip(queries, query, exchange, err) != 0)
        return -1;
    if (follow(queries, query))
        return 0;
    if (mysql_express_try(queries->config.express, query))
        return 0;
    if (!query_queue_try_push(queries->config.queue, query))
        return query_machine_set_full(queries, err);
    if (query->cache_key.length > 0)
        query_flights_lead(queries->flights, query);
    return 0;
}

static int admit(struct queries *queries, struct caller *caller, struct http_exchange *exchange,
                 struct query_request *request, struct mysql_target *target, struct error *err)
{
    struct cache_search search = {0};
    struct query *query = NULL;

    if (check_admission(queries, caller, request, err) != 0)
        return -1;
    if (answer_kept(queries, caller, exchange, request, &search)) {
        byte_buffer_done(&search.key);
        query_request_done(request);
        mysql_target_done(target);
        return 0;
    }
    if (caller_enter(caller, err) != 0) {
        byte_buffer_done(&search.key);
        return -1;
    }
    if (query_new(request, ++queries->last_generation, caller_name(caller), &query, err) != 0) {
        callers_leave(queries->config.callers, caller_token_id(caller));
        byte_buffer_done(&search.key);
        return -1;
    }
    query->guess = run_history_guess(queries->history, &query->request);
    query->cache_use = search.use;
    query->cache_doubt = search.doubt;
    query->cache_key = search.key;
    memcpy(query->token_id, caller_token_id(caller), sizeof(query->token_id));
    query->mysql = *target;
    memset(target, 0, sizeof(*target));
    query->received = http_exchange_request(exchange)->body_end;
    query->queued_at_us = wall_time_now_us() - monotime_span_us(query->received, monotime_now());
    if (enqueue(queries, exchange, query, err) != 0) {
        *request = query->request; /* the caller's again */
        memset(&query->request, 0, sizeof(query->request));
        query_machine_discard(queries, query);
        return -1;
    }
    note_query(exchange, query);
    query_machine_begin(queries, query);
    return 0;
}

void queries_refuse(struct queries *queries, const struct caller *caller,
                    struct http_exchange *exchange, struct query_request *request,
                    const struct error *err)
{
    if (queries->config.audits)
        query_audit_refused(caller, exchange, request, err);
    query_metrics_refused(err->code);
    query_reply_refusal(exchange, err);
    query_request_done(request);
}

void queries_submit(struct queries *queries, struct caller *caller, struct http_exchange *exchange,
                    struct query_request *request, struct mysql_target *target)
{
    struct error err;

    if (admit(queries, caller, exchange, request, target, &err) == 0)
        return;
    queries_refuse(queries, caller, exchange, request, &err);
    mysql_target_done(target);
}

/* ---- whose is it ---- */

struct query *queries_find(const struct queries *queries, const struct caller *caller,
                           const char *id)
{
    char key[QUERY_ID_BYTES];
    struct query *query = NULL;

    if (strlen(id) >= sizeof(key))
        return NULL;
    if (query_make_key(caller_name(caller), id, key))
        query = query_registry_find(queries->registry, key);
    if (query == NULL && caller_is_admin(caller) && callers_need_tokens(queries->config.callers))
        query = query_registry_find_of_any(queries->registry, id);
    return query;
}

static void cancel_by_delete(struct queries *queries, struct query *query, enum metric reason)
{
    struct error err;

    error_set(&err, ERROR_CANCELLED, "the query was cancelled by DELETE");
    query_machine_end_early(queries, query, QUERY_CANCELLED, reason, &err);
}

int queries_cancel(struct queries *queries, struct query *query, struct error *err)
{
    if (query_state_is_over(query->state) && query->delivery == NULL)
        return error_set(err, ERROR_CONFLICT, "query %s is over", query->id);
    cancel_by_delete(queries, query, METRIC_CANCELLED_DELETE);
    return 0;
}

void queries_cancel_tagged(struct queries *queries, const struct caller *caller, const char *tag,
                           void (*on_cancelled)(const char *id, void *user), void *user)
{
    struct query *next = NULL;

    for (struct query *query = query_registry_first_live(queries->registry); query != NULL;
         query = next) {
        next = query->group_next;
        if ((query->state > QUERY_RUNNING && query->delivery == NULL) ||
            !query_has_tag(query, tag) || !caller_may_see(caller, query->caller))
            continue;
        on_cancelled(query->id, user);
        cancel_by_delete(queries, query, METRIC_CANCELLED_TAG);
    }
}

/* Ends all that live, or only those that nobody waits for. */
static void end_all(struct queries *queries, bool waited_for_too, const struct error *err)
{
    struct query *next = NULL;

    for (struct query *query = query_registry_first_live(queries->registry); query != NULL;
         query = next) {
        next = query->group_next;
        if (waited_for_too || query->delivery == NULL)
            query_machine_end_early(queries, query, QUERY_CANCELLED, METRIC_CANCELLED_DRAIN, err);
    }
}

void queries_drain(struct queries *queries)
{
    struct error err;

    error_set(&err, ERROR_DRAINING, "the service is shutting down and keeps no rows");
    queries->draining = true;
    end_all(queries, false, &err);
    query_machine_tell_if_idle(queries);
}

void queries_cancel_all(struct queries *queries)
{
    struct error err;

    error_set(&err, ERROR_DRAINING, "the service is shutting down; the query is cancelled");
    end_all(queries, true, &err);
    kept_results_cut(queries->kept);
    kept_answers_cut(queries->kept_answers);
}

const struct query_registry *queries_known(const struct queries *queries)
{
    return queries->registry;
}

enum handle_origin queries_origin(const struct queries *queries, const struct caller *caller,
                                  const char *id)
{
    char key[QUERY_ID_BYTES];

    if (strlen(id) >= sizeof(key) || !query_make_key(caller_name(caller), id, key))
        return HANDLE_UNKNOWN;
    return query_handles_origin(queries->handles, key);
}

void queries_send_kept(struct queries *queries, struct http_exchange *exchange, struct query *query,
                       const struct result_choice *choice, size_t chunk)
{
    kept_results_send(queries->kept, exchange, query, choice, chunk);
}

struct queries_counts queries_count(const struct queries *queries)
{
    return (struct queries_counts){
        .handles = query_handles_count(queries->handles),
        .queued = queries->queued,
        .following = query_flights_followers(queries->flights),
        .busy = queries->busy,
        .lost = watchdog_lost(queries->watchdog),
        .ended = query_registry_ended(queries->registry),
        .journal_ids = query_handles_ids(queries->handles),
    };
}
