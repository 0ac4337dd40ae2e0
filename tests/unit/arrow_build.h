/*
 * arrow_build: Arrow columns for tests, each buffer in an allocation of its
 * exact size, so that a read behind its end is seen by ASan.
 *
 * A column owns its children; free the outermost. `valid` has one '1' or '0' a
 * cell, NULL means no nulls (and no bitmap).
 */
#ifndef TESTS_ARROW_BUILD_H
#define TESTS_ARROW_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "../../service/arrow_c_data.h"

struct arrow_built {
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct arrow_built **children; /* as many as array.n_children */
    struct arrow_built *dictionary;
};

struct arrow_built *arrow_build_fixed(const char *name, const char *format, size_t width,
                                      const void *values, int64_t count, const char *valid);
struct arrow_built *arrow_build_boolean(const char *name, const char *bits, const char *valid);
struct arrow_built *arrow_build_null(const char *name, int64_t count);

/* format u, U, z, Z, vu or vz; a NULL value is a null; lengths NULL: values are C strings. */
struct arrow_built *arrow_build_bytes(const char *name, const char *format,
                                      const char *const *values, const size_t *lengths,
                                      int64_t count);

/* format +l or +L; count + 1 offsets. */
struct arrow_built *arrow_build_list(const char *name, const char *format, const int64_t *offsets,
                                     int64_t count, const char *valid, struct arrow_built *item);
/* format "+w:n" */
struct arrow_built *arrow_build_fixed_list(const char *name, const char *format, int64_t count,
                                           const char *valid, struct arrow_built *item);
struct arrow_built *arrow_build_map(const char *name, const int64_t *offsets, int64_t count,
                                    const char *valid, struct arrow_built *key,
                                    struct arrow_built *value);

/* Takes the children; also the batch itself. */
struct arrow_built *arrow_build_struct(const char *name, int64_t count, const char *valid,
                                       int64_t n_children, struct arrow_built *const *children);

/* Turns an integer column into one of indices into `values`. */
struct arrow_built *arrow_build_dictionary(struct arrow_built *indices, struct arrow_built *values);

void arrow_build_metadata(struct arrow_built *built, const char *key, const char *value);

/* Narrows to [offset, offset + length) and forgets the count of nulls. */
struct arrow_built *arrow_build_slice(struct arrow_built *built, int64_t offset, int64_t length);

void arrow_build_free(struct arrow_built *built);

#endif
