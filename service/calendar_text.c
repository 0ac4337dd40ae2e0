#include "calendar_text.h"

#include <stddef.h>
#include <string.h>

#include "number_text.h"

#define SECONDS_PER_DAY INT64_C(86400)
#define MICROS_PER_SECOND INT64_C(1000000)
#define NANOS_PER_SECOND INT64_C(1000000000)

static int64_t floor_divide(int64_t value, int64_t by)
{
    int64_t quotient = value / by;

    return quotient - (value % by < 0 ? 1 : 0);
}

/* What floor_divide leaves, 0..by-1; a product of the two could overflow. */
static int64_t floor_modulo(int64_t value, int64_t by)
{
    int64_t rest = value % by;

    return rest < 0 ? rest + by : rest;
}

/* Exactly `count` digits, zero-padded. */
static char *put_digits(char *out, uint64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return out + count;
}

/* put_digits for values below 100, the parts of a date and a clock. */
static char *put_two(char *out, uint32_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";

    memcpy(out, pairs + (size_t)value * 2, 2);
    return out + 2;
}

static char *put_year(char *out, int64_t year)
{
    uint64_t magnitude = year < 0 ? (uint64_t)-year : (uint64_t)year;

    if (year < 0)
        *out++ = '-';
    else if (year > 9999)
        *out++ = '+';
    if (magnitude > 9999)
        return number_text_uint64(out, magnitude);
    out = put_two(out, (uint32_t)magnitude / 100);
    return put_two(out, (uint32_t)magnitude % 100);
}

/* Counts from 0000-03-01, so that the leap day ends its year; 400 years are 146097
 * days (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
char *calendar_text_date(char *out, int64_t days)
{
    int64_t shifted = days + 719468;
    int64_t era = floor_divide(shifted, 146097);
    uint32_t day_of_era = (uint32_t)floor_modulo(shifted, 146097);
    uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month_from_march = (5 * day_of_year + 2) / 153;
    uint32_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    uint32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    int64_t year = (int64_t)year_of_era + era * 400 + (month <= 2 ? 1 : 0);

    out = put_year(out, year);
    *out++ = '-';
    out = put_two(out, month);
    *out++ = '-';
    return put_two(out, day);
}

static uint64_t micros_of(int64_t fraction, int64_t units_per_second)
{
    if (units_per_second > MICROS_PER_SECOND)
        return (uint64_t)(fraction / (units_per_second / MICROS_PER_SECOND));
    return (uint64_t)(fraction * (MICROS_PER_SECOND / units_per_second));
}

/* `seconds` may be more than a day's, `micros` is below a second's. */
static char *put_clock(char *out, uint64_t seconds, uint64_t micros)
{
    uint32_t of_hour = (uint32_t)(seconds % 3600);

    if (seconds < 100 * 3600)
        out = put_two(out, (uint32_t)(seconds / 3600));
    else
        out = number_text_uint64(out, seconds / 3600);
    *out++ = ':';
    out = put_two(out, of_hour / 60);
    *out++ = ':';
    out = put_two(out, of_hour % 60);
    *out++ = '.';
    out = put_two(out, (uint32_t)micros / 10000);
    out = put_two(out, (uint32_t)micros / 100 % 100);
    return put_two(out, (uint32_t)micros % 100);
}

/* Inlined per unit: dividing by a constant is several times cheaper. */
static inline char *put_timestamp(char *out, int64_t value, int64_t units_per_second)
{
    int64_t seconds = floor_divide(value, units_per_second);
    uint64_t micros = micros_of(floor_modulo(value, units_per_second), units_per_second);
    int64_t days = floor_divide(seconds, SECONDS_PER_DAY);

    out = calendar_text_date(out, days);
    *out++ = 'T';
    return put_clock(out, (uint64_t)floor_modulo(seconds, SECONDS_PER_DAY), micros);
}

char *calendar_text_timestamp(char *out, int64_t value, int64_t units_per_second, bool utc)
{
    if (units_per_second == MICROS_PER_SECOND)
        out = put_timestamp(out, value, MICROS_PER_SECOND);
    else
        out = put_timestamp(out, value, units_per_second);
    if (utc)
        *out++ = 'Z';
    return out;
}

char *calendar_text_time(char *out, int64_t value, int64_t units_per_second)
{
    int64_t seconds = value / units_per_second;
    int64_t fraction = value % units_per_second;

    if (value < 0) {
        *out++ = '-';
        seconds = -seconds;
        fraction = -fraction;
    }
    return put_clock(out, (uint64_t)seconds, micros_of(fraction, units_per_second));
}

/* An interval's parts; each has the sign it is written with. */
struct interval_parts {
    int64_t months;
    int64_t days;
    int64_t seconds;
    int64_t nanos; /* of the second, same sign as `seconds` */
};

static char *put_part(char *out, int64_t value, char unit)
{
    if (value == 0)
        return out;
    out = number_text_int64(out, value);
    *out++ = unit;
    return out;
}

static char *put_seconds(char *out, int64_t seconds, int64_t nanos)
{
    if (seconds == 0 && nanos == 0)
        return out;
    if (seconds == 0 && nanos < 0)
        *out++ = '-';
    out = number_text_int64(out, seconds);
    if (nanos != 0) {
        *out++ = '.';
        out = put_digits(out, (uint64_t)(nanos < 0 ? -nanos : nanos), 9);
        while (out[-1] == '0')
            out--;
    }
    *out++ = 'S';
    return out;
}

static char *put_parts(char *out, struct interval_parts parts)
{
    const char *start = out;

    if (parts.months <= 0 && parts.days <= 0 && parts.seconds <= 0 && parts.nanos <= 0 &&
        (parts.months | parts.days | parts.seconds | parts.nanos) != 0) {
        *out++ = '-';
        start = out;
        parts.months = -parts.months;
        parts.days = -parts.days;
        parts.seconds = -parts.seconds;
        parts.nanos = -parts.nanos;
    }
    *out++ = 'P';
    out = put_part(out, parts.months / 12, 'Y');
    out = put_part(out, parts.months % 12, 'M');
    out = put_part(out, parts.days, 'D');
    if (parts.seconds != 0 || parts.nanos != 0) {
        *out++ = 'T';
        out = put_part(out, parts.seconds / 3600, 'H');
        out = put_part(out, parts.seconds / 60 % 60, 'M');
        out = put_seconds(out, parts.seconds % 60, parts.nanos);
    }
    if (out == start + 1) {
        *out++ = 'T';
        *out++ = '0';
        *out++ = 'S';
    }
    return out;
}

char *calendar_text_months(char *out, int64_t months)
{
    if (months == 0) {
        *out++ = 'P';
        *out++ = '0';
        *out++ = 'M';
        return out;
    }
    return put_parts(out, (struct interval_parts){.months = months});
}

char *calendar_text_duration(char *out, int64_t value, int64_t units_per_second)
{
    int64_t seconds = value / units_per_second;
    struct interval_parts parts = {
        .days = seconds / SECONDS_PER_DAY,
        .seconds = seconds % SECONDS_PER_DAY,
        .nanos = value % units_per_second * (NANOS_PER_SECOND / units_per_second),
    };

    return put_parts(out, parts);
}

char *calendar_text_interval(char *out, int64_t months, int64_t days, int64_t ns)
{
    struct interval_parts parts = {
        .months = months,
        .days = days,
        .seconds = ns / NANOS_PER_SECOND,
        .nanos = ns % NANOS_PER_SECOND,
    };

    return put_parts(out, parts);
}
