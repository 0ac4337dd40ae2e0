/*
 * result_batch: the half of result_columns that reads arrays: binding a batch
 * to the column tree and finding the variable-sized cells in it.
 */
#include "result_columns.h"

#include <string.h>

#define VIEW_BYTES 16
#define VIEW_INLINE_MAX 12

static int bind_column(struct result_column *column, const struct ArrowArray *array,
                       int64_t length_needed, struct error *err);

static int fail(struct error *err, const struct result_column *column, const char *reason)
{
    return error_set(err, ERROR_ENGINE_ERROR, "result batch: column %.200s: %s",
                     column->name != NULL ? column->name : "(root)", reason);
}

static bool offset_at(const struct result_column *column, int64_t index, int64_t *ret_first,
                      int64_t *ret_end)
{
    if (column->type.layout == ARROW_OFFSETS32) {
        const int32_t *offsets = (const int32_t *)column->values + index;

        *ret_first = offsets[0];
        *ret_end = offsets[1];
    } else {
        const int64_t *offsets = (const int64_t *)column->values + index;

        *ret_first = offsets[0];
        *ret_end = offsets[1];
    }
    return *ret_first >= 0 && *ret_end >= *ret_first;
}

static bool view_bytes(const struct result_column *column, int64_t index, const uint8_t **ret_bytes,
                       size_t *ret_length)
{
    const uint8_t *view = (const uint8_t *)column->values + index * VIEW_BYTES;
    int32_t length;
    int32_t place[2]; /* buffer, offset in it */

    memcpy(&length, view, sizeof(length));
    if (length < 0)
        return false;
    *ret_length = (size_t)length;
    if (length <= VIEW_INLINE_MAX) {
        *ret_bytes = view + sizeof(length);
        return true;
    }
    memcpy(place, view + 8, sizeof(place));
    if (place[0] < 0 || place[0] >= column->view_count || place[1] < 0 ||
        column->view_bytes[place[0]] == NULL || column->view_sizes[place[0]] - place[1] < length)
        return false;
    *ret_bytes = (const uint8_t *)column->view_bytes[place[0]] + place[1];
    return true;
}

bool result_column_bytes(const struct result_column *column, int64_t index,
                         const uint8_t **ret_bytes, size_t *ret_length)
{
    int64_t first;
    int64_t end;

    index += column->offset;
    switch (column->type.layout) {
    case ARROW_FIXED:
        *ret_length = (size_t)column->type.value_bytes;
        *ret_bytes = (const uint8_t *)""; /* cells of no bytes may have no buffer */
        if (*ret_length > 0)
            *ret_bytes = (const uint8_t *)column->values + index * column->type.value_bytes;
        return true;
    case ARROW_VIEWS:
        return view_bytes(column, index, ret_bytes, ret_length);
    default:
        if (!offset_at(column, index, &first, &end) || (end > first && column->bytes == NULL))
            return false;
        *ret_bytes = column->bytes != NULL ? column->bytes + first : (const uint8_t *)"";
        *ret_length = (size_t)(end - first);
        return true;
    }
}

bool result_column_items(const struct result_column *column, int64_t index, int64_t *ret_first,
                         int64_t *ret_end)
{
    index += column->offset;
    if (column->type.layout == ARROW_FIXED) {
        *ret_first = index * column->type.list_size;
        *ret_end = *ret_first + column->type.list_size;
        return true;
    }
    if (!offset_at(column, index, ret_first, ret_end))
        return false;
    for (size_t i = 0; i < column->child_count; i++) {
        if (*ret_end > column->children[i].length)
            return false;
    }
    return true;
}

bool result_column_dictionary_index(const struct result_column *column, int64_t index,
                                    int64_t *ret_index)
{
    const void *values = column->values;
    uint64_t found; /* a negative index becomes one beyond every length */

    index += column->offset;
    switch (column->type.kind) {
    case ARROW_INT8:
        found = (uint64_t)((const int8_t *)values)[index];
        break;
    case ARROW_UINT8:
        found = ((const uint8_t *)values)[index];
        break;
    case ARROW_INT16:
        found = (uint64_t)((const int16_t *)values)[index];
        break;
    case ARROW_UINT16:
        found = ((const uint16_t *)values)[index];
        break;
    case ARROW_INT32:
        found = (uint64_t)((const int32_t *)values)[index];
        break;
    case ARROW_UINT32:
        found = ((const uint32_t *)values)[index];
        break;
    default:
        found = ((const uint64_t *)values)[index];
        break;
    }
    if (found >= (uint64_t)column->dictionary->length)
        return false;
    *ret_index = (int64_t)found;
    return true;
}

