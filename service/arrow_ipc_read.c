/*
 * The half of arrow_ipc_read that reads batches.
 */
#include "arrow_ipc_read.h"

#include <stdlib.h>
#include <string.h>

#include "arrow_format.h"
#include "arrow_ipc_frame.h"

struct batch_reader {
    struct flatbuffer_bytes body;
    struct flatbuffer_vector nodes;
    struct flatbuffer_vector buffers;
    size_t next_node;
    size_t next_buffer;
    struct error *err;
};

/* A buffer of the body, as the C Data Interface has no place for its length. */
struct body_buffer {
    const void *bytes; /* NULL when empty */
    int64_t length;
};

static int read_array(struct batch_reader *reader, const struct ArrowSchema *schema,
                      int64_t length_min, struct ArrowArray *array);

static int fail(struct batch_reader *reader, const char *reason)
{
    return arrow_ipc_frame_fail(reason, reader->err);
}

static void release_array(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release != NULL)
            array->children[i]->release(array->children[i]);
        free(array->children[i]);
    }
    free(array->children);
    free(array->buffers);
    free(array->private_data); /* the message, of the root */
    array->release = NULL;
}

static int next_node(struct batch_reader *reader, struct ArrowArray *array)
{
    size_t at = reader->next_node++;

    if (at >= reader->nodes.count)
        return fail(reader, "a node is missing");
    array->length = flatbuffer_vector_int64(&reader->nodes, at, 0);
    array->null_count = flatbuffer_vector_int64(&reader->nodes, at, 1);
    if (array->length < 0 || array->null_count < 0 || array->null_count > array->length)
        return fail(reader, "a node out of range");
    return 0;
}

static int next_buffer(struct batch_reader *reader, struct body_buffer *ret_buffer)
{
    size_t at = reader->next_buffer++;
    int64_t body_bytes = (int64_t)reader->body.length;
    int64_t offset;
    int64_t length;

    if (at >= reader->buffers.count)
        return fail(reader, "a buffer is missing");
    offset = flatbuffer_vector_int64(&reader->buffers, at, 0);
    length = flatbuffer_vector_int64(&reader->buffers, at, 1);
    if (offset < 0 || length < 0 || offset > body_bytes || length > body_bytes - offset ||
        offset % (int64_t)ARROW_IPC_ALIGNMENT != 0)
        return fail(reader, "a buffer out of range");
    ret_buffer->bytes = length > 0 ? reader->body.bytes + offset : NULL;
    ret_buffer->length = length;
    return 0;
}

/* Whether `count` items of `width` bytes fit into the buffer. */
static bool holds(const struct body_buffer *buffer, int64_t count, int64_t width)
{
    return width == 0 || count <= buffer->length / width;
}

static int read_validity(struct batch_reader *reader, struct ArrowArray *array)
{
    struct body_buffer bitmap;

    if (next_buffer(reader, &bitmap) != 0)
        return -1;
    if (array->null_count > 0 && bitmap.length < array->length / 8 + (array->length % 8 != 0))
        return fail(reader, "a bitmap that is too short");
    array->buffers[0] = array->null_count > 0 ? bitmap.bytes : NULL;
    return 0;
}

static bool offsets32_are_sound(const int32_t *offsets, int64_t count, int64_t limit)
{
    bool sound = offsets[0] >= 0 && offsets[count] <= limit;

    for (int64_t i = 0; i < count; i++)
        sound &= offsets[i] <= offsets[i + 1];
    return sound;
}

static bool offsets64_are_sound(const int64_t *offsets, int64_t count, int64_t limit)
{
    bool sound = offsets[0] >= 0 && offsets[count] <= limit;

    for (int64_t i = 0; i < count; i++)
        sound &= offsets[i] <= offsets[i + 1];
    return sound;
}

/* In order, and within what they point into. */
static int check_offsets(struct batch_reader *reader, const struct arrow_type *type,
                         const struct body_buffer *offsets, int64_t count, int64_t limit)
{
    int64_t width = type->layout == ARROW_OFFSETS32 ? 4 : 8;

    if (count == 0)
        return 0;
    if (count == INT64_MAX || !holds(offsets, count + 1, width))
        return fail(reader, "offsets that are too short");
    if (width == 4 ? offsets32_are_sound(offsets->bytes, count, limit)
                   : offsets64_are_sound(offsets->bytes, count, limit))
        return 0;
    return fail(reader, "offsets out of range");
}

static int read_values(struct batch_reader *reader, const struct arrow_type *type,
                       struct ArrowArray *array)
{
    struct body_buffer values;
    bool fits = false;

    if (next_buffer(reader, &values) != 0)
        return -1;
    if (type->kind == ARROW_BOOLEAN)
        fits = values.length >= array->length / 8 + (array->length % 8 != 0);
    else
        fits = holds(&values, array->length, type->value_bytes);
    if (!fits)
        return fail(reader, "values that are too short");
    array->buffers[1] = values.bytes;
    return 0;
}

