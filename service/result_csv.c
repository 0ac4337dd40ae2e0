#include "result_csv.h"

#include <stdlib.h>
#include <string.h>

#include "csv_text.h"
#include "json_column.h"
#include "result_columns.h"
#include "result_writer_class.h"

struct result_csv {
    struct result_column *columns;
    struct json_column root;
    struct byte_buffer scratch; /* a nested value as JSON, before its quotes */
};

static void csv_free(void *state)
{
    struct result_csv *csv = state;

    if (csv == NULL)
        return;
    json_column_done(&csv->root);
    result_columns_free(csv->columns);
    byte_buffer_done(&csv->scratch);
    free(csv);
}

static int csv_make(const struct ArrowSchema *schema, const struct result_options *options,
                    void **ret_state, struct error *err)
{
    const struct json_options json_options = {.numbers_as_strings = false};
    struct result_csv *csv = calloc(1, sizeof(*csv));

    (void)options;
    if (csv == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
    if (result_columns_new(schema, &csv->columns, err) < 0) {
        csv_free(csv);
        return -1;
    }
    if (json_column_init(&csv->root, csv->columns, &json_options) < 0) {
        csv_free(csv);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
    }
    *ret_state = csv;
    return 0;
}

static void csv_begin(void *state, struct byte_buffer *out)
{
    const struct result_csv *csv = state;

    for (size_t i = 0; i < csv->columns->child_count; i++) {
        const char *name = csv->columns->children[i].name;

        if (i > 0)
            byte_buffer_append_char(out, ',');
        csv_text_append_field(out, name, strlen(name));
    }
    byte_buffer_append(out, "\r\n", 2);
}

static bool write_text(const struct result_column *cells, int64_t index, struct byte_buffer *out)
{
    const uint8_t *bytes;
    size_t length;

    if (!result_column_bytes(cells, index, &bytes, &length))
        return false;
    csv_text_append_field(out, bytes, length);
    return true;
}

static bool write_json(struct result_csv *csv, const struct json_column *column, int64_t index,
                       struct byte_buffer *out)
{
    byte_buffer_reset(&csv->scratch);
    if (!column->write(column, index, &csv->scratch))
        return false;
    csv_text_append_field(out, csv->scratch.data, csv->scratch.length);
    out->failed |= csv->scratch.failed;
    return true;
}

/* What JSON puts between quotes here (decimals, dates, base64) needs no escapes. */
static bool write_scalar(const struct json_column *column, int64_t index, struct byte_buffer *out)
{
    size_t start = out->length;

    if (!column->write(column, index, out))
        return false;
    if (!out->failed && out->data[start] == '"') {
        out->length -= 2;
        memmove(out->data + start, out->data + start + 1, out->length - start);
        if (out->length == start) /* empty bytes are not NULL */
            byte_buffer_append(out, "\"\"", 2);
    }
    return true;
}

static bool write_cell(struct result_csv *csv, const struct json_column *column, int64_t index,
                       struct byte_buffer *out)
{
    const struct result_column *cells = column->cells;

    if (result_column_is_null(cells, index))
        return true;
    if (column->dictionary != NULL) {
        int64_t found;

        return result_column_dictionary_index(cells, index, &found) &&
               write_cell(csv, column->dictionary, found, out);
    }
    switch (cells->type.kind) {
    case ARROW_NULL:
        return true;
    case ARROW_TEXT:
        if (cells->meaning == MEANING_PLAIN)
            return write_text(cells, index, out);
        if (cells->meaning == MEANING_JSON_DOCUMENT)
            return write_json(csv, column, index, out);
        return write_scalar(column, index, out);
    case ARROW_LIST:
    case ARROW_STRUCT:
    case ARROW_MAP:
        return write_json(csv, column, index, out);
    default:
        return write_scalar(column, index, out);
    }
}

static bool write_record(struct result_csv *csv, int64_t index, struct byte_buffer *out)
{
    index += csv->columns->offset;
    for (size_t i = 0; i < csv->root.child_count; i++) {
        if (i > 0)
            byte_buffer_append_char(out, ',');
        if (!write_cell(csv, &csv->root.children[i], index, out))
            return false;
    }
    byte_buffer_append(out, "\r\n", 2);
    return true;
}

static int csv_rows(void *state, const struct ArrowArray *batch, int64_t first_row,
                    int64_t row_count, bool is_first, struct byte_buffer *out, struct error *err)
{
    struct result_csv *csv = state;

    (void)is_first;
    if (result_columns_bind(csv->columns, batch, err) < 0)
        return -1;
    for (int64_t row = first_row; row < first_row + row_count; row++) {
        if (!write_record(csv, row, out))
            return error_set(err, ERROR_ENGINE_ERROR, "result batch: row %lld is malformed",
                             (long long)row);
    }
    return 0;
}

static void csv_end(void *state, const struct result_end *end, struct byte_buffer *out)
{
    (void)state;
    (void)end;
    (void)out;
}

static size_t csv_end_bytes_max(const void *state)
{
    (void)state;
    return 0;
}

const struct result_writer_class result_csv_class = {
    .make = csv_make,
    .free_state = csv_free,
    .begin = csv_begin,
    .rows = csv_rows,
    .end = csv_end,
    .end_bytes_max = csv_end_bytes_max,
};