static int bind_views(struct result_column *column, const struct ArrowArray *array,
                      struct error *err)
{
    const int64_t *sizes = array->buffers[array->n_buffers - 1];

    column->view_count = array->n_buffers - 3;
    column->view_bytes = (const void *const *)array->buffers + 2;
    column->view_sizes = sizes;
    if (column->view_count > 0 && sizes == NULL)
        return fail(err, column, "a view array without its sizes");
    return 0;
}

static int bind_buffers(struct result_column *column, const struct ArrowArray *array,
                        struct error *err)
{
    int needed = arrow_type_buffers(&column->type);
    bool views = column->type.layout == ARROW_VIEWS;

    if (array->n_buffers < needed || (!views && array->n_buffers > needed))
        return fail(err, column, "wrong number of buffers");
    if (needed > 0 && array->buffers == NULL)
        return fail(err, column, "no buffers");
    column->validity = NULL;
    column->values = NULL;
    column->bytes = NULL;
    if (needed == 0)
        return 0;
    if (array->null_count != 0)
        column->validity = array->buffers[0];
    if (array->null_count > 0 && column->validity == NULL)
        return fail(err, column, "nulls without a validity bitmap");
    if (needed == 1)
        return 0;
    column->values = array->buffers[1];
    if (column->values == NULL && array->length > 0 &&
        !(column->type.kind == ARROW_BINARY && column->type.layout == ARROW_FIXED &&
          column->type.value_bytes == 0))
        return fail(err, column, "no values");
    if (views)
        return bind_views(column, array, err);
    if (needed == 3)
        column->bytes = array->buffers[2];
    return 0;
}

static int bind_map(struct result_column *column, const struct ArrowArray *array, struct error *err)
{
    const struct ArrowArray *entries = array->children[0];

    if (entries == NULL || entries->n_children != 2 || entries->children == NULL)
        return fail(err, column, "a map without key and value");
    if (entries->offset < 0 || entries->length < 0 || entries->offset > INT64_MAX - entries->length)
        return fail(err, column, "offset or length out of range");
    for (size_t i = 0; i < 2; i++) {
        struct result_column *child = &column->children[i];

        if (bind_column(child, entries->children[i], entries->offset + entries->length, err) < 0)
            return -1;
        child->offset += entries->offset;
        child->length = entries->length;
    }
    return 0;
}

static int bind_children(struct result_column *column, const struct ArrowArray *array,
                         struct error *err)
{
    int64_t cells = array->offset + array->length;
    int64_t expected = column->type.kind == ARROW_MAP ? 1 : (int64_t)column->child_count;
    int64_t length_needed = 0;

    if (array->n_children != expected || (expected > 0 && array->children == NULL))
        return fail(err, column, "wrong number of children");
    if (column->type.kind == ARROW_MAP)
        return bind_map(column, array, err);
    if (column->type.kind == ARROW_STRUCT)
        length_needed = cells;
    else if (column->type.layout == ARROW_FIXED &&
             __builtin_mul_overflow(cells, column->type.list_size, &length_needed))
        return fail(err, column, "offset or length out of range");
    for (size_t i = 0; i < column->child_count; i++) {
        if (bind_column(&column->children[i], array->children[i], length_needed, err) < 0)
            return -1;
    }
    return 0;
}

static int bind_column(struct result_column *column, const struct ArrowArray *array,
                       int64_t length_needed, struct error *err)
{
    if (array == NULL)
        return fail(err, column, "no array");
    if (array->offset < 0 || array->length < 0 || array->offset > INT64_MAX - array->length)
        return fail(err, column, "offset or length out of range");
    if (column->type.kind == ARROW_NULL) {
        /* No bytes, so none are missing: Arrow Java 12 (Spark 3.5) gives it length 0. */
        column->offset = 0;
        column->length = INT64_MAX;
        return 0;
    }
    if (array->length < length_needed)
        return fail(err, column, "too short");
    column->offset = array->offset;
    column->length = array->length;
    if (bind_buffers(column, array, err) < 0)
        return -1;
    if (column->dictionary != NULL) {
        if (array->dictionary == NULL)
            return fail(err, column, "no dictionary");
        return bind_column(column->dictionary, array->dictionary, 0, err);
    }
    return bind_children(column, array, err);
}

int result_columns_bind(struct result_column *root, const struct ArrowArray *batch,
                        struct error *err)
{
    return bind_column(root, batch, 0, err);
}
