#include "worker_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../jni/spark_engine.h"
#include "deadline.h"
#include "mysql_engine.h"
#include "query_queue.h"
#include "query_runner.h"

/* Catalyst recurses on deep SQL. */
#define WORKER_STACK_BYTES ((size_t)8 * 1024 * 1024)

struct worker {
    struct worker_pool *pool;
    pthread_t thread;
    int slot;
};

struct worker_pool {
    struct worker_pool_config config;
    _Atomic(struct spark_engine *) engine; /* NULL until the JVM is there */
    size_t started;                        /* threads to join */
    struct worker workers[];
};

static int attach(void *user, struct spark_thread **ret_thread, struct error *err)
{
    const struct worker *worker = user;
    struct spark_engine *engine = atomic_load(&worker->pool->engine);
    char name[16];

    if (engine == NULL)
        return error_set(err, ERROR_STARTING, "Spark is still starting");
    snprintf(name, sizeof(name), "worker-%d", worker->slot);
    return spark_thread_attach(engine, name, ret_thread, err);
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct worker_pool *pool = worker->pool;
    struct query_runner runner = {.slot = worker->slot,
                                  .attach = attach,
                                  .attach_user = worker,
                                  .mysql = pool->config.mysql,
                                  .roots = pool->config.roots,
                                  .channel = pool->config.channel,
                                  .spools = pool->config.spools,
                                  .queue = pool->config.queue,
                                  .patience_ms = pool->config.patience_ms,
                                  .cache_inodes = pool->config.cache_inodes};
    struct query *query = NULL;
    char name[16];

    snprintf(name, sizeof(name), "worker-%d", worker->slot);
    pthread_setname_np(pthread_self(), name);
    while ((query = query_queue_pop_wait(pool->config.queue)) != NULL)
        query_runner_run(&runner, query);
    spark_thread_detach(runner.thread);
    mysql_engine_thread_end();
    return NULL;
}

static int start_threads(struct worker_pool *pool, struct error *err)
{
    pthread_attr_t attributes;
    int rc = 0;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, WORKER_STACK_BYTES);
    for (size_t i = 0; i < pool->config.workers && rc == 0; i++) {
        struct worker *worker = &pool->workers[i];

        worker->pool = pool;
        worker->slot = (int)i;
        rc = pthread_create(&worker->thread, &attributes, worker_main, worker);
        if (rc == 0)
            pool->started++;
    }
    pthread_attr_destroy(&attributes);
    if (rc != 0)
        return error_set(err, ERROR_ENGINE_ERROR, "worker thread: %s", strerror(rc));
    return 0;
}

int worker_pool_start(const struct worker_pool_config *config, struct worker_pool **ret_pool,
                      struct error *err)
{
    struct worker_pool *pool =
        calloc(1, sizeof(*pool) + config->workers * sizeof(pool->workers[0]));

    if (pool == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    pool->config = *config;
    if (start_threads(pool, err) != 0)
        return -1; /* the start fails and the process ends: running threads keep the pool */
    *ret_pool = pool;
    return 0;
}

void worker_pool_set_engine(struct worker_pool *pool, struct spark_engine *engine)
{
    atomic_store(&pool->engine, engine);
}

size_t worker_pool_join(struct worker_pool *pool, int64_t timeout_ms)
{
    struct timespec until = wall_time_after(timeout_ms);
    size_t left = 0;

    for (size_t i = 0; i < pool->started; i++) {
        if (pthread_timedjoin_np(pool->workers[i].thread, NULL, &until) != 0)
            left++;
    }
    return left;
}

size_t worker_pool_stop(struct worker_pool *pool, int64_t timeout_ms)
{
    size_t left = pool != NULL ? worker_pool_join(pool, timeout_ms) : 0;

    if (left == 0)
        free(pool);
    return left;
}
