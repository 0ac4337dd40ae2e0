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
#include "stop_signal.h"

struct canary {
    struct spark_engine *engine;
    int64_t interval_ms;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool reported; /* under lock: the first canary is over */
    bool failed;   /* under lock */
    struct error first_error;
    struct stop_signal stop;
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
    } while (!stop_signal_pause(&canary->stop, canary->interval_ms));
out:
    spark_thread_detach(thread);
    return NULL;
}

static void canary_free(struct canary *canary)
{
    stop_signal_done(&canary->stop);
    pthread_cond_destroy(&canary->changed);
    pthread_mutex_destroy(&canary->lock);
    free(canary);
}

int canary_start(struct spark_engine *engine, int64_t interval_ms, struct canary **ret_canary,
                 struct error *err)
{
    struct canary *canary = calloc(1, sizeof(*canary));
    int rc = 0;

    if (canary == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    canary->engine = engine;
    canary->interval_ms = interval_ms;
    pthread_mutex_init(&canary->lock, NULL);
    pthread_cond_init(&canary->changed, NULL);
    stop_signal_init(&canary->stop);
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
    if (canary == NULL)
        return true;
    if (!stop_signal_join(&canary->stop, canary->thread, timeout_ms))
        return false;
    canary_free(canary);
    return true;
}
