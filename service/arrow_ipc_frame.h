/*
 * arrow_ipc_frame: the frame of one encapsulated message, for the two halves of
 * arrow_ipc_read.   [any]
 */
#ifndef SERVICE_ARROW_IPC_FRAME_H
#define SERVICE_ARROW_IPC_FRAME_H

#include "arrow_ipc_format.h"
#include "error.h"
#include "flatbuffer_read.h"

/* Gives the header's table and the body of a message of exactly `length` bytes. */
int arrow_ipc_frame_read(const void *message, size_t length, enum arrow_ipc_header expected,
                         struct flatbuffer_table *ret_header, struct flatbuffer_bytes *ret_body,
                         struct error *err);

/* Sets ERROR_ENGINE_ERROR with what is wrong. */
int arrow_ipc_frame_fail(const char *reason, struct error *err);

#endif
