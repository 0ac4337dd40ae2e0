#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/decimal_text.h"
#include "../../service/number_text.h"

static double double_of_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static float float_of_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static const char *double_text(double value)
{
    static char text[NUMBER_TEXT_MAX + 1];

    *number_text_double(text, value) = '\0';
    return text;
}

static const char *float_text(float value)
{
    static char text[NUMBER_TEXT_MAX + 1];

    *number_text_float(text, value) = '\0';
    return text;
}

/* RFC 8785 appendix B; only negative zero is ours. */
static void test_rfc8785_appendix_b(void **state)
{
    static const struct {
        uint64_t bits;
        const char *text;
    } cases[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "-0.0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(double_text(double_of_bits(cases[i].bits)), cases[i].text);
}

static void test_double_layouts(void **state)
{
    (void)state;
    assert_string_equal(double_text(1), "1");
    assert_string_equal(double_text(-1.5), "-1.5");
    assert_string_equal(double_text(100), "100");
    assert_string_equal(double_text(0.1), "0.1");
    assert_string_equal(double_text(0.00001), "0.00001");
    assert_string_equal(double_text(1e-7), "1e-7");
    assert_string_equal(double_text(1.25e-7), "1.25e-7");
    assert_string_equal(double_text(123456789012345680000.0), "123456789012345680000");
    assert_string_equal(double_text(DBL_MIN), "2.2250738585072014e-308");
    assert_string_equal(double_text(9007199254740991.0), "9007199254740991");
    assert_string_equal(double_text(18014398509481988.0), "18014398509481988");
    assert_string_equal(double_text(-4503599627370495.5), "-4503599627370495.5");
}

static void test_float_is_shortest_for_binary32(void **state)
{
    (void)state;
    assert_string_equal(float_text(0.1f), "0.1");
    assert_string_equal(float_text(16777216.0f), "16777216");
    assert_string_equal(float_text(8388607.5f), "8388607.5");
    assert_string_equal(float_text(16777215.0f), "16777215");
    assert_string_equal(float_text(1e-6f), "0.000001");
    assert_string_equal(float_text(1e9f), "1000000000");
    assert_string_equal(float_text(33554436.0f), "33554436");
    assert_string_equal(float_text(3.4028235e38f), "3.4028235e+38");
    assert_string_equal(float_text(1e-45f), "1e-45");
    assert_string_equal(float_text(-0.0f), "-0.0");
    assert_string_equal(float_text(0.3f), "0.3");
}

/* xorshift64*, so that a failure repeats. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

static int significant_digits(const char *text)
{
    int count = 0;
    int zeros = 0;

    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (count + zeros == 0 && *text == '0'))
            continue;
        if (*text == '0') {
            zeros++;
        } else {
            count += zeros + 1;
            zeros = 0;
        }
    }
    return count;
}

/* Any bits, and every other time a value of everyday size: 2^-20 to 2^53. */
static double random_double(uint64_t *seed, bool everyday)
{
    uint64_t bits = next_random(seed);

    if (everyday)
        bits = (bits & UINT64_C(0x800fffffffffffff)) | (1003 + bits % 73) << 52;
    return double_of_bits(bits);
}

static void test_random_doubles_read_back(void **state)
{
    uint64_t seed = 88172645463325252u;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        double value = random_double(&seed, i % 2 == 0);
        char shorter[64];

        if (!isfinite(value) || value == 0)
            continue;
        const char *text = double_text(value);
        double back = strtod(text, NULL);
        assert_memory_equal(&back, &value, sizeof(value));
        /* One digit less must not do. */
        int digits = significant_digits(text);
        if (digits > 1) {
            snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, value);
            assert_true(strtod(shorter, NULL) != value);
        }
        /* ECMAScript's plain notation reaches from 1e-6 to 1e21. */
        bool plain = fabs(value) >= 1e-6 && fabs(value) < 1e21;
        assert_int_equal(plain, strchr(text, 'e') == NULL);
    }
}

