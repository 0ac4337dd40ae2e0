#include "query_queue.h"

#include <pthread.h>
#include <stdlib.h>

struct query_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct query *first; /* whose turn is next */
    struct query *last;
    size_t length;
    size_t limit;
    size_t heavy_max;     /* that may run at once */
    size_t heavy;         /* that run */
    size_t idle;          /* workers inside pop_wait, or announced, and not reserved */
    size_t announced;     /* of these, not inside yet; any worker that comes may be one of them */
    struct query *handed; /* for the reserved ones, by queue_next */
    bool closed;
};

struct query_queue *query_queue_new(const struct query_queue_config *config)
{
    struct query_queue *queue = calloc(1, sizeof(*queue));
    size_t kept = config->small_slots;

    if (queue == NULL)
        return NULL;
    if (kept >= config->workers)
        kept = config->workers > 0 ? config->workers - 1 : 0;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->changed, NULL);
    queue->limit = config->limit;
    queue->heavy_max = config->workers - kept;
    return queue;
}

void query_queue_free(struct query_queue *queue)
{
    if (queue == NULL)
        return;
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

static bool is_heavy(const struct query *query)
{
    return query->guess.size == RUN_HEAVY;
}

static int64_t rank_ms(const struct query *query)
{
    int64_t patience_ms = query->request.queue_timeout_ms / 2;
    int64_t span_ms = query->guess.span_ms;

    return query->received.ns / 1000000 + (span_ms < patience_ms ? span_ms : patience_ms);
}

static void link_behind_locked(struct query_queue *queue, struct query *query, struct query *ahead)
{
    query->queue_previous = ahead;
    query->queue_next = ahead != NULL ? ahead->queue_next : queue->first;
    if (query->queue_next != NULL)
        query->queue_next->queue_previous = query;
    else
        queue->last = query;
    if (ahead != NULL)
        ahead->queue_next = query;
    else
        queue->first = query;
    query->in_queue = true;
    queue->length++;
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

/* How many heavy ones may begin, when there are workers. At the end nobody keeps a slot. */
static size_t heavy_left_locked(const struct query_queue *queue)
{
    if (queue->closed)
        return queue->length;
    return queue->heavy_max > queue->heavy ? queue->heavy_max - queue->heavy : 0;
}

/* What the idle workers are about to do. */
struct outlook {
    size_t taken;      /* queries that are as good as taken: their workers only have to wake */
    size_t heavy_left; /* heavy ones that may begin beside these */
    bool has_it;       /* the one asked for is among them */
};

static struct outlook look_ahead_locked(const struct query_queue *queue, const struct query *query)
{
    struct outlook outlook = {.heavy_left = heavy_left_locked(queue)};

    for (const struct query *next = queue->first; next != NULL && outlook.taken < queue->idle;
         next = next->queue_next) {
        if (is_heavy(next) && outlook.heavy_left == 0)
            continue;
        outlook.heavy_left -= is_heavy(next);
        outlook.taken++;
        outlook.has_it |= next == query;
    }
    return outlook;
}

/* Room for it, or a worker. */
static bool has_room_locked(const struct query_queue *queue, const struct query *query)
{
    struct outlook outlook = look_ahead_locked(queue, NULL);

    if (queue->length - outlook.taken < queue->limit)
        return true;
    return outlook.taken < queue->idle && (!is_heavy(query) || outlook.heavy_left > 0);
}

bool query_queue_try_push(struct query_queue *queue, struct query *query)
{
    struct query *ahead = NULL;
    bool pushed = false;

    pthread_mutex_lock(&queue->lock);
    if (!queue->closed && has_room_locked(queue, query)) {
        ahead = queue->last;
        while (ahead != NULL && rank_ms(ahead) > rank_ms(query))
            ahead = ahead->queue_previous;
        link_behind_locked(queue, query, ahead);
        pushed = true;
    }
    pthread_mutex_unlock(&queue->lock);
    if (pushed) /* behind the lock, or whom it wakes would run into that */
        pthread_cond_signal(&queue->changed);
    return pushed;
}

void query_queue_announce(struct query_queue *queue, const struct query *query)
{
    pthread_mutex_lock(&queue->lock);
    queue->idle++;
    queue->announced++;
    if (is_heavy(query)) {
        queue->heavy--;
        pthread_cond_broadcast(&queue->changed); /* for one that waited for that */
    }
    pthread_mutex_unlock(&queue->lock);
}

bool query_queue_reserve(struct query_queue *queue)
{
    bool reserved = false;

    pthread_mutex_lock(&queue->lock);
    reserved = !queue->closed && look_ahead_locked(queue, NULL).taken < queue->idle;
    queue->idle -= reserved;
    pthread_mutex_unlock(&queue->lock);
    return reserved;
}

void query_queue_release(struct query_queue *queue)
{
    bool is_awaited = false;

    pthread_mutex_lock(&queue->lock);
    queue->idle++;
    is_awaited = queue->first != NULL || queue->closed;
    pthread_mutex_unlock(&queue->lock);
    if (is_awaited)
        pthread_cond_signal(&queue->changed);
}

void query_queue_hand_over(struct query_queue *queue, struct query *query)
{
    pthread_mutex_lock(&queue->lock);
    query->queue_next = queue->handed;
    queue->handed = query;
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_signal(&queue->changed);
}

/* Any worker that comes has the place of the reserved one. */
static struct query *take_handed_locked(struct query_queue *queue)
{
    struct query *query = queue->handed;

    if (query == NULL)
        return NULL;
    queue->handed = query->queue_next;
    query->queue_next = NULL;
    queue->idle++;
    return query;
}

/* NULL, too, when all idle workers are reserved. */
static struct query *next_locked(const struct query_queue *queue)
{
    struct query *next = queue->idle > 0 ? queue->first : NULL;

    if (heavy_left_locked(queue) == 0)
        while (next != NULL && is_heavy(next))
            next = next->queue_next;
    return next;
}

struct query *query_queue_pop_wait(struct query_queue *queue)
{
    struct query *query = NULL;

    pthread_mutex_lock(&queue->lock);
    if (queue->announced > 0)
        queue->announced--;
    else
        queue->idle++;
    while ((query = take_handed_locked(queue)) == NULL && (query = next_locked(queue)) == NULL &&
           !queue->closed)
        pthread_cond_wait(&queue->changed, &queue->lock);
    queue->idle--;
    if (query != NULL && query->in_queue)
        unlink_locked(queue, query);
    if (query != NULL)
        queue->heavy += is_heavy(query);
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
        link_behind_locked(queue, heir, query);
        unlink_locked(queue, query);
    }
    pthread_mutex_unlock(&queue->lock);
    return replaced;
}

static bool has_to_wait_locked(const struct query_queue *queue, const struct query *query)
{
    return query->in_queue && !look_ahead_locked(queue, query).has_it;
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
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

size_t query_queue_length(struct query_queue *queue)
{
    size_t length = 0;

    pthread_mutex_lock(&queue->lock);
    length = queue->length - look_ahead_locked(queue, NULL).taken;
    pthread_mutex_unlock(&queue->lock);
    return length;
}

size_t query_queue_length_of(struct query_queue *queue, enum run_size size)
{
    size_t length = 0;

    pthread_mutex_lock(&queue->lock);
    for (const struct query *query = queue->first; query != NULL; query = query->queue_next)
        length += query->guess.size == size && has_to_wait_locked(queue, query);
    pthread_mutex_unlock(&queue->lock);
    return length;
}

size_t query_queue_limit(const struct query_queue *queue)
{
    return queue->limit;
}
