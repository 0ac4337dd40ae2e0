#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/error.h"
#include "../../service/utf8.h"

static void assert_utf8(const char *text)
{
    size_t length = strlen(text);

    for (size_t at = 0; at < length;) {
        size_t step = utf8_char_length(text + at, length - at);
        assert_true(step > 0);
        at += step;
    }
}

static void test_set_clears_the_rest(void **state)
{
    struct error err;
    (void)state;

    memset(&err, 'x', sizeof(err));
    assert_int_equal(error_set(&err, ERROR_SQL_ERROR, "no column %s", "a"), -1);
    assert_int_equal(err.code, ERROR_SQL_ERROR);
    assert_string_equal(err.detail, "no column a");
    assert_string_equal(err.sqlstate, "");
    assert_string_equal(err.error_class, "");
    assert_int_equal(err.line, 0);
    assert_int_equal(err.column, 0);
    assert_false(err.retryable);

    error_set(&err, ERROR_QUEUE_FULL, "full");
    assert_true(err.retryable);
}

static void test_detail_may_quote_itself(void **state)
{
    struct error err;
    (void)state;

    error_set(&err, ERROR_BAD_REQUEST, "inner");
    error_set(&err, ERROR_BAD_REQUEST, "outer: %s", err.detail);
    assert_string_equal(err.detail, "outer: inner");
}

static void test_detail_is_cut_at_a_character(void **state)
{
    char text[sizeof(((struct error *)0)->detail) + 16];
    struct error err;
    (void)state;

    /* Three bytes a character, begun at every offset to the end of the buffer. */
    for (size_t offset = 0; offset < 3; offset++) {
        memset(text, 'a', offset);
        for (size_t at = offset; at + 3 < sizeof(text); at += 3)
            memcpy(text + at, "\xE2\x82\xAC", 4);
        error_set(&err, ERROR_BAD_REQUEST, "%s", text);
        assert_utf8(err.detail);
        assert_null(strchr(err.detail, '?'));
        assert_in_range(strlen(err.detail), sizeof(err.detail) - 3, sizeof(err.detail) - 1);
    }
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&err, ERROR_BAD_REQUEST, "%s", text);
    assert_int_equal(strlen(err.detail), sizeof(err.detail) - 1);
}

static void test_malformed_bytes_are_replaced(void **state)
{
    struct error err;
    (void)state;

    error_set(&err, ERROR_SOURCE_ERROR, "%s",
              "a\xFF"
              "b\xC3(\xED\xA0\x80");
    assert_string_equal(err.detail, "a?b?(???");
}

static void test_codes_and_statuses(void **state)
{
    (void)state;
    assert_int_equal(error_status(ERROR_NONE), 200);
    assert_int_equal(error_status(ERROR_BODY_TOO_LARGE), 413);
    assert_int_equal(error_status(ERROR_TARGET_TOO_LARGE), 414);
    assert_string_equal(error_code_name(ERROR_HEADERS_TOO_LARGE), "too_large");
    assert_string_equal(error_code_name(ERROR_STORAGE_FULL), "storage_full");

    /* Names come back as a code of that name; a shared one as the first of them. */
    for (int code = ERROR_BAD_REQUEST; code <= ERROR_STORAGE_FULL; code++) {
        const char *name = error_code_name((enum error_code)code);
        assert_string_equal(error_code_name(error_code_from_name(name)), name);
        assert_in_range(error_status((enum error_code)code), 400, 599);
    }
    assert_int_equal(error_code_from_name("sql_error"), ERROR_SQL_ERROR);
    assert_int_equal(error_code_from_name("none"), ERROR_ENGINE_ERROR);
    assert_int_equal(error_code_from_name("what"), ERROR_ENGINE_ERROR);
    assert_int_equal(error_status((enum error_code)9999), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_clears_the_rest),
        cmocka_unit_test(test_detail_may_quote_itself),
        cmocka_unit_test(test_detail_is_cut_at_a_character),
        cmocka_unit_test(test_malformed_bytes_are_replaced),
        cmocka_unit_test(test_codes_and_statuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
