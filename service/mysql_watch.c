#include "mysql_watch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "mysql_sources.h"
#include "stop_signal.h"

#define LOOK_MS 2000

struct mysql_watch {
    struct mysql_sources *sources;
    int64_t interval_ms;
    pthread_t thread;
    struct stop_signal stop;
};

static void *watch_main(void *argument)
{
    struct mysql_watch *watch = argument;
    bool stopping = false;

    pthread_setname_np(pthread_self(), "mysql-watch");
    while (!stopping) {
        struct monotime next = monotime_after(monotime_now(), watch->interval_ms);

        for (size_t i = 0; !stopping && mysql_sources_probe(watch->sources, i, LOOK_MS); i++)
            stopping = stop_signal_pause(&watch->stop, 0);
        stopping =
            stopping || stop_signal_pause(&watch->stop, monotime_span_ms(monotime_now(), next));
    }
    return NULL;
}

static void watch_free(struct mysql_watch *watch)
{
    stop_signal_done(&watch->stop);
    free(watch);
}

int mysql_watch_start(struct mysql_sources *sources, int64_t interval_ms,
                      struct mysql_watch **ret_watch, struct error *err)
{
    struct mysql_watch *watch = calloc(1, sizeof(*watch));
    int rc = 0;

    if (watch == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    watch->sources = sources;
    watch->interval_ms = interval_ms;
    stop_signal_init(&watch->stop);
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
    if (watch == NULL)
        return true;
    if (!stop_signal_join(&watch->stop, watch->thread, timeout_ms))
        return false;
    watch_free(watch);
    return true;
}
