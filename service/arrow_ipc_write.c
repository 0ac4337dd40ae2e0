/*
 * The half of arrow_ipc_write that writes batches: the tree of arrays is walked
 * once and leaves a list of nodes and one of pieces; then metadata and body are
 * written from the lists.
 */
#include "arrow_ipc_write.h"

#include "arrow_format.h"
#include "arrow_ipc_message.h"

enum piece_kind { PIECE_BYTES, PIECE_BITS, PIECE_OFFSETS32, PIECE_OFFSETS64 };

/* One buffer of the body, still where the array has it. */
struct piece {
    enum piece_kind kind;
    const uint8_t *source;
    int64_t first; /* bits: the first; offsets: the value that becomes 0 */
    int64_t bits;  /* how many, of PIECE_BITS */
    int64_t bytes; /* as written, before padding */
};

struct node {
    int64_t length;
    int64_t null_count;
};

struct batch_plan {
    struct byte_buffer nodes;
    struct byte_buffer pieces;
    int64_t body_bytes;
};

static int plan_column(struct batch_plan *plan, const struct ArrowSchema *schema,
                       const struct ArrowArray *array, int64_t first, int64_t count,
                       struct error *err);

static int fail(const struct ArrowSchema *schema, const char *reason, struct error *err)
{
    return error_set(err, ERROR_ENGINE_ERROR, "result batch: column %.200s: %s",
                     schema->name != NULL ? schema->name : "", reason);
}

static int64_t padded(int64_t bytes)
{
    const int64_t alignment = (int64_t)ARROW_IPC_ALIGNMENT;

    return (bytes + alignment - 1) / alignment * alignment;
}

static void add_piece(struct batch_plan *plan, enum piece_kind kind, const void *source,
                      int64_t first, int64_t bytes)
{
    const struct piece piece = {.kind = kind, .source = source, .first = first, .bytes = bytes};

    byte_buffer_append(&plan->pieces, &piece, sizeof(piece));
    plan->body_bytes += padded(bytes);
}

static void add_bits(struct batch_plan *plan, const uint8_t *bitmap, int64_t first, int64_t count)
{
    const struct piece piece = {.kind = PIECE_BITS,
                                .source = bitmap,
                                .first = first,
                                .bits = count,
                                .bytes = (count + 7) / 8};

    byte_buffer_append(&plan->pieces, &piece, sizeof(piece));
    plan->body_bytes += padded(piece.bytes);
}

/* ---- bits ---- */

/* Eight bits of a bitmap from `bit` on, those at or beyond `end` as 0. */
static unsigned bits_at(const uint8_t *bitmap, int64_t bit, int64_t end)
{
    int64_t left = end - bit;
    unsigned shift = (unsigned)(bit & 7);
    unsigned bits = (unsigned)bitmap[bit >> 3] >> shift;

    if (shift + (left < 8 ? left : 8) > 8)
        bits |= (unsigned)bitmap[(bit >> 3) + 1] << (8 - shift);
    return left < 8 ? bits & ((1u << left) - 1) : bits & 0xFF;
}

static int64_t count_nulls(const uint8_t *bitmap, int64_t first, int64_t count)
{
    int64_t valid = 0;

    for (int64_t bit = first; bit < first + count; bit += 8)
        valid += __builtin_popcount(bits_at(bitmap, bit, first + count));
    return count - valid;
}

/* ---- the plan ---- */

/* A bitmap without a null in it isn't written. */
static int plan_node(struct batch_plan *plan, const struct ArrowSchema *schema,
                     const struct ArrowArray *array, int64_t first, int64_t count,
                     struct error *err)
{
    const uint8_t *bitmap = array->buffers[0];
    struct node node = {.length = count};

    if (array->null_count > 0 && bitmap == NULL)
        return fail(schema, "nulls without a validity bitmap", err);
    if (array->null_count != 0 && bitmap != NULL)
        node.null_count = count_nulls(bitmap, first, count);
    byte_buffer_append(&plan->nodes, &node, sizeof(node));
    add_bits(plan, bitmap, first, node.null_count > 0 ? count : 0);
    return 0;
}