static void test_random_floats_read_back(void **state)
{
    uint64_t seed = 1234567890123456789u;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        float value = float_of_bits((uint32_t)next_random(&seed));
        char shorter[64];

        if (!isfinite(value) || value == 0)
            continue;
        const char *text = float_text(value);
        float back = strtof(text, NULL);
        assert_memory_equal(&back, &value, sizeof(value));
        int digits = significant_digits(text);
        if (digits > 1) {
            snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, (double)value);
            assert_true(strtof(shorter, NULL) != value);
        }
    }
}

static void test_integers(void **state)
{
    char text[NUMBER_TEXT_MAX + 1];

    (void)state;
    *number_text_int64(text, INT64_MIN) = '\0';
    assert_string_equal(text, "-9223372036854775808");
    *number_text_int64(text, 0) = '\0';
    assert_string_equal(text, "0");
    *number_text_uint64(text, UINT64_MAX) = '\0';
    assert_string_equal(text, "18446744073709551615");
}

static const char *decimal_of(__int128 value, int scale)
{
    static char text[DECIMAL_TEXT_MAX + 1];

    *decimal_text(text, &value, 16, scale) = '\0';
    return text;
}

static void test_decimal128(void **state)
{
    __int128 nines = 0;

    (void)state;
    for (int i = 0; i < 38; i++)
        nines = nines * 10 + 9;
    assert_string_equal(decimal_of(0, 0), "0");
    assert_string_equal(decimal_of(0, 2), "0.00");
    assert_string_equal(decimal_of(5, 2), "0.05");
    assert_string_equal(decimal_of(-5, 2), "-0.05");
    assert_string_equal(decimal_of(150, 2), "1.50");
    assert_string_equal(decimal_of(99, 2), "0.99");
    assert_string_equal(decimal_of(-12345, 0), "-12345");
    assert_string_equal(decimal_of(7, -3), "7000");
    assert_string_equal(decimal_of(0, -3), "0");
    assert_string_equal(decimal_of(nines, 18), "99999999999999999999.999999999999999999");
    assert_string_equal(decimal_of(-nines, 38), "-0.99999999999999999999999999999999999999");
    assert_string_equal(decimal_of((__int128)1 << 64, 0), "18446744073709551616");
    assert_string_equal(decimal_of(INT64_MAX, 4), "922337203685477.5807");
    assert_string_equal(decimal_of(INT64_MIN, 19), "-0.9223372036854775808");
    assert_string_equal(decimal_of((__int128)INT64_MAX + 1, 0), "9223372036854775808");
    assert_string_equal(decimal_of((__int128)INT64_MIN - 1, 0), "-9223372036854775809");
    assert_string_equal(decimal_of(UINT64_MAX, 0), "18446744073709551615");
    assert_string_equal(decimal_of(-1, 38), "-0.00000000000000000000000000000000000001");
    assert_string_equal(decimal_of((__int128)10000000000000000000u, 0), "10000000000000000000");
    assert_string_equal(decimal_of((__int128)10000000000000000000u * 10000000000000000000u, 1),
                        "10000000000000000000000000000000000000.0");
}

static void test_decimals_of_other_widths(void **state)
{
    char text[DECIMAL_TEXT_MAX + 1];
    int32_t small = -12345;
    int64_t medium = INT64_MIN;
    uint64_t lowest[4] = {0, 0, 0, UINT64_C(1) << 63}; /* -2^255 */
    uint64_t minus_one[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};

    (void)state;
    *decimal_text(text, &small, 4, 2) = '\0';
    assert_string_equal(text, "-123.45");
    *decimal_text(text, &medium, 8, 0) = '\0';
    assert_string_equal(text, "-9223372036854775808");
    *decimal_text(text, lowest, 32, 0) = '\0';
    assert_string_equal(text, "-578960446186580977117854925043439539266"
                              "34992332820282019728792003956564819968");
    *decimal_text(text, minus_one, 32, 3) = '\0';
    assert_string_equal(text, "-0.001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc8785_appendix_b),
        cmocka_unit_test(test_double_layouts),
        cmocka_unit_test(test_float_is_shortest_for_binary32),
        cmocka_unit_test(test_random_doubles_read_back),
        cmocka_unit_test(test_random_floats_read_back),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_decimal128),
        cmocka_unit_test(test_decimals_of_other_widths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
