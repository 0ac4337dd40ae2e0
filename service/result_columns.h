/*
 * result_columns: the columns of a result as every output format sees them:
 * the schema read once into a tree, then each batch bound to it.   [worker]
 *
 * Binding checks what the C Data Interface lets a consumer check (counts,
 * lengths, missing buffers), so that a malformed array is an error and not a
 * crash; what can only be seen at a cell (offsets, views, dictionary indices)
 * is checked by the function that reads that cell.
 */
#ifndef SERVICE_RESULT_COLUMNS_H
#define SERVICE_RESULT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arrow_c_data.h"
#include "arrow_format.h"
#include "error.h"

/* Deeper nesting is refused. */
#define RESULT_COLUMNS_DEPTH_MAX 64

/* What the field metadata says beyond the Arrow type. */
enum result_meaning {
    MEANING_PLAIN,
    MEANING_UNSIGNED_INTEGER, /* decimal of scale 0 that is a number, not a string */
    MEANING_JSON_DOCUMENT,    /* text that is JSON */
    MEANING_CLOCK_TIME,       /* text "[-]h:mm:ss[.f]" */
    MEANING_GEOMETRY          /* binary: 4 bytes of SRID, then WKB */
};

struct result_column {
    /* From the schema, fixed. */
    char *name; /* unique among its siblings */
    struct arrow_type type;
    enum result_meaning meaning;
    struct result_column *dictionary; /* of the values; type is the index type; mostly NULL */
    struct result_column *children;   /* fields, the item, or key and value of a map */
    size_t child_count;

    /* From the batch, borrowed; valid after a bind that succeeded. */
    const uint8_t *validity; /* NULL: no cell is null */
    const void *values;      /* cells, offsets or views */
    const uint8_t *bytes;    /* what 32- or 64-bit offsets point into */
    const void *const *view_bytes;
    const int64_t *view_sizes;
    int64_t view_count;
    int64_t offset; /* added to every index of a cell; a struct's fields take the sum */
    int64_t length;
};

/* Reads a schema whose root is a struct: gives the root column, whose children
 * are the result's columns. -1: ERROR_ENGINE_ERROR. */
int result_columns_new(const struct ArrowSchema *schema, struct result_column **ret_root,
                       struct error *err);
void result_columns_free(struct result_column *root);

/* Points the tree at a batch, which must outlive the reading. -1: ERROR_ENGINE_ERROR. */
int result_columns_bind(struct result_column *root, const struct ArrowArray *batch,
                        struct error *err);

static inline bool result_column_is_null(const struct result_column *column, int64_t index)
{
    if (column->validity == NULL)
        return false;
    index += column->offset;
    return (column->validity[index >> 3] >> (index & 7) & 1) == 0;
}

/* The bytes of a text or binary cell. False: malformed. */
bool result_column_bytes(const struct result_column *column, int64_t index,
                         const uint8_t **ret_bytes, size_t *ret_length);

/* The child cells [*ret_first, *ret_end) of a list or map cell. False: malformed. */
bool result_column_items(const struct result_column *column, int64_t index, int64_t *ret_first,
                         int64_t *ret_end);

/* The cell of the dictionary that a cell points at. False: malformed. */
bool result_column_dictionary_index(const struct result_column *column, int64_t index,
                                    int64_t *ret_index);

#endif
