/*
 * calendar_text: dates, times and intervals -> ISO 8601 text.   [any]
 *
 * The calendar is proleptic Gregorian. Years outside 0000..9999 are written in
 * the expanded form, with a sign. Fractions of a second are cut to what the
 * text holds, towards the past.
 *
 * `units_per_second` is 1, 1000, 1000000 or 1000000000. Each function writes at
 * `out` (CALENDAR_TEXT_MAX bytes of room, no terminator) and returns the end.
 */
#ifndef SERVICE_CALENDAR_TEXT_H
#define SERVICE_CALENDAR_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#define CALENDAR_TEXT_MAX 128

/* Days since 1970-01-01: "2024-01-31". */
char *calendar_text_date(char *out, int64_t days);

/* Units since 1970-01-01T00:00:00: "2024-01-31T09:57:06.123456", "Z" behind it when `utc`. */
char *calendar_text_timestamp(char *out, int64_t value, int64_t units_per_second, bool utc);

/* Units since midnight: "09:57:06.123456". */
char *calendar_text_time(char *out, int64_t value, int64_t units_per_second);

/* "P1Y2M", "-P3M", "P0M". */
char *calendar_text_months(char *out, int64_t months);

/* "P1DT2H3M4.5S", "-PT0.001S", "PT0S"; a day is 24 hours. */
char *calendar_text_duration(char *out, int64_t value, int64_t units_per_second);

/* Months, days and time that don't convert into each other: "P1Y2M3DT36H", "PT0S".
 * One leading "-" when no part is positive; parts of both signs carry their own
 * ("P1M-2D"), as java.time and ISO 8601-2 write it. */
char *calendar_text_interval(char *out, int64_t months, int64_t days, int64_t ns);

#endif
