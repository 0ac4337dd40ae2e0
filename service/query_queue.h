/*
 * query_queue: the waiting room between HTTP and the engines.
 *
 * Bounded on purpose: a query costs seconds and megabytes, so a long queue is
 * only a slow way of saying no. Full is an ordinary answer (503).
 *
 * try_push  [loop]    lends the query on success; when full or closed you still own it
 * pop_wait  [worker]  lends a query, or NULL once closed and empty
 * announce  [worker]  it will be in pop_wait in a moment and counts as idle from here on
 * remove    [loop]    gives back one nobody started; false: too late, cancel it
 * replace   [loop]    the same, and lends `heir` in its place
 * expire    [loop]    gives back one that has to wait; false: it runs, or a worker
 *                     already on its way takes it
 * has_to_wait [loop]  whether it would
 *
 * A query counts against the limit only while no worker is idle: with
 * QUEUE_LENGTH 0 a query is taken when, and only when, a worker is free.
 */
#ifndef SERVICE_QUERY_QUEUE_H
#define SERVICE_QUERY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "query.h"

struct query_queue;

struct query_queue *query_queue_new(size_t limit);
void query_queue_free(struct query_queue *queue);

bool query_queue_try_push(struct query_queue *queue, struct query *query);
void query_queue_announce(struct query_queue *queue);
struct query *query_queue_pop_wait(struct query_queue *queue);
bool query_queue_remove(struct query_queue *queue, struct query *query);
bool query_queue_replace(struct query_queue *queue, struct query *query, struct query *heir);
bool query_queue_expire(struct query_queue *queue, struct query *query);
bool query_queue_has_to_wait(struct query_queue *queue, const struct query *query);

/* No more pushes; waiting workers wake up and get NULL.   [loop] */
void query_queue_close(struct query_queue *queue);

size_t query_queue_length(struct query_queue *queue);
size_t query_queue_limit(const struct query_queue *queue);

#endif
