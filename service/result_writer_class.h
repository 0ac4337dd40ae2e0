/*
 * result_writer_class: what one output format does. result_writer.c checks
 * ranges, undoes half-written rows and keeps to byte limits; a class only
 * writes.   [worker]
 */
#ifndef SERVICE_RESULT_WRITER_CLASS_H
#define SERVICE_RESULT_WRITER_CLASS_H

#include "result_writer.h"

struct result_writer_class {
    /* Gives the state that all others get. -1: nothing to free. */
    int (*make)(const struct ArrowSchema *schema, const struct result_options *options,
                void **ret_state, struct error *err);
    void (*free_state)(void *state);

    void (*begin)(void *state, struct byte_buffer *out);

    /* Rows of the range, which lies within the batch. `is_first`: no row was
     * written before. On -1 what was appended is taken back by the caller; the
     * state must not remember it. */
    int (*rows)(void *state, const struct ArrowArray *batch, int64_t first_row, int64_t row_count,
                bool is_first, struct byte_buffer *out, struct error *err);

    void (*end)(void *state, const struct result_end *end, struct byte_buffer *out);
    size_t (*end_bytes_max)(const void *state);
    bool takes_whole_batches;
};

#endif
