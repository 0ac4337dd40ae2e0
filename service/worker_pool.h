/*
 * worker_pool: N threads, each taking queries from the queue one at a time. N is
 * the number of slots. They work before the JVM is there, for direct queries; a
 * worker attaches to the engine with its first Spark query, and stays attached
 * for life.
 */
#ifndef SERVICE_WORKER_POOL_H
#define SERVICE_WORKER_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct data_roots;
struct mysql_engine;
struct query_queue;
struct reply_channel;
struct spark_engine;
struct spool_store;
struct worker_pool;

struct worker_pool_config {
    size_t workers;
    struct query_queue *queue; /* borrowed, as all below, until stop */
    struct mysql_engine *mysql;
    struct reply_channel *channel;
    const struct data_roots *roots;
    struct spool_store *spools;
    int64_t patience_ms; /* query_runner.h, as the next */
    size_t cache_inodes;
};

/* [loop] */
int worker_pool_start(const struct worker_pool_config *config, struct worker_pool **ret_pool,
                      struct error *err);

/* From now on Spark queries may come. Borrows until stop.   [any] */
void worker_pool_set_engine(struct worker_pool *pool, struct spark_engine *engine);

/* Waits until every worker has left (the queue is closed by then), at most
 * timeout_ms. Returns how many did not.  [loop] */
size_t worker_pool_join(struct worker_pool *pool, int64_t timeout_ms);

/* The same, and frees the pool when none is left. NULL is fine.  [loop] */
size_t worker_pool_stop(struct worker_pool *pool, int64_t timeout_ms);

#endif
