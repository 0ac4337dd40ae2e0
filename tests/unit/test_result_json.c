/* needs: unit/arrow_build.c unit/json_check.c */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json_check.h"

#define COUNT(array) ((int64_t)(sizeof(array) / sizeof((array)[0])))

/* A column of C values of one type. */
#define FIXED(format, type, valid, ...)                                                            \
    arrow_build_fixed("c", format, sizeof(type), (const type[]){__VA_ARGS__},                      \
                      COUNT(((const type[]){__VA_ARGS__})), valid)
#define CELLS(...) ((const char *const[]){__VA_ARGS__})
#define TEXTS(format, ...)                                                                         \
    arrow_build_bytes("c", format, CELLS(__VA_ARGS__), NULL, COUNT(CELLS(__VA_ARGS__)))

static const struct json_options native = {.numbers_as_strings = false};
static const struct json_options strings = {.numbers_as_strings = true};

static void test_null_type(void **state)
{
    (void)state;
    json_check_cells(arrow_build_null("c", 3), CELLS("null", "null", "null"));
}

static void test_boolean(void **state)
{
    (void)state;
    json_check_cells(arrow_build_boolean("c", "10101100101", "11111101111"),
                     CELLS("true", "false", "true", "false", "true", "true", "null", "false",
                           "true", "false", "true"));
}

static void test_integers(void **state)
{
    (void)state;
    json_check_cells(FIXED("c", int8_t, "110", -128, 127, 5), CELLS("-128", "127", "null"));
    json_check_cells(FIXED("C", uint8_t, NULL, 0, 200, 255), CELLS("0", "200", "255"));
    json_check_cells(FIXED("s", int16_t, "101", -32768, 1, 32767),
                     CELLS("-32768", "null", "32767"));
    json_check_cells(FIXED("S", uint16_t, NULL, 0, 40000, 65535), CELLS("0", "40000", "65535"));
    json_check_cells(FIXED("i", int32_t, "110", INT_MIN, INT_MAX, 0),
                     CELLS("-2147483648", "2147483647", "null"));
    json_check_cells(FIXED("I", uint32_t, NULL, 0, 3000000000u, UINT_MAX),
                     CELLS("0", "3000000000", "4294967295"));
    json_check_cells(FIXED("l", int64_t, "1101", INT64_MIN, INT64_MAX, 0, 7),
                     CELLS("-9223372036854775808", "9223372036854775807", "null", "7"));
    json_check_cells(FIXED("L", uint64_t, NULL, 0, UINT64_MAX, 1),
                     CELLS("0", "18446744073709551615", "1"));
}

static void test_numbers_as_strings(void **state)
{
    (void)state;
    json_check_cells_with(FIXED("l", int64_t, NULL, 9007199254740991, 9007199254740992,
                                -9007199254740991, -9007199254740992, 0),
                          &strings,
                          CELLS("9007199254740991", "\"9007199254740992\"", "-9007199254740991",
                                "\"-9007199254740992\"", "0"));
    json_check_cells_with(FIXED("L", uint64_t, NULL, 9007199254740991u, 9007199254740992u, 1),
                          &strings, CELLS("9007199254740991", "\"9007199254740992\"", "1"));
    json_check_cells_with(FIXED("i", int32_t, NULL, INT_MAX, 2, 3), &strings,
                          CELLS("2147483647", "2", "3"));
}

static void test_doubles(void **state)
{
    (void)state;
    json_check_cells(
        FIXED("g", double, "111111101", 1.0, -0.0, 0.1, NAN, INFINITY, -INFINITY, 1e21, 5, 1e-7),
        CELLS("1", "-0.0", "0.1", "\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "1e+21", "null",
              "1e-7"));
}

static void test_floats(void **state)
{
    (void)state;
    json_check_cells(FIXED("f", float, "11110", 0.1f, -0.0f, NAN, -INFINITY, 1),
                     CELLS("0.1", "-0.0", "\"NaN\"", "\"-Infinity\"", "null"));
    json_check_cells(
        FIXED("e", uint16_t, NULL, 0x3c00, 0x8000, 0x7c00, 0xfc00, 0x7e00, 0x0001, 0x7bff, 0x3555),
        CELLS("1", "-0.0", "\"Infinity\"", "\"-Infinity\"", "\"NaN\"", "5.9604645e-8", "65504",
              "0.33325195"));
}

