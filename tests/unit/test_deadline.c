#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/deadline.h"

static void test_spans(void **state)
{
    struct monotime start = {1000000000};
    (void)state;

    assert_int_equal(monotime_after(start, 1500).ns, 2500000000);
    assert_int_equal(monotime_after(start, -500).ns, 500000000);
    assert_int_equal(monotime_span_ms(start, monotime_after(start, 1500)), 1500);
    assert_int_equal(monotime_span_us(start, monotime_after(start, 3)), 3000);
    assert_int_equal(monotime_span_ms(monotime_after(start, 7), start), -7);
}

static void test_too_long_is_never(void **state)
{
    struct monotime now = monotime_now();
    (void)state;

    assert_int_equal(monotime_after(now, INT64_MAX).ns, INT64_MAX);
    assert_int_equal(monotime_after(now, INT64_MAX / 1000000).ns, INT64_MAX);
    assert_false(monotime_reached(monotime_after(now, INT64_MAX), now));
}

static void test_reached(void **state)
{
    struct monotime now = monotime_now();
    (void)state;

    assert_true(monotime_is_set(now));
    assert_true(monotime_reached(now, now));
    assert_true(monotime_reached(now, monotime_after(now, 1)));
    assert_false(monotime_reached(monotime_after(now, 1), now));
    /* Unset: no deadline at all. */
    assert_false(monotime_is_set((struct monotime){0}));
    assert_false(monotime_reached((struct monotime){0}, now));
}

static void test_clock_goes_on(void **state)
{
    struct monotime earlier = monotime_now();
    (void)state;

    for (int i = 0; i < 1000; i++) {
        struct monotime later = monotime_now();
        assert_true(later.ns >= earlier.ns);
        earlier = later;
    }
}

static void test_timespec(void **state)
{
    struct timespec spec = monotime_timespec((struct monotime){12345678901});
    (void)state;

    assert_int_equal(spec.tv_sec, 12);
    assert_int_equal(spec.tv_nsec, 345678901);
}

static void assert_wall_time(int64_t unix_us, const char *expected)
{
    char text[32];

    wall_time_format(unix_us, text);
    assert_string_equal(text, expected);
}

static void test_wall_time(void **state)
{
    (void)state;
    assert_wall_time(0, "1970-01-01T00:00:00.000000Z");
    assert_wall_time(1706695026123456, "2024-01-31T09:57:06.123456Z");
    assert_wall_time(1709164800000001, "2024-02-29T00:00:00.000001Z");
    assert_wall_time(-1, "1969-12-31T23:59:59.999999Z");
    assert_wall_time(-1000000, "1969-12-31T23:59:59.000000Z");
    /* The longest there are fit too. */
    assert_wall_time(INT64_MAX, "294247-01-10T04:00:54.775807Z");
    assert_wall_time(INT64_MIN, "-290308-12-21T19:59:05.224192Z");
    assert_true(wall_time_now_us() > 1706695026123456);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans),    cmocka_unit_test(test_too_long_is_never),
        cmocka_unit_test(test_reached),  cmocka_unit_test(test_clock_goes_on),
        cmocka_unit_test(test_timespec), cmocka_unit_test(test_wall_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
