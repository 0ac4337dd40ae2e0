/*
 * worker_pool: N threads, attached to the engine for life, each taking queries
 * from the queue one at a time. N is the number of slots.
 */
#ifndef SERVICE_WORKER_POOL_H
#define SERVICE_WORKER_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct data_roots;
struct query_queue;
struct reply_channel;
struct spark_engine;
struct worker_pool;

struct worker_pool_config {
    size_t workers;
    struct spark_engine *engine; /* borrowed, as all below, until stop */
    struct query_queue *queue;
    struct reply_channel *channel;
    const struct data_roots *roots;
};

/* Returns when every worker is attached and waiting. Blocks some ms.   [vm] */
int worker_pool_start(const struct worker_pool_config *config, struct worker_pool **ret_pool,
                      struct error *err);

/* Waits until every worker has left (the queue is closed by then), at most
 * timeout_ms. Returns how many did not; with any left the pool is not freed.  [loop] */
size_t worker_pool_stop(struct worker_pool *pool, int64_t timeout_ms);

#endif
