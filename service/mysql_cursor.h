/*
 * mysql_cursor: a statement on a connection, for mysql_engine.c, which opens and
 * closes it, and mysql_begun.c, where it is begun without blocking; seen by no
 * one else.
 */
#ifndef SERVICE_MYSQL_CURSOR_H
#define SERVICE_MYSQL_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "arrow_c_data.h"
#include "deadline.h"
#include "error.h"
#include "mysql_columns.h"
#include "mysql_engine.h"
#include "mysql_pool.h"
#include "mysql_rows.h"
#include "mysql_session.h"
#include "mysql_statement.h"
#include "mysql_steps.h"

struct mysql_engine {
    struct mysql_engine_config config;
    struct mysql_pool *pool;
};

/* How far one has come that was begun without blocking. */
enum mysql_begun {
    BEGUN_NOT,
    BEGUN_UNSENT,
    BEGUN_SENT,  /* its answer hasn't begun */
    BEGUN_ROWS,  /* its columns are known */
    BEGUN_FAILED /* `failure` says how, to be told by who opens it */
};

struct mysql_cursor {
    struct mysql_engine *engine;
    struct mysql_query query;
    struct monotime deadline;
    struct mysql_lease lease; /* connection NULL = none is held */
    struct mysql_session session;
    struct st_mysql_stmt *statement; /* one of the two; mysql.h's */
    struct st_mysql_res *result;     /* of a statement that was sent as text */
    struct mysql_columns columns;
    struct mysql_rows *rows;
    bool exact;      /* text carries the columns' cells */
    bool never_text; /* it was tried */
    bool opened;     /* on this connection */
    bool running;    /* the server may still be at it */
    bool failed;     /* the statement */
    bool broken;     /* the connection is good for nothing more */

    enum mysql_begun begun;
    struct mysql_steps steps;
    struct mysql_statement sent; /* a step may be amid its text */
    struct error failure;
    struct ArrowArray batch; /* all its rows, when it has a release */
};

/* NULL: no memory. */
struct mysql_cursor *mysql_cursor_new(struct mysql_engine *engine, const struct mysql_query *query);

/* One row more than wanted tells that rows were cut; -1 = all. */
int64_t mysql_cursor_rows_wanted(const struct mysql_query *query);

/* The answer to a text has begun, or failed to. When its columns aren't those that text
 * carries any more, it is to be prepared again: never_text. */
int mysql_cursor_take_result(struct mysql_cursor *cursor, bool failed, struct error *err);

/* The rest of a begun one's open, up to its columns.   [worker] */
int mysql_cursor_finish_begin(struct mysql_cursor *cursor, struct error *err);

#endif
