/*
 * queries: every query from its request to its answer. The only place where a
 * query changes state.   [loop]
 *
 *   submit -> QUEUED -> (started) RUNNING -> (done) SUCCEEDED | FAILED
 *                 \-> queue timeout              \-> timeout, DELETE, client gone:
 *                     503                            CANCELLING -> (done) TIMED_OUT | CANCELLED
 *
 * The state is the run's; the answer is a delivery of its own. It may be over
 * long before the run (a refusal, a cancel) or long after (a slow reader, served
 * out of the spool): a query lives until both are.
 *
 * A query with wait_ms and on_wait=continue keeps its rows: its answer begins when
 * the run is over. When the wait is over before, its id is journaled and then given
 * to the client (202); such a query is kept, with its rows, for SPOOL_TTL_S:
 *
 *   SUCCEEDED -> EXPIRED
 *
 * A query may follow an identical one instead of being queued (query_flights): then it
 * is QUEUED and RUNNING as that one's run is, and goes back to QUEUED when that run is
 * not for it. A run that is followed goes on when its own query ends early.
 *
 * The client is answered as soon as the answer is known; the slot is free only
 * when the worker is back. A worker that stays away is a lost slot.
 */
#ifndef SERVICE_QUERIES_H
#define SERVICE_QUERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "handle_journal.h"
#include "kept_results.h"
#include "mysql_sources.h"
#include "query_request.h"

struct caller;
struct callers;
struct canceller;
struct delivery_host;
struct kept_file_store;
struct event_base;
struct http_exchange;
struct mysql_engine;
struct mysql_express;
struct queries;
struct query;
struct query_queue;
struct query_registry;
struct reply_channel;

struct queries_config {
    struct event_base *base;          /* borrowed */
    struct query_queue *queue;        /* borrowed */
    struct mysql_engine *mysql;       /* borrowed */
    struct mysql_express *express;    /* borrowed */
    struct delivery_host *deliveries; /* borrowed */
    struct reply_channel *channel;    /* borrowed */
    struct callers *callers;          /* borrowed */
    bool audits;                      /* each query is logged by query_audit */
    size_t slots;
    int64_t slot_lost_ms;
    size_t history;           /* ended queries that are remembered */
    const char *journal_path; /* these four: see query_handles.h */
    size_t journal_length;
    size_t handles_max;
    int64_t spool_ttl_s;
    size_t cache_bytes;                 /* result_cache.h */
    struct kept_file_store *kept_files; /* borrowed */
    size_t followers_max;               /* query_flights.h */
    int64_t small_ms;                   /* run_history.h */
    /* More than half of the slots are lost: the process should leave. */
    void (*on_slots_lost)(void *user);
    /* After queries_drain: none is alive any more. Runs from the loop. */
    void (*on_idle)(void *user);
    void *user;
};

struct queries_counts {
    size_t handles; /* that are or may become asynchronous, kept results included */
    size_t queued;
    size_t following; /* that wait for the run of an identical one */
    size_t busy;      /* slots with a query, lost ones included */
    size_t lost;
    size_t ended;       /* that the list still shows */
    size_t journal_ids; /* of asynchronous queries, told 410 once forgotten */
};

int queries_new(const struct queries_config *config, struct queries **ret_queries,
                struct error *err);

/* Ends its thread; the delivery pool and the channel are to go next. False when it
 * does not end within limit_ms: the process must then leave without freeing. NULL is
 * fine. */
bool queries_stop(struct queries *queries, int64_t limit_ms);

/* Frees what is left; no worker may hold a query. */
void queries_free(struct queries *queries);

/* From now on Spark queries are taken; direct ones always are. Borrows the canceller. */
void queries_engine_open(struct queries *queries, struct canceller *canceller);

/* Takes request and target (moved) and answers the exchange, now or later. */
void queries_submit(struct queries *queries, struct caller *caller, struct http_exchange *exchange,
                    struct query_request *request, struct mysql_target *target);

/* The same end for a request that isn't even to be admitted, for that reason. */
void queries_refuse(struct queries *queries, const struct caller *caller,
                    struct http_exchange *exchange, struct query_request *request,
                    const struct error *err);

/* The query that `caller` knows by that id: its own, any one for an admin. NULL: none. */
struct query *queries_find(const struct queries *queries, const struct caller *caller,
                           const char *id);

/* -1: ERROR_CONFLICT when it is over. The query may be gone then. */
int queries_cancel(struct queries *queries, struct query *query, struct error *err);

/* Cancels every waiting or running query with that tag that is the caller's, or
 * anybody's for an admin, telling their ids. */
void queries_cancel_tagged(struct queries *queries, const struct caller *caller, const char *tag,
                           void (*on_cancelled)(const char *id, void *user), void *user);

/* All that are known, to be looked at only. */
const struct query_registry *queries_known(const struct queries *queries);

/* What became of an id of the caller's that is not known any more. */
enum handle_origin queries_origin(const struct queries *queries, const struct caller *caller,
                                  const char *id);

/* Answers the exchange with the rows that are kept of a query (query->kept), all
 * (KEPT_RESULTS_WHOLE) or one chunk of them. */
void queries_send_kept(struct queries *queries, struct http_exchange *exchange, struct query *query,
                       const struct result_choice *choice, size_t chunk);

/* Refuses new ones with 503 `draining`; on_idle runs once none is left. */
void queries_drain(struct queries *queries);

/* Answers every waiting client with 503 `draining` and cancels the work. */
void queries_cancel_all(struct queries *queries);

struct queries_counts queries_count(const struct queries *queries);

#endif
