#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/byte_buffer.h"

static void test_appends_in_order(void **state)
{
    struct byte_buffer buffer = {0};
    (void)state;

    byte_buffer_append_text(&buffer, "ab");
    byte_buffer_append_char(&buffer, 'c');
    byte_buffer_append(&buffer, "\0d", 2);
    byte_buffer_append(&buffer, NULL, 0);
    byte_buffer_append_format(&buffer, "%d-%s", 7, "e");
    assert_int_equal(buffer.length, 8);
    assert_memory_equal(buffer.data, "abc\0d7-e", 8);
    assert_false(buffer.failed);
    byte_buffer_done(&buffer);
}

static void test_grows_over_every_size(void **state)
{
    struct byte_buffer buffer = {0};
    (void)state;

    for (int i = 0; i < 100000; i++)
        byte_buffer_append_char(&buffer, (char)('a' + i % 26));
    assert_int_equal(buffer.length, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buffer.data[i], 'a' + i % 26);
    byte_buffer_done(&buffer);
}

static void test_long_formats(void **state)
{
    struct byte_buffer buffer = {0};
    (void)state;

    byte_buffer_append_format(&buffer, "%0*d", 5000, 1);
    byte_buffer_append_format(&buffer, "%s", "");
    assert_int_equal(buffer.length, 5000);
    assert_int_equal(buffer.data[0], '0');
    assert_int_equal(buffer.data[4999], '1');
    byte_buffer_done(&buffer);
}

static void test_reset_keeps_memory(void **state)
{
    struct byte_buffer buffer = {0};
    (void)state;

    byte_buffer_append_text(&buffer, "abc");
    char *data = buffer.data;
    byte_buffer_reset(&buffer);
    assert_int_equal(buffer.length, 0);
    byte_buffer_append_text(&buffer, "xy");
    assert_ptr_equal(buffer.data, data);
    assert_memory_equal(buffer.data, "xy", 2);

    byte_buffer_done(&buffer);
    assert_null(buffer.data);
    byte_buffer_append_text(&buffer, "again");
    assert_int_equal(buffer.length, 5);
    byte_buffer_done(&buffer);
    byte_buffer_done(&buffer);
}

static void test_failure_sticks_until_reset(void **state)
{
    struct byte_buffer buffer = {0};
    (void)state;

    byte_buffer_append_text(&buffer, "abc");
    assert_false(byte_buffer_reserve(&buffer, SIZE_MAX - 1));
    assert_true(buffer.failed);
    assert_false(byte_buffer_reserve(&buffer, buffer.capacity));
    byte_buffer_append_format(&buffer, "%0*d", 5000, 1);
    assert_int_equal(buffer.length, 3);
    byte_buffer_reset(&buffer);
    assert_true(byte_buffer_reserve(&buffer, 5000));
    byte_buffer_done(&buffer);
}

/* A buffer that grows leaves no copy behind; what can be seen of it is the content. */
static void test_secret(void **state)
{
    struct byte_buffer buffer = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        byte_buffer_append_secret(&buffer, "secret", 6);
    assert_false(buffer.failed);
    assert_int_equal(buffer.length, 6000);
    for (size_t i = 0; i < buffer.length; i += 6)
        assert_memory_equal(buffer.data + i, "secret", 6);
    byte_buffer_append_secret(&buffer, "", 0);
    assert_int_equal(buffer.length, 6000);
    byte_buffer_wipe(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.length, 0);
    byte_buffer_wipe(&buffer);
    byte_buffer_append_secret(&buffer, "x", 1);
    assert_int_equal(buffer.length, 1);
    byte_buffer_wipe(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secret),
        cmocka_unit_test(test_appends_in_order),
        cmocka_unit_test(test_grows_over_every_size),
        cmocka_unit_test(test_long_formats),
        cmocka_unit_test(test_reset_keeps_memory),
        cmocka_unit_test(test_failure_sticks_until_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
