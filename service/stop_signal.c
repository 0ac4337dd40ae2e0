#include "stop_signal.h"

#include <time.h>

#include "deadline.h"

void stop_signal_init(struct stop_signal *stop)
{
    pthread_mutex_init(&stop->lock, NULL);
    monotime_cond_init(&stop->changed);
    stop->given = false;
}

void stop_signal_done(struct stop_signal *stop)
{
    pthread_cond_destroy(&stop->changed);
    pthread_mutex_destroy(&stop->lock);
}

bool stop_signal_pause(struct stop_signal *stop, int64_t span_ms)
{
    struct monotime due = monotime_after(monotime_now(), span_ms);
    struct timespec until = monotime_timespec(due);
    bool given = false;

    pthread_mutex_lock(&stop->lock);
    while (!stop->given && !monotime_reached(due, monotime_now()))
        pthread_cond_timedwait(&stop->changed, &stop->lock, &until);
    given = stop->given;
    pthread_mutex_unlock(&stop->lock);
    return given;
}

bool stop_signal_join(struct stop_signal *stop, pthread_t thread, int64_t limit_ms)
{
    struct timespec until = wall_time_after(limit_ms);

    pthread_mutex_lock(&stop->lock);
    stop->given = true;
    pthread_cond_broadcast(&stop->changed);
    pthread_mutex_unlock(&stop->lock);
    return pthread_timedjoin_np(thread, NULL, &until) == 0;
}
