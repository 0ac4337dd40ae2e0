/* Rates as text, and the bucket's arithmetic on a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rate_limit.h"

static struct monotime at_us(int64_t us)
{
    return (struct monotime){1000000000 + us * 1000};
}

static void test_text(void **state)
{
    static const char *const GOOD[] = {"50/s", "1/s", "600/m", "1000000/h", "-"};
    static const char *const BAD[] = {"",     "0/s",   "-1/s",      "50",
                                      "50/",  "50/d",  "50/ss",     " 5/s",
                                      "+5/s", "1e3/s", "1000001/s", "99999999999999999999/s"};
    struct rate rate;
    char text[RATE_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
        assert_true(rate_parse(GOOD[i], &rate));
        rate_format(&rate, text);
        assert_string_equal(text, GOOD[i]);
    }
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_false(rate_parse(BAD[i], &rate));
}

static void test_burst_then_steady(void **state)
{
    const struct rate rate = {3, 1};
    struct rate_bucket bucket = {0};

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(rate_bucket_take(&bucket, &rate, at_us(0)), 0);
    assert_int_equal(rate_bucket_take(&bucket, &rate, at_us(0)), 334); /* a third, rounded up */
    assert_int_equal(rate_bucket_take(&bucket, &rate, at_us(333333)), 1);
    assert_int_equal(rate_bucket_take(&bucket, &rate, at_us(333334)), 0);
    assert_int_equal(rate_bucket_take(&bucket, &rate, at_us(333334)), 334);
}

/* Asking in vain takes nothing: the promised time holds whatever happens before it. */
static void test_promise_holds(void **state)
{
    const struct rate rate = {7, 60};
    struct rate_bucket bucket = {0};
    int64_t retry_ms = 0;

    (void)state;
    for (int i = 0; i < 7; i++)
        assert_int_equal(rate_bucket_take(&bucket, &rate, at_us(0)), 0);
    retry_ms = rate_bucket_take(&bucket, &rate, at_us(0));
    for (int64_t us = 1; us < retry_ms * 1000 - 2000; us += 997)
        assert_true(rate_bucket_take(&bucket, &rate, at_us(us)) > 0);
    assert_int_equal(rate_bucket_take(&bucket, &rate, at_us(retry_ms * 1000)), 0);
}

/* However it is asked, in an hour it gives a bucket full and what the hour gives back. */
static void test_no_drift(void **state)
{
    static const int64_t STEPS_US[] = {1, 7, 333, 1009};
    const struct rate rate = {999983, 3600};

    (void)state;
    for (size_t i = 0; i < sizeof(STEPS_US) / sizeof(STEPS_US[0]); i++) {
        struct rate_bucket bucket = {.at = at_us(0)}; /* empty */
        int64_t taken = 0;
        int64_t us = 0;

        for (int n = 0; n < 1000000; n++) {
            us += STEPS_US[i];
            while (rate_bucket_take(&bucket, &rate, at_us(us)) == 0)
                taken++;
        }
        assert_int_equal(taken, us * rate.count / (rate.period_s * 1000000));
    }
}

static void test_full_is_full(void **state)
{
    const struct rate rate = {2, 3600};
    struct rate_bucket bucket = {0};

    (void)state;
    assert_int_equal(rate_bucket_take(&bucket, &rate, at_us(0)), 0);
    for (int i = 0; i < 2; i++) /* ten years later: two, no more */
        assert_int_equal(rate_bucket_take(&bucket, &rate, at_us(315360000000000)), 0);
    assert_true(rate_bucket_take(&bucket, &rate, at_us(315360000000000)) > 0);
}

static void test_no_limit(void **state)
{
    const struct rate rate = {0, 1};
    struct rate_bucket bucket = {0};

    (void)state;
    for (int i = 0; i < 100000; i++)
        assert_int_equal(rate_bucket_take(&bucket, &rate, at_us(0)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),          cmocka_unit_test(test_burst_then_steady),
        cmocka_unit_test(test_promise_holds), cmocka_unit_test(test_no_drift),
        cmocka_unit_test(test_full_is_full),  cmocka_unit_test(test_no_limit),
    };

    return cmocka_run_group_tests_name("rate_limit", tests, NULL, NULL);
}
