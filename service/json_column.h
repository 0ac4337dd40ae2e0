/*
 * json_column: the columns of a result with the function that writes each
 * one's cells as JSON, chosen once when the schema is read.   [worker]
 */
#ifndef SERVICE_JSON_COLUMN_H
#define SERVICE_JSON_COLUMN_H

#include "byte_buffer.h"
#include "result_columns.h"

struct json_column;

struct json_options {
    bool numbers_as_strings; /* integers beyond +-(2^53-1) as strings */
};

/* Appends one cell that isn't null; `index` is before the column's offset.
 * False: the cell is malformed, `out` may end in the middle of it. */
typedef bool (*json_cell_writer)(const struct json_column *column, int64_t index,
                                 struct byte_buffer *out);

struct json_column {
    json_cell_writer write;
    const struct result_column *cells; /* borrowed */
    struct byte_buffer key;            /* of a field: `{"name":` or `,"name":` */
    struct json_column *dictionary;
    struct json_column *children;
    size_t child_count;
};

/* Fills a zeroed column and what is below it; `cells` must outlive it.
 * -1: no memory; call done all the same. */
int json_column_init(struct json_column *column, const struct result_column *cells,
                     const struct json_options *options);
void json_column_done(struct json_column *column);

/* The writer of a type without children. */
json_cell_writer json_scalar_writer(const struct result_column *cells,
                                    const struct json_options *options);

/* A cell of a struct column as an object; a row is one cell of the root. */
bool json_column_write_struct(const struct json_column *column, int64_t index,
                              struct byte_buffer *out);

static inline bool json_column_write(const struct json_column *column, int64_t index,
                                     struct byte_buffer *out)
{
    if (result_column_is_null(column->cells, index)) {
        byte_buffer_append(out, "null", 4);
        return true;
    }
    return column->write(column, index, out);
}

#endif