static int64_t offset_at(const struct arrow_type *type, const void *offsets, int64_t index)
{
    if (type->layout == ARROW_OFFSETS32)
        return ((const int32_t *)offsets)[index];
    return ((const int64_t *)offsets)[index];
}

/* Gives what the offsets point at: [*ret_first, *ret_end). */
static int plan_offsets(struct batch_plan *plan, const struct ArrowSchema *schema,
                        const struct arrow_type *type, const struct ArrowArray *array,
                        int64_t first, int64_t count, int64_t *ret_first, int64_t *ret_end,
                        struct error *err)
{
    static const int64_t zero = 0;
    bool small = type->layout == ARROW_OFFSETS32;
    int64_t width = small ? 4 : 8;
    const uint8_t *offsets = array->buffers[1];

    *ret_first = 0;
    *ret_end = 0;
    if (count == 0) { /* an empty array may have no offsets at all */
        add_piece(plan, PIECE_BYTES, &zero, 0, width);
        return 0;
    }
    if (offsets == NULL)
        return fail(schema, "no offsets", err);
    *ret_first = offset_at(type, offsets, first);
    *ret_end = offset_at(type, offsets, first + count);
    if (*ret_first < 0 || *ret_end < *ret_first)
        return fail(schema, "offsets out of order", err);
    add_piece(plan,
              *ret_first == 0 ? PIECE_BYTES
              : small         ? PIECE_OFFSETS32
                              : PIECE_OFFSETS64,
              offsets + first * width, *ret_first, (count + 1) * width);
    return 0;
}

static int plan_bytes(struct batch_plan *plan, const struct ArrowSchema *schema,
                      const struct arrow_type *type, const struct ArrowArray *array, int64_t first,
                      int64_t count, struct error *err)
{
    const uint8_t *bytes = NULL;
    int64_t begin;
    int64_t end;

    if (plan_offsets(plan, schema, type, array, first, count, &begin, &end, err) != 0)
        return -1;
    bytes = array->buffers[2];
    if (bytes == NULL && end > begin)
        return fail(schema, "no bytes", err);
    add_piece(plan, PIECE_BYTES, bytes != NULL ? bytes + begin : NULL, 0, end - begin);
    return 0;
}

static int plan_values(struct batch_plan *plan, const struct ArrowSchema *schema,
                       const struct arrow_type *type, const struct ArrowArray *array, int64_t first,
                       int64_t count, struct error *err)
{
    const uint8_t *values = array->buffers[1];
    int64_t width = type->value_bytes;

    if (values == NULL && count > 0 && (width > 0 || type->kind == ARROW_BOOLEAN))
        return fail(schema, "no values", err);
    if (type->kind == ARROW_BOOLEAN)
        add_bits(plan, values, first, count);
    else
        add_piece(plan, PIECE_BYTES, values != NULL ? values + first * width : NULL, 0,
                  count * width);
    return 0;
}

static int plan_list(struct batch_plan *plan, const struct ArrowSchema *schema,
                     const struct arrow_type *type, const struct ArrowArray *array, int64_t first,
                     int64_t count, struct error *err)
{
    int64_t begin;
    int64_t end;

    if (type->layout != ARROW_FIXED) {
        if (plan_offsets(plan, schema, type, array, first, count, &begin, &end, err) != 0)
            return -1;
    } else if (__builtin_mul_overflow(first, type->list_size, &begin) ||
               __builtin_mul_overflow(first + count, type->list_size, &end)) {
        return fail(schema, "offset or length out of range", err);
    }
    return plan_column(plan, schema->children[0], array->children[0], begin, end - begin, err);
}

