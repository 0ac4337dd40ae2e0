/*
 * arrow_ipc_message: the frame of one encapsulated message, for the two halves
 * of arrow_ipc_write.   [any]
 */
#ifndef SERVICE_ARROW_IPC_MESSAGE_H
#define SERVICE_ARROW_IPC_MESSAGE_H

#include <stdint.h>

#include "arrow_ipc_format.h"
#include "error.h"
#include "flatbuffer_write.h"

struct arrow_ipc_message {
    struct flatbuffer_writer writer;
    size_t start;       /* of the message in its buffer */
    size_t header_slot; /* where the header's table is to be put */
};

/* Prefix and Message table; the header's own table follows. */
void arrow_ipc_message_begin(struct arrow_ipc_message *message, enum arrow_ipc_header header,
                             int64_t body_bytes, struct byte_buffer *out);

/* Ends the metadata; the body may follow. -1: no memory, nothing was appended. */
int arrow_ipc_message_end(struct arrow_ipc_message *message, struct error *err);

#endif
