#include "mysql_engine.h"

#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "mysql_bind.h"
#include "mysql_connection.h"
#include "mysql_cursor.h"
#include "mysql_errors.h"
#include "mysql_gate.h"
#include "mysql_params.h"
#include "mysql_statement.h"
#include "mysql_text.h"

int mysql_engine_new(const struct mysql_engine_config *config, struct mysql_engine **ret_engine,
                     struct error *err)
{
    struct mysql_engine *engine = calloc(1, sizeof(*engine));

    if (engine == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    engine->config = *config;
    if (mysql_connection_library_begin(err) != 0) {
        free(engine);
        return -1;
    }
    if (mysql_pool_new(&config->pool, &engine->pool, err) != 0) {
        mysql_engine_free(engine);
        return -1;
    }
    *ret_engine = engine;
    return 0;
}

void mysql_engine_free(struct mysql_engine *engine)
{
    if (engine == NULL)
        return;
    mysql_pool_free(engine->pool);
    mysql_connection_library_end();
    free(engine);
}

void mysql_engine_thread_end(void)
{
    mysql_connection_thread_end();
}

void mysql_engine_cancel(struct mysql_engine *engine, struct mysql_cutoff *cutoff)
{
    mysql_cutoff_cut(cutoff);
    mysql_pool_wake(engine->pool);
}

struct mysql_pool_counts mysql_engine_count(const struct mysql_engine *engine)
{
    return mysql_pool_count(engine->pool);
}

/* ---- the steps of open ---- */

/* The statement is over when the server says so, and in doubt when the connection broke. */
static void note_failure(struct mysql_cursor *cursor)
{
    unsigned number = cursor->statement != NULL
                          ? mysql_connection_statement_errno(cursor->statement)
                          : mysql_errno(mysql_connection_handle(cursor->lease.connection));

    cursor->failed = true;
    if (mysql_errors_is_client(number))
        cursor->broken = true;
    else if (number != 0)
        cursor->running = false;
}

static int fail_statement(struct mysql_cursor *cursor, struct error *err)
{
    note_failure(cursor);
    return mysql_connection_statement_fail(cursor->statement, err);
}

/* The statement as it is sent: gated, its `?` in place; malloc'd. */
static char *text_to_send(const struct mysql_cursor *cursor,
                          const struct mysql_statement *statement)
{
    const char *before = cursor->query.use == MYSQL_EXPLAIN ? "EXPLAIN FORMAT=JSON " : "";
    char *text = NULL;

    return asprintf(&text, "%s%s", before, statement->text) < 0 ? NULL : text;
}

static int prepare(struct mysql_cursor *cursor, const struct mysql_statement *statement,
                   struct error *err)
{
    char *text = text_to_send(cursor, statement);
    int rc = 0;

    if (text == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the statement");
    cursor->statement = mysql_stmt_init(mysql_connection_handle(cursor->lease.connection));
    if (cursor->statement == NULL) {
        free(text);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the statement");
    }
    cursor->running = true; /* a prepare can wait for a lock, too */
    rc = mysql_stmt_prepare(cursor->statement, text, strlen(text));
    free(text);
    if (rc != 0)
        return fail_statement(cursor, err);
    /* Of a plan MySQL 8.0 tells the columns only when it is executed. */
    if (cursor->query.use != MYSQL_EXPLAIN && mysql_stmt_field_count(cursor->statement) == 0) {
        cursor->running = false;
        return mysql_errors_set_no_rows(err);
    }
    return 0;
}

static int set_columns(struct mysql_cursor *cursor, MYSQL_RES *metadata, struct error *err)
{
    if (mysql_columns_new(mysql_fetch_fields(metadata), mysql_num_fields(metadata),
                          &cursor->columns, err) != 0)
        return -1;
    cursor->exact = mysql_text_is_exact(&cursor->columns);
    return 0;
}

/* The result's columns; an execute may settle a type. */
static int read_columns(struct mysql_cursor *cursor, struct error *err)
{
    MYSQL_RES *metadata = mysql_stmt_result_metadata(cursor->statement);
    int rc = 0;

    if (metadata == NULL)
        return fail_statement(cursor, err);
    rc = set_columns(cursor, metadata, err);
    mysql_free_result(metadata);
    return rc;
}

static int open_rows(struct mysql_cursor *cursor, struct error *err)
{
    if (read_columns(cursor, err) != 0)
        return -1;
    return mysql_rows_new(cursor->statement, &cursor->columns, &cursor->rows, err);
}

static int run_prepared(struct mysql_cursor *cursor, const struct mysql_statement *statement,
                        struct mysql_values *values, struct error *err)
{
    if (prepare(cursor, statement, err) != 0)
        return -1;
    if (cursor->query.use == MYSQL_DESCRIBE) {
        cursor->running = false;
        return read_columns(cursor, err);
    }
    if (mysql_bind_and_execute(cursor->statement, values, err) != 0) {
        note_failure(cursor);
        return -1;
    }
    return open_rows(cursor, err);
}

int mysql_cursor_take_result(struct mysql_cursor *cursor, bool failed, struct error *err)
{
    MYSQL *handle = mysql_connection_handle(cursor->lease.connection);

    if (failed || (cursor->result = mysql_use_result(handle)) == NULL) {
        note_failure(cursor);
        if (mysql_connection_check(handle, err) != 0)
            return -1;
        cursor->running = false;
        return mysql_errors_set_no_rows(err);
    }
    if (set_columns(cursor, cursor->result, err) != 0)
        return -1;
    if (!cursor->exact) {
        cursor->never_text = true;
        return error_set(err, ERROR_ENGINE_ERROR, "columns that are not text");
    }
    return mysql_rows_new_text(handle, cursor->result, &cursor->columns, &cursor->rows, err);
}

/* One that was prepared before with columns that text carries exactly. */
static int run_text(struct mysql_cursor *cursor, const struct mysql_statement *statement,
                    struct error *err)
{
    bool failed = false;

