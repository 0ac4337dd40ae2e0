/*
 * result_writer: Arrow batches -> the bytes of one answer, in any format.
 *
 * begin, rows (many times), end; the same bytes whatever the batches and the
 * ranges of rows are, except in Arrow, where a range becomes a record batch.
 * A new format is one struct result_writer_class.   [worker]; one writer per
 * answer, not shared.
 */
#ifndef SERVICE_RESULT_WRITER_H
#define SERVICE_RESULT_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arrow_c_data.h"
#include "byte_buffer.h"
#include "error.h"
#include "result_format.h"

struct result_writer;

struct result_options {
    struct result_choice choice;
    bool numbers_as_strings; /* JSON formats: integers beyond +-(2^53-1) as strings */
    const char *query_id;    /* borrowed for the writer's life; the envelope's */
};

/* What is known when the rows are over. Text is borrowed; NULL or -1: unknown. */
struct result_end {
    int64_t rows;
    bool truncated;
    const char *source_kind; /* "delta" ... */
    const char *engine;      /* of a source with several, and why that one: static; or NULL */
    const char *engine_reason;
    const char *source_version; /* Delta version or Iceberg snapshot id */
    int64_t queue_us;
    int64_t plan_us;
    int64_t run_us;
    int64_t files_read;
    int64_t files_total;
    int64_t bytes_read;
};

/* All unknown. */
#define RESULT_END_UNKNOWN                                                                         \
    ((struct result_end){.queue_us = -1,                                                           \
                         .plan_us = -1,                                                            \
                         .run_us = -1,                                                             \
                         .files_read = -1,                                                         \
                         .files_total = -1,                                                        \
                         .bytes_read = -1})

/* Reads the schema (borrowed, may be released afterwards). Equal column names
 * become name, name_2, name_3 ... -1: ERROR_ENGINE_ERROR, a type unknown here. */
int result_writer_new(const struct ArrowSchema *schema, const struct result_options *options,
                      struct result_writer **ret_writer, struct error *err);
void result_writer_free(struct result_writer *writer);

/* Appends what comes before the first row, once. Without memory out->failed
 * is set, here and below. */
void result_writer_begin(struct result_writer *writer, struct byte_buffer *out);

/* Appends rows [first_row, first_row + row_count) of the batch (borrowed). -1
 * when the batch doesn't fit the schema (ERROR_ENGINE_ERROR) or memory is out;
 * `out` is then as it was. */
int result_writer_rows(struct result_writer *writer, const struct ArrowArray *batch,
                       int64_t first_row, int64_t row_count, struct byte_buffer *out,
                       struct error *err);

/* The same for as many of the rows as fit into `max_bytes` of output; returns
 * how many (0..row_count), or -1. */
int64_t result_writer_rows_within(struct result_writer *writer, const struct ArrowArray *batch,
                                  int64_t first_row, int64_t row_count, size_t max_bytes,
                                  struct byte_buffer *out, struct error *err);

/* Appends what comes after the last row, once. */
void result_writer_end(struct result_writer *writer, const struct result_end *end,
                       struct byte_buffer *out);

/* At most so many bytes come from result_writer_end. */
size_t result_writer_end_bytes_max(const struct result_writer *writer);

/* True when a batch is better written in one piece than in steps (Arrow). */
bool result_writer_takes_whole_batches(const struct result_writer *writer);

#endif
