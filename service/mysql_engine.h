/*
 * mysql_engine: the direct engine of the mysql endpoint. A statement goes from
 * here to MySQL, prepared, its values bound, its rows read as they come; no
 * JVM on the way, so it also answers while one starts.
 *
 * Same shape as jni/spark_engine.h: a cursor gives a schema, then batches.
 */
#ifndef SERVICE_MYSQL_ENGINE_H
#define SERVICE_MYSQL_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "arrow_c_data.h"
#include "error.h"
#include "mysql_cutoff.h"
#include "mysql_pool.h"

struct mysql_cursor;
struct mysql_engine;

struct mysql_engine_config {
    struct mysql_pool_config pool;
    int64_t kill_timeout_ms;
    int64_t reuse_ms; /* how long plain statements may follow each other in a session; 0: not */
};

/* [loop] */
int mysql_engine_new(const struct mysql_engine_config *config, struct mysql_engine **ret_engine,
                     struct error *err);

/* No cursor may be open. NULL is fine.   [loop] */
void mysql_engine_free(struct mysql_engine *engine);

enum mysql_use {
    MYSQL_RUN,
    MYSQL_DESCRIBE, /* prepare only: a schema, no rows */
    MYSQL_EXPLAIN   /* the rows are MySQL's plan, JSON text */
};

/* All borrowed until the cursor is closed. */
struct mysql_query {
    enum mysql_use use;
    const struct mysql_target *target;
    const char *sql;         /* with :name in it */
    const char *params_json; /* checked object or NULL */
    struct mysql_cutoff *cutoff;
    int64_t timeout_ms; /* what is left of the run time */
    int64_t row_limit;  /* rows wanted at most, -1 = none; one more may come */
};

/* Checks, connects (or takes a connection from the pool), prepares, binds and
 * executes. Blocks until the first row can be read.   [worker] */
int mysql_cursor_open(struct mysql_engine *engine, const struct mysql_query *query,
                      struct mysql_cursor **ret_cursor, struct error *err);

/* ---- begun without blocking ---- */

/* For a plain statement whose shape the latest idle connection of its source knows, so that it
 * is the only round trip, and whose session stays as it is for `margin_ms`. NULL: it takes the
 * usual way.   [loop] */
struct mysql_cursor *mysql_cursor_begin(struct mysql_engine *engine,
                                        const struct mysql_query *query, int64_t margin_ms);

/* Sends it. Doesn't wait; what goes wrong is seen when it is looked at.   [loop] */
void mysql_cursor_send(struct mysql_cursor *cursor);

/* Readable means: look again. */
int mysql_cursor_fd(const struct mysql_cursor *cursor);

enum mysql_progress {
    MYSQL_PROGRESS_WAITS, /* for bytes to come */
    MYSQL_PROGRESS_WHOLE, /* open, next and close need the server no more */
    MYSQL_PROGRESS_LARGE, /* these are for a worker */
    MYSQL_PROGRESS_FAILED
};

/* Goes on with what has come; doesn't block. Rows of more than `bytes_max` with their columns'
 * names are large.   [loop] */
enum mysql_progress mysql_cursor_look(struct mysql_cursor *cursor, size_t bytes_max);

/* What is left of open for one that was begun, as mysql_cursor_open does it; to be closed
 * whatever it gives.   [worker], the loop when it is whole */
int mysql_cursor_go_on(struct mysql_cursor *cursor, struct error *err);

/* ---- open ---- */

/* Borrowed until close. */
const struct ArrowSchema *mysql_cursor_schema(const struct mysql_cursor *cursor);

/* Gives the schema, for the caller to release; the cursor can then only be
 * closed. -1: no memory. */
int mysql_cursor_take_schema(struct mysql_cursor *cursor, struct ArrowSchema *ret_schema,
                             struct error *err);

/* 1: *ret_batch is filled, the caller releases it; 0: end; -1: *err. */
int mysql_cursor_next(struct mysql_cursor *cursor, struct ArrowArray *ret_batch, struct error *err);

/* Ends the statement whatever its state: one with rows unread is killed on the
 * server, not read to its end. NULL is fine. */
void mysql_cursor_close(struct mysql_cursor *cursor);

/* Ends whatever the cutoff's worker waits for; doesn't block.   [loop] */
void mysql_engine_cancel(struct mysql_engine *engine, struct mysql_cutoff *cutoff);

/* Of all sources together.   [any] */
struct mysql_pool_counts mysql_engine_count(const struct mysql_engine *engine);

/* To be called by each thread that used a cursor, at its end. */
void mysql_engine_thread_end(void);

#endif
