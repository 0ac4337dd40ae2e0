#include "delivery_pool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct delivery_pool {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct delivery_task *first; /* under lock: waiting for their turn */
    struct delivery_task **last;
    bool stopping;
    size_t started;
    pthread_t threads[];
};

static void push(struct delivery_pool *pool, struct delivery_task *task)
{
    task->state = TASK_WAITING;
    task->next = NULL;
    *pool->last = task;
    pool->last = &task->next;
    pthread_cond_signal(&pool->changed);
}

/* The next task, or NULL at the end; the lock is held. */
static struct delivery_task *pop_wait(struct delivery_pool *pool)
{
    struct delivery_task *task = NULL;

    while (pool->first == NULL && !pool->stopping)
        pthread_cond_wait(&pool->changed, &pool->lock);
    if (pool->stopping)
        return NULL;
    task = pool->first;
    pool->first = task->next;
    if (pool->first == NULL)
        pool->last = &pool->first;
    task->state = TASK_STEPPED;
    task->woken = false;
    return task;
}

static void *pool_main(void *argument)
{
    struct delivery_pool *pool = argument;
    struct delivery_task *task = NULL;

    pthread_mutex_lock(&pool->lock);
    while ((task = pop_wait(pool)) != NULL) {
        enum delivery_step went = STEP_OVER;

        pthread_mutex_unlock(&pool->lock);
        went = task->step(task);
        pthread_mutex_lock(&pool->lock);
        if (went == STEP_OVER)
            continue;
        if (went == STEP_AGAIN || task->woken)
            push(pool, task);
        else
            task->state = TASK_PARKED;
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

int delivery_pool_start(size_t threads, struct delivery_pool **ret_pool, struct error *err)
{
    struct delivery_pool *pool = calloc(1, sizeof(*pool) + threads * sizeof(pool->threads[0]));

    if (pool == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    pool->last = &pool->first;
    for (size_t i = 0; i < threads; i++) {
        char name[16];
        int rc = pthread_create(&pool->threads[i], NULL, pool_main, pool);

        if (rc != 0) {
            delivery_pool_stop(pool);
            return error_set(err, ERROR_ENGINE_ERROR, "delivery thread: %s", strerror(rc));
        }
        pool->started++;
        snprintf(name, sizeof(name), "delivery-%zu", i % 100);
        pthread_setname_np(pool->threads[i], name);
    }
    *ret_pool = pool;
    return 0;
}

void delivery_pool_stop(struct delivery_pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->started; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void delivery_pool_enter(struct delivery_pool *pool, struct delivery_task *task)
{
    pthread_mutex_lock(&pool->lock);
    push(pool, task);
    pthread_mutex_unlock(&pool->lock);
}

void delivery_pool_wake(struct delivery_pool *pool, struct delivery_task *task)
{
    pthread_mutex_lock(&pool->lock);
    if (task->state == TASK_PARKED)
        push(pool, task);
    else
        task->woken = true;
    pthread_mutex_unlock(&pool->lock);
}
