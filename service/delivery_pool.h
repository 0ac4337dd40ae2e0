/*
 * delivery_pool: a few threads that take turns at many tasks. A task is stepped
 * by one thread at a time, a page's worth of work each, and parks when it can't
 * go on; a wake gets it stepped again. A wake that comes during a step isn't
 * lost: the task is then stepped once more, and may look for itself.
 */
#ifndef SERVICE_DELIVERY_POOL_H
#define SERVICE_DELIVERY_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct delivery_pool;
struct delivery_task;

enum delivery_step {
    STEP_AGAIN, /* behind the others' turns */
    STEP_PARK,  /* when woken */
    STEP_OVER   /* never again; the task may be gone already */
};

/* Embedded in what is stepped; zeroed but for `step` to begin with. */
struct delivery_task {
    enum delivery_step (*step)(struct delivery_task *task);
    enum { TASK_OUTSIDE, TASK_PARKED, TASK_WAITING, TASK_STEPPED } state; /* the pool's, as below */
    bool woken;                                                           /* while it was stepped */
    struct delivery_task *next;
};

/* [loop] */
int delivery_pool_start(size_t threads, struct delivery_pool **ret_pool, struct error *err);

/* Waits for the steps under way; parked tasks stay with their owners. NULL is
 * fine.   [loop] */
void delivery_pool_stop(struct delivery_pool *pool);

/* Hands the task to the pool, to be stepped soon; the caller's last touch.   [any] */
void delivery_pool_enter(struct delivery_pool *pool, struct delivery_task *task);

/* Does nothing to a task that hasn't entered or is over.   [any] */
void delivery_pool_wake(struct delivery_pool *pool, struct delivery_task *task);

#endif