static int check_array(const struct ArrowSchema *schema, const struct arrow_type *type,
                       const struct ArrowArray *array, int64_t first, int64_t count,
                       struct error *err)
{
    if (array->offset < 0 || array->length < 0 || array->offset > INT64_MAX - array->length ||
        count > array->length || first > array->length - count)
        return fail(schema, "too short", err);
    if (array->n_buffers != arrow_type_buffers(type) || array->buffers == NULL)
        return fail(schema, "wrong number of buffers", err);
    if (array->n_children != schema->n_children ||
        (array->n_children > 0 && array->children == NULL))
        return fail(schema, "wrong number of children", err);
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i] == NULL)
            return fail(schema, "a child is missing", err);
    }
    return 0;
}

/* The cells [first, first + count) of an array, before its own offset. */
static int plan_column(struct batch_plan *plan, const struct ArrowSchema *schema,
                       const struct ArrowArray *array, int64_t first, int64_t count,
                       struct error *err)
{
    const struct node nothing = {.length = count, .null_count = count};
    struct arrow_type type;

    if (!arrow_format_parse(schema->format, &type))
        return fail(schema, "unknown type", err);
    if (type.kind == ARROW_NULL) { /* Arrow Java 12 (Spark 3.5) gives it length 0 */
        byte_buffer_append(&plan->nodes, &nothing, sizeof(nothing));
        return 0;
    }
    if (check_array(schema, &type, array, first, count, err) != 0)
        return -1;
    first += array->offset;
    if (plan_node(plan, schema, array, first, count, err) != 0)
        return -1;
    if (type.kind == ARROW_LIST || type.kind == ARROW_MAP)
        return plan_list(plan, schema, &type, array, first, count, err);
    if (type.kind == ARROW_STRUCT) {
        for (int64_t i = 0; i < array->n_children; i++) {
            if (plan_column(plan, schema->children[i], array->children[i], first, count, err) != 0)
                return -1;
        }
        return 0;
    }
    if (type.layout == ARROW_FIXED)
        return plan_values(plan, schema, &type, array, first, count, err);
    return plan_bytes(plan, schema, &type, array, first, count, err);
}

/* ---- writing ---- */

static void copy_offsets32(const uint8_t *source, int64_t base, int64_t bytes, char *target)
{
    const int32_t *from = (const int32_t *)(const void *)source;

    for (int64_t i = 0; i < bytes / 4; i++) {
        int32_t offset = from[i] - (int32_t)base;
        memcpy(target + i * 4, &offset, sizeof(offset));
    }
}

static void copy_offsets64(const uint8_t *source, int64_t base, int64_t bytes, char *target)
{
    const int64_t *from = (const int64_t *)(const void *)source;

    for (int64_t i = 0; i < bytes / 8; i++) {
        int64_t offset = from[i] - base;
        memcpy(target + i * 8, &offset, sizeof(offset));
    }
}

static void copy_bits(const struct piece *piece, char *target)
{
    int64_t end = piece->first + piece->bits;
    int64_t whole = piece->first % 8 == 0 ? piece->bits / 8 : 0;

    if (whole > 0)
        memcpy(target, piece->source + piece->first / 8, (size_t)whole);
    for (int64_t i = whole; i < piece->bytes; i++)
        target[i] = (char)bits_at(piece->source, piece->first + i * 8, end);
}

static void copy_piece(const struct piece *piece, char *target)
{
    switch (piece->kind) {
    case PIECE_BYTES:
        if (piece->bytes > 0)
            memcpy(target, piece->source, (size_t)piece->bytes);
        break;
    case PIECE_BITS:
        copy_bits(piece, target);
        break;
    case PIECE_OFFSETS32:
        copy_offsets32(piece->source, piece->first, piece->bytes, target);
        break;
    case PIECE_OFFSETS64:
        copy_offsets64(piece->source, piece->first, piece->bytes, target);
        break;
    }
    memset(target + piece->bytes, 0, (size_t)(padded(piece->bytes) - piece->bytes));
}

