/*
 * flatbuffer_read: bounds-checked reading of the FlatBuffers binary format
 * (flatbuffers.dev/internals). Nothing is trusted: every position that the
 * bytes name is looked at before it is used, at any alignment.   [any]
 */
#ifndef SERVICE_FLATBUFFER_READ_H
#define SERVICE_FLATBUFFER_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flatbuffer_bytes {
    const uint8_t *bytes; /* borrowed, as all below */
    size_t length;
};

struct flatbuffer_table {
    struct flatbuffer_bytes in;
    size_t at;
    size_t vtable;
    size_t field_count;
    size_t bytes; /* of the table itself */
};

struct flatbuffer_vector {
    struct flatbuffer_bytes in;
    size_t at; /* of the first item */
    size_t count;
    size_t item_bytes;
};

/* All give false for bytes that are malformed. An absent field is not: it gives
 * `fallback`, a vector of no items, or present = false. */
bool flatbuffer_read_root(struct flatbuffer_bytes in, struct flatbuffer_table *ret_table);
bool flatbuffer_read_integer(const struct flatbuffer_table *table, size_t field, size_t size,
                             int64_t fallback, int64_t *ret_value);
bool flatbuffer_read_table(const struct flatbuffer_table *table, size_t field,
                           struct flatbuffer_table *ret_table, bool *ret_present);
bool flatbuffer_read_string(const struct flatbuffer_table *table, size_t field,
                            const char **ret_text, size_t *ret_length);
bool flatbuffer_read_vector(const struct flatbuffer_table *table, size_t field, size_t item_bytes,
                            struct flatbuffer_vector *ret_vector);

/* `index` is within the vector. */
bool flatbuffer_vector_table(const struct flatbuffer_vector *vector, size_t index,
                             struct flatbuffer_table *ret_table);
/* The 8-byte integer `word` of a struct item. */
int64_t flatbuffer_vector_int64(const struct flatbuffer_vector *vector, size_t index, size_t word);

#endif
