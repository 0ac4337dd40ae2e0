/*
 * journal_file: an append-only file of ids, one a line: 36 characters of UUID and
 * a newline. All calls block on the disk; one thread at a time.   [any]
 */
#ifndef SERVICE_JOURNAL_FILE_H
#define SERVICE_JOURNAL_FILE_H

#include <stddef.h>

#include "error.h"

#define JOURNAL_ID_BYTES 37 /* UUID text and NUL */

struct journal_file {
    char *path;
    int fd;
    size_t lines;
    size_t kept; /* newest ids that matter; past twice as many it is rewritten */
};

/* Opens or makes the file and tells its newest `kept` ids, oldest first. What is
 * no id is left out; a torn end is cut off. -1: ERROR_BAD_REQUEST naming the path. */
int journal_file_open(const char *path, size_t kept, void (*on_id)(void *user, const char *id),
                      void *user, struct journal_file *ret_file, struct error *err);
void journal_file_close(struct journal_file *file);

/* All `count` ids are on disk, or (-1) none counts: ERROR_STORAGE_FULL without
 * space, else ERROR_ENGINE_ERROR. */
int journal_file_append(struct journal_file *file, const char (*ids)[JOURNAL_ID_BYTES],
                        size_t count, struct error *err);

#endif
