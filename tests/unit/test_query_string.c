#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/query_string.h"

static const char *const KNOWN[] = {"tag", "state", "ä", NULL};

static void check_value(const char *text, const char *name, const char *value)
{
    struct query_string string;
    struct error err;

    assert_int_equal(query_string_parse(text, KNOWN, &string, &err), 0);
    if (value == NULL)
        assert_null(query_string_get(&string, name));
    else
        assert_string_equal(query_string_get(&string, name), value);
    query_string_done(&string);
}

static void test_values(void **state)
{
    (void)state;
    check_value("", "tag", NULL);
    check_value("tag=a", "tag", "a");
    check_value("tag=a", "state", NULL);
    check_value("tag", "tag", "");
    check_value("tag=", "tag", "");
    check_value("&&tag=a&", "tag", "a");
    check_value("tag=a=b", "tag", "a=b");
    check_value("state=RUNNING&tag=users-page", "tag", "users-page");
    check_value("tag=a%26b%3Dc", "tag", "a&b=c");
    check_value("tag=a+b%2Bc%20d", "tag", "a b+c d");
    check_value("t%61g=%7e", "tag", "~");
    check_value("%C3%A4=%e2%82%ac", "ä", "€");
    check_value("tag=%25", "tag", "%");
}

static void check_refused(const char *text, const char *part)
{
    struct query_string string;
    struct error err;

    assert_int_equal(query_string_parse(text, KNOWN, &string, &err), -1);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_non_null(strstr(err.detail, part));
}

static void test_refused(void **state)
{
    (void)state;
    check_refused("tags=a", "unknown query parameter tags");
    check_refused("tag=a&tag=b", "tag: is there twice");
    check_refused("tag=a&t%61g=b", "tag: is there twice");
    check_refused("tag=%", "percent");
    check_refused("tag=%4", "percent");
    check_refused("tag=%4g", "percent");
    check_refused("tag=%g4", "percent");
    check_refused("tag=%00", "percent");
    check_refused("%zz=1", "percent");
    check_refused("tag=%ff", "percent");
    check_refused("tag=%c0%80", "percent");
}

/* More names than there is room for can only be the same names again, or unknown. */
static void test_many_fields(void **state)
{
    static const char *const MANY[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
                                       "j", "k", "l", "m", "n", "o", "p", "q", NULL};
    struct query_string string;
    struct error err;

    (void)state;
    assert_int_equal(query_string_parse("a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p", MANY, &string, &err), 0);
    assert_int_equal(string.count, QUERY_STRING_FIELDS_MAX);
    query_string_done(&string);
    assert_int_equal(query_string_parse("a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q", MANY, &string, &err),
                     -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_many_fields),
    };

    return cmocka_run_group_tests_name("query_string", tests, NULL, NULL);
}
