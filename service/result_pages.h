/*
 * result_pages: batches -> the pages of one answer: a writer, the limits, the
 * cut into pages, the content coding. No thread, no clock, no credit: the
 * caller adds rows, and takes a page when one is ready.   [worker]
 *
 *   result_pages_new
 *   for each batch, while !result_pages_is_cut:
 *       for row < length, while !result_pages_is_cut:
 *           row += result_pages_add(batch, row)
 *           if result_pages_is_ready: take, send
 *   result_pages_end; take the last page (the only one of a short answer)
 *
 * Sizes and byte_limit count the body before its coding. A row is never split
 * over pages.
 */
#ifndef SERVICE_RESULT_PAGES_H
#define SERVICE_RESULT_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "result_writer.h"

/* An answer up to this size is one page: it can have a Content-Length. */
#define RESULT_WHOLE_BYTES ((size_t)1024 * 1024)
#define RESULT_PAGE_BYTES ((size_t)256 * 1024)
/* Shorter bodies aren't coded, unless the client refuses identity. */
#define RESULT_CODED_BYTES_MIN ((size_t)1024)

struct result_pages;

struct result_limits {
    int64_t rows;  /* -1 = none */
    int64_t bytes; /* -1 = none; of the whole body */
};

/* malloc'd bytes; the taker frees them. `data` may be NULL when empty. */
struct result_page {
    char *data;
    size_t length;
};

/* As result_writer_new; also -1: ERROR_QUEUE_FULL, no slot for a coding that must be. */
int result_pages_new(const struct ArrowSchema *schema, const struct result_options *options,
                     const struct result_limits *limits, struct result_pages **ret_pages,
                     struct error *err);
void result_pages_free(struct result_pages *pages);

/* Formats rows from `first_row` of the batch until a page is ready, a limit
 * cuts, the batch ends, or some hundred rows are done (time to look for a
 * cancel). Returns the rows done; -1: *err. Not while a page is ready. */
int64_t result_pages_add(struct result_pages *pages, const struct ArrowArray *batch,
                         int64_t first_row, struct error *err);

/* True when a limit left rows out: add no more, end it. */
bool result_pages_is_cut(const struct result_pages *pages);

/* True when a page is to be taken before more rows are added. */
bool result_pages_is_ready(const struct result_pages *pages);

/* Writes the end; the rows are those added, and a cut counts as truncated. */
int result_pages_end(struct result_pages *pages, const struct result_end *end, struct error *err);

/* Gives what was written since the last take, coded. */
int result_pages_take(struct result_pages *pages, struct result_page *ret_page, struct error *err);

/* The coding of the pages: settled for a long answer, known after the end of a
 * short one (which may stay as it is). */
enum content_coding result_pages_coding(const struct result_pages *pages);

int64_t result_pages_rows(const struct result_pages *pages);

/* Bytes of the body so far, before the coding; and of the pages taken. */
int64_t result_pages_body_bytes(const struct result_pages *pages);
int64_t result_pages_taken_bytes(const struct result_pages *pages);

#endif
