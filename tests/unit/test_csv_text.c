#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/csv_text.h"

static void check(const char *bytes, size_t length, const char *expected, size_t expected_length)
{
    struct byte_buffer out = {0};
    char *copy = malloc(length > 0 ? length : 1); /* exact: ASan sees a read behind it */

    memcpy(copy, bytes, length);
    csv_text_append_field(&out, copy, length);
    assert_int_equal(out.length, expected_length);
    assert_memory_equal(out.data, expected, expected_length);
    byte_buffer_done(&out);
    free(copy);
}

#define CHECK(bytes, expected) check(bytes, sizeof(bytes) - 1, expected, sizeof(expected) - 1)

static void test_plain(void **state)
{
    (void)state;
    CHECK("a", "a");
    CHECK("user number 1 of the table", "user number 1 of the table");
    CHECK(" a\tb ", " a\tb ");
    CHECK("'", "'");
    CHECK("a;b|c", "a;b|c");
    CHECK("caf\xc3\xa9 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xf0\x9f\x98\x80");
    CHECK("a\0b", "a\0b");
    CHECK("\\N", "\\N");
}

static void test_quoted_where_needed(void **state)
{
    (void)state;
    CHECK("", "\"\"");
    CHECK("\"", "\"\"\"\"");
    CHECK("\"\"", "\"\"\"\"\"\"");
    CHECK("say \"hi\"", "\"say \"\"hi\"\"\"");
    CHECK("a,b", "\"a,b\"");
    CHECK(",", "\",\"");
    CHECK("a\nb", "\"a\nb\"");
    CHECK("a\rb", "\"a\rb\"");
    CHECK("a\r\n", "\"a\r\n\"");
    CHECK("\xc3\xa9,\"", "\"\xc3\xa9,\"\"\"");
}

static void test_formula_characters_stay(void **state)
{
    (void)state;
    CHECK("=1+1", "=1+1");
    CHECK("@cmd", "@cmd");
    CHECK("+1", "+1");
    CHECK("-1", "-1");
    CHECK("=A1,\"x\"", "\"=A1,\"\"x\"\"\"");
}

static void test_broken_characters(void **state)
{
    (void)state;
    CHECK("\xff", "\xef\xbf\xbd");
    CHECK("a\xffz", "a\xef\xbf\xbdz");
    CHECK("\xe2\x82", "\xef\xbf\xbd"); /* one cut short */
    CHECK("\xe2\x82,", "\"\xef\xbf\xbd,\"");
    CHECK("\xe2\x82\"", "\"\xef\xbf\xbd\"\"\"");
    CHECK("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
    CHECK("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");                 /* overlong */
    CHECK("\xf0\x9f\x98", "\xef\xbf\xbd");
    CHECK("\"\xff\"", "\"\"\"\xef\xbf\xbd\"\"\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_quoted_where_needed),
        cmocka_unit_test(test_formula_characters_stay),
        cmocka_unit_test(test_broken_characters),
    };

    return cmocka_run_group_tests_name("csv_text", tests, NULL, NULL);
}
