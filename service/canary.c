#include "canary.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../jni/spark_engine.h"
#include "deadline.h"
#include "log.h"
#include "metrics.h"

struct canary {
    struct spark_engine *engine;
    int64_t interval_ms;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool reported; /* under lock: the first canary is over */
    bool failed;   /* under lock */
    bool stopping; /* under lock */
    struct error first_error;
    _Atomic int64_t last_ok_ns; /* monotime of the last success */
};

static int sing(struct canary *canary, struct spark_thread *thread, struct error *err)
{
    if (spark_engine_canary(thread, err) != 0)
        return -1;
    atomic_store(&canary->last_ok_ns, monotime_now().ns);
    return 0;
}

static void report_first(struct canary *canary, const struct error *err)
{
    pthread_mutex_lock(&canary->lock);
    canary->reported = true;
    canary->failed = err != NULL;
    if (err != NULL)
        canary->first_error = *err;
    pthread_cond_broadcast(&canary->changed);
    pthread_mutex_unlock(&canary->lock);
}

/* True when it is time to end. */
static bool pause_or_stop(struct canary *canary)
{
    struct monotime due = monotime_after(monotime_now(), canary->interval_ms);
    struct timespec until = monotime_timespec(due);
    bool stopping = false;

    pthread_mutex_lock(&canary->lock);
    while (!canary->stopping && !monotime_reached(due, monotime_now()))
        pthread_cond_timedwait(&canary->changed, &canary->lock, &until);
    stopping = canary->stopping;
    pthread_mutex_unlock(&canary->lock);
    return stopping;
}

static void *canary_main(void *argument)
{
    struct canary *canary = argument;
    struct spark_thread *thread = NULL;
    struct error err;
    bool was_ok = true;

    pthread_setname_np(pthread_self(), "canary");
    if (spark_thread_attach(canary->engine, "canary", &thread, &err) != 0) {
        report_first(canary, &err);
        return NULL;
    }
    if (sing(canary, thread, &err) != 0) {
        report_first(canary, &err);
        goto out;
    }
    report_first(canary, NULL);
    do {
        bool ok = sing(canary, thread, &err) == 0;
        if (!ok)
            metrics_add(METRIC_CANARY_FAILURES, 1);
        if (!ok && was_ok)
            log_line(LOG_WARN, "canary query failed", LOG_TEXT("detail", err.detail));
        else if (ok && !was_ok)
            log_line(LOG_INFO, "canary query succeeds again");
        was_ok = ok;
    } while (!pause_or_stop(canary));
out:
    spark_thread_detach(thread);
    return NULL;
}

static void canary_free(struct canary *canary)
{
    pthread_cond_destroy(&canary->changed);
    pthread_mutex_destroy(&canary->lock);
    free(canary);
}

int canary_start(struct spark_engine *engine, int64_t interval_ms, struct canary **ret_canary,
                 struct error *err)
{
    struct canary *canary = calloc(1, sizeof(*canary));
    pthread_condattr_t attributes;
    int rc = 0;

    if (canary == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    canary->engine = engine;
    canary->interval_ms = interval_ms;
    pthread_mutex_init(&canary->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&canary->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    rc = pthread_create(&canary->thread, NULL, canary_main, canary);
    if (rc != 0) {
        canary_free(canary);
        return error_set(err, ERROR_ENGINE_ERROR, "canary thread: %s", strerror(rc));
    }
    pthread_mutex_lock(&canary->lock);
    while (!canary->reported)
        pthread_cond_wait(&canary->changed, &canary->lock);
    pthread_mutex_unlock(&canary->lock);
    if (canary->failed) {
        pthread_join(canary->thread, NULL);
        *err = canary->first_error;
        canary_free(canary);
        return -1;
    }
    *ret_canary = canary;
    return 0;
}

int64_t canary_age_ms(const struct canary *canary)
{
    struct monotime last = {.ns = atomic_load(&canary->last_ok_ns)};

    return monotime_span_ms(last, monotime_now());
}

bool canary_stop(struct canary *canary, int64_t timeout_ms)
{
    struct timespec until;

    if (canary == NULL)
        return true;
    pthread_mutex_lock(&canary->lock);
    canary->stopping = true;
    pthread_cond_broadcast(&canary->changed);
    pthread_mutex_unlock(&canary->lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000 + 1;
    if (pthread_timedjoin_np(canary->thread, NULL, &until) != 0)
        return false;
    canary_free(canary);
    return true;
}
