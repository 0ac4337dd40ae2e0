/*
 * shared_bytes: bytes that don't change any more and have several holders, an
 * answer's body in the cache and on its way to clients. Freed with the last.   [loop]
 */
#ifndef SERVICE_SHARED_BYTES_H
#define SERVICE_SHARED_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct shared_bytes {
    char *data;
    size_t length;
    size_t holders;
};

/* Takes `data` (malloc'd, may be NULL) on success; the caller is the first holder.
 * NULL without memory. */
struct shared_bytes *shared_bytes_new(char *data, size_t length);

/* One holder more; gives it back. */
struct shared_bytes *shared_bytes_hold(struct shared_bytes *bytes);

/* Gives the data back when the caller is its only holder; `bytes` is gone then. False: it
 * isn't. */
bool shared_bytes_take_back(struct shared_bytes *bytes, char **ret_data);

/* One holder less. NULL is fine. */
void shared_bytes_release(struct shared_bytes *bytes);

#endif
