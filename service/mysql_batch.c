#include "mysql_batch.h"

#include <stdlib.h>

#include "byte_buffer.h"

#define DAY_US INT64_C(86400000000)

/* One column. */
struct column_cells {
    struct byte_buffer validity;
    struct byte_buffer values; /* cells, or offsets of the variable ones */
    struct byte_buffer bytes;
    int64_t nulls;
};

struct mysql_batch {
    const struct mysql_columns *columns;
    struct column_cells *cells;
    int64_t row_count;
};

static int fail_memory(struct error *err)
{
    return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the result");
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
static bool parse_decimal(const struct mysql_place *place, int scale, __int128 *ret_value)
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
static int append_value(const struct mysql_column *column, struct mysql_place *place, int64_t row,
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
static void drop_zero_date(const struct mysql_column *column, struct mysql_place *place)
{
    if ((column->cell == MYSQL_CELL_DATE || column->cell == MYSQL_CELL_DATETIME) &&
        !place->is_null && !is_date(&place->fixed.time))
        place->is_null = true;
}

static bool has_offsets(const struct mysql_column *column)
{
    return column->cell == MYSQL_CELL_BYTES || column->cell == MYSQL_CELL_TIME;
}

/* Offsets have one more than there are rows: the first is 0. */
static void begin(struct mysql_batch *batch)
{
    for (size_t i = 0; i < batch->columns->count; i++) {
        if (has_offsets(&batch->columns->items[i]))
            append_offset(&batch->cells[i]);
    }
}

int mysql_batch_append(struct mysql_batch *batch, struct mysql_place *places, struct error *err)
{
    if (batch->row_count == 0)
        begin(batch);
    for (size_t i = 0; i < batch->columns->count; i++) {
        const struct mysql_column *column = &batch->columns->items[i];
        struct column_cells *cells = &batch->cells[i];
        struct mysql_place *place = &places[i];

        drop_zero_date(column, place);
        set_validity(cells, batch->row_count, !place->is_null);
        if (append_value(column, place, batch->row_count, cells, err) != 0)
            return -1;
        if (cells->validity.failed || cells->values.failed || cells->bytes.failed)
            return fail_memory(err);
    }
    batch->row_count++;
    return 0;
}

/* ---- giving it away ---- */

struct given_column {
    struct ArrowArray array;
    const void *buffers[3];
    struct column_cells cells;
};

struct given_batch {
    const void *buffers[1];
    struct ArrowArray **children;
    size_t count;
    struct given_column columns[];
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
    struct given_batch *batch = array->private_data;

    for (size_t i = 0; i < batch->count; i++)
        cells_done(&batch->columns[i].cells);
    free(batch->children);
    free(batch);
    array->release = NULL;
}

static void fill_column(const struct mysql_column *column, int64_t row_count,
                        struct given_column *ret)
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

int mysql_batch_give(struct mysql_batch *batch, struct ArrowArray *ret_array, struct error *err)
{
    size_t count = batch->columns->count;
    struct given_batch *given = calloc(1, sizeof(*given) + count * sizeof(given->columns[0]));

    if (given == NULL || (given->children = calloc(count + 1, sizeof(*given->children))) == NULL) {
        free(given);
        return fail_memory(err);
    }
    given->count = count;
    for (size_t i = 0; i < count; i++) {
        given->columns[i].cells = batch->cells[i];
        batch->cells[i] = (struct column_cells){0};
        fill_column(&batch->columns->items[i], batch->row_count, &given->columns[i]);
        given->children[i] = &given->columns[i].array;
    }
    *ret_array = (struct ArrowArray){.length = batch->row_count,
                                     .n_buffers = 1,
                                     .buffers = given->buffers,
                                     .n_children = (int64_t)count,
                                     .children = given->children,
                                     .release = release_batch,
                                     .private_data = given};
    batch->row_count = 0;
    return 0;
}

bool mysql_batch_is_full(const struct mysql_batch *batch)
{
    size_t bytes = 0;

    for (size_t i = 0; i < batch->columns->count; i++)
        bytes += batch->cells[i].values.length + batch->cells[i].bytes.length;
    return batch->row_count >= MYSQL_BATCH_ROWS || bytes >= MYSQL_BATCH_BYTES;
}

bool mysql_batch_is_empty(const struct mysql_batch *batch)
{
    return batch->row_count == 0;
}

/* ---- life ---- */

struct mysql_batch *mysql_batch_new(const struct mysql_columns *columns)
{
    struct mysql_batch *batch = calloc(1, sizeof(*batch));

    if (batch == NULL)
        return NULL;
    batch->columns = columns;
    batch->cells = calloc(columns->count + 1, sizeof(*batch->cells));
    if (batch->cells == NULL) {
        free(batch);
        return NULL;
    }
    return batch;
}

void mysql_batch_free(struct mysql_batch *batch)
{
    if (batch == NULL)
        return;
    for (size_t i = 0; i < batch->columns->count; i++)
        cells_done(&batch->cells[i]);
    free(batch->cells);
    free(batch);
}
