#include "arrow_build.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define VIEW_BYTES 16
#define VIEW_INLINE_MAX 12

static void *copy_bytes(const void *bytes, size_t size)
{
    void *copy = malloc(size);

    assert(size == 0 || copy != NULL);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

static uint8_t *pack_bits(const char *bits, int64_t count)
{
    uint8_t *packed = calloc((size_t)(count + 7) / 8, 1);

    for (int64_t i = 0; i < count; i++) {
        if (bits[i] == '1')
            packed[i / 8] |= (uint8_t)(1u << (i % 8));
    }
    return packed;
}

static struct arrow_built *new_column(const char *name, const char *format, int64_t count,
                                      const char *valid, int64_t n_buffers, int64_t n_children)
{
    struct arrow_built *built = calloc(1, sizeof(*built));

    built->schema.name = strdup(name);
    built->schema.format = strdup(format);
    built->schema.flags = ARROW_FLAG_NULLABLE;
    built->schema.n_children = n_children;
    built->schema.children = calloc((size_t)n_children, sizeof(struct ArrowSchema *));
    built->array.length = count;
    built->array.n_buffers = n_buffers;
    built->array.buffers = calloc((size_t)n_buffers, sizeof(void *));
    built->array.n_children = n_children;
    built->array.children = calloc((size_t)n_children, sizeof(struct ArrowArray *));
    built->children = calloc((size_t)n_children, sizeof(struct arrow_built *));
    if (valid != NULL && n_buffers > 0) {
        assert((int64_t)strlen(valid) == count);
        built->array.buffers[0] = pack_bits(valid, count);
        built->array.null_count = -1;
    }
    return built;
}

static void put_child(struct arrow_built *built, int64_t i, struct arrow_built *child)
{
    built->children[i] = child;
    built->schema.children[i] = &child->schema;
    built->array.children[i] = &child->array;
}

struct arrow_built *arrow_build_fixed(const char *name, const char *format, size_t width,
                                      const void *values, int64_t count, const char *valid)
{
    struct arrow_built *built = new_column(name, format, count, valid, 2, 0);

    built->array.buffers[1] = copy_bytes(values, width * (size_t)count);
    return built;
}

struct arrow_built *arrow_build_boolean(const char *name, const char *bits, const char *valid)
{
    struct arrow_built *built = new_column(name, "b", (int64_t)strlen(bits), valid, 2, 0);

    built->array.buffers[1] = pack_bits(bits, built->array.length);
    return built;
}

struct arrow_built *arrow_build_null(const char *name, int64_t count)
{
    struct arrow_built *built = new_column(name, "n", count, NULL, 0, 0);

    built->array.null_count = count;
    return built;
}

static void put_offset(void *offsets, size_t width, int64_t i, int64_t value)
{
    if (width == sizeof(int32_t))
        ((int32_t *)offsets)[i] = (int32_t)value;
    else
        ((int64_t *)offsets)[i] = value;
}

/* Cells behind the 12th byte lie in two buffers, in turn. */
static void put_views(struct arrow_built *built, const char *const *values, const size_t *lengths,
                      int64_t count)
{
    uint8_t *views = calloc((size_t)count, VIEW_BYTES);
    int64_t *sizes = calloc(2, sizeof(*sizes));
    char *bytes[2] = {NULL, NULL};

    for (int64_t i = 0; i < count; i++) {
        uint8_t *view = views + i * VIEW_BYTES;
        int32_t length = (int32_t)lengths[i];
        int32_t place[2] = {(int32_t)(i % 2), (int32_t)sizes[i % 2]};

        memcpy(view, &length, sizeof(length));
        if (length <= VIEW_INLINE_MAX) {
            if (length > 0)
                memcpy(view + 4, values[i], (size_t)length);
            continue;
        }
        memcpy(view + 4, values[i], 4);
        memcpy(view + 8, place, sizeof(place));
        bytes[i % 2] = realloc(bytes[i % 2], (size_t)(sizes[i % 2] + length));
        memcpy(bytes[i % 2] + sizes[i % 2], values[i], (size_t)length);
        sizes[i % 2] += length;
    }
    built->array.buffers[1] = views;
    built->array.buffers[2] = bytes[0];
    built->array.buffers[3] = bytes[1];
    built->array.buffers[4] = sizes;
}

static void put_offsets_and_bytes(struct arrow_built *built, size_t width,
                                  const char *const *values, const size_t *lengths, int64_t count)
{
    void *offsets = calloc((size_t)count + 1, width);
    char *bytes = NULL;
    size_t total = 0;

    for (int64_t i = 0; i < count; i++) {
        if (lengths[i] > 0) {
            bytes = realloc(bytes, total + lengths[i]);
            memcpy(bytes + total, values[i], lengths[i]);
        }
        total += lengths[i];
        put_offset(offsets, width, i + 1, (int64_t)total);
    }
    built->array.buffers[1] = offsets;
    built->array.buffers[2] = bytes;
}

struct arrow_built *arrow_build_bytes(const char *name, const char *format,
                                      const char *const *values, const size_t *lengths,
                                      int64_t count)
{
    char *valid = calloc((size_t)count + 1, 1);
    size_t *sizes = calloc((size_t)count + 1, sizeof(*sizes));

    for (int64_t i = 0; i < count; i++) {
        valid[i] = values[i] != NULL ? '1' : '0';
        if (values[i] != NULL)
            sizes[i] = lengths != NULL ? lengths[i] : strlen(values[i]);
    }
    struct arrow_built *built = new_column(name, format, count, valid, *format == 'v' ? 5 : 3, 0);
    if (*format == 'v')
        put_views(built, values, sizes, count);
    else
        put_offsets_and_bytes(built, *format == 'u' || *format == 'z' ? 4 : 8, values, sizes,
                              count);
    free(valid);
    free(sizes);
    return built;
}

struct arrow_built *arrow_build_list(const char *name, const char *format, const int64_t *offsets,
                                     int64_t count, const char *valid, struct arrow_built *item)
{
    struct arrow_built *built = new_column(name, format, count, valid, 2, 1);
    size_t width = strcmp(format, "+L") == 0 ? 8 : 4;
    void *copy = calloc((size_t)count + 1, width);

    for (int64_t i = 0; i <= count; i++)
        put_offset(copy, width, i, offsets[i]);
    built->array.buffers[1] = copy;
    put_child(built, 0, item);
    return built;
}

struct arrow_built *arrow_build_fixed_list(const char *name, const char *format, int64_t count,
                                           const char *valid, struct arrow_built *item)
{
    struct arrow_built *built = new_column(name, format, count, valid, 1, 1);

    put_child(built, 0, item);
    return built;
}

struct arrow_built *arrow_build_map(const char *name, const int64_t *offsets, int64_t count,
                                    const char *valid, struct arrow_built *key,
                                    struct arrow_built *value)
{
    struct arrow_built *entries = arrow_build_struct("entries", key->array.length, NULL, 2,
                                                     (struct arrow_built *[]){key, value});
    struct arrow_built *built = arrow_build_list(name, "+m", offsets, count, valid, entries);

    return built;
}

struct arrow_built *arrow_build_struct(const char *name, int64_t count, const char *valid,
                                       int64_t n_children, struct arrow_built *const *children)
{
    struct arrow_built *built = new_column(name, "+s", count, valid, 1, n_children);

    for (int64_t i = 0; i < n_children; i++)
        put_child(built, i, children[i]);
    return built;
}

struct arrow_built *arrow_build_dictionary(struct arrow_built *indices, struct arrow_built *values)
{
    indices->dictionary = values;
    indices->schema.dictionary = &values->schema;
    indices->array.dictionary = &values->array;
    return indices;
}

void arrow_build_metadata(struct arrow_built *built, const char *key, const char *value)
{
    /* Another pair before it, so that the search has to walk. */
    const char *texts[] = {"comment", "", key, value};
    char *block = malloc(4 + 4 * 4 + strlen("comment") + strlen(key) + strlen(value));
    char *at = block;
    int32_t pairs = 2;

    memcpy(at, &pairs, 4);
    at += 4;
    for (int i = 0; i < 4; i++) {
        int32_t length = (int32_t)strlen(texts[i]);

        memcpy(at, &length, 4);
        memcpy(at + 4, texts[i], (size_t)length);
        at += 4 + length;
    }
    free((void *)built->schema.metadata);
    built->schema.metadata = block;
}

struct arrow_built *arrow_build_slice(struct arrow_built *built, int64_t offset, int64_t length)
{
    assert(offset + length <= built->array.length);
    built->array.offset += offset;
    built->array.length = length;
    built->array.null_count = built->array.n_buffers > 0 ? -1 : length;
    return built;
}

void arrow_build_free(struct arrow_built *built)
{
    if (built == NULL)
        return;
    for (int64_t i = 0; i < built->array.n_buffers; i++)
        free((void *)built->array.buffers[i]);
    for (int64_t i = 0; built->schema.children != NULL && i < built->schema.n_children; i++)
        arrow_build_free(built->children[i]);
    arrow_build_free(built->dictionary);
    free(built->children);
    free(built->schema.children);
    free(built->array.children);
    free((void *)built->array.buffers);
    free((void *)built->schema.metadata);
    free((void *)built->schema.name);
    free((void *)built->schema.format);
    free(built);
}
