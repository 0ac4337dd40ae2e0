#include "canceller.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../jni/spark_engine.h"
#include "deadline.h"
#include "query.h"

#define REPEAT_MS 100

/* Room for all tags from the start: a cancel needs no memory. */
struct canceller {
    struct spark_engine *engine;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char (*tags)[QUERY_TAG_BYTES];  /* under lock; `count` of `capacity` */
    char (*asked)[QUERY_TAG_BYTES]; /* the thread's copy */
    size_t capacity;
    size_t count;  /* under lock */
    bool attached; /* under lock: the thread said how its start went */
    bool failed;   /* under lock */
    bool stopping; /* under lock */
    struct error attach_error;
};

/* Asks once for every tag. No call into the engine while the lock is held; the
 * copy may name a query that just ended: its tag is unique and hits nothing. */
static void ask_all(struct canceller *canceller, struct spark_thread *thread)
{
    size_t count = canceller->count;

    memcpy(canceller->asked, canceller->tags, count * sizeof(*canceller->tags));
    pthread_mutex_unlock(&canceller->lock);
    for (size_t i = 0; i < count; i++)
        spark_engine_cancel(thread, canceller->asked[i]);
    pthread_mutex_lock(&canceller->lock);
}

static void run(struct canceller *canceller, struct spark_thread *thread)
{
    pthread_mutex_lock(&canceller->lock);
    while (!canceller->stopping) {
        if (canceller->count == 0) {
            pthread_cond_wait(&canceller->changed, &canceller->lock);
            continue;
        }
        ask_all(canceller, thread);
        if (!canceller->stopping && canceller->count > 0) {
            struct timespec until = monotime_timespec(monotime_after(monotime_now(), REPEAT_MS));
            pthread_cond_timedwait(&canceller->changed, &canceller->lock, &until);
        }
    }
    pthread_mutex_unlock(&canceller->lock);
}

static void *canceller_main(void *argument)
{
    struct canceller *canceller = argument;
    struct spark_thread *thread = NULL;
    struct error err;
    int rc = 0;

    pthread_setname_np(pthread_self(), "canceller");
    rc = spark_thread_attach(canceller->engine, "canceller", &thread, &err);
    pthread_mutex_lock(&canceller->lock);
    canceller->attached = true;
    canceller->failed = rc != 0;
    if (rc != 0)
        canceller->attach_error = err;
    pthread_cond_broadcast(&canceller->changed);
    pthread_mutex_unlock(&canceller->lock);
    if (rc == 0) {
        run(canceller, thread);
        spark_thread_detach(thread);
    }
    return NULL;
}

static void canceller_free(struct canceller *canceller)
{
    free(canceller->tags);
    free(canceller->asked);
    pthread_cond_destroy(&canceller->changed);
    pthread_mutex_destroy(&canceller->lock);
    free(canceller);
}

int canceller_start(struct spark_engine *engine, size_t capacity, struct canceller **ret_canceller,
                    struct error *err)
{
    struct canceller *canceller = calloc(1, sizeof(*canceller));
    int rc = 0;

    if (canceller == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    canceller->engine = engine;
    canceller->capacity = capacity;
    canceller->tags = calloc(capacity, sizeof(*canceller->tags));
    canceller->asked = calloc(capacity, sizeof(*canceller->asked));
    if (canceller->tags == NULL || canceller->asked == NULL) {
        free(canceller->tags);
        free(canceller->asked);
        free(canceller);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    pthread_mutex_init(&canceller->lock, NULL);
    monotime_cond_init(&canceller->changed);
    rc = pthread_create(&canceller->thread, NULL, canceller_main, canceller);
    if (rc != 0) {
        canceller_free(canceller);
        return error_set(err, ERROR_ENGINE_ERROR, "canceller thread: %s", strerror(rc));
    }
    pthread_mutex_lock(&canceller->lock);
    while (!canceller->attached)
        pthread_cond_wait(&canceller->changed, &canceller->lock);
    pthread_mutex_unlock(&canceller->lock);
    if (canceller->failed) {
        pthread_join(canceller->thread, NULL);
        *err = canceller->attach_error;
        canceller_free(canceller);
        return -1;
    }
    *ret_canceller = canceller;
    return 0;
}

/* Under the lock: the tag's place, or `count`. */
static size_t find_tag(const struct canceller *canceller, const char *tag)
{
    size_t at = 0;

    while (at < canceller->count && strcmp(canceller->tags[at], tag) != 0)
        at++;
    return at;
}

/* Under the lock; the others keep their order. */
static void remove_at(struct canceller *canceller, size_t at)
{
    canceller->count--;
    memmove(canceller->tags[at], canceller->tags[at + 1],
            (canceller->count - at) * sizeof(*canceller->tags));
}

void canceller_add(struct canceller *canceller, const char *tag)
{
    pthread_mutex_lock(&canceller->lock);
    if (find_tag(canceller, tag) == canceller->count) {
        /* So many can't run: the oldest is over, the news of it on its way. */
        if (canceller->count == canceller->capacity)
            remove_at(canceller, 0);
        snprintf(canceller->tags[canceller->count++], sizeof(*canceller->tags), "%s", tag);
        pthread_cond_broadcast(&canceller->changed);
    }
    pthread_mutex_unlock(&canceller->lock);
}

void canceller_remove(struct canceller *canceller, const char *tag)
{
    size_t at = 0;

    pthread_mutex_lock(&canceller->lock);
    at = find_tag(canceller, tag);
    if (at < canceller->count)
        remove_at(canceller, at);
    pthread_mutex_unlock(&canceller->lock);
}

void canceller_stop(struct canceller *canceller)
{
    if (canceller == NULL)
        return;
    pthread_mutex_lock(&canceller->lock);
    canceller->stopping = true;
    pthread_cond_broadcast(&canceller->changed);
    pthread_mutex_unlock(&canceller->lock);
    pthread_join(canceller->thread, NULL);
    canceller_free(canceller);
}