static int write_metadata(const struct batch_plan *plan, int64_t rows, struct byte_buffer *out,
                          struct error *err)
{
    const struct flatbuffer_field fields[BATCH_FIELDS] = {
        [BATCH_LENGTH] = {8, rows},
        [BATCH_NODES] = {4, 0},
        [BATCH_BUFFERS] = {4, 0},
    };
    const struct node *nodes = (const void *)plan->nodes.data;
    const struct piece *pieces = (const void *)plan->pieces.data;
    size_t node_count = plan->nodes.length / sizeof(*nodes);
    size_t piece_count = plan->pieces.length / sizeof(*pieces);
    struct arrow_ipc_message message;
    size_t slots[FLATBUFFER_FIELDS_MAX];
    size_t at = 0;
    int64_t offset = 0;

    arrow_ipc_message_begin(&message, ARROW_IPC_RECORD_BATCH, plan->body_bytes, out);
    flatbuffer_table(&message.writer, message.header_slot, fields, BATCH_FIELDS, slots);
    at =
        flatbuffer_vector(&message.writer, slots[BATCH_NODES], ARROW_IPC_PAIR_BYTES, 8, node_count);
    for (size_t i = 0; i < node_count; i++, at += ARROW_IPC_PAIR_BYTES) {
        flatbuffer_put_int64(&message.writer, at, nodes[i].length);
        flatbuffer_put_int64(&message.writer, at + 8, nodes[i].null_count);
    }
    at = flatbuffer_vector(&message.writer, slots[BATCH_BUFFERS], ARROW_IPC_PAIR_BYTES, 8,
                           piece_count);
    for (size_t i = 0; i < piece_count; i++, at += ARROW_IPC_PAIR_BYTES) {
        flatbuffer_put_int64(&message.writer, at, offset);
        flatbuffer_put_int64(&message.writer, at + 8, pieces[i].bytes);
        offset += padded(pieces[i].bytes);
    }
    return arrow_ipc_message_end(&message, err);
}

static void write_body(const struct batch_plan *plan, struct byte_buffer *out)
{
    const struct piece *pieces = (const void *)plan->pieces.data;
    size_t piece_count = plan->pieces.length / sizeof(*pieces);

    for (size_t i = 0; i < piece_count; i++) {
        copy_piece(&pieces[i], out->data + out->length);
        out->length += (size_t)padded(pieces[i].bytes);
    }
}

static int plan_batch(struct batch_plan *plan, const struct ArrowSchema *schema,
                      const struct ArrowArray *batch, int64_t first, int64_t count,
                      struct error *err)
{
    if (first < 0 || count < 0 || batch->offset < 0 || count > batch->length ||
        first > batch->length - count)
        return fail(schema, "rows out of range", err);
    if (batch->n_children != schema->n_children)
        return fail(schema, "wrong number of columns", err);
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (batch->children[i] == NULL)
            return fail(schema, "a column is missing", err);
        if (plan_column(plan, schema->children[i], batch->children[i], batch->offset + first, count,
                        err) != 0)
            return -1;
    }
    if (plan->nodes.failed || plan->pieces.failed)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
    return 0;
}

int arrow_ipc_write_batch(const struct ArrowSchema *schema, const struct ArrowArray *batch,
                          int64_t first, int64_t count, struct byte_buffer *out, struct error *err)
{
    struct batch_plan plan = {0};
    size_t start = out->length;
    int rc = -1;

    if (plan_batch(&plan, schema, batch, first, count, err) != 0 ||
        write_metadata(&plan, count, out, err) != 0)
        goto out;
    if (!byte_buffer_reserve(out, (size_t)plan.body_bytes)) {
        out->length = start;
        error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
        goto out;
    }
    write_body(&plan, out);
    rc = 0;
out:
    byte_buffer_done(&plan.nodes);
    byte_buffer_done(&plan.pieces);
    return rc;
}

void arrow_ipc_write_end(struct byte_buffer *out)
{
    const uint32_t mark[2] = {ARROW_IPC_CONTINUATION, 0};

    byte_buffer_append(out, mark, sizeof(mark));
}
