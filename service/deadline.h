/*
 * deadline: monotonic time as a type of its own, so that a point in time, a
 * span and wall-clock time can't be mixed. All on CLOCK_MONOTONIC.   [any]
 */
#ifndef SERVICE_DEADLINE_H
#define SERVICE_DEADLINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

/* A point in monotonic time, nanoseconds; 0 = unset. */
struct monotime {
    int64_t ns;
};

struct monotime monotime_now(void);

/* `now` moved by a span; monotime_after(t, 1500) is 1.5 s later. */
struct monotime monotime_after(struct monotime t, int64_t span_ms);

/* later - earlier, in the unit named. */
int64_t monotime_span_ms(struct monotime earlier, struct monotime later);
int64_t monotime_span_us(struct monotime earlier, struct monotime later);

static inline bool monotime_is_set(struct monotime t)
{
    return t.ns != 0;
}

static inline bool monotime_reached(struct monotime deadline, struct monotime now)
{
    return deadline.ns != 0 && now.ns >= deadline.ns;
}

/* A span as libevent takes it. */
struct timeval span_timeval(int64_t span_ms);

/* A condition that pthread_cond_timedwait waits for until a monotime_timespec. */
void monotime_cond_init(pthread_cond_t *condition);
struct timespec monotime_timespec(struct monotime t);

/* Wall-clock "2024-01-31T09:57:06.123456Z" (RFC 3339, UTC) of `unix_us`. */
void wall_time_format(int64_t unix_us, char ret_text[32]);
/* The same cut to milliseconds: "2024-01-31T09:57:06.123Z". */
void wall_time_format_ms(int64_t unix_us, char ret_text[32]);
int64_t wall_time_now_us(void);

/* The time by which a span is over, up to a second late: for pthread_timedjoin_np,
 * which goes by this clock. */
struct timespec wall_time_after(int64_t span_ms);

#endif
