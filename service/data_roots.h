/*
 * data_roots: which places a caller's `path` may name. Decoded once (JSON did
 * that), refused by syntax, then compared by component after symbolic links
 * are resolved; never by text prefix.
 *
 * The plan's own relations are checked again inside the JVM: what a Delta log
 * or an Iceberg metadata file points at is not known here.
 */
#ifndef SERVICE_DATA_ROOTS_H
#define SERVICE_DATA_ROOTS_H

#include <stddef.h>

#include "error.h"

struct data_roots;

/* `text`: absolute folders or s3a://bucket/prefix, separated by commas. A local
 * root need not exist yet. -1: ERROR_BAD_REQUEST, detail says which and why. */
int data_roots_new(const char *text, struct data_roots **ret_roots, struct error *err);
void data_roots_free(struct data_roots *roots);

/* Checks one path of a caller. 0: *ret_path (gives; free()) is the resolved
 * absolute path, or the s3a URI with its path normalised. -1: ERROR_FORBIDDEN
 * (syntax, scheme or outside every root; the detail repeats only what the
 * caller wrote) or ERROR_NOT_FOUND (inside a root but absent).
 * Touches the file system: [worker], not [loop]. */
int data_roots_resolve(const struct data_roots *roots, const char *path, char **ret_path,
                       struct error *err);

/* How many bytes of an absolute local path name the root that it lies in, as given or
 * with its links resolved; 0: none, or `/`. Touches the file system: [worker]. */
size_t data_roots_prefix(const struct data_roots *roots, const char *path);

/* The roots as given, comma separated, for the bridge; borrowed. */
const char *data_roots_text(const struct data_roots *roots);

#endif
