/* A server's greeting, whole and byte by byte: does it offer TLS? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/mysql_greeting.h"

#define HEAD "\x4A\0\0\0\x0A"
#define NAME "8.0.36\0"
#define NUMBER_AND_SALT "\7\0\0\0abcdefgh\0"
#define WITHOUT_TLS                                                                                \
    HEAD NAME NUMBER_AND_SALT "\x8F\xA2"                                                           \
                              "-\2\0"
#define WITH_TLS                                                                                   \
    HEAD NAME NUMBER_AND_SALT "\x8F\xAA"                                                           \
                              "-\2\0"
#define TOLD_BYTES (sizeof(HEAD NAME NUMBER_AND_SALT) - 1 + 2)

static const unsigned char *bytes_of(const char *text)
{
    return (const unsigned char *)text;
}

static void test_told_with_the_byte_that_says_it(void **state)
{
    (void)state;
    for (size_t step = 1; step <= sizeof(WITHOUT_TLS); step++) {
        struct mysql_greeting without = {0};
        struct mysql_greeting with = {0};

        for (size_t at = 0; at + 1 < sizeof(WITHOUT_TLS); at += step) {
            size_t left = sizeof(WITHOUT_TLS) - 1 - at;
            size_t length = left < step ? left : step;

            mysql_greeting_add(&without, bytes_of(WITHOUT_TLS) + at, length);
            mysql_greeting_add(&with, bytes_of(WITH_TLS) + at, length);
            assert_int_equal(mysql_greeting_lacks_tls(&without), at + length >= TOLD_BYTES);
            assert_false(mysql_greeting_lacks_tls(&with));
        }
    }
}

static void test_other_packets_are_the_librarys(void **state)
{
    static const char error[] = "\x17\0\0\0\xFF\x10\x04Too many connections and then some";
    struct mysql_greeting greeting = {0};

    (void)state;
    mysql_greeting_add(&greeting, bytes_of(error), sizeof(error));
    assert_false(mysql_greeting_lacks_tls(&greeting));
}

/* A name without an end, or with one too late, is no reason to go on. */
static void test_a_name_too_long(void **state)
{
    char name[300];

    (void)state;
    for (size_t end = 240; end < 260; end++) {
        struct mysql_greeting greeting = {0};

        memset(name, 'x', sizeof(name));
        name[end] = '\0';
        mysql_greeting_add(&greeting, bytes_of(HEAD), sizeof(HEAD) - 1);
        mysql_greeting_add(&greeting, bytes_of(name), 200);
        assert_false(mysql_greeting_lacks_tls(&greeting));
        mysql_greeting_add(&greeting, bytes_of(name) + 200, sizeof(name) - 200);
        assert_int_equal(greeting.length, sizeof(greeting.bytes));
        assert_true(mysql_greeting_lacks_tls(&greeting));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told_with_the_byte_that_says_it),
        cmocka_unit_test(test_other_packets_are_the_librarys),
        cmocka_unit_test(test_a_name_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
