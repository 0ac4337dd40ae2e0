#include "query_queue.h"

#include <pthread.h>
#include <stdlib.h>

struct query_queue {
    pthread_mutex_t lock;
    pthread_cond_t not_empty;
    struct query *first; /* oldest */
    struct query *last;
    size_t length;
    size_t limit;
    size_t idle;      /* workers inside pop_wait, or announced */
    size_t announced; /* of these, not inside yet; any worker that comes may be one of them */
    bool closed;
};

struct query_queue *query_queue_new(size_t limit)
{
    struct query_queue *queue = calloc(1, sizeof(*queue));

    if (queue == NULL)
        return NULL;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->not_empty, NULL);
    queue->limit = limit;
    return queue;
}

void query_queue_free(struct query_queue *queue)
{
    if (queue == NULL)
        return;
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

static void unlink_locked(struct query_queue *queue, struct query *query)
{
    if (query->queue_previous != NULL)
        query->queue_previous->queue_next = query->queue_next;
    else
        queue->first = query->queue_next;
    if (query->queue_next != NULL)
        query->queue_next->queue_previous = query->queue_previous;
    else
        queue->last = query->queue_previous;
    query->queue_next = NULL;
    query->queue_previous = NULL;
    query->in_queue = false;
    queue->length--;
}

bool query_queue_try_push(struct query_queue *queue, struct query *query)
{
    bool pushed = false;

    pthread_mutex_lock(&queue->lock);
    if (!queue->closed && queue->length < queue->limit + queue->idle) {
        query->queue_previous = queue->last;
        query->queue_next = NULL;
        if (queue->last != NULL)
            queue->last->queue_next = query;
        else
            queue->first = query;
        queue->last = query;
        query->in_queue = true;
        queue->length++;
        pthread_cond_signal(&queue->not_empty);
        pushed = true;
    }
    pthread_mutex_unlock(&queue->lock);
    return pushed;
}

void query_queue_announce(struct query_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->idle++;
    queue->announced++;
    pthread_mutex_unlock(&queue->lock);
}

struct query *query_queue_pop_wait(struct query_queue *queue)
{
    struct query *query = NULL;

    pthread_mutex_lock(&queue->lock);
    if (queue->announced > 0)
        queue->announced--;
    else
        queue->idle++;
    while (queue->first == NULL && !queue->closed)
        pthread_cond_wait(&queue->not_empty, &queue->lock);
    queue->idle--;
    query = queue->first;
    if (query != NULL)
        unlink_locked(queue, query);
    pthread_mutex_unlock(&queue->lock);
    return query;
}

bool query_queue_remove(struct query_queue *queue, struct query *query)
{
    bool removed = false;

    pthread_mutex_lock(&queue->lock);
    removed = query->in_queue;
    if (removed)
        unlink_locked(queue, query);
    pthread_mutex_unlock(&queue->lock);
    return removed;
}

bool query_queue_replace(struct query_queue *queue, struct query *query, struct query *heir)
{
    bool replaced = false;

    pthread_mutex_lock(&queue->lock);
    replaced = query->in_queue;
    if (replaced) {
        heir->queue_previous = query;
        heir->queue_next = query->queue_next;
        if (heir->queue_next != NULL)
            heir->queue_next->queue_previous = heir;
        else
            queue->last = heir;
        query->queue_next = heir;
        heir->in_queue = true;
        queue->length++;
        unlink_locked(queue, query);
    }
    pthread_mutex_unlock(&queue->lock);
    return replaced;
}

/* The first `idle` queries are as good as taken: their workers only have to wake. */
static bool has_to_wait_locked(const struct query_queue *queue, const struct query *query)
{
    const struct query *ahead = queue->first;

    if (!query->in_queue)
        return false;
    for (size_t i = 0; i < queue->idle && ahead != NULL; i++) {
        if (ahead == query)
            return false;
        ahead = ahead->queue_next;
    }
    return true;
}

bool query_queue_expire(struct query_queue *queue, struct query *query)
{
    bool expired = false;

    pthread_mutex_lock(&queue->lock);
    expired = has_to_wait_locked(queue, query);
    if (expired)
        unlink_locked(queue, query);
    pthread_mutex_unlock(&queue->lock);
    return expired;
}

bool query_queue_has_to_wait(struct query_queue *queue, const struct query *query)
{
    bool has_to = false;

    pthread_mutex_lock(&queue->lock);
    has_to = has_to_wait_locked(queue, query);
    pthread_mutex_unlock(&queue->lock);
    return has_to;
}

void query_queue_close(struct query_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->not_empty);
    pthread_mutex_unlock(&queue->lock);
}

size_t query_queue_length(struct query_queue *queue)
{
    size_t length = 0;

    pthread_mutex_lock(&queue->lock);
    length = queue->length > queue->idle ? queue->length - queue->idle : 0;
    pthread_mutex_unlock(&queue->lock);
    return length;
}

size_t query_queue_limit(const struct query_queue *queue)
{
    return queue->limit;
}
