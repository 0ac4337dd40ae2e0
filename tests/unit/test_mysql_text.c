/* Cells of the text protocol at their bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <mysql.h>

#include "../../service/mysql_text.h"

static void check_integer(const char *text, int64_t wanted)
{
    int64_t value = 0;

    assert_true(mysql_text_integer(text, strlen(text), &value));
    assert_int_equal(value, wanted);
}

static void refuse_integer(const char *text)
{
    int64_t value = 0;

    assert_false(mysql_text_integer(text, strlen(text), &value));
}

static void test_integers(void **state)
{
    (void)state;
    check_integer("0", 0);
    check_integer("-1", -1);
    check_integer("000042", 42);
    check_integer("9223372036854775807", INT64_MAX);
    check_integer("-9223372036854775808", INT64_MIN);
    check_integer("18446744073709551615", -1); /* its bits */
    refuse_integer("");
    refuse_integer("-");
    refuse_integer("+1");
    refuse_integer("1.0");
    refuse_integer("18446744073709551616");
    refuse_integer("-9223372036854775809");
}

static void check_datetime(const char *text, unsigned year, unsigned day, unsigned second,
                           unsigned long us)
{
    MYSQL_TIME time;

    assert_true(mysql_text_datetime(text, strlen(text), &time));
    assert_int_equal(time.year, year);
    assert_int_equal(time.day, day);
    assert_int_equal(time.second, second);
    assert_int_equal(time.second_part, us);
}

static void refuse_datetime(const char *text)
{
    MYSQL_TIME time;

    assert_false(mysql_text_datetime(text, strlen(text), &time));
}

static void test_datetimes(void **state)
{
    (void)state;
    check_datetime("2024-02-29", 2024, 29, 0, 0);
    check_datetime("0000-00-00", 0, 0, 0, 0);
    check_datetime("9999-12-31 23:59:59", 9999, 31, 59, 0);
    check_datetime("2024-01-31 09:57:06.5", 2024, 31, 6, 500000);
    check_datetime("2024-01-31 09:57:06.000001", 2024, 31, 6, 1);
    refuse_datetime("");
    refuse_datetime("2024-02");
    refuse_datetime("2024-02-291");
    refuse_datetime("2024-02-29T00:00:00");
    refuse_datetime("2024-01-31 09:57");
    refuse_datetime("2024-01-31 09:57:06.");
    refuse_datetime("2024-01-31 09:57:06.1234567");
}

static void test_times(void **state)
{
    MYSQL_TIME time;

    (void)state;
    assert_true(mysql_text_time("-838:59:59.000001", 17, &time));
    assert_true(time.neg);
    assert_int_equal(time.hour, 838);
    assert_int_equal(time.second_part, 1);
    assert_true(mysql_text_time("00:00:00", 8, &time));
    assert_false(time.neg);
    assert_false(mysql_text_time("1000:00:00", 10, &time));
    assert_false(mysql_text_time("1:00:00", 7, &time));
    assert_false(mysql_text_time("01:00", 5, &time));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_datetimes),
        cmocka_unit_test(test_times),
    };

    return cmocka_run_group_tests_name("mysql_text", tests, NULL, NULL);
}
