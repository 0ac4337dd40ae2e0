/*
 * rate_limit: "50/s" as a value, and the token bucket that holds a caller to it.
 * Whole numbers only, so that nothing is lost or won by rounding.   [any]
 *
 * The bucket holds `count` requests at most: a caller that was quiet for a whole
 * period may send so many at once.
 */
#ifndef SERVICE_RATE_LIMIT_H
#define SERVICE_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "deadline.h"

#define RATE_COUNT_MAX 1000000
#define RATE_TEXT_BYTES 16

struct rate {
    int64_t count;    /* 1..RATE_COUNT_MAX; 0 = no limit */
    int64_t period_s; /* 1, 60, 3600 */
};

struct rate_bucket {
    int64_t level;      /* one request is worth a period in microseconds */
    struct monotime at; /* of `level`; unset: never used, full */
};

/* "50/s", "600/m", "1000/h"; "-" is no limit. */
bool rate_parse(const char *text, struct rate *ret_rate);
void rate_format(const struct rate *rate, char ret_text[RATE_TEXT_BYTES]);

/* Takes one request out of the bucket: 0. Else the milliseconds, rounded up, until
 * there is one; nothing is taken. */
int64_t rate_bucket_take(struct rate_bucket *bucket, const struct rate *rate, struct monotime now);

#endif
