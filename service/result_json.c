#include "result_json.h"

#include <stdlib.h>

#include "json_column.h"
#include "result_columns.h"

struct result_json {
    struct result_column *columns;
    struct json_column root;
    bool has_rows;
};

int result_json_new(const struct ArrowSchema *schema, const struct result_json_options *options,
                    struct result_json **ret_writer, struct error *err)
{
    struct result_json *writer = calloc(1, sizeof(*writer));

    if (writer == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
    if (result_columns_new(schema, &writer->columns, err) < 0) {
        result_json_free(writer);
        return -1;
    }
    if (json_column_init(&writer->root, writer->columns, options) < 0) {
        result_json_free(writer);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
    }
    *ret_writer = writer;
    return 0;
}

void result_json_free(struct result_json *writer)
{
    if (writer == NULL)
        return;
    json_column_done(&writer->root);
    result_columns_free(writer->columns);
    free(writer);
}

void result_json_begin(struct result_json *writer, struct byte_buffer *out)
{
    writer->has_rows = false;
    byte_buffer_append_char(out, '[');
}

int result_json_write_rows(struct result_json *writer, const struct ArrowArray *batch,
                           int64_t first_row, int64_t row_count, struct byte_buffer *out,
                           struct error *err)
{
    size_t length_before = out->length;
    bool had_rows = writer->has_rows;

    if (result_columns_bind(writer->columns, batch, err) < 0)
        return -1;
    if (first_row < 0 || row_count < 0 || row_count > batch->length ||
        first_row > batch->length - row_count)
        return error_set(err, ERROR_ENGINE_ERROR, "result batch: rows out of range");
    for (int64_t row = first_row; row < first_row + row_count; row++) {
        if (writer->has_rows)
            byte_buffer_append_char(out, ',');
        writer->has_rows = true;
        if (!json_column_write_struct(&writer->root, row, out)) {
            error_set(err, ERROR_ENGINE_ERROR, "result batch: row %lld is malformed",
                      (long long)row);
            goto out;
        }
    }
    if (!out->failed)
        return 0;
    error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
out:
    out->length = length_before;
    writer->has_rows = had_rows;
    return -1;
}

void result_json_end(struct result_json *writer, struct byte_buffer *out)
{
    (void)writer;
    byte_buffer_append_char(out, ']');
}
