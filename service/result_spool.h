/*
 * result_spool: the rows of one query on disk, in the order of the result, so
 * that neither a worker nor memory has to hold them for a slow reader.
 *
 * One thread appends batches; any number of readers follow, from any batch on,
 * while it grows and after. A batch is one Arrow IPC message. The spool lives
 * until its last holder lets go; then file and bytes are given back. Spools are
 * only of use to the process that made them: their table of batches is in
 * memory, and state_dir empties the folder at start.
 *
 * spool_store: the folder, and the byte budget of all spools together.
 */
#ifndef SERVICE_RESULT_SPOOL_H
#define SERVICE_RESULT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arrow_c_data.h"
#include "error.h"
#include "result_writer.h"

/* A chunk of GET …/results?chunk=n: whole batches, this many bytes of spool or
 * just over; the last one may be smaller. */
#define RESULT_SPOOL_CHUNK_BYTES ((int64_t)4 * 1024 * 1024)

struct spool_store;
struct result_spool;

/* `folder` exists and is ours alone; copied. NULL: no memory.   [any] */
struct spool_store *spool_store_new(const char *folder, int64_t bytes_max);
/* No spool may be left. */
void spool_store_free(struct spool_store *store);
int64_t spool_store_bytes(const struct spool_store *store);

/* Whoever wants to know when a spool grows or ends; embedded, borrowed until
 * unwatched. `wake` runs on the writer's thread, in the middle of things: it may
 * only make a note and must not call back. */
struct result_spool_watch {
    void (*wake)(void *user);
    void *user;
    struct result_spool_watch *previous;
    struct result_spool_watch *next;
};

/* ---- the writer [worker] ---- */

/* Copies the schema; the caller is the first holder. -1: ERROR_ENGINE_ERROR. */
int result_spool_new(struct spool_store *store, const struct ArrowSchema *schema,
                     struct result_spool **ret_spool, struct error *err);

/* Rows [first, first + count) as the next batch (none: nothing happens). -1:
 * ERROR_STORAGE_FULL past the budget or when the disk is full, else ERROR_ENGINE_ERROR. */
int result_spool_append(struct result_spool *spool, const struct ArrowArray *batch, int64_t first,
                        int64_t count, struct error *err);

/* Nothing more comes. `end` (copied) is what every answer says at its end; NULL:
 * the query failed or was cancelled, and so do all reads from now on. */
void result_spool_finish(struct result_spool *spool, const struct result_end *end);

/* ---- holders and readers [any] ---- */

struct result_spool *result_spool_hold(struct result_spool *spool);
/* NULL is fine. */
void result_spool_release(struct result_spool *spool);

void result_spool_watch(struct result_spool *spool, struct result_spool_watch *watch);
void result_spool_unwatch(struct result_spool *spool, struct result_spool_watch *watch);

/* Names made unique; borrowed from the spool. */
const struct ArrowSchema *result_spool_schema(const struct result_spool *spool);

/* All unknown until finished; text is borrowed from the spool. */
struct result_end result_spool_end(struct result_spool *spool);

struct result_spool_facts {
    size_t batches;
    size_t chunks; /* 0 until finished */
    int64_t rows;
    int64_t bytes;
    bool finished;
    bool complete; /* finished, and all rows are there */
};
struct result_spool_facts result_spool_look(struct result_spool *spool);

/* Batches [*ret_first, *ret_end) of a chunk of a finished spool; a result without
 * rows has one chunk of none. False: no such chunk. */
bool result_spool_chunk(struct result_spool *spool, size_t chunk, size_t *ret_first,
                        size_t *ret_end);

enum result_spool_read { SPOOL_BATCH, SPOOL_NOT_YET, SPOOL_END, SPOOL_FAILED };

/* Reads one batch by its number. SPOOL_BATCH: *ret_batch is the caller's to
 * release. SPOOL_FAILED: *err. */
enum result_spool_read result_spool_read(struct result_spool *spool, size_t number,
                                         struct ArrowArray *ret_batch, struct error *err);

#endif
