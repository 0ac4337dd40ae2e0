#include "rate_limit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define US_PER_S 1000000
#define US_PER_MS 1000

static const struct {
    char letter;
    int64_t period_s;
} UNITS[] = {{'s', 1}, {'m', 60}, {'h', 3600}};

bool rate_parse(const char *text, struct rate *ret_rate)
{
    char *end = NULL;
    long long count = 0;

    if (strcmp(text, "-") == 0) {
        *ret_rate = (struct rate){0, 1};
        return true;
    }
    if (!isdigit((unsigned char)text[0]))
        return false;
    count = strtoll(text, &end, 10);
    if (count < 1 || count > RATE_COUNT_MAX || end[0] != '/' || end[1] == '\0' || end[2] != '\0')
        return false;
    for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
        if (UNITS[i].letter == end[1]) {
            *ret_rate = (struct rate){count, UNITS[i].period_s};
            return true;
        }
    }
    return false;
}

void rate_format(const struct rate *rate, char ret_text[RATE_TEXT_BYTES])
{
    char unit = 's';

    for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
        if (UNITS[i].period_s == rate->period_s)
            unit = UNITS[i].letter;
    }
    if (rate->count == 0)
        snprintf(ret_text, RATE_TEXT_BYTES, "-");
    else
        snprintf(ret_text, RATE_TEXT_BYTES, "%lld/%c", (long long)rate->count, unit);
}

/* What a microsecond gives back is `count`, so a period gives back a bucket full. */
static void refill(struct rate_bucket *bucket, const struct rate *rate, struct monotime now)
{
    const int64_t period_us = rate->period_s * US_PER_S;
    const int64_t full = rate->count * period_us;
    int64_t elapsed_us = period_us;

    if (monotime_is_set(bucket->at))
        elapsed_us = monotime_span_us(bucket->at, now);
    if (elapsed_us >= period_us || bucket->level + elapsed_us * rate->count > full)
        bucket->level = full;
    else
        bucket->level += elapsed_us * rate->count;
    /* Only whole microseconds were given: the rest of this one counts the next time. */
    if (bucket->level == full)
        bucket->at = now;
    else
        bucket->at.ns += elapsed_us * 1000;
}

int64_t rate_bucket_take(struct rate_bucket *bucket, const struct rate *rate, struct monotime now)
{
    const int64_t price = rate->period_s * US_PER_S;
    int64_t missing_us = 0;

    if (rate->count == 0)
        return 0;
    refill(bucket, rate, now);
    if (bucket->level >= price) {
        bucket->level -= price;
        return 0;
    }
    missing_us = (price - bucket->level + rate->count - 1) / rate->count;
    return (missing_us + US_PER_MS - 1) / US_PER_MS;
}
