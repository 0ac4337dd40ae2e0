#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "../../service/json_text.h"

#define FFFD "\xef\xbf\xbd"

/* Appends from a copy of exact size, so that a read behind it is seen by ASan. */
static char *append_copy(void (*append)(struct byte_buffer *, const void *, size_t),
                         const void *bytes, size_t length)
{
    struct byte_buffer out = {0};
    void *copy = malloc(length);

    if (length > 0)
        memcpy(copy, bytes, length);
    append(&out, copy, length);
    byte_buffer_append_char(&out, '\0');
    free(copy);
    return out.data;
}

static void check_bytes(const char *bytes, size_t length, const char *expected)
{
    char *text = append_copy(json_text_append_string, bytes, length);

    assert_string_equal(text, expected);
    free(text);
}

static void check(const char *bytes, const char *expected)
{
    check_bytes(bytes, strlen(bytes), expected);
}

static void test_escapes(void **state)
{
    (void)state;
    check("", "\"\"");
    check("plain", "\"plain\"");
    check("\"\\/", "\"\\\"\\\\/\"");
    check("\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\"");
    check("\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\"");
    check_bytes("\0", 1, "\"\\u0000\"");
}

/* The byte to escape at every place of the words that are looked at together. */
static void test_every_alignment(void **state)
{
    char bytes[40];
    char expected[64];

    (void)state;
    for (size_t length = 1; length < sizeof(bytes); length++) {
        for (size_t i = 0; i < length; i++) {
            memset(bytes, 'x', length);
            bytes[i] = '"';
            snprintf(expected, sizeof(expected), "\"%.*s\\\"%.*s\"", (int)i, bytes,
                     (int)(length - i - 1), bytes + i + 1);
            check_bytes(bytes, length, expected);
        }
    }
}

static void test_valid_utf8_is_kept(void **state)
{
    (void)state;
    check("\xc2\x80\xdf\xbf", "\"\xc2\x80\xdf\xbf\"");
    check("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
          "\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"");
    check("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"");
    check("z\xc3\xbcrich \xf0\x9f\x98\x80 \xe6\x97\xa5\xe6\x9c\xac",
          "\"z\xc3\xbcrich \xf0\x9f\x98\x80 \xe6\x97\xa5\xe6\x9c\xac\"");
}

/* Unicode 15, section 3.9, tables 3-8 to 3-11. */
static void test_maximal_subparts(void **state)
{
    (void)state;
    check("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41",
          "\"" FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A\"");
    check("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41",
          "\"" FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A\"");
    check("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42",
          "\"" FFFD FFFD FFFD FFFD FFFD "A" FFFD FFFD "B\"");
    check("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", "\"" FFFD FFFD FFFD FFFD "A\"");
}

static void test_cut_sequences(void **state)
{
    (void)state;
    check("a\xc3", "\"a" FFFD "\"");
    check("a\xe2\x82", "\"a" FFFD "\"");
    check("a\xf0\x9f\x98", "\"a" FFFD "\"");
    check("\xe2\x82\"", "\"" FFFD "\\\"\"");
    check("\x80", "\"" FFFD "\"");
}

/* Whatever comes in, what goes out is one JSON string. */
static void test_random_bytes_are_valid_json(void **state)
{
    uint64_t seed = 42;
    uint8_t bytes[64];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t length = (size_t)round % sizeof(bytes);

        for (size_t i = 0; i < length; i++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            bytes[i] = (uint8_t)(seed >> 56);
        }
        char *text = append_copy(json_text_append_string, bytes, length);
        json_t *parsed = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_true(json_is_string(parsed));
        json_decref(parsed);
        free(text);
    }
}

/* RFC 4648 section 10. */
static void test_base64(void **state)
{
    static const char *const cases[][2] = {{"", "\"\""},
                                           {"f", "\"Zg==\""},
                                           {"fo", "\"Zm8=\""},
                                           {"foo", "\"Zm9v\""},
                                           {"foob", "\"Zm9vYg==\""},
                                           {"fooba", "\"Zm9vYmE=\""},
                                           {"foobar", "\"Zm9vYmFy\""},
                                           {"\xfb\xff\xbf", "\"+/+/\""}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = append_copy(json_text_append_base64, cases[i][0], strlen(cases[i][0]));

        assert_string_equal(text, cases[i][1]);
        free(text);
    }
}

static void test_documents(void **state)
{
    static const char *const cases[][2] = {{"{\"a\": 1.50}", "{\"a\": 1.50}"},
                                           {"[]", "[]"},
                                           {"null", "null"},
                                           {"18446744073709551616", "18446744073709551616"},
                                           {"[1", "\"[1\""},
                                           {"1,2", "\"1,2\""},
                                           {"", "\"\""},
                                           {"\"\xff\"", "\"\\\"" FFFD "\\\"\""}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = append_copy(json_text_append_document, cases[i][0], strlen(cases[i][0]));

        assert_string_equal(text, cases[i][1]);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_every_alignment),
        cmocka_unit_test(test_valid_utf8_is_kept),
        cmocka_unit_test(test_maximal_subparts),
        cmocka_unit_test(test_cut_sequences),
        cmocka_unit_test(test_random_bytes_are_valid_json),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_documents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
