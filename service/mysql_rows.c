#include "mysql_rows.h"

#include <mysql.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mysql_batch.h"
#include "mysql_connection.h"
#include "mysql_steps.h"
#include "mysql_text.h"

#define FIRST_BUFFER_BYTES 256
/* What a cell is in an answer, beside its name and value. */
#define CELL_BYTES 8

struct mysql_rows {
    MYSQL_STMT *statement;     /* one of the two */
    MYSQL_RES *result;         /* of the text protocol; places borrow from its row */
    MYSQL *handle;             /* the result's connection */
    struct mysql_steps *steps; /* of rows that were gathered; a row may be under way; NULL: none */
    size_t gathered_bytes;
    struct error failure; /* of gathering, to be told by next */
    const struct mysql_columns *columns;
    MYSQL_BIND *binds;
    struct mysql_place *places;
    struct mysql_batch *batch; /* being filled */
    bool rebind;               /* a place has moved */
    bool ended;
};

static int fail_memory(struct error *err)
{
    return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the result");
}

/* ---- where the library puts cells ---- */

static void bind_fixed(MYSQL_BIND *bind, enum enum_field_types type, struct mysql_place *place,
                       size_t size)
{
    bind->buffer_type = type;
    bind->buffer = &place->fixed;
    bind->buffer_length = size;
}

static void bind_bytes(MYSQL_BIND *bind, struct mysql_place *place)
{
    bind->buffer_type = MYSQL_TYPE_BLOB;
    bind->buffer = place->bytes;
    bind->buffer_length = place->capacity;
}

static void bind_cell(MYSQL_BIND *bind, const struct mysql_column *column,
                      struct mysql_place *place)
{
    *bind =
        (MYSQL_BIND){.is_null = &place->is_null, .length = &place->length, .error = &place->is_cut};
    switch (column->cell) {
    case MYSQL_CELL_NULL:
        bind->buffer_type = MYSQL_TYPE_NULL;
        break;
    case MYSQL_CELL_INT32:
    case MYSQL_CELL_INT64:
        bind_fixed(bind, MYSQL_TYPE_LONGLONG, place, sizeof(place->fixed.integer));
        break;
    case MYSQL_CELL_UINT64:
        bind_fixed(bind, MYSQL_TYPE_LONGLONG, place, sizeof(place->fixed.integer));
        bind->is_unsigned = true;
        break;
    case MYSQL_CELL_FLOAT:
        bind_fixed(bind, MYSQL_TYPE_FLOAT, place, sizeof(place->fixed.real4));
        break;
    case MYSQL_CELL_DOUBLE:
        bind_fixed(bind, MYSQL_TYPE_DOUBLE, place, sizeof(place->fixed.real8));
        break;
    case MYSQL_CELL_DATE:
        bind_fixed(bind, MYSQL_TYPE_DATE, place, sizeof(place->fixed.time));
        break;
    case MYSQL_CELL_DATETIME:
        bind_fixed(bind, MYSQL_TYPE_DATETIME, place, sizeof(place->fixed.time));
        break;
    case MYSQL_CELL_TIME:
        bind_fixed(bind, MYSQL_TYPE_TIME, place, sizeof(place->fixed.time));
        break;
    case MYSQL_CELL_DECIMAL:
    case MYSQL_CELL_BOOLEAN:
    case MYSQL_CELL_BYTES:
        bind_bytes(bind, place);
        break;
    }
}

static int bind_all(struct mysql_rows *rows, struct error *err)
{
    for (size_t i = 0; i < rows->columns->count; i++)
        bind_cell(&rows->binds[i], &rows->columns->items[i], &rows->places[i]);
    rows->rebind = false;
    if (mysql_stmt_bind_result(rows->statement, rows->binds) != 0)
        return mysql_connection_statement_fail(rows->statement, err);
    return 0;
}