static void test_decimals(void **state)
{
    (void)state;
    json_check_cells(FIXED("d:10,2", __int128, "1101", 150, -5, 0, 0),
                     CELLS("\"1.50\"", "\"-0.05\"", "null", "\"0.00\""));
    json_check_cells(FIXED("d:20,0", __int128, NULL, 1, -1, UINT64_MAX),
                     CELLS("\"1\"", "\"-1\"", "\"18446744073709551615\""));
    json_check_cells(FIXED("d:5,-2,128", __int128, NULL, 12, 0, -3),
                     CELLS("\"1200\"", "\"0\"", "\"-300\""));
    json_check_cells(FIXED("d:9,3,32", int32_t, NULL, 1, -1234, 0),
                     CELLS("\"0.001\"", "\"-1.234\"", "\"0.000\""));
    json_check_cells(FIXED("d:18,3,64", int64_t, NULL, 1, -1234, 0),
                     CELLS("\"0.001\"", "\"-1.234\"", "\"0.000\""));
    uint64_t wide[3][4] = {
        {7, 0, 0, 0}, {0, 0, 1, 0}, {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    json_check_cells(arrow_build_fixed("c", "d:76,1,256", 32, wide, 3, NULL),
                     CELLS("\"0.7\"", "\"34028236692093846346337460743176821145.6\"", "\"-0.1\""));
}

static void test_unsigned_bigint(void **state)
{
    (void)state;
    for (int as_strings = 0; as_strings < 2; as_strings++) {
        struct arrow_built *column = FIXED("d:20,0", __int128, "11101", UINT64_MAX, 0,
                                           9007199254740991, 1, 9007199254740992);

        arrow_build_metadata(column, "mysql_type", "BIGINT UNSIGNED");
        json_check_cells_with(column, as_strings ? &strings : &native,
                              as_strings ? CELLS("\"18446744073709551615\"", "0",
                                                 "9007199254740991", "null", "\"9007199254740992\"")
                                         : CELLS("18446744073709551615", "0", "9007199254740991",
                                                 "null", "9007199254740992"));
    }
}

static void test_text_layouts(void **state)
{
    static const char *const formats[] = {"u", "U", "vu"};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        json_check_cells(TEXTS(formats[i], "a", "", NULL, "twelve bytes", "thirteen byte",
                               "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80 \"q\" \\ \n",
                               "another long one, in a buffer"),
                         CELLS("\"a\"", "\"\"", "null", "\"twelve bytes\"", "\"thirteen byte\"",
                               "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80 \\\"q\\\" \\\\ \\n\"",
                               "\"another long one, in a buffer\""));
}

static void test_text_with_nul_inside(void **state)
{
    (void)state;
    json_check_cells(arrow_build_bytes("c", "u", CELLS("a\0b", "x"), (size_t[]){3, 1}, 2),
                     CELLS("\"a\\u0000b\"", "\"x\""));
}

static void test_binary_layouts(void **state)
{
    static const char *const formats[] = {"z", "Z", "vz"};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        json_check_cells(TEXTS(formats[i], "", "f", "fo", NULL, "foo", "foob", "fooba", "foobar",
                               "\xff\xfe long enough for a view"),
                         CELLS("\"\"", "\"Zg==\"", "\"Zm8=\"", "null", "\"Zm9v\"", "\"Zm9vYg==\"",
                               "\"Zm9vYmE=\"", "\"Zm9vYmFy\"",
                               "\"//4gbG9uZyBlbm91Z2ggZm9yIGEgdmlldw==\""));
    json_check_cells(arrow_build_fixed("c", "w:3", 3, "abcdefghi", 3, "110"),
                     CELLS("\"YWJj\"", "\"ZGVm\"", "null"));
    json_check_cells(arrow_build_fixed("c", "w:0", 0, "", 2, NULL), CELLS("\"\"", "\"\""));
}

static void test_dates(void **state)
{
    (void)state;
    json_check_cells(
        FIXED("tdD", int32_t, "11101", 19753, 0, -1, 0, -719528),
        CELLS("\"2024-01-31\"", "\"1970-01-01\"", "\"1969-12-31\"", "null", "\"0000-01-01\""));
    json_check_cells(FIXED("tdm", int64_t, NULL, 1706659200000, -1, -86400000, 86399999),
                     CELLS("\"2024-01-31\"", "\"1969-12-31\"", "\"1969-12-31\"", "\"1970-01-01\""));
}

static void test_timestamps(void **state)
{
    (void)state;
    json_check_cells(FIXED("tsu:UTC", int64_t, "1101", 1706695026123456, -1, 0, 0),
                     CELLS("\"2024-01-31T09:57:06.123456Z\"", "\"1969-12-31T23:59:59.999999Z\"",
                           "null", "\"1970-01-01T00:00:00.000000Z\""));
    json_check_cells(FIXED("tsu:", int64_t, NULL, 1706695026123456, -1, 0),
                     CELLS("\"2024-01-31T09:57:06.123456\"", "\"1969-12-31T23:59:59.999999\"",
                           "\"1970-01-01T00:00:00.000000\""));
    json_check_cells(FIXED("tss:Europe/Berlin", int64_t, NULL, 1706695026, -1),
                     CELLS("\"2024-01-31T09:57:06.000000Z\"", "\"1969-12-31T23:59:59.000000Z\""));
    json_check_cells(FIXED("tsm:", int64_t, NULL, 1706695026123, -1),
                     CELLS("\"2024-01-31T09:57:06.123000\"", "\"1969-12-31T23:59:59.999000\""));
    json_check_cells(FIXED("tsn:", int64_t, NULL, 1706695026123456789, -1),
                     CELLS("\"2024-01-31T09:57:06.123456\"", "\"1969-12-31T23:59:59.999999\""));
}

static void test_times(void **state)
{
    (void)state;
    json_check_cells(FIXED("tts", int32_t, NULL, 35826, 0),
                     CELLS("\"09:57:06.000000\"", "\"00:00:00.000000\""));
    json_check_cells(FIXED("ttm", int32_t, "10", 35826123, 0),
                     CELLS("\"09:57:06.123000\"", "null"));
    json_check_cells(FIXED("ttu", int64_t, NULL, 35826123456, 0),
                     CELLS("\"09:57:06.123456\"", "\"00:00:00.000000\""));
    json_check_cells(FIXED("ttn", int64_t, NULL, 35826123456789, 86399999999999),
                     CELLS("\"09:57:06.123456\"", "\"23:59:59.999999\""));
}

static void test_mysql_time(void **state)
{
    struct arrow_built *column = TEXTS("u", "09:57:06", "-838:59:59", "09:57:06.5",
                                       "09:57:06.123456", NULL, "838:59:59.000");

    (void)state;
    arrow_build_metadata(column, "mysql_type", "TIME");
    json_check_cells(column,
                     CELLS("\"09:57:06.000000\"", "\"-838:59:59.000000\"", "\"09:57:06.500000\"",
                           "\"09:57:06.123456\"", "null", "\"838:59:59.000000\""));
}

static void test_intervals(void **state)
{
    struct {
        int32_t months;
        int32_t days;
        int64_t ns;
    } mixed[] = {{14, 3, 4500000000}, {0, 0, 0}, {-14, -3, -4500000000}, {1, -2, 0}};
    int32_t days_ms[][2] = {{1, 1500}, {0, 0}, {-1, -1}};

    (void)state;
    json_check_cells(FIXED("tiM", int32_t, "11101", 14, -3, 0, 1, 24),
                     CELLS("\"P1Y2M\"", "\"-P3M\"", "\"P0M\"", "null", "\"P2Y\""));
    json_check_cells(FIXED("tDu", int64_t, "1110", 93784500000, -1, 0, 1),
                     CELLS("\"P1DT2H3M4.5S\"", "\"-PT0.000001S\"", "\"PT0S\"", "null"));
    json_check_cells(FIXED("tDs", int64_t, NULL, 86400, 61), CELLS("\"P1D\"", "\"PT1M1S\""));
    json_check_cells(FIXED("tDm", int64_t, NULL, 1, -1000), CELLS("\"PT0.001S\"", "\"-PT1S\""));
    json_check_cells(FIXED("tDn", int64_t, NULL, 1, 3600000000000),
                     CELLS("\"PT0.000000001S\"", "\"PT1H\""));
    json_check_cells(arrow_build_fixed("c", "tin", 16, mixed, 4, NULL),
                     CELLS("\"P1Y2M3DT4.5S\"", "\"PT0S\"", "\"-P1Y2M3DT4.5S\"", "\"P1M-2D\""));
    json_check_cells(arrow_build_fixed("c", "tiD", 8, days_ms, 3, NULL),
                     CELLS("\"P1DT1.5S\"", "\"PT0S\"", "\"-P1DT0.001S\""));
}

static void test_json_documents(void **state)
{
    static const char *const keys[] = {"mysql_type", "spark_type"};
    static const char *const values[] = {"JSON", "VARIANT_JSON"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct arrow_built *column =
            TEXTS("u", "{\"a\": [1, 2.50, 18446744073709551616]}", "null", "\"x\"", NULL,
                  "{\"broken\": ", "1e400", "[\"\\u0000\"]");

        arrow_build_metadata(column, keys[i], values[i]);
        json_check_cells(column,
                         CELLS("{\"a\": [1, 2.50, 18446744073709551616]}", "null", "\"x\"", "null",
                               "\"{\\\"broken\\\": \"", "\"1e400\"", "[\"\\u0000\"]"));
    }
}

static void test_text_marks_that_change_nothing(void **state)
{
    struct arrow_built *decimal = TEXTS("u", "123456789012345678901234567890123456789.50", "0.00");
    struct arrow_built *unknown = TEXTS("u", "{}", "x");
    struct arrow_built *number = FIXED("i", int32_t, NULL, 1, 2);

    (void)state;
    arrow_build_metadata(decimal, "mysql_type", "DECIMAL");
    json_check_cells(decimal, CELLS("\"123456789012345678901234567890123456789.50\"", "\"0.00\""));
    arrow_build_metadata(unknown, "mysql_type", "JSONB");
    json_check_cells(unknown, CELLS("\"{}\"", "\"x\""));
    arrow_build_metadata(number, "mysql_type", "JSON");
    json_check_cells(number, CELLS("1", "2"));
}

static void test_geometry_loses_its_srid(void **state)
{
    struct arrow_built *column = arrow_build_bytes(
        "c", "z", CELLS("\xe6\x10\0\0foo", NULL, "\0\0\0\0", "ab"), (size_t[]){7, 0, 4, 2}, 4);

    (void)state;
    arrow_build_metadata(column, "mysql_type", "GEOMETRY");
    json_check_cells(column, CELLS("\"Zm9v\"", "null", "\"\"", "\"\""));
}

static void test_null_count_zero_ignores_the_bitmap(void **state)
{
    struct arrow_built *column = FIXED("i", int32_t, "00", 1, 2);

    (void)state;
    column->array.null_count = 0;
    struct arrow_built *batch = arrow_build_struct("", 2, NULL, 1, &column);
    struct error err;
    char *text = json_check_write(batch, &native, &err);
    assert_string_equal(text, "[{\"c\":1},{\"c\":2}]");
    free(text);
    arrow_build_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_type),
        cmocka_unit_test(test_boolean),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_numbers_as_strings),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_unsigned_bigint),
        cmocka_unit_test(test_text_layouts),
        cmocka_unit_test(test_text_with_nul_inside),
        cmocka_unit_test(test_binary_layouts),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_timestamps),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_mysql_time),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_json_documents),
        cmocka_unit_test(test_text_marks_that_change_nothing),
        cmocka_unit_test(test_geometry_loses_its_srid),
        cmocka_unit_test(test_null_count_zero_ignores_the_bitmap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
