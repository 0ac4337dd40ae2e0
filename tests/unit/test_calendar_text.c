#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../../service/calendar_text.h"

static char text[CALENDAR_TEXT_MAX + 1];

/* Ends the text that a call wrote and compares it. */
#define CHECK(call, expected)                                                                      \
    do {                                                                                           \
        *(call) = '\0';                                                                            \
        assert_string_equal(text, expected);                                                       \
    } while (0)

static void test_dates(void **state)
{
    (void)state;
    CHECK(calendar_text_date(text, 0), "1970-01-01");
    CHECK(calendar_text_date(text, 19753), "2024-01-31");
    CHECK(calendar_text_date(text, 19782), "2024-02-29");
    CHECK(calendar_text_date(text, 11016), "2000-02-29");
    CHECK(calendar_text_date(text, -25509), "1900-02-28");
    CHECK(calendar_text_date(text, -25508), "1900-03-01");
    CHECK(calendar_text_date(text, -1), "1969-12-31");
    CHECK(calendar_text_date(text, -719162), "0001-01-01");
    CHECK(calendar_text_date(text, -719163), "0000-12-31");
    CHECK(calendar_text_date(text, -719528), "0000-01-01");
    CHECK(calendar_text_date(text, -719529), "-0001-12-31");
    CHECK(calendar_text_date(text, 2932896), "9999-12-31");
    CHECK(calendar_text_date(text, 2932897), "+10000-01-01");
    CHECK(calendar_text_date(text, INT32_MAX), "+5881580-07-11");
    CHECK(calendar_text_date(text, INT32_MIN), "-5877641-06-23");
}

/* The C library's own calendar, day by day over more than a cycle of 400 years. */
static void test_dates_agree_with_gmtime(void **state)
{
    char expected[32];
    struct tm tm;

    (void)state;
    for (int64_t days = -160000; days < 160000; days += 7) {
        time_t seconds = (time_t)(days * 86400);

        gmtime_r(&seconds, &tm);
        strftime(expected, sizeof(expected), "%Y-%m-%d", &tm);
        CHECK(calendar_text_date(text, days), expected);
    }
}

static void test_timestamps(void **state)
{
    (void)state;
    CHECK(calendar_text_timestamp(text, 1706695026, 1, true), "2024-01-31T09:57:06.000000Z");
    CHECK(calendar_text_timestamp(text, 1706695026123, 1000, false), "2024-01-31T09:57:06.123000");
    CHECK(calendar_text_timestamp(text, 1706695026123456789, 1000000000, true),
          "2024-01-31T09:57:06.123456Z");
    CHECK(calendar_text_timestamp(text, -1, 1000000, true), "1969-12-31T23:59:59.999999Z");
    CHECK(calendar_text_timestamp(text, -1, 1000000000, true), "1969-12-31T23:59:59.999999Z");
    CHECK(calendar_text_timestamp(text, -86400000000, 1000000, true),
          "1969-12-31T00:00:00.000000Z");
    CHECK(calendar_text_timestamp(text, INT64_C(-62135596800000000), 1000000, true),
          "0001-01-01T00:00:00.000000Z");
    CHECK(calendar_text_timestamp(text, INT64_MAX, 1000000, true),
          "+294247-01-10T04:00:54.775807Z");
    CHECK(calendar_text_timestamp(text, INT64_MIN, 1000000, true),
          "-290308-12-21T19:59:05.224192Z");
    CHECK(calendar_text_timestamp(text, INT64_MIN, 1, false),
          "-292277022657-01-27T08:29:52.000000");
}

static void test_times(void **state)
{
    (void)state;
    CHECK(calendar_text_time(text, 0, 1), "00:00:00.000000");
    CHECK(calendar_text_time(text, 86399999999, 1000000), "23:59:59.999999");
    CHECK(calendar_text_time(text, -3020399000, 1000), "-838:59:59.000000");
    CHECK(calendar_text_time(text, INT64_MIN, 1000000000), "-2562047:47:16.854775");
}

static void test_months(void **state)
{
    (void)state;
    CHECK(calendar_text_months(text, 0), "P0M");
    CHECK(calendar_text_months(text, 14), "P1Y2M");
    CHECK(calendar_text_months(text, 12), "P1Y");
    CHECK(calendar_text_months(text, -3), "-P3M");
    CHECK(calendar_text_months(text, INT32_MIN), "-P178956970Y8M");
}

static void test_durations(void **state)
{
    (void)state;
    CHECK(calendar_text_duration(text, 0, 1000000), "PT0S");
    CHECK(calendar_text_duration(text, 93784500000, 1000000), "P1DT2H3M4.5S");
    CHECK(calendar_text_duration(text, -93784500000, 1000000), "-P1DT2H3M4.5S");
    CHECK(calendar_text_duration(text, 86400, 1), "P1D");
    CHECK(calendar_text_duration(text, 3600, 1), "PT1H");
    CHECK(calendar_text_duration(text, -1, 1000), "-PT0.001S");
    CHECK(calendar_text_duration(text, 60000001, 1000000), "PT1M0.000001S");
    CHECK(calendar_text_duration(text, INT64_MIN, 1000000), "-P106751991DT4H54.775808S");
    CHECK(calendar_text_duration(text, INT64_MIN, 1), "-P106751991167300DT15H30M8S");
}

static void test_intervals(void **state)
{
    (void)state;
    CHECK(calendar_text_interval(text, 0, 0, 0), "PT0S");
    CHECK(calendar_text_interval(text, 14, 3, INT64_C(129600000000000)), "P1Y2M3DT36H");
    CHECK(calendar_text_interval(text, 0, 0, 1), "PT0.000000001S");
    CHECK(calendar_text_interval(text, -14, -3, -1500000000), "-P1Y2M3DT1.5S");
    CHECK(calendar_text_interval(text, 1, -2, 0), "P1M-2D");
    CHECK(calendar_text_interval(text, -1, 2, -500000000), "P-1M2DT-0.5S");
    CHECK(calendar_text_interval(text, 0, 1, -3723500000000), "P1DT-1H-2M-3.5S");
    CHECK(calendar_text_interval(text, INT32_MIN, INT32_MIN, INT64_MIN),
          "-P178956970Y8M2147483648DT2562047H47M16.854775808S");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),      cmocka_unit_test(test_dates_agree_with_gmtime),
        cmocka_unit_test(test_timestamps), cmocka_unit_test(test_times),
        cmocka_unit_test(test_months),     cmocka_unit_test(test_durations),
        cmocka_unit_test(test_intervals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
