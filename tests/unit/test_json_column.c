/* needs: unit/arrow_build.c unit/json_check.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json_check.h"

static const struct json_options native = {.numbers_as_strings = false};

static void check_row(struct arrow_built *batch, const char *expected)
{
    struct error err;
    char *text = json_check_write(batch, &native, &err);

    assert_string_equal(text, expected);
    free(text);
    arrow_build_free(batch);
}

/* Short keys are copied another way than long ones. */
static void test_names_of_every_length(void **state)
{
    static const int64_t value = 7;

    (void)state;
    for (int length = 1; length < 40; length++) {
        char first[48];
        char second[48];
        char expected[160];

        snprintf(first, sizeof(first), "%.*s", length,
                 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop");
        snprintf(second, sizeof(second), "%.*s", length,
                 "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOP");
        snprintf(expected, sizeof(expected), "[{\"%s\":7,\"%s\":7}]", first, second);
        struct arrow_built *columns[] = {arrow_build_fixed(first, "l", 8, &value, 1, NULL),
                                         arrow_build_fixed(second, "l", 8, &value, 1, NULL)};
        check_row(arrow_build_struct("", 1, NULL, 2, columns), expected);
    }
}

static void test_no_columns(void **state)
{
    (void)state;
    check_row(arrow_build_struct("", 2, NULL, 0, NULL), "[{},{}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_every_length),
        cmocka_unit_test(test_no_columns),
    };

    return cmocka_run_group_tests_name("json_column", tests, NULL, NULL);
}
