/*
 * A cursor that the loop begins: the statement is sent and its answer read as far
 * as it has come. Whatever isn't plain sailing is left as it is, for a worker to
 * go on with in the usual way (mysql_cursor_go_on).
 */
#include <mysql.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "mysql_connection.h"
#include "mysql_cursor.h"
#include "mysql_gate.h"
#include "mysql_params.h"

/* ---- [loop] ---- */

/* What an open checks before it sends anything; fills `sent`. */
static bool is_fit(struct mysql_cursor *cursor, struct mysql_modes modes)
{
    const struct mysql_query *query = &cursor->query;
    struct mysql_values values = {0};
    struct error err;
    bool is_usual = !modes.ansi_quotes && !modes.no_backslash_escapes;
    bool fits = mysql_gate_check(query->sql, (struct mysql_modes){0}, &err) == 0 &&
                (is_usual || mysql_gate_check(query->sql, modes, &err) == 0) &&
                mysql_statement_parse(query->sql, modes, &cursor->sent, &err) == 0 &&
                cursor->sent.count == 0 &&
                mysql_params_bind(&cursor->sent, query->params_json, &values, &err) == 0;

    mysql_values_done(&values);
    return fits;
}

void mysql_cursor_send(struct mysql_cursor *cursor)
{
    const char *text = cursor->sent.text;

    metrics_add(METRIC_MYSQL_STATEMENTS_TEXT, 1);
    mysql_connection_use(cursor->lease.connection);
    cursor->running = true;
    cursor->begun = BEGUN_SENT;
    (void)mysql_steps_send(&cursor->steps, text, strlen(text));
}

static bool begin(struct mysql_cursor *cursor, int64_t margin_ms)
{
    struct mysql_connection *connection = cursor->lease.connection;
    const struct mysql_query *query = &cursor->query;

    if (!mysql_connection_limits_to(connection, mysql_cursor_rows_wanted(query)) ||
        !mysql_session_join(connection, query->sql, cursor->engine->config.reuse_ms, margin_ms,
                            &cursor->session) ||
        !is_fit(cursor, mysql_connection_modes(connection)) ||
        !mysql_steps_begin(&cursor->steps, mysql_connection_handle(connection)) ||
        !mysql_cutoff_arm(query->cutoff, mysql_connection_fd(connection)))
        return false;
    cursor->begun = BEGUN_UNSENT;
    return true;
}

struct mysql_cursor *mysql_cursor_begin(struct mysql_engine *engine,
                                        const struct mysql_query *query, int64_t margin_ms)
{
    struct mysql_lease lease;
    struct mysql_cursor *cursor = NULL;

    if (!mysql_pool_take_idle(engine->pool, query->target, &lease))
        return NULL;
    cursor = mysql_cursor_new(engine, query);
    if (cursor != NULL) {
        cursor->lease = lease;
        if (begin(cursor, margin_ms))
            return cursor;
        mysql_session_drop(&cursor->session);
        mysql_statement_done(&cursor->sent);
        free(cursor);
    }
    mysql_pool_give_back(engine->pool, &lease, true);
    return NULL;
}

int mysql_cursor_fd(const struct mysql_cursor *cursor)
{
    return mysql_connection_fd(cursor->lease.connection);
}

static bool may_be_wide(const struct mysql_cursor *cursor)
{
    const MYSQL_FIELD *fields = mysql_fetch_fields(cursor->result);
    size_t bytes = 0;

    for (unsigned i = 0; i < mysql_num_fields(cursor->result); i++)
        bytes += fields[i].length;
    return bytes > MYSQL_STEP_ROW_BYTES;
}

/* The answer has begun. */
static void open_result(struct mysql_cursor *cursor, bool failed)
{
    if (mysql_cursor_take_result(cursor, failed, &cursor->failure) != 0) {
        cursor->begun = BEGUN_FAILED;
        return;
    }
    cursor->begun = BEGUN_ROWS;
    cursor->opened = true;
}

/* All rows are there: so is their batch, and the session needs nothing. */
static enum mysql_progress close_rows(struct mysql_cursor *cursor)
{
    if (mysql_rows_next(cursor->rows, &cursor->batch, &cursor->failure) < 0) {
        cursor->begun = BEGUN_FAILED;
        return MYSQL_PROGRESS_FAILED;
    }
    cursor->running = false;
    return mysql_session_settle(&cursor->session) ? MYSQL_PROGRESS_WHOLE : MYSQL_PROGRESS_LARGE;
}

static enum mysql_progress gather_rows(struct mysql_cursor *cursor, size_t bytes_max)
{
    switch (mysql_rows_gather(cursor->rows, &cursor->steps, bytes_max)) {
    case ROWS_NOT_YET:
        return MYSQL_PROGRESS_WAITS;
    case ROWS_TOO_MANY:
        return MYSQL_PROGRESS_LARGE;
    case ROWS_ALL:
        return close_rows(cursor);
    case ROWS_FAILED:
        break;
    }
    return MYSQL_PROGRESS_FAILED;
}

enum mysql_progress mysql_cursor_look(struct mysql_cursor *cursor, size_t bytes_max)
{
    if (cursor->begun == BEGUN_SENT) {
        if (cursor->steps.suspended == MYSQL_STEP_SEND || cursor->steps.failed)
            return MYSQL_PROGRESS_FAILED;
        if (!mysql_steps_result(&cursor->steps))
            return MYSQL_PROGRESS_WAITS;
        open_result(cursor, cursor->steps.failed);
        if (cursor->begun == BEGUN_ROWS && may_be_wide(cursor))
            return MYSQL_PROGRESS_LARGE;
    }
    return cursor->begun == BEGUN_ROWS ? gather_rows(cursor, bytes_max) : MYSQL_PROGRESS_FAILED;
}

/* ---- [worker] ---- */

int mysql_cursor_finish_begin(struct mysql_cursor *cursor, struct error *err)
{
    enum mysql_begun begun = cursor->begun;

    if (begun == BEGUN_UNSENT)
        mysql_cursor_send(cursor);
    cursor->begun = BEGUN_NOT;
    if (begun == BEGUN_FAILED)
        *err = cursor->failure;
    if (begun == BEGUN_ROWS || begun == BEGUN_FAILED)
        return begun == BEGUN_FAILED ? -1 : 0;
    if (cursor->steps.suspended == MYSQL_STEP_SEND)
        mysql_steps_finish(&cursor->steps);
    if (!cursor->steps.failed && cursor->steps.suspended == MYSQL_STEP_NONE)
        (void)mysql_steps_result(&cursor->steps);
    mysql_steps_finish(&cursor->steps);
    return mysql_cursor_take_result(cursor, cursor->steps.failed, err);
}
