#include "deadline.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_US 1000
#define NS_PER_MS (1000 * NS_PER_US)
#define NS_PER_S (1000 * (int64_t)NS_PER_MS)
#define US_PER_S 1000000

struct monotime monotime_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct monotime){(int64_t)now.tv_sec * NS_PER_S + now.tv_nsec};
}

struct monotime monotime_after(struct monotime t, int64_t span_ms)
{
    int64_t span_ns, ns;

    /* A span too long to add is "never", not a wrap into the past. */
    if (__builtin_mul_overflow(span_ms, (int64_t)NS_PER_MS, &span_ns) ||
        __builtin_add_overflow(t.ns, span_ns, &ns))
        ns = span_ms > 0 ? INT64_MAX : INT64_MIN;
    return (struct monotime){ns};
}

int64_t monotime_span_ms(struct monotime earlier, struct monotime later)
{
    return (later.ns - earlier.ns) / NS_PER_MS;
}

int64_t monotime_span_us(struct monotime earlier, struct monotime later)
{
    return (later.ns - earlier.ns) / NS_PER_US;
}

struct timeval span_timeval(int64_t span_ms)
{
    return (struct timeval){.tv_sec = (time_t)(span_ms / 1000),
                            .tv_usec = (suseconds_t)(span_ms % 1000 * 1000)};
}

void monotime_cond_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct timespec monotime_timespec(struct monotime t)
{
    return (struct timespec){.tv_sec = (time_t)(t.ns / NS_PER_S),
                             .tv_nsec = (long)(t.ns % NS_PER_S)};
}

/* "2024-01-31T09:57:06" is made once a second and thread. */
static const char *format_second(time_t second)
{
    static _Thread_local char text[24];
    static _Thread_local time_t shown;
    struct tm utc;

    if (text[0] != '\0' && shown == second)
        return text;
    if (gmtime_r(&second, &utc) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
        text[0] = '\0';
    shown = second;
    return text;
}

void wall_time_format(int64_t unix_us, char ret_text[32])
{
    int64_t seconds = unix_us / US_PER_S;
    int64_t micros = unix_us % US_PER_S;
    const char *date_time = NULL;
    size_t length = 0;

    if (micros < 0) {
        micros += US_PER_S;
        seconds--;
    }
    date_time = format_second((time_t)seconds);
    length = strlen(date_time);
    memcpy(ret_text, date_time, length + 1);
    if (length == 0)
        return;
    ret_text[length] = '.';
    for (size_t i = 6; i > 0; i--) {
        ret_text[length + i] = (char)('0' + micros % 10);
        micros /= 10;
    }
    memcpy(ret_text + length + 7, "Z", 2);
}

void wall_time_format_ms(int64_t unix_us, char ret_text[32])
{
    size_t length = 0;

    wall_time_format(unix_us, ret_text);
    length = strlen(ret_text);
    if (length > 4) /* the last three of six digits, and Z */
        memcpy(ret_text + length - 4, "Z", 2);
}

struct timespec wall_time_after(int64_t span_ms)
{
    struct timespec after;

    clock_gettime(CLOCK_REALTIME, &after);
    after.tv_sec += span_ms / 1000 + 1;
    return after;
}

int64_t wall_time_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US;
}
