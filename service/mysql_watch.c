#include "mysql_watch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "mysql_sources.h"

#define LOOK_MS 2000

struct mysql_watch {
    struct mysql_sources *sources;
    int64_t interval_ms;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping; /* under lock */
};

/* True when it is time to end. */
static bool wait_until(struct mysql_watch *watch, struct monotime due)
{
    struct timespec until = monotime_timespec(due);
    bool stopping = false;

    pthread_mutex_lock(&watch->lock);
    while (!watch->stopping && !monotime_reached(due, monotime_now()))
        pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
    stopping = watch->stopping;
    pthread_mutex_unlock(&watch->lock);
    return stopping;
}

static void *watch_main(void *argument)
{
    struct mysql_watch *watch = argument;
    bool stopping = false;

    pthread_setname_np(pthread_self(), "mysql-watch");
    while (!stopping) {
        struct monotime next = monotime_after(monotime_now(), watch->interval_ms);

        for (size_t i = 0; !stopping && mysql_sources_probe(watch->sources, i, LOOK_MS); i++)
            stopping = wait_until(watch, monotime_now());
        stopping = stopping || wait_until(watch, next);
    }
    return NULL;
}

static void watch_free(struct mysql_watch *watch)
{
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

int mysql_watch_start(struct mysql_sources *sources, int64_t interval_ms,
                      struct mysql_watch **ret_watch, struct error *err)
{
    struct mysql_watch *watch = calloc(1, sizeof(*watch));
    pthread_condattr_t attributes;
    int rc = 0;

    if (watch == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    watch->sources = sources;
    watch->interval_ms = interval_ms;
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    rc = pthread_create(&watch->thread, NULL, watch_main, watch);
    if (rc != 0) {
        watch_free(watch);
        return error_set(err, ERROR_ENGINE_ERROR, "mysql-watch thread: %s", strerror(rc));
    }
    *ret_watch = watch;
    return 0;
}

bool mysql_watch_stop(struct mysql_watch *watch, int64_t timeout_ms)
{
    struct timespec until;

    if (watch == NULL)
        return true;
    pthread_mutex_lock(&watch->lock);
    watch->stopping = true;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000 + 1;
    if (pthread_timedjoin_np(watch->thread, NULL, &until) != 0)
        return false;
    watch_free(watch);
    return true;
}
