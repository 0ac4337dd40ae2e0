/*
 * query: one query from its request to its outcome, as data. Who may touch
 * which part is said at each block; query_machine.c (loop) and query_runner.c
 * (worker) are the only writers.
 *
 * Life: made by the loop; lent to the queue, then to one worker; back with the
 * loop when the worker's done() mail arrives; from then on the memory of itself,
 * less what only a run needs, until query_registry frees it.
 */
#ifndef SERVICE_QUERY_H
#define SERVICE_QUERY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "byte_buffer.h"
#include "cache_doubt.h"
#include "deadline.h"
#include "error.h"
#include "mysql_cutoff.h"
#include "mysql_sources.h"
#include "query_cache.h"
#include "query_request.h"
#include "reply_channel.h"
#include "run_history.h"
#include "source_identity.h"
#include "token_file.h"
#include "trace_context.h"

#define QUERY_ID_BYTES 37          /* UUID text and NUL */
#define QUERY_TAG_BYTES 64         /* "q<generation>-<uuid>" and NUL */
#define QUERY_SQL_SHOWN_BYTES 4096 /* of a statement, in lists and descriptions */

struct delivery;
struct event;
struct mysql_cursor;
struct query;
struct query_flight;
struct result_spool;

enum query_state {
    QUERY_QUEUED,
    QUERY_RUNNING,
    QUERY_CANCELLING, /* answered or given up; its worker is not back yet */
    QUERY_SUCCEEDED,
    QUERY_FAILED,
    QUERY_CANCELLED,
    QUERY_TIMED_OUT,
    QUERY_EXPIRED, /* succeeded; its kept rows are gone */
    QUERY_STATE_COUNT
};

/* Spans in microseconds; what making the answer's bytes takes is the delivery's. */
struct query_timing {
    int64_t queue_us;
    int64_t plan_us;   /* the engine's open */
    int64_t run_us;    /* waiting for batches */
    int64_t bridge_us; /* inside the engine's calls, all together */
};

struct query_outcome {
    struct error err; /* code ERROR_NONE: it succeeded */
    int64_t rows;     /* of its answer, once that is over */
    int64_t bytes;
    bool truncated;
};

/* What a worker tells the loop; all run on the loop. */
struct query_events {
    void (*started)(struct query *query);
    /* The run is over and the engine's part closed: the slot is free. */
    void (*done)(struct query *query);
};

struct query {
    /* Constant after query_new. */
    char id[QUERY_ID_BYTES];
    char key[QUERY_ID_BYTES];       /* the id within its caller's name space: query_make_key */
    char tag[QUERY_TAG_BYTES];      /* unique per attempt: a late cancel hits nothing */
    char caller[CALLER_NAME_BYTES]; /* who owns it; "" without tokens */
    char token_id[TOKEN_ID_BYTES];  /* counted until the query is over; "" like it */
    unsigned char sql_sha256[SHA256_BYTES];
    uint64_t generation;
    struct query_request request;
    struct mysql_target mysql;     /* of a mysql query */
    char trace_id[TRACE_ID_BYTES]; /* of the request; "" = none */
    struct monotime received;      /* last byte of the request */
    int64_t queued_at_us;          /* the same moment's wall-clock time */
    struct run_guess guess;        /* of its run */
    enum cache_use cache_use;
    struct byte_buffer cache_key; /* empty: its answer is neither kept nor shared */
    const struct query_events *events;
    void *events_user;

    /* Under the queue's lock. */
    struct query *queue_next;
    struct query *queue_previous;
    bool in_queue;

    /* Any thread. */
    atomic_bool cancelled;
    atomic_llong rows_so_far; /* the worker counts */
    atomic_llong bytes_so_far;
    struct mysql_cutoff cutoff; /* of a direct query's connection */

    /* The worker's until done() is delivered, then the loop's; mysql_express is the worker
     * of what it begins, up to a hand-over. */
    int slot;                   /* -1 until a worker has it */
    struct mysql_cursor *begun; /* by mysql_express, for who runs it */
    struct monotime run_started;
    struct query_outcome outcome;
    struct query_timing timing;
    struct source_instant began;      /* of the run */
    struct source_identity *identity; /* of what it read, whole; NULL: can't be proved */
    enum cache_doubt cache_doubt;     /* why not */
    struct result_spool *kept;        /* all rows of one that keeps them; held; NULL: none */
    struct mail started_mail;         /* to the loop */
    struct mail done_mail;

    /* [loop] */
    enum query_state state;
    enum query_state ends_as;  /* of a CANCELLING one: CANCELLED or TIMED_OUT */
    struct delivery *delivery; /* the answer to who asked; NULL once it is over */
    struct event *timer;       /* queue timeout, then run timeout */
    struct event *wait_timer;  /* wait_ms, NULL: the caller waits to the end */
    bool sends_kept;           /* its kept rows go to the caller that waited */
    bool promised;  /* its caller may come back with the id: a 202 is out or on its way */
    bool has_place; /* counted by query_handles */
    struct monotime forget_at; /* of a pinned one; unset once its rows are gone */
    unsigned readers;          /* deliveries of its kept rows */
    struct monotime started;
    struct monotime cancel_began;
    struct monotime ended;
    struct error problem; /* how it ended or is about to; ERROR_NONE: well, or not yet */
    bool lost;            /* counted as a lost slot */
    bool cache_stored;    /* its answer is in the result cache */
    bool collapsed;       /* it was answered with the run of an identical one */

    /* [loop], query_flights' */
    struct query_flight *flight; /* of which it is the leader or a follower */
    struct query *flight_previous;
    struct query *flight_next;

    /* [loop], query_registry's */
    UT_hash_handle hash_by_key;
    struct query *older; /* by generation, all that are known */
    struct query *newer;
    struct query *group_previous; /* of the same group: alive, over, pinned */
    struct query *group_next;
};

/* The request's query_id, or a new random UUID (RFC 9562, version 4). */
int query_make_id(const struct query_request *request, char ret_id[QUERY_ID_BYTES],
                  struct error *err);

/* Under what a caller's id is known and journaled: ids of two callers never meet. The
 * id itself without tokens (caller ""), else a UUID of version 8 (RFC 9562) made of
 * SHA-256(caller NUL id). False without memory. */
bool query_make_key(const char *caller, const char *id, char ret_key[QUERY_ID_BYTES]);

/* Takes `request` (moved) on success. No query_id in it: a new random UUID. */
int query_new(struct query_request *request, uint64_t generation, const char *caller,
              struct query **ret_query, struct error *err);
void query_free(struct query *query);

/* Frees what only a run needs (path, parameters, credentials) and cuts `sql` to
 * QUERY_SQL_SHOWN_BYTES: the query is over and stays to be looked at. */
void query_shed(struct query *query);

bool query_has_tag(const struct query *query, const char *tag);

/* What is left of the run time, at least 1 ms.   [worker] */
int64_t query_time_left_ms(const struct query *query);

/* "direct" or "spark"; static storage. */
const char *query_engine_name(const struct query *query);

/* "QUEUED", "RUNNING" ...; static storage. */
const char *query_state_name(enum query_state state);

/* The inverse; false: no such state. */
bool query_state_from_name(const char *name, enum query_state *ret_state);

/* True when the query's end is known; only its kept rows may still expire. */
bool query_state_is_over(enum query_state state);

#endif