/* Fetches a cell that was longer than its place once more, whole. */
static int fetch_long_cell(struct mysql_rows *rows, size_t column, struct error *err)
{
    struct mysql_place *place = &rows->places[column];
    char *bytes = realloc(place->bytes, place->length);

    if (bytes == NULL)
        return fail_memory(err);
    place->bytes = bytes;
    place->capacity = place->length;
    rows->rebind = true;
    bind_bytes(&rows->binds[column], place);
    if (mysql_stmt_fetch_column(rows->statement, &rows->binds[column], (unsigned)column, 0) != 0)
        return mysql_connection_statement_fail(rows->statement, err);
    return 0;
}

static int fetch_long_cells(struct mysql_rows *rows, struct error *err)
{
    for (size_t i = 0; i < rows->columns->count; i++) {
        const struct mysql_place *place = &rows->places[i];

        if (rows->binds[i].buffer_type == MYSQL_TYPE_BLOB && !place->is_null &&
            place->length > place->capacity && fetch_long_cell(rows, i, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- life ---- */

/* NULL: no memory. */
static struct mysql_rows *rows_new(const struct mysql_columns *columns)
{
    struct mysql_rows *rows = calloc(1, sizeof(*rows));
    size_t count = columns->count;

    if (rows == NULL)
        return NULL;
    rows->columns = columns;
    rows->binds = calloc(count + 1, sizeof(*rows->binds));
    rows->places = calloc(count + 1, sizeof(*rows->places));
    rows->batch = mysql_batch_new(columns);
    if (rows->binds == NULL || rows->places == NULL || rows->batch == NULL) {
        mysql_rows_free(rows);
        return NULL;
    }
    return rows;
}

int mysql_rows_new(MYSQL_STMT *statement, const struct mysql_columns *columns,
                   struct mysql_rows **ret_rows, struct error *err)
{
    struct mysql_rows *rows = rows_new(columns);

    if (rows == NULL)
        return fail_memory(err);
    rows->statement = statement;
    for (size_t i = 0; i < columns->count; i++) {
        rows->places[i].bytes = malloc(FIRST_BUFFER_BYTES);
        rows->places[i].capacity = FIRST_BUFFER_BYTES;
        if (rows->places[i].bytes == NULL) {
            mysql_rows_free(rows);
            return fail_memory(err);
        }
    }
    if (bind_all(rows, err) != 0) {
        mysql_rows_free(rows);
        return -1;
    }
    *ret_rows = rows;
    return 0;
}

int mysql_rows_new_text(MYSQL *handle, MYSQL_RES *result, const struct mysql_columns *columns,
                        struct mysql_rows **ret_rows, struct error *err)
{
    struct mysql_rows *rows = rows_new(columns);

    if (rows == NULL)
        return fail_memory(err);
    rows->handle = handle;
    rows->result = result;
    *ret_rows = rows;
    return 0;
}

void mysql_rows_free(struct mysql_rows *rows)
{
    if (rows == NULL)
        return;
    for (size_t i = 0; i < rows->columns->count; i++) {
        if (rows->places != NULL && rows->statement != NULL)
            free(rows->places[i].bytes);
    }
    free(rows->binds);
    free(rows->places);
    mysql_batch_free(rows->batch);
    free(rows);
}

static bool place_text(const struct mysql_column *column, char *text, unsigned long length,
                       struct mysql_place *place)
{
    place->is_null = text == NULL;
    if (text == NULL)
        return true;
    switch (column->cell) {
    case MYSQL_CELL_INT32:
    case MYSQL_CELL_INT64:
    case MYSQL_CELL_UINT64:
        return mysql_text_integer(text, length, &place->fixed.integer);
    case MYSQL_CELL_DATE:
    case MYSQL_CELL_DATETIME:
        return mysql_text_datetime(text, length, &place->fixed.time);
    case MYSQL_CELL_TIME:
        return mysql_text_time(text, length, &place->fixed.time);
    case MYSQL_CELL_NULL:
    case MYSQL_CELL_DECIMAL:
    case MYSQL_CELL_BOOLEAN:
    case MYSQL_CELL_BYTES:
        place->bytes = text;
        place->length = length;
        return true;
    case MYSQL_CELL_FLOAT:
    case MYSQL_CELL_DOUBLE:
        return false;
    }
    return false;
}

/* 1: it is in its places; 0: it's the end; -1: *err. */
static int place_row(struct mysql_rows *rows, MYSQL_ROW row, struct error *err)
{
    const unsigned long *lengths = row != NULL ? mysql_fetch_lengths(rows->result) : NULL;

    if (row == NULL)
        return mysql_connection_check(rows->handle, err);
    for (size_t i = 0; i < rows->columns->count; i++) {
        const struct mysql_column *column = &rows->columns->items[i];

        if (!place_text(column, row[i], lengths[i], &rows->places[i]))
            return error_set(err, ERROR_ENGINE_ERROR, "column %.200s: a value beyond its type",
                             column->schema.name);
    }
    return 1;
}

/* As fetch_row. */
static int fetch_text_row(struct mysql_rows *rows, struct error *err)
{
    struct mysql_steps *steps = rows->steps;

    if (steps == NULL || steps->suspended != MYSQL_STEP_ROW)
        return place_row(rows, mysql_fetch_row(rows->result), err);
    mysql_steps_finish(steps);
    return place_row(rows, steps->row, err);
}

/* 1: a row is in its places; 0: end; -1: *err. */
static int fetch_row(struct mysql_rows *rows, struct error *err)
{
    int rc = 0;

    if (rows->result != NULL)
        return fetch_text_row(rows, err);
    if (rows->rebind && bind_all(rows, err) != 0)
        return -1;
    rc = mysql_stmt_fetch(rows->statement);
    if (rc == MYSQL_NO_DATA)
        return 0;
    if (rc == 0)
        return 1;
    if (rc != MYSQL_DATA_TRUNCATED)
        return mysql_connection_statement_fail(rows->statement, err);
    return fetch_long_cells(rows, err) == 0 ? 1 : -1;
}

int mysql_rows_next(struct mysql_rows *rows, struct ArrowArray *ret_batch, struct error *err)
{
    if (rows->failure.code != ERROR_NONE) {
        *err = rows->failure;
        return -1;
    }
    while (!rows->ended && !mysql_batch_is_full(rows->batch)) {
        int rc = fetch_row(rows, err);

        if (rc < 0)
            return -1;
        if (rc == 0) {
            rows->ended = true;
            break;
        }
        if (mysql_batch_append(rows->batch, rows->places, err) != 0)
            return -1;
    }
    if (mysql_batch_is_empty(rows->batch))
        return 0;
    return mysql_batch_give(rows->batch, ret_batch, err) == 0 ? 1 : -1;
}

static size_t row_bytes(const struct mysql_rows *rows, MYSQL_ROW row)
{
    const unsigned long *lengths = mysql_fetch_lengths(rows->result);
    size_t bytes = 0;

    for (size_t i = 0; i < rows->columns->count; i++)
        bytes += CELL_BYTES + strlen(rows->columns->items[i].schema.name) +
                 (row[i] != NULL ? lengths[i] : 0);
    return bytes;
}

/* One row that has come; false: no other is to follow. */
static bool gather_row(struct mysql_rows *rows, MYSQL_ROW row)
{
    int rc = place_row(rows, row, &rows->failure);

    if (rc > 0 && mysql_batch_append(rows->batch, rows->places, &rows->failure) == 0) {
        rows->gathered_bytes += row_bytes(rows, row);
        return true;
    }
    rows->ended = rc == 0;
    return false;
}

enum mysql_gathered mysql_rows_gather(struct mysql_rows *rows, struct mysql_steps *steps,
                                      size_t bytes_max)
{
    rows->steps = steps;
    do {
        if (rows->gathered_bytes > bytes_max || mysql_batch_is_full(rows->batch))
            return ROWS_TOO_MANY;
        if (!mysql_steps_row(steps, rows->result))
            return ROWS_NOT_YET;
    } while (gather_row(rows, steps->row));
    return rows->ended ? ROWS_ALL : ROWS_FAILED;
}

bool mysql_rows_ended(const struct mysql_rows *rows)
{
    return rows->ended;
}
