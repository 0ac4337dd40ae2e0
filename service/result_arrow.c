#include "result_arrow.h"

#include <stdlib.h>

#include "arrow_ipc_read.h"
#include "arrow_ipc_write.h"
#include "result_writer_class.h"

/* A continuation mark and a length of 0. */
#define END_BYTES 8

struct result_arrow {
    struct ArrowSchema schema; /* our own: the cursor may be closed before the last rows */
    struct byte_buffer head;   /* the schema's message */
};

static void arrow_free(void *state)
{
    struct result_arrow *arrow = state;

    if (arrow == NULL)
        return;
    if (arrow->schema.release != NULL)
        arrow->schema.release(&arrow->schema);
    byte_buffer_done(&arrow->head);
    free(arrow);
}

static int arrow_make(const struct ArrowSchema *schema, const struct result_options *options,
                      void **ret_state, struct error *err)
{
    struct result_arrow *arrow = calloc(1, sizeof(*arrow));

    (void)options;
    if (arrow == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
    if (arrow_ipc_write_schema(schema, &arrow->head, err) != 0 ||
        arrow_ipc_read_schema(arrow->head.data, arrow->head.length, &arrow->schema, err) != 0) {
        arrow_free(arrow);
        return -1;
    }
    *ret_state = arrow;
    return 0;
}

static void arrow_begin(void *state, struct byte_buffer *out)
{
    const struct result_arrow *arrow = state;

    byte_buffer_append(out, arrow->head.data, arrow->head.length);
}

static int arrow_rows(void *state, const struct ArrowArray *batch, int64_t first_row,
                      int64_t row_count, bool is_first, struct byte_buffer *out, struct error *err)
{
    const struct result_arrow *arrow = state;

    (void)is_first;
    return arrow_ipc_write_batch(&arrow->schema, batch, first_row, row_count, out, err);
}

static void arrow_end(void *state, const struct result_end *end, struct byte_buffer *out)
{
    (void)state;
    (void)end;
    arrow_ipc_write_end(out);
}

static size_t arrow_end_bytes_max(const void *state)
{
    (void)state;
    return END_BYTES;
}

const struct result_writer_class result_arrow_class = {
    .make = arrow_make,
    .free_state = arrow_free,
    .begin = arrow_begin,
    .rows = arrow_rows,
    .end = arrow_end,
    .end_bytes_max = arrow_end_bytes_max,
    .takes_whole_batches = true,
};
