/*
 * kept_file: the body of an answer on disk, with several holders. Its bytes are added
 * while they leave for the first client; what is whole is read by any number of others.
 * A file is open only while it is written or read, and goes with its last holder; what a
 * process leaves behind is removed at the next start (state_dir).
 *
 * kept_file_store: the folder and the byte budget. Three quarters are for files that are
 * kept, one for those that are being made and those that are given up, but still read. So
 * all together never take more than the budget.
 */
#ifndef SERVICE_KEPT_FILE_H
#define SERVICE_KEPT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct kept_file;
struct kept_file_store;

/* `folder` exists and is ours alone; copied. bytes_max 0: no file is made. NULL: no memory. */
struct kept_file_store *kept_file_store_new(const char *folder, int64_t bytes_max);
/* No file may be left. NULL is fine. */
void kept_file_store_free(struct kept_file_store *store);

/* False: bytes_max is 0. NULL is fine. */
bool kept_file_store_is_on(const struct kept_file_store *store);

/* ---- who makes it; one thread at a time ---- */

/* The caller is the first holder. NULL: no memory.   [any] */
struct kept_file *kept_file_new(struct kept_file_store *store);

/* False, and counted: longer than a quarter of the budget, no room, a disk that fails. The
 * file is of no use then.   [may block] */
bool kept_file_append(struct kept_file *file, const char *bytes, size_t length);

/* It is whole; false as above.   [may block] */
bool kept_file_finish(struct kept_file *file);

/* ---- whole files ---- */

int64_t kept_file_length(const struct kept_file *file);

/* The next piece from `offset` on, at most `length` bytes: malloc'd, the caller's. -1: *err,
 * and kept_file_is_lost from then on.   [may block] */
int kept_file_read(struct kept_file *file, int64_t offset, size_t length, char **ret_bytes,
                   size_t *ret_length, struct error *err);

/* Its bytes could not be read.   [any] */
bool kept_file_is_lost(const struct kept_file *file);

/* Counts it among the kept ones; false: there is no room.   [loop] */
bool kept_file_keep(struct kept_file *file);

/* It is kept no more.   [loop] */
void kept_file_give_up(struct kept_file *file);

struct kept_file *kept_file_hold(struct kept_file *file);
/* The last one removes the file, which may block for large ones. NULL is fine.   [any] */
void kept_file_release(struct kept_file *file);

#endif