    cursor->running = true;
    failed = mysql_real_query(mysql_connection_handle(cursor->lease.connection), statement->text,
                              strlen(statement->text)) != 0;
    return mysql_cursor_take_result(cursor, failed, err);
}

static int run_statement(struct mysql_cursor *cursor, const struct mysql_statement *statement,
                         struct error *err)
{
    bool as_text = cursor->session.as_text && statement->count == 0 && !cursor->never_text;
    struct mysql_values values = {0};
    int rc = mysql_params_bind(statement, cursor->query.params_json, &values, err);

    if (rc == 0) {
        metrics_add(as_text ? METRIC_MYSQL_STATEMENTS_TEXT : METRIC_MYSQL_STATEMENTS_PREPARED, 1);
        mysql_connection_use(cursor->lease.connection);
        rc = as_text ? run_text(cursor, statement, err)
                     : run_prepared(cursor, statement, &values, err);
    }
    mysql_values_done(&values);
    return rc;
}

int64_t mysql_cursor_rows_wanted(const struct mysql_query *query)
{
    return query->row_limit < 0 || query->row_limit == INT64_MAX ? -1 : query->row_limit + 1;
}

static int limit_rows(struct mysql_cursor *cursor, struct error *err)
{
    if (mysql_connection_limit_rows(cursor->lease.connection,
                                    mysql_cursor_rows_wanted(&cursor->query), err) == 0)
        return 0;
    cursor->broken = true;
    return -1;
}

static int begin_session(struct mysql_cursor *cursor, struct error *err)
{
    const char *sql = cursor->query.use == MYSQL_RUN ? cursor->query.sql : NULL;

    if (mysql_session_begin(cursor->lease.connection, sql, cursor->engine->config.reuse_ms,
                            &cursor->session, err) != 0) {
        cursor->broken = true;
        return -1;
    }
    return 0;
}

/* On a connection whose sql_mode is known, so what is a string is known. */
static int run_on_connection(struct mysql_cursor *cursor, struct error *err)
{
    struct mysql_modes modes = mysql_connection_modes(cursor->lease.connection);
    struct mysql_statement statement = {0};
    int rc = -1;

    if (!mysql_cutoff_arm(cursor->query.cutoff, mysql_connection_fd(cursor->lease.connection)))
        return error_set_cancelled(err);
    if (mysql_gate_check(cursor->query.sql, modes, err) == 0 &&
        mysql_statement_parse(cursor->query.sql, modes, &statement, err) == 0 &&
        begin_session(cursor, err) == 0 && limit_rows(cursor, err) == 0)
        rc = run_statement(cursor, &statement, err);
    mysql_statement_done(&statement);
    return rc;
}

/* ---- the end ---- */

/* A connection that broke by itself has taken its statement with it; and after a
 * restart of the server its number may be somebody else's. */
static bool needs_kill(const struct mysql_cursor *cursor)
{
    return cursor->running && (!cursor->broken || mysql_cutoff_is_cut(cursor->query.cutoff));
}

/* Without a session it has come no further than the gate. */
static bool end_session(struct mysql_cursor *cursor)
{
    return cursor->session.connection == NULL ||
           mysql_session_end(&cursor->session, cursor->opened && !cursor->failed, cursor->exact);
}

/* Gives the connection back, alive if its statement is known to be over. */
static void let_go(struct mysql_cursor *cursor)
{
    struct mysql_lease *lease = &cursor->lease;
    bool usable = !cursor->running && !cursor->broken;

    if (cursor->batch.release != NULL)
        cursor->batch.release(&cursor->batch);
    mysql_rows_free(cursor->rows);
    cursor->rows = NULL;
    mysql_columns_done(&cursor->columns);
    if (lease->connection == NULL)
        return;
    if (needs_kill(cursor))
        mysql_connection_kill(lease->connection, cursor->query.target,
                              cursor->engine->config.kill_timeout_ms);
    else if (!usable) /* closing a statement would read its rows to their end */
        mysql_connection_cut(lease->connection);
    mysql_steps_finish(&cursor->steps);
    mysql_statement_done(&cursor->sent);
    if (cursor->statement != NULL)
        (void)mysql_stmt_close(cursor->statement);
    mysql_free_result(cursor->result);
    cursor->statement = NULL;
    cursor->result = NULL;
    usable = usable && end_session(cursor);
    mysql_session_drop(&cursor->session);
    usable = mysql_cutoff_disarm(cursor->query.cutoff) && usable;
    mysql_pool_give_back(cursor->engine->pool, lease, usable);
    cursor->opened = false;
    cursor->running = false;
    cursor->failed = false;
    cursor->broken = false;
}

/* A pooled connection may have died unseen: nothing was begun, so a new one may try. */
static bool died_in_the_pool(struct mysql_cursor *cursor)
{
    return cursor->broken && !cursor->lease.fresh && !mysql_cutoff_is_cut(cursor->query.cutoff);
}

/* Its columns have changed since it was prepared. */
static bool turned_from_text(const struct mysql_cursor *cursor)
{
    return cursor->never_text && cursor->result != NULL &&
           !mysql_cutoff_is_cut(cursor->query.cutoff);
}

static int open_once(struct mysql_cursor *cursor, struct error *err)
{
    if (mysql_pool_take(cursor->engine->pool, cursor->query.target, cursor->query.cutoff,
                        cursor->deadline, &cursor->lease, err) != 0)
        return -1;
    return run_on_connection(cursor, err);
}

/* Of an attempt that another made good nothing is told. */
static int open_again(struct mysql_cursor *cursor, int rc, struct error *failure, struct error *err)
{
    bool again = true;

    while (rc != 0 && again) {
        again = (died_in_the_pool(cursor) || turned_from_text(cursor)) &&
                !monotime_reached(cursor->deadline, monotime_now());
        let_go(cursor);
        if (again)
            rc = open_once(cursor, failure);
    }
    cursor->opened = rc == 0;
    if (rc != 0)
        *err = *failure;
    return rc;
}

struct mysql_cursor *mysql_cursor_new(struct mysql_engine *engine, const struct mysql_query *query)
{
    struct mysql_cursor *cursor = calloc(1, sizeof(*cursor));