static int read_bytes(struct batch_reader *reader, const struct arrow_type *type,
                      struct ArrowArray *array)
{
    struct body_buffer offsets;
    struct body_buffer bytes;

    if (next_buffer(reader, &offsets) != 0 || next_buffer(reader, &bytes) != 0)
        return -1;
    array->buffers[1] = offsets.bytes;
    array->buffers[2] = bytes.bytes;
    return check_offsets(reader, type, &offsets, array->length, bytes.length);
}

static int read_list(struct batch_reader *reader, const struct ArrowSchema *schema,
                     const struct arrow_type *type, struct ArrowArray *array)
{
    struct body_buffer offsets = {0};
    int64_t needed = 0;

    if (type->layout == ARROW_FIXED) {
        if (__builtin_mul_overflow(array->length, type->list_size, &needed))
            return fail(reader, "a length out of range");
        return read_array(reader, schema->children[0], needed, array->children[0]);
    }
    if (next_buffer(reader, &offsets) != 0)
        return -1;
    array->buffers[1] = offsets.bytes;
    if (read_array(reader, schema->children[0], 0, array->children[0]) != 0)
        return -1;
    return check_offsets(reader, type, &offsets, array->length, array->children[0]->length);
}

/* Room for buffers and children; what is there is freed by release_array. */
static int make_array(struct batch_reader *reader, const struct ArrowSchema *schema,
                      int64_t n_buffers, struct ArrowArray *array)
{
    array->release = release_array;
    array->n_buffers = n_buffers;
    array->buffers = calloc((size_t)n_buffers + 1, sizeof(void *));
    array->children = calloc((size_t)schema->n_children + 1, sizeof(struct ArrowArray *));
    if (array->buffers == NULL || array->children == NULL)
        return fail(reader, "no memory for it");
    for (int64_t i = 0; i < schema->n_children; i++) {
        array->children[i] = calloc(1, sizeof(struct ArrowArray));
        if (array->children[i] == NULL)
            return fail(reader, "no memory for it");
        array->n_children++;
    }
    return 0;
}

static int read_array(struct batch_reader *reader, const struct ArrowSchema *schema,
                      int64_t length_min, struct ArrowArray *array)
{
    struct arrow_type type = {0};

    if (!arrow_format_parse(schema->format, &type))
        return fail(reader, "an unknown type");
    if (make_array(reader, schema, arrow_type_buffers(&type), array) != 0 ||
        next_node(reader, array) != 0)
        return -1;
    if (array->length < length_min)
        return fail(reader, "a column that is too short");
    if (type.kind == ARROW_NULL)
        return 0;
    if (read_validity(reader, array) != 0)
        return -1;
    if (type.kind == ARROW_LIST || type.kind == ARROW_MAP)
        return read_list(reader, schema, &type, array);
    if (type.kind == ARROW_STRUCT) {
        for (int64_t i = 0; i < array->n_children; i++) {
            if (read_array(reader, schema->children[i], array->length, array->children[i]) != 0)
                return -1;
        }
        return 0;
    }
    return type.layout == ARROW_FIXED ? read_values(reader, &type, array)
                                      : read_bytes(reader, &type, array);
}

static int read_columns(struct batch_reader *reader, const struct ArrowSchema *schema,
                        struct ArrowArray *batch)
{
    if (make_array(reader, schema, 1, batch) != 0)
        return -1;
    for (int64_t i = 0; i < batch->n_children; i++) {
        if (read_array(reader, schema->children[i], batch->length, batch->children[i]) != 0)
            return -1;
    }
    return 0;
}

int arrow_ipc_read_batch(const struct ArrowSchema *schema, void *message, size_t length,
                         struct ArrowArray *ret_batch, struct error *err)
{
    struct batch_reader reader = {.err = err};
    struct ArrowArray batch = {0};
    struct flatbuffer_table header;
    struct flatbuffer_table compression;
    bool compressed = false;

    if (arrow_ipc_frame_read(message, length, ARROW_IPC_RECORD_BATCH, &header, &reader.body, err) !=
        0)
        return -1;
    if (!flatbuffer_read_integer(&header, BATCH_LENGTH, 8, 0, &batch.length) || batch.length < 0 ||
        !flatbuffer_read_vector(&header, BATCH_NODES, ARROW_IPC_PAIR_BYTES, &reader.nodes) ||
        !flatbuffer_read_vector(&header, BATCH_BUFFERS, ARROW_IPC_PAIR_BYTES, &reader.buffers) ||
        !flatbuffer_read_table(&header, BATCH_COMPRESSION, &compression, &compressed))
        return fail(&reader, "a malformed batch");
    if (compressed)
        return fail(&reader, "a compressed body");
    if (read_columns(&reader, schema, &batch) != 0) {
        release_array(&batch);
        return -1;
    }
    batch.private_data = message;
    *ret_batch = batch;
    return 0;
}
