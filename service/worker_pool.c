#include "worker_pool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../jni/spark_engine.h"
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
    pthread_mutex_t lock;
    pthread_cond_t reported;
    size_t reports; /* workers that attached or failed to */
    bool failed;
    struct error first_error;
    size_t started; /* threads to join */
    struct worker workers[];
};

static void report(struct worker_pool *pool, const struct error *err)
{
    pthread_mutex_lock(&pool->lock);
    pool->reports++;
    if (err != NULL && !pool->failed) {
        pool->failed = true;
        pool->first_error = *err;
    }
    pthread_cond_signal(&pool->reported);
    pthread_mutex_unlock(&pool->lock);
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct worker_pool *pool = worker->pool;
    struct query_runner runner = {
        .slot = worker->slot, .roots = pool->config.roots, .channel = pool->config.channel};
    struct query *query = NULL;
    struct error err;
    char name[16];

    snprintf(name, sizeof(name), "worker-%d", worker->slot);
    pthread_setname_np(pthread_self(), name);
    if (spark_thread_attach(pool->config.engine, name, &runner.thread, &err) != 0) {
        report(pool, &err);
        return NULL;
    }
    report(pool, NULL);
    while ((query = query_queue_pop_wait(pool->config.queue)) != NULL)
        query_runner_run(&runner, query);
    spark_thread_detach(runner.thread);
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
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->reported, NULL);
    if (start_threads(pool, err) != 0)
        return -1; /* the start fails and the process ends: running threads keep the pool */
    pthread_mutex_lock(&pool->lock);
    while (pool->reports < pool->started)
        pthread_cond_wait(&pool->reported, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    if (pool->failed) {
        *err = pool->first_error;
        return -1;
    }
    *ret_pool = pool;
    return 0;
}

size_t worker_pool_stop(struct worker_pool *pool, int64_t timeout_ms)
{
    struct timespec until;
    size_t left = 0;

    if (pool == NULL)
        return 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000 + 1;
    for (size_t i = 0; i < pool->started; i++) {
        if (pthread_timedjoin_np(pool->workers[i].thread, NULL, &until) != 0)
            left++;
    }
    if (left > 0)
        return left;
    pthread_cond_destroy(&pool->reported);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
    return 0;
}
