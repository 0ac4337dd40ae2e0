/*
 * result_sink: where a run's rows go, on its worker.
 *
 * Live: formatted here and sent while the client keeps up. It may keep the worker
 * waiting for the patience, all its waits together; then what is not yet sent
 * goes into a spool, as fast as the engine gives it, and the delivery pool sends
 * it on from there. So a reader costs a worker no more than its patience.
 *
 * Kept: the rows of a query whose caller may come back go into a spool from the
 * start, and are sent only from there.   [worker]
 */
#ifndef SERVICE_RESULT_SINK_H
#define SERVICE_RESULT_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "arrow_c_data.h"
#include "error.h"
#include "result_pages.h"

struct delivery;
struct query;
struct result_spool;
struct spool_store;

struct result_sink {
    struct query *query;       /* borrowed, as the store */
    struct delivery *delivery; /* NULL: not, or no longer live */
    struct spool_store *store;
    const struct ArrowSchema *schema; /* borrowed from open on */
    int64_t patience_us;              /* left */
    struct result_spool *spool;
    struct result_page body; /* of an answer that isn't rows */
    int64_t rows;            /* taken from the engine */
    bool is_full;            /* a limit left rows out */
};

/* A run begins. */
void result_sink_init(struct result_sink *sink, struct query *query, struct spool_store *store,
                      int64_t patience_ms);

/* Once the columns are known (borrowed until the last add), then for each batch. -1: *err;
 * ERROR_CANCELLED when nobody wants more. */
int result_sink_open(struct result_sink *sink, const struct ArrowSchema *schema, struct error *err);
int result_sink_add(struct result_sink *sink, const struct ArrowArray *batch, struct error *err);

/* Before the run's done(): gives the spool of a query that keeps its rows, whole
 * and to be released; NULL for any other, and after *err (else NULL). */
struct result_spool *result_sink_keep(struct result_sink *sink, struct result_end *end,
                                      const struct error *err);

/* In place of rows: the answer's whole body (taken). */
void result_sink_put(struct result_sink *sink, struct result_page body);

/* The last word, after the run's done() was posted: the end of all rows, or *err
 * (else NULL). The query may be gone when it returns. */
void result_sink_end(struct result_sink *sink, struct result_end *end, const struct error *err);

#endif
