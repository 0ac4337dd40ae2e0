#include "mysql_rows.h"

#include <mysql.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byte_buffer.h"
#include "mysql_connection.h"
#include "mysql_text.h"

#define FIRST_BUFFER_BYTES 256
#define DAY_US INT64_C(86400000000)

#ifdef MARIADB_BASE_VERSION
typedef my_bool mysql_bool;
#else
typedef bool mysql_bool;
#endif

/* Where the library puts one cell of the current row. */
struct cell_place {
    union {
        int64_t integer;
        float real4;
        double real8;
        MYSQL_TIME time;
    } fixed;
    char *bytes; /* of the variable ones; grows to the longest cell met */
    unsigned long capacity;
    unsigned long length;
    mysql_bool is_null;
    mysql_bool is_cut;
};

/* One column of the batch that is being filled. */
struct column_cells {
    struct byte_buffer validity;
    struct byte_buffer values; /* cells, or offsets of the variable ones */
    struct byte_buffer bytes;
    int64_t nulls;
};

struct mysql_rows {
    MYSQL_STMT *statement; /* one of the two */
    MYSQL_RES *result;     /* of the text protocol; places borrow from its row */
    MYSQL *handle;         /* the result's connection */
    const struct mysql_columns *columns;
    MYSQL_BIND *binds;
    struct cell_place *places;
    struct column_cells *cells;
    int64_t row_count; /* of the batch being filled */
    bool rebind;       /* a place has moved */
    bool ended;
};

static int fail_memory(struct error *err)
{
    return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the result");
}

/* ---- where the library puts cells ---- */

static void bind_fixed(MYSQL_BIND *bind, enum enum_field_types type, struct cell_place *place,
                       size_t size)
{
    bind->buffer_type = type;
    bind->buffer = &place->fixed;
    bind->buffer_length = size;
}

static void bind_bytes(MYSQL_BIND *bind, struct cell_place *place)
{
    bind->buffer_type = MYSQL_TYPE_BLOB;
    bind->buffer = place->bytes;
    bind->buffer_length = place->capacity;
}

