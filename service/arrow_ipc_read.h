/*
 * arrow_ipc_read: messages of the Arrow IPC streaming format, as
 * arrow_ipc_write makes them -> Arrow C Data structs.
 *
 * The bytes are not trusted: whatever they hold, the answer is an error or
 * structs in which every count, length and offset is within bounds, made in
 * memory and time linear in the message. Compressed bodies, dictionaries, views
 * and big-endian data are refused: our writer makes none.   [any]
 */
#ifndef SERVICE_ARROW_IPC_READ_H
#define SERVICE_ARROW_IPC_READ_H

#include <stddef.h>

#include "arrow_c_data.h"
#include "error.h"

/* One whole schema message (borrowed). The schema is the caller's to release.
 * -1: ERROR_ENGINE_ERROR. */
int arrow_ipc_read_schema(const void *message, size_t length, struct ArrowSchema *ret_schema,
                          struct error *err);

/* One whole record batch message of that schema, in malloc'd memory. On success
 * the batch owns the message, its buffers lie in it (children can't be moved
 * out); on failure the caller still does. -1: ERROR_ENGINE_ERROR. */
int arrow_ipc_read_batch(const struct ArrowSchema *schema, void *message, size_t length,
                         struct ArrowArray *ret_batch, struct error *err);

#endif
