#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/utf8.h"

static size_t length_of(const char *text)
{
    return utf8_char_length(text, strlen(text));
}

static void test_well_formed(void **state)
{
    (void)state;
    assert_int_equal(length_of("a"), 1);
    assert_int_equal(length_of("\xC3\xA4"), 2);
    assert_int_equal(length_of("\xE2\x82\xAC"), 3);
    assert_int_equal(length_of("\xF0\x9F\x98\x80"), 4);
    assert_int_equal(length_of("\xF4\x8F\xBF\xBF"), 4);
    assert_int_equal(utf8_char_length("\0", 1), 1);
}

static void test_malformed(void **state)
{
    static const char *const texts[] = {
        "\x80",             /* continuation first */
        "\xC0\xAF",         /* overlong */
        "\xC1\xBF",         /* overlong */
        "\xE0\x9F\xBF",     /* overlong */
        "\xF0\x8F\xBF\xBF", /* overlong */
        "\xED\xA0\x80",     /* surrogate */
        "\xF4\x90\x80\x80", /* above U+10FFFF */
        "\xF5\x80\x80\x80",
        "\xFF",
        "\xC3", /* ends early */
        "\xE2\x82",
        "\xF0\x9F\x98",
        "\xC3(", /* no continuation */
        "\xE2\x82(",
        "\xE2(\xAC",
    };
    (void)state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(length_of(texts[i]), 0);
    assert_int_equal(utf8_char_length("", 0), 0);
}

static void test_cut_keeps_characters(void **state)
{
    const char *text = "a\xE2\x82\xAC\xF0\x9F\x98\x80z";
    const size_t expected[] = {0, 1, 1, 1, 4, 4, 4, 4, 8, 9, 9};
    (void)state;

    for (size_t limit = 0; limit < sizeof(expected) / sizeof(expected[0]); limit++)
        assert_int_equal(utf8_cut(text, strlen(text), limit), expected[limit]);
    /* Bytes that are no text at all are cut where the limit is. */
    assert_int_equal(utf8_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_well_formed),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_cut_keeps_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