    if (cursor == NULL)
        return NULL;
    cursor->engine = engine;
    cursor->query = *query;
    cursor->deadline = monotime_after(monotime_now(), query->timeout_ms);
    return cursor;
}

int mysql_cursor_open(struct mysql_engine *engine, const struct mysql_query *query,
                      struct mysql_cursor **ret_cursor, struct error *err)
{
    struct mysql_cursor *cursor = NULL;
    struct error failure = {.code = ERROR_NONE};

    if (mysql_gate_check(query->sql, (struct mysql_modes){0}, err) != 0)
        return -1;
    cursor = mysql_cursor_new(engine, query);
    if (cursor == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    if (open_again(cursor, open_once(cursor, &failure), &failure, err) != 0) {
        free(cursor);
        return -1;
    }
    *ret_cursor = cursor;
    return 0;
}

int mysql_cursor_go_on(struct mysql_cursor *cursor, struct error *err)
{
    struct error failure = {.code = ERROR_NONE};

    return open_again(cursor, mysql_cursor_finish_begin(cursor, &failure), &failure, err);
}

const struct ArrowSchema *mysql_cursor_schema(const struct mysql_cursor *cursor)
{
    return &cursor->columns.schema;
}

int mysql_cursor_take_schema(struct mysql_cursor *cursor, struct ArrowSchema *ret_schema,
                             struct error *err)
{
    return mysql_columns_give(&cursor->columns, ret_schema, err);
}

int mysql_cursor_next(struct mysql_cursor *cursor, struct ArrowArray *ret_batch, struct error *err)
{
    int rc = 0;

    if (cursor->batch.release != NULL) {
        *ret_batch = cursor->batch;
        cursor->batch.release = NULL;
        return 1;
    }
    rc = mysql_rows_next(cursor->rows, ret_batch, err);
    if (rc < 0)
        note_failure(cursor);
    else if (mysql_rows_ended(cursor->rows))
        cursor->running = false;
    return rc;
}

void mysql_cursor_close(struct mysql_cursor *cursor)
{
    if (cursor == NULL)
        return;
    let_go(cursor);
    free(cursor);
}