static void bind_cell(MYSQL_BIND *bind, const struct mysql_column *column, struct cell_place *place)
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
    struct cell_place *place = &rows->places[column];
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
        const struct cell_place *place = &rows->places[i];

        if (rows->binds[i].buffer_type == MYSQL_TYPE_BLOB && !place->is_null &&
            place->length > place->capacity && fetch_long_cell(rows, i, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- cells into columns ---- */

static void set_validity(struct column_cells *cells, int64_t row, bool is_valid)
{
    if (row % 8 == 0)
        byte_buffer_append_char(&cells->validity, 0);
    if (!is_valid)
        cells->nulls++;
    else if (!cells->validity.failed)
        cells->validity.data[row / 8] |= (char)(1 << row % 8);
}

static bool is_date(const MYSQL_TIME *time)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (time->year % 4 == 0 && time->year % 100 != 0) || time->year % 400 == 0;

    return time->month >= 1 && time->month <= 12 && time->day >= 1 &&
           time->day <= days[time->month - 1] + (time->month == 2 && leap);
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar, as java.time counts. */
static int32_t epoch_day(const MYSQL_TIME *time)
{
    int64_t year = (int64_t)time->year - (time->month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month = (time->month + 9) % 12; /* March is 0 */
    int64_t day_of_year = (153 * month + 2) / 5 + time->day - 1;

    return (int32_t)(era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
                     day_of_year - 719468);
}

static int64_t epoch_us(const MYSQL_TIME *time)
{
    int64_t seconds = ((int64_t)time->hour * 60 + time->minute) * 60 + time->second;

    return epoch_day(time) * DAY_US + seconds * 1000000 + (int64_t)time->second_part;
}

/* Sign, digits, point, `scale` digits -> the number without its point. */
static bool parse_decimal(const struct cell_place *place, int scale, __int128 *ret_value)
{
    __int128 value = 0;
    int fraction = -1; /* digits behind the point; -1: before it */
    bool negative = false;

    for (unsigned long i = 0; i < place->length; i++) {
        char c = place->bytes[i];

        if (c == '-' && i == 0)
            negative = true;
        else if (c == '.' && fraction < 0)
            fraction = 0;
        else if (c < '0' || c > '9' || fraction == scale)
            return false;
        else {
            value = value * 10 + (c - '0');
            fraction += fraction >= 0;
        }
    }
    for (fraction = fraction < 0 ? 0 : fraction; fraction < scale; fraction++)
        value *= 10;
    *ret_value = negative ? -value : value;
    return true;
}

static void append_offset(struct column_cells *cells)
{
    const int32_t end = (int32_t)cells->bytes.length;

    byte_buffer_append(&cells->values, &end, sizeof(end));
}

static void append_time(struct column_cells *cells, const MYSQL_TIME *time)
{
    byte_buffer_append_format(&cells->bytes, "%s%02u:%02u:%02u.%06lu", time->neg ? "-" : "",
                              time->day * 24 + time->hour, time->minute, time->second,
                              (unsigned long)time->second_part);
}

static void append_boolean(struct column_cells *cells, int64_t row, bool value)
{
    if (row % 8 == 0)
        byte_buffer_append_char(&cells->values, 0);
    if (value && !cells->values.failed)
        cells->values.data[row / 8] |= (char)(1 << row % 8);
}

/* Appends the cell at its place, zeros for NULL. */
static int append_value(const struct mysql_column *column, struct cell_place *place, int64_t row,
                        struct column_cells *cells, struct error *err)
{
    const MYSQL_TIME *time = &place->fixed.time;
    bool is_null = place->is_null;
    __int128 decimal = 0;
    int64_t number = is_null ? 0 : place->fixed.integer;
    int32_t small = (int32_t)number;

    switch (column->cell) {
    case MYSQL_CELL_NULL:
        break;
    case MYSQL_CELL_INT32:
        byte_buffer_append(&cells->values, &small, sizeof(small));
        break;
    case MYSQL_CELL_INT64:
        byte_buffer_append(&cells->values, &number, sizeof(number));
        break;
    case MYSQL_CELL_UINT64:
        decimal = (uint64_t)number;
        byte_buffer_append(&cells->values, &decimal, sizeof(decimal));
        break;
    case MYSQL_CELL_FLOAT:
        byte_buffer_append(&cells->values, &place->fixed.real4, sizeof(place->fixed.real4));
        break;
    case MYSQL_CELL_DOUBLE:
        byte_buffer_append(&cells->values, &place->fixed.real8, sizeof(place->fixed.real8));
        break;
    case MYSQL_CELL_DECIMAL:
        if (!is_null && !parse_decimal(place, column->scale, &decimal))
            return error_set(err, ERROR_ENGINE_ERROR, "column %.200s: a DECIMAL beyond its type",
                             column->schema.name);
        byte_buffer_append(&cells->values, &decimal, sizeof(decimal));
        break;
    case MYSQL_CELL_BOOLEAN:
        append_boolean(cells, row, !is_null && place->length > 0 && place->bytes[0] != 0);
        break;
    case MYSQL_CELL_DATE:
        small = is_null ? 0 : epoch_day(time);
        byte_buffer_append(&cells->values, &small, sizeof(small));
        break;
    case MYSQL_CELL_DATETIME:
        number = is_null ? 0 : epoch_us(time);
        byte_buffer_append(&cells->values, &number, sizeof(number));
        break;
    case MYSQL_CELL_BYTES:
        if (!is_null)
            byte_buffer_append(&cells->bytes, place->bytes, place->length);
        append_offset(cells);
        break;
    case MYSQL_CELL_TIME:
        if (!is_null)
            append_time(cells, time);
        append_offset(cells);
        break;
    }
    return 0;
}

/* A date with a zero month or day is no date: NULL, as the whole zero date is. */
static void drop_zero_date(const struct mysql_column *column, struct cell_place *place)
{
    if ((column->cell == MYSQL_CELL_DATE || column->cell == MYSQL_CELL_DATETIME) &&
        !place->is_null && !is_date(&place->fixed.time))
        place->is_null = true;
}

static int append_row(struct mysql_rows *rows, struct error *err)
{
    for (size_t i = 0; i < rows->columns->count; i++) {
        const struct mysql_column *column = &rows->columns->items[i];
        struct column_cells *cells = &rows->cells[i];
        struct cell_place *place = &rows->places[i];

        drop_zero_date(column, place);
        set_validity(cells, rows->row_count, !place->is_null);
        if (append_value(column, place, rows->row_count, cells, err) != 0)
            return -1;
        if (cells->validity.failed || cells->values.failed || cells->bytes.failed)
            return fail_memory(err);
    }
    rows->row_count++;
    return 0;
}

/* ---- batches ---- */

struct batch_column {
    struct ArrowArray array;
    const void *buffers[3];
    struct column_cells cells;
};

struct batch {
    const void *buffers[1];
    struct ArrowArray **children;
    size_t count;
    struct batch_column columns[];
};

static void cells_done(struct column_cells *cells)
{
    byte_buffer_done(&cells->validity);
    byte_buffer_done(&cells->values);
    byte_buffer_done(&cells->bytes);
    cells->nulls = 0;
}

static void release_child(struct ArrowArray *array)
{
    array->release = NULL;
}

static void release_batch(struct ArrowArray *array)
{
    struct batch *batch = array->private_data;

    for (size_t i = 0; i < batch->count; i++)
        cells_done(&batch->columns[i].cells);
    free(batch->children);
    free(batch);
    array->release = NULL;
}

static bool has_offsets(const struct mysql_column *column)
{
    return column->cell == MYSQL_CELL_BYTES || column->cell == MYSQL_CELL_TIME;
}

static void fill_column(const struct mysql_column *column, int64_t row_count,
                        struct batch_column *ret)
{
    bool is_null_type = column->cell == MYSQL_CELL_NULL;

    ret->buffers[0] = ret->cells.validity.data;
    ret->buffers[1] = ret->cells.values.data;
    ret->buffers[2] = ret->cells.bytes.data;
    ret->array = (struct ArrowArray){
        .length = row_count,
        .null_count = ret->cells.nulls,
        .n_buffers = is_null_type          ? 0
                     : has_offsets(column) ? 3
                                           : 2,
        .buffers = ret->buffers,
        .release = release_child,
    };
}

/* Moves what is filled into a batch of its own. */
static int finish_batch(struct mysql_rows *rows, struct ArrowArray *ret_batch, struct error *err)
{
    size_t count = rows->columns->count;
    struct batch *batch = calloc(1, sizeof(*batch) + count * sizeof(batch->columns[0]));

    if (batch == NULL || (batch->children = calloc(count + 1, sizeof(*batch->children))) == NULL) {
        free(batch);
        return fail_memory(err);
    }
    batch->count = count;
    for (size_t i = 0; i < count; i++) {
        batch->columns[i].cells = rows->cells[i];
        rows->cells[i] = (struct column_cells){0};
        fill_column(&rows->columns->items[i], rows->row_count, &batch->columns[i]);
        batch->children[i] = &batch->columns[i].array;
    }
    *ret_batch = (struct ArrowArray){.length = rows->row_count,
                                     .n_buffers = 1,
                                     .buffers = batch->buffers,
                                     .n_children = (int64_t)count,
                                     .children = batch->children,
                                     .release = release_batch,
                                     .private_data = batch};
    rows->row_count = 0;
    return 1;
}

static bool is_full(const struct mysql_rows *rows)
{
    size_t bytes = 0;

    for (size_t i = 0; i < rows->columns->count; i++)
        bytes += rows->cells[i].values.length + rows->cells[i].bytes.length;
    return rows->row_count >= MYSQL_BATCH_ROWS || bytes >= MYSQL_BATCH_BYTES;
}

/* Offsets have one more than there are rows: the first is 0. */
static void begin_batch(struct mysql_rows *rows)
{
    for (size_t i = 0; i < rows->columns->count; i++) {
        if (has_offsets(&rows->columns->items[i]))
            append_offset(&rows->cells[i]);
    }
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
    rows->cells = calloc(count + 1, sizeof(*rows->cells));
    if (rows->binds == NULL || rows->places == NULL || rows->cells == NULL) {
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
        if (rows->cells != NULL)
            cells_done(&rows->cells[i]);
    }
    free(rows->binds);
    free(rows->places);
    free(rows->cells);
    free(rows);
}

static bool place_text(const struct mysql_column *column, char *text, unsigned long length,
                       struct cell_place *place)
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

/* As fetch_row. */
static int fetch_text_row(struct mysql_rows *rows, struct error *err)
{
    MYSQL_ROW row = mysql_fetch_row(rows->result);
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
    if (rows->ended)
        return 0;
    begin_batch(rows);
    while (!is_full(rows)) {
        int rc = fetch_row(rows, err);

        if (rc < 0)
            return -1;
        if (rc == 0) {
            rows->ended = true;
            break;
        }
        if (append_row(rows, err) != 0)
            return -1;
    }
    return rows->row_count > 0 ? finish_batch(rows, ret_batch, err) : 0;
}

bool mysql_rows_ended(const struct mysql_rows *rows)
{
    return rows->ended;
}
