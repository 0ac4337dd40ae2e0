/*
 * source_identity: what tables in the local file system are, down to the change
 * times of their inodes, so that rows read from them can be kept for as long as they
 * are the same. Exact, never a guess: what can't be proved has no identity.   [any]
 *
 * Taken when the rows have been read, it vouches for the whole time since the
 * query began: each inode that decides what is read (the files of a Parquet
 * folder, the log of a Delta table, the metadata of an Iceberg table, and every
 * folder on the way there from the data root on) was last changed before it. A change time is the
 * kernel's (st_ctim, inode(7)): unlike a modification time nobody can set it.
 *
 * Only on file systems of this machine: a network's may show old attributes.
 */
#ifndef SERVICE_SOURCE_IDENTITY_H
#define SERVICE_SOURCE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer_basis.h"

/* A clock tick of the kernel is at most 10 ms: an inode changed less than this
 * before the query began could change again without showing it. */
#define SOURCE_SETTLED_MS 50

/* When a query began. */
struct source_instant {
    int64_t wall_ns;      /* CLOCK_REALTIME, the clock of change times */
    int64_t monotonic_ns; /* so that a clock that was set meanwhile is seen */
};

/* Why tables have no identity. */
enum source_doubt {
    SOURCE_CHANGED_LATELY, /* since the query began, or too short a time before */
    SOURCE_TOO_MANY_FILES,
    SOURCE_REMOTE,  /* not in a file system of this machine */
    SOURCE_UNKNOWN, /* unreadable, links inside, no memory */
};

struct source_identity;

struct source_instant source_instant_now(void);

/* NULL, and *ret_doubt why: a table may have changed since `began`, they have more than
 * inodes_max inodes to watch, one lies on a network, or there is no memory. Of no tables
 * it is one that always holds. Touches the disk. */
struct source_identity *source_identity_take(const struct source_read *reads, size_t read_count,
                                             struct source_instant began, size_t inodes_max,
                                             enum source_doubt *ret_doubt);

/* Whether all tables are still the same. Looks at each inode once, a microsecond each. */
bool source_identity_holds(const struct source_identity *identity);

/* Memory it takes. */
size_t source_identity_bytes(const struct source_identity *identity);

/* NULL is fine. */
void source_identity_free(struct source_identity *identity);

#endif
