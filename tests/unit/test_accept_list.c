#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/accept_list.h"

/* The elements as "value/weight ...". */
static void check_list(const char *field, const char *expected)
{
    struct accept_element element;
    const char *at = field;
    char text[256] = "";
    size_t length = 0;

    while (accept_list_next(&at, &element))
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%.*s/%d",
                                   length > 0 ? " " : "", (int)element.value_length, element.value,
                                   element.weight);
    assert_string_equal(text, expected);
    assert_false(accept_list_next(&at, &element));
}

static void test_elements(void **state)
{
    (void)state;
    check_list("", "");
    check_list(" , ,\t,", "");
    check_list("gzip", "gzip/1000");
    check_list(" gzip\t,,zstd ", "gzip/1000 zstd/1000");
    check_list("a/b;x=\"1,2\",c/d", "a/b/1000 c/d/1000");
    check_list("a/b;x=\"1\\\",2\" ;q=0.5,c/d", "a/b/500 c/d/1000");
    check_list("a/b;x=\"never closed,c/d", "a/b/1000");
    check_list(";q=0.5,a", "a/1000");
}

static void test_weights(void **state)
{
    static const struct {
        const char *parameter;
        int weight;
    } CASES[] = {
        {"q=1", 1000},
        {"q=1.0", 1000},
        {"q=1.000", 1000},
        {"q=0", 0},
        {"q=0.0", 0},
        {"q=0.000", 0},
        {"q=0.001", 1},
        {"q=0.25", 250},
        {"q=0.5", 500},
        {"q=0.999", 999},
        {"q=0.", 0},
        {"Q=0.5", 500},
        {" q = 0.5 ", 500},
        {"a=b;q=0.5", 500},
        {"q=0.5;a=b", 500},
        {"q=\"0.5\"", 500},
        /* not a qvalue: as if there were none */
        {"q=", 1000},
        {"q=x", 1000},
        {"q=2", 1000},
        {"q=-1", 1000},
        {"q=0.5000", 1000},
        {"q=.5", 1000},

        {"q=0x1", 1000},
        {"q=1.5", 1000},
        {"qq=0", 1000},
        {"q", 1000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct accept_element element;
        char field[64];
        const char *at = field;

        snprintf(field, sizeof(field), "x;%s", CASES[i].parameter);
        assert_true(accept_list_next(&at, &element));
        if (element.weight != CASES[i].weight)
            fail_msg("%s: %d", CASES[i].parameter, element.weight);
    }
}

static void check_parameter(const char *field, const char *name, const char *expected)
{
    struct accept_element element;
    const char *value = NULL;
    size_t length = 0;

    assert_true(accept_list_next(&field, &element));
    if (!accept_element_parameter(&element, name, &value, &length)) {
        assert_null(expected);
        return;
    }
    assert_non_null(expected);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(value, expected, length);
}

static void test_parameters(void **state)
{
    (void)state;
    check_parameter("a/b", "end", NULL);
    check_parameter("a/b;end", "end", NULL);
    check_parameter("a/b;end=1", "end", "1");
    check_parameter("a/b ; END = 1 ;x=2", "end", "1");
    check_parameter("a/b;x=\";end=0\";end=\"1\"", "end", "1");
    check_parameter("a/b;ende=2;end=1", "end", "1");
    check_parameter("a/b;end=", "end", "");
    check_parameter("a/b,c/d;end=1", "end", NULL);
}

static void test_value_in_any_case(void **state)
{
    struct accept_element element;
    const char *at = "GZip;q=0.1";

    (void)state;
    assert_true(accept_list_next(&at, &element));
    assert_true(accept_element_is(&element, "gzip"));
    assert_false(accept_element_is(&element, "gzi"));
    assert_false(accept_element_is(&element, "gzipp"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_value_in_any_case),
    };

    return cmocka_run_group_tests_name("accept_list", tests, NULL, NULL);
}
