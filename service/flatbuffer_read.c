#include "flatbuffer_read.h"

#include <string.h>

static bool has(struct flatbuffer_bytes in, size_t at, size_t size)
{
    return at <= in.length && size <= in.length - at;
}

static bool load(struct flatbuffer_bytes in, size_t at, void *ret_value, size_t size)
{
    if (!has(in, at, size))
        return false;
    memcpy(ret_value, in.bytes + at, size);
    return true;
}

/* Follows the forward offset at `at`. */
static bool follow(struct flatbuffer_bytes in, size_t at, size_t *ret_target)
{
    uint32_t distance;

    if (!load(in, at, &distance, sizeof(distance)) || distance > in.length - at)
        return false;
    *ret_target = at + distance;
    return true;
}

static bool open_table(struct flatbuffer_bytes in, size_t at, struct flatbuffer_table *ret_table)
{
    int32_t back;
    int64_t vtable;
    uint16_t sizes[2]; /* vtable, table */

    if (!load(in, at, &back, sizeof(back)))
        return false;
    vtable = (int64_t)at - back;
    if (vtable < 0 || !load(in, (size_t)vtable, sizes, sizeof(sizes)) || sizes[0] < sizeof(sizes) ||
        sizes[0] % sizeof(uint16_t) != 0 || sizes[1] < sizeof(back) ||
        !has(in, (size_t)vtable, sizes[0]) || !has(in, at, sizes[1]))
        return false;
    *ret_table = (struct flatbuffer_table){.in = in,
                                           .at = at,
                                           .vtable = (size_t)vtable,
                                           .field_count = sizes[0] / sizeof(uint16_t) - 2,
                                           .bytes = sizes[1]};
    return true;
}

/* Where a field of `size` bytes lies; 0: absent. */
static bool find_field(const struct flatbuffer_table *table, size_t field, size_t size,
                       size_t *ret_at)
{
    uint16_t offset = 0;

    *ret_at = 0;
    if (field >= table->field_count)
        return true;
    memcpy(&offset, table->in.bytes + table->vtable + (2 + field) * sizeof(offset), sizeof(offset));
    if (offset == 0)
        return true;
    if (offset < sizeof(int32_t) || offset + size > table->bytes)
        return false;
    *ret_at = table->at + offset;
    return true;
}

static bool find_target(const struct flatbuffer_table *table, size_t field, size_t *ret_target)
{
    size_t at;

    *ret_target = 0;
    if (!find_field(table, field, sizeof(uint32_t), &at))
        return false;
    return at == 0 || follow(table->in, at, ret_target);
}

bool flatbuffer_read_root(struct flatbuffer_bytes in, struct flatbuffer_table *ret_table)
{
    size_t at;

    return follow(in, 0, &at) && open_table(in, at, ret_table);
}

bool flatbuffer_read_integer(const struct flatbuffer_table *table, size_t field, size_t size,
                             int64_t fallback, int64_t *ret_value)
{
    const uint8_t *bytes = table->in.bytes;
    int8_t tiny;
    int16_t small;
    int32_t medium;
    size_t at;

    if (!find_field(table, field, size, &at))
        return false;
    *ret_value = fallback;
    if (at == 0)
        return true;
    switch (size) {
    case 1:
        memcpy(&tiny, bytes + at, size);
        *ret_value = tiny;
        break;
    case 2:
        memcpy(&small, bytes + at, size);
        *ret_value = small;
        break;
    case 4:
        memcpy(&medium, bytes + at, size);
        *ret_value = medium;
        break;
    default:
        memcpy(ret_value, bytes + at, sizeof(*ret_value));
        break;
    }
    return true;
}

bool flatbuffer_read_table(const struct flatbuffer_table *table, size_t field,
                           struct flatbuffer_table *ret_table, bool *ret_present)
{
    size_t at;

    if (!find_target(table, field, &at))
        return false;
    *ret_present = at != 0;
    return at == 0 || open_table(table->in, at, ret_table);
}

bool flatbuffer_read_string(const struct flatbuffer_table *table, size_t field,
                            const char **ret_text, size_t *ret_length)
{
    struct flatbuffer_vector bytes;

    if (!flatbuffer_read_vector(table, field, 1, &bytes))
        return false;
    *ret_text = bytes.count > 0 ? (const char *)bytes.in.bytes + bytes.at : "";
    *ret_length = bytes.count;
    return true;
}

bool flatbuffer_read_vector(const struct flatbuffer_table *table, size_t field, size_t item_bytes,
                            struct flatbuffer_vector *ret_vector)
{
    uint32_t count = 0;
    size_t at;

    if (!find_target(table, field, &at))
        return false;
    *ret_vector = (struct flatbuffer_vector){.in = table->in, .item_bytes = item_bytes};
    if (at == 0)
        return true;
    if (!load(table->in, at, &count, sizeof(count)) ||
        count > (table->in.length - at - sizeof(count)) / item_bytes)
        return false;
    ret_vector->at = at + sizeof(count);
    ret_vector->count = count;
    return true;
}

bool flatbuffer_vector_table(const struct flatbuffer_vector *vector, size_t index,
                             struct flatbuffer_table *ret_table)
{
    size_t at;

    return follow(vector->in, vector->at + index * vector->item_bytes, &at) &&
           open_table(vector->in, at, ret_table);
}

int64_t flatbuffer_vector_int64(const struct flatbuffer_vector *vector, size_t index, size_t word)
{
    int64_t value;

    memcpy(&value,
           vector->in.bytes + vector->at + index * vector->item_bytes + word * sizeof(value),
           sizeof(value));
    return value;
}
