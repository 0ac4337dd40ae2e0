/*
 * query_queue: the waiting room between HTTP and the engines.
 *
 * Bounded on purpose: a query costs seconds and megabytes, so a long queue is
 * only a slow way of saying no. Full is an ordinary answer (503).
 *
 * Small first, with ageing: a query's place is the time it came plus the time its run
 * is expected to take, but at most half the time it is ready to wait. So small ones pass
 * a heavy one only for so long, and those of one size keep their order. And heavy ones
 * never take the last `small_slots` workers.
 *
 * try_push  [loop]    lends the query on success; when full or closed you still own it
 * pop_wait  [worker]  lends a query, or NULL once closed and empty
 * announce  [worker]  done with that one, it will be in pop_wait in a moment and counts
 *                     as idle from here on
 * reserve   [loop]    takes an idle worker that the queue doesn't need, for a query that begins
 *                     elsewhere; false: there is none
 * release   [loop]    gives the worker back
 * hand_over [loop]    lends it that query, before all others and closed or not
 * remove    [loop]    gives back one nobody started; false: too late, cancel it
 * replace   [loop]    the same, and lends `heir` in its place
 * expire    [loop]    gives back one that has to wait; false: it runs, or a worker
 *                     already on its way takes it
 * has_to_wait [loop]  whether it would
 *
 * A query counts against the limit only while no worker is idle that may take it: with
 * QUEUE_LENGTH 0 a query is taken when, and only when, a worker is free for it.
 */
#ifndef SERVICE_QUERY_QUEUE_H
#define SERVICE_QUERY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "query.h"

struct query_queue;

struct query_queue_config {
    size_t limit;
    size_t workers;
    size_t small_slots; /* cut to workers - 1 */
};

struct query_queue *query_queue_new(const struct query_queue_config *config);
void query_queue_free(struct query_queue *queue);

bool query_queue_try_push(struct query_queue *queue, struct query *query);
bool query_queue_reserve(struct query_queue *queue);
void query_queue_release(struct query_queue *queue);
void query_queue_hand_over(struct query_queue *queue, struct query *query);
void query_queue_announce(struct query_queue *queue, const struct query *query);
struct query *query_queue_pop_wait(struct query_queue *queue);
bool query_queue_remove(struct query_queue *queue, struct query *query);
bool query_queue_replace(struct query_queue *queue, struct query *query, struct query *heir);
bool query_queue_expire(struct query_queue *queue, struct query *query);
bool query_queue_has_to_wait(struct query_queue *queue, const struct query *query);

/* No more pushes; waiting workers wake up and get NULL.   [loop] */
void query_queue_close(struct query_queue *queue);

/* Those that have to wait. */
size_t query_queue_length(struct query_queue *queue);
size_t query_queue_length_of(struct query_queue *queue, enum run_size size);
size_t query_queue_limit(const struct query_queue *queue);

#endif
