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

struct cancel_entry {
    struct cancel_entry *next;
    char tag[QUERY_TAG_BYTES];
};

struct canceller {
    struct spark_engine *engine;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct cancel_entry *entries; /* under lock */
    bool attached;                /* under lock: the thread said how its start went */
    bool failed;                  /* under lock */
    bool stopping;                /* under lock */
    struct error attach_error;
};

/* Asks once for every tag. No call into the engine while the lock is held; the
 * copy may name a query that just ended: its tag is unique and hits nothing. */
static void ask_all(struct canceller *canceller, struct spark_thread *thread)
{
    char(*tags)[QUERY_TAG_BYTES] = NULL;
    size_t count = 0;

    for (struct cancel_entry *e = canceller->entries; e != NULL; e = e->next)
        count++;
    tags = calloc(count > 0 ? count : 1, sizeof(*tags));
    if (tags == NULL)
        return; /* asked again in 100 ms */
    count = 0;
    for (struct cancel_entry *e = canceller->entries; e != NULL; e = e->next)
        memcpy(tags[count++], e->tag, sizeof(e->tag));
    pthread_mutex_unlock(&canceller->lock);
    for (size_t i = 0; i < count; i++)
        spark_engine_cancel(thread, tags[i]);
    free(tags);
    pthread_mutex_lock(&canceller->lock);
}

static void run(struct canceller *canceller, struct spark_thread *thread)
{
    pthread_mutex_lock(&canceller->lock);
    while (!canceller->stopping) {
        if (canceller->entries == NULL) {
            pthread_cond_wait(&canceller->changed, &canceller->lock);
            continue;
        }
        ask_all(canceller, thread);
        if (!canceller->stopping && canceller->entries != NULL) {
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
    while (canceller->entries != NULL) {
        struct cancel_entry *entry = canceller->entries;
        canceller->entries = entry->next;
        free(entry);
    }
    pthread_cond_destroy(&canceller->changed);
    pthread_mutex_destroy(&canceller->lock);
    free(canceller);
}

int canceller_start(struct spark_engine *engine, struct canceller **ret_canceller,
                    struct error *err)
{
    struct canceller *canceller = calloc(1, sizeof(*canceller));
    int rc = 0;

    if (canceller == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    canceller->engine = engine;
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

void canceller_add(struct canceller *canceller, const char *tag)
{
    struct cancel_entry *entry = NULL;

    pthread_mutex_lock(&canceller->lock);
    for (entry = canceller->entries; entry != NULL; entry = entry->next) {
        if (strcmp(entry->tag, tag) == 0)
            break;
    }
    if (entry == NULL && (entry = calloc(1, sizeof(*entry))) != NULL) {
        snprintf(entry->tag, sizeof(entry->tag), "%s", tag);
        entry->next = canceller->entries;
        canceller->entries = entry;
        pthread_cond_broadcast(&canceller->changed);
    }
    pthread_mutex_unlock(&canceller->lock);
}

void canceller_remove(struct canceller *canceller, const char *tag)
{
    pthread_mutex_lock(&canceller->lock);
    for (struct cancel_entry **link = &canceller->entries; *link != NULL; link = &(*link)->next) {
        if (strcmp((*link)->tag, tag) == 0) {
            struct cancel_entry *entry = *link;
            *link = entry->next;
            free(entry);
            break;
        }
    }
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
