/*
 * query_machine: the state machine of a query, for queries.c: the only place where
 * a state changes. queries.h draws it.   [loop]
 */
#ifndef SERVICE_QUERY_MACHINE_H
#define SERVICE_QUERY_MACHINE_H

#include <stdbool.h>

#include "queries.h"
#include "query.h"
#include "query_metrics.h"

/* Shared by queries.c and query_machine.c, seen by no one else. */
struct queries {
    struct queries_config config;
    struct query_registry *registry;
    struct query_handles *handles;
    struct kept_results *kept;
    struct kept_answers *kept_answers;
    struct spool_disposal *disposal;
    struct result_cache *cache;
    struct query_flights *flights;
    struct run_history *history;
    struct watchdog *watchdog;
    struct canceller *canceller; /* NULL until the engine is ready */
    size_t queued;
    size_t busy;
    uint64_t last_generation;
    bool draining;
};

/* Gives a new query what it needs until it is over: timers, its answer, a place.
 * -1: to be discarded. */
int query_machine_equip(struct queries *queries, struct query *query,
                        struct http_exchange *exchange, struct error *err);

/* Frees a query that was never queued; its exchange is the caller's again. */
void query_machine_discard(struct queries *queries, struct query *query);

/* ERROR_QUEUE_FULL, with when to come again; -1. */
int query_machine_set_full(const struct queries *queries, struct error *err);

/* It is in the queue, or follows another one. Takes it. */
void query_machine_begin(struct queries *queries, struct query *query);

/* Ends a query before its time: answers with `err`, if the client is still there,
 * and gets it out of the queue or its worker. The query may be gone then. */
void query_machine_end_early(struct queries *queries, struct query *query, enum query_state ends_as,
                             enum metric reason, const struct error *err);

void query_machine_free_timers(struct query *query);

/* on_idle, when it drains and nobody holds a query or is answered any more. */
void query_machine_tell_if_idle(const struct queries *queries);

/* News of query_handles, kept_results and kept_answers; `user` is the queries. */
void query_machine_on_promised(void *user, const char *key, const struct error *err);
void query_machine_on_expired(void *user, struct query *query);
void query_machine_on_fetch_came(void *user, struct query *query);
void query_machine_on_fetch_left(void *user, struct query *query);
void query_machine_on_kept_answer_left(void *user);

#endif
