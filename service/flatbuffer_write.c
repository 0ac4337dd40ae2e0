#include "flatbuffer_write.h"

/* Arrow's metadata is little-endian; so is every machine this service is built for. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian only");

static size_t position(const struct flatbuffer_writer *writer)
{
    return writer->out->length - writer->base;
}

static void append_zeros(struct byte_buffer *out, size_t count)
{
    if (count > 0 && byte_buffer_reserve(out, count)) {
        memset(out->data + out->length, 0, count);
        out->length += count;
    }
}

/* Pads so that `ahead` bytes further on is a multiple of `alignment`. */
static void align_behind(struct flatbuffer_writer *writer, size_t ahead, size_t alignment)
{
    size_t over = (position(writer) + ahead) % alignment;

    append_zeros(writer->out, over > 0 ? alignment - over : 0);
}

static void put(struct flatbuffer_writer *writer, size_t at, const void *value, size_t size)
{
    if (!writer->out->failed)
        memcpy(writer->out->data + writer->base + at, value, size);
}

static void point(struct flatbuffer_writer *writer, size_t slot, size_t target)
{
    uint32_t distance = (uint32_t)(target - slot);

    put(writer, slot, &distance, sizeof(distance));
}

size_t flatbuffer_begin(struct flatbuffer_writer *writer, struct byte_buffer *out)
{
    *writer = (struct flatbuffer_writer){.out = out, .base = out->length};
    append_zeros(out, sizeof(uint32_t));
    return 0;
}

void flatbuffer_table(struct flatbuffer_writer *writer, size_t slot,
                      const struct flatbuffer_field *fields, size_t count,
                      size_t ret_slots[FLATBUFFER_FIELDS_MAX])
{
    uint16_t vtable[2 + FLATBUFFER_FIELDS_MAX] = {0};
    size_t vtable_bytes = (2 + count) * sizeof(vtable[0]);
    size_t table = 0;
    size_t end = sizeof(int32_t);
    int32_t back = 0;

    for (size_t i = 0; i < count; i++) {
        size_t size = (size_t)fields[i].size;
        if (size == 0)
            continue;
        end = (end + size - 1) / size * size;
        vtable[2 + i] = (uint16_t)end;
        end += size;
    }
    vtable[0] = (uint16_t)vtable_bytes;
    vtable[1] = (uint16_t)end;
    align_behind(writer, vtable_bytes, sizeof(int64_t));
    back = (int32_t)vtable_bytes;
    table = position(writer) + vtable_bytes;
    byte_buffer_append(writer->out, vtable, vtable_bytes);
    append_zeros(writer->out, end);
    put(writer, table, &back, sizeof(back));
    for (size_t i = 0; i < count; i++) {
        ret_slots[i] = table + vtable[2 + i];
        put(writer, ret_slots[i], &fields[i].value, (size_t)fields[i].size);
    }
    point(writer, slot, table);
}

void flatbuffer_string(struct flatbuffer_writer *writer, size_t slot, const char *text,
                       size_t length)
{
    uint32_t count = (uint32_t)length;

    align_behind(writer, 0, sizeof(count));
    point(writer, slot, position(writer));
    byte_buffer_append(writer->out, &count, sizeof(count));
    byte_buffer_append(writer->out, text, length);
    append_zeros(writer->out, 1);
}

size_t flatbuffer_vector(struct flatbuffer_writer *writer, size_t slot, size_t item_bytes,
                         size_t alignment, size_t count)
{
    uint32_t items = (uint32_t)count;
    size_t first = 0;

    align_behind(writer, sizeof(items), alignment);
    point(writer, slot, position(writer));
    byte_buffer_append(writer->out, &items, sizeof(items));
    first = position(writer);
    append_zeros(writer->out, item_bytes * count);
    return first;
}

void flatbuffer_put_int64(struct flatbuffer_writer *writer, size_t at, int64_t value)
{
    put(writer, at, &value, sizeof(value));
}
