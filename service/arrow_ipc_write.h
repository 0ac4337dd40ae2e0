/*
 * arrow_ipc_write: Arrow C Data structs -> messages of the Arrow IPC streaming
 * format (arrow.apache.org/docs/format/Columnar.html, "Encapsulated message
 * format"): one schema, record batches, an end mark.
 *
 * Buffers are copied as they are; only a slice that doesn't begin at the first
 * row has its bitmaps shifted and its offsets made to begin at 0. Neither
 * engine makes dictionaries, views or unions: those are refused.   [any]
 */
#ifndef SERVICE_ARROW_IPC_WRITE_H
#define SERVICE_ARROW_IPC_WRITE_H

#include <stdint.h>

#include "arrow_c_data.h"
#include "byte_buffer.h"
#include "error.h"

/* All append whole messages, or nothing when they fail: -1, ERROR_ENGINE_ERROR
 * (a type that is refused, an array that doesn't fit, no memory). Equal names
 * become name, name_2 ..., as in every other format. */
int arrow_ipc_write_schema(const struct ArrowSchema *schema, struct byte_buffer *out,
                           struct error *err);

/* Rows [first, first + count) of a batch of that schema, as one record batch. */
int arrow_ipc_write_batch(const struct ArrowSchema *schema, const struct ArrowArray *batch,
                          int64_t first, int64_t count, struct byte_buffer *out, struct error *err);

/* The end-of-stream mark. */
void arrow_ipc_write_end(struct byte_buffer *out);

#endif
