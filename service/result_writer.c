#include "result_writer.h"

#include <stdlib.h>

#include "result_arrow.h"
#include "result_csv.h"
#include "result_json.h"
#include "result_writer_class.h"

struct result_writer {
    const struct result_writer_class *class;
    void *state;
    bool has_rows;
};

static const struct result_writer_class *find_class(enum result_format format)
{
    static const struct result_writer_class *const CLASSES[RESULT_FORMAT_COUNT] = {
        [RESULT_JSON] = &result_json_class,   [RESULT_ENVELOPE] = &result_json_class,
        [RESULT_NDJSON] = &result_json_class, [RESULT_CSV] = &result_csv_class,
        [RESULT_ARROW] = &result_arrow_class,
    };

    return CLASSES[format];
}

int result_writer_new(const struct ArrowSchema *schema, const struct result_options *options,
                      struct result_writer **ret_writer, struct error *err)
{
    struct result_writer *writer = calloc(1, sizeof(*writer));

    if (writer == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
    writer->class = find_class(options->choice.format);
    if (writer->class->make(schema, options, &writer->state, err) != 0) {
        free(writer);
        return -1;
    }
    *ret_writer = writer;
    return 0;
}

void result_writer_free(struct result_writer *writer)
{
    if (writer == NULL)
        return;
    writer->class->free_state(writer->state);
    free(writer);
}

void result_writer_begin(struct result_writer *writer, struct byte_buffer *out)
{
    writer->has_rows = false;
    writer->class->begin(writer->state, out);
}

static int append_rows(struct result_writer *writer, const struct ArrowArray *batch,
                       int64_t first_row, int64_t row_count, struct byte_buffer *out,
                       struct error *err)
{
    size_t length_before = out->length;
    int rc = writer->class->rows(writer->state, batch, first_row, row_count, !writer->has_rows, out,
                                 err);

    if (rc == 0 && out->failed)
        rc = error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
    if (rc != 0)
        out->length = length_before;
    return rc;
}

static int check_range(const struct ArrowArray *batch, int64_t first_row, int64_t row_count,
                       struct error *err)
{
    if (first_row < 0 || row_count < 0 || row_count > batch->length ||
        first_row > batch->length - row_count)
        return error_set(err, ERROR_ENGINE_ERROR, "result batch: rows out of range");
    return 0;
}

int result_writer_rows(struct result_writer *writer, const struct ArrowArray *batch,
                       int64_t first_row, int64_t row_count, struct byte_buffer *out,
                       struct error *err)
{
    if (check_range(batch, first_row, row_count, err) != 0 ||
        append_rows(writer, batch, first_row, row_count, out, err) != 0)
        return -1;
    writer->has_rows |= row_count > 0;
    return 0;
}

/* The most rows that fit; all formats write n rows in no more bytes than n + 1. */
int64_t result_writer_rows_within(struct result_writer *writer, const struct ArrowArray *batch,
                                  int64_t first_row, int64_t row_count, size_t max_bytes,
                                  struct byte_buffer *out, struct error *err)
{
    size_t length_before = out->length;
    int64_t fitting = 0;           /* so many are known to fit */
    int64_t above = row_count + 1; /* so many are not */
    int64_t tried = row_count;

    if (check_range(batch, first_row, row_count, err) != 0)
        return -1;
    for (;;) {
        if (append_rows(writer, batch, first_row, tried, out, err) != 0)
            return -1;
        if (out->length - length_before <= max_bytes)
            fitting = tried;
        else
            above = tried;
        if (fitting == tried && above - fitting <= 1)
            break; /* they are in `out` */
        out->length = length_before;
        if (fitting == 0 && above <= 1)
            break;
        tried = above - fitting <= 1 ? fitting : fitting + (above - fitting) / 2;
    }
    writer->has_rows |= fitting > 0;
    return fitting;
}

void result_writer_end(struct result_writer *writer, const struct result_end *end,
                       struct byte_buffer *out)
{
    writer->class->end(writer->state, end, out);
}

size_t result_writer_end_bytes_max(const struct result_writer *writer)
{
    return writer->class->end_bytes_max(writer->state);
}

bool result_writer_takes_whole_batches(const struct result_writer *writer)
{
    return writer->class->takes_whole_batches;
}
