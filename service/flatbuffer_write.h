/*
 * flatbuffer_write: the small part of the FlatBuffers binary format
 * (flatbuffers.dev/internals) that Arrow's IPC metadata needs, written front to
 * back: a table first, then what it points at, whose place is then put into the
 * table's slot. Positions are relative to where the flatbuffer begins.   [any]
 */
#ifndef SERVICE_FLATBUFFER_WRITE_H
#define SERVICE_FLATBUFFER_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "byte_buffer.h"

#define FLATBUFFER_FIELDS_MAX 8

struct flatbuffer_writer {
    struct byte_buffer *out; /* borrowed */
    size_t base;             /* where the flatbuffer begins in it; 8-byte aligned there */
};

/* One field of a table, by its number; size 0: absent, 1, 2, 4 or 8 bytes. */
struct flatbuffer_field {
    int size;
    int64_t value; /* 0 for a slot that is filled later */
};

/* Begins a flatbuffer at the end of `out`; gives the slot of the root table. */
size_t flatbuffer_begin(struct flatbuffer_writer *writer, struct byte_buffer *out);

/* Writes a table of `count` fields and points `slot` at it; ret_slots gets each
 * field's position. */
void flatbuffer_table(struct flatbuffer_writer *writer, size_t slot,
                      const struct flatbuffer_field *fields, size_t count,
                      size_t ret_slots[FLATBUFFER_FIELDS_MAX]);

void flatbuffer_string(struct flatbuffer_writer *writer, size_t slot, const char *text,
                       size_t length);

/* Room for `count` zeroed items of 4 or 8-byte alignment; gives the first one's position. */
size_t flatbuffer_vector(struct flatbuffer_writer *writer, size_t slot, size_t item_bytes,
                         size_t alignment, size_t count);

/* Overwrites 8 bytes at a position that was given before. */
void flatbuffer_put_int64(struct flatbuffer_writer *writer, size_t position, int64_t value);

#endif
