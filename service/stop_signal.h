/*
 * stop_signal: how a thread that does something every so often is told to end.
 */
#ifndef SERVICE_STOP_SIGNAL_H
#define SERVICE_STOP_SIGNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct stop_signal {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool given; /* under lock */
};

void stop_signal_init(struct stop_signal *stop);
void stop_signal_done(struct stop_signal *stop);

/* Waits so long, or until the signal; true when it was given.   [the thread] */
bool stop_signal_pause(struct stop_signal *stop, int64_t span_ms);

/* Gives the signal and joins the thread. False when it does not end within the
 * limit, rounded up to seconds: it is left behind, with all that it borrows.   [any] */
bool stop_signal_join(struct stop_signal *stop, pthread_t thread, int64_t limit_ms);

#endif
