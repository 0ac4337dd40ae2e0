/* needs: unit/arrow_build.c */
/* Every format but bare JSON, whose cells have tests of their own; and what the
 * formats have in common. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/result_writer.h"
#include "arrow_build.h"

#define ROWS 6

/* Text that is hostile to every format: NULL, empty, quotes, line ends, NUL, broken UTF-8. */
static const char *const TEXTS[ROWS] = {NULL, "", "say \"hi\"", "a,b\r\nc", "n\0l", "x\xffy"};
static const size_t LENGTHS[ROWS] = {0, 0, 8, 6, 3, 3};
static const int64_t NUMBERS[ROWS] = {0, INT64_MIN, INT64_MAX, 7, -1, 9007199254740993};
static const double DOUBLES[ROWS] = {0.1, -0.0, 1e300, 5e-324, 1.0 / 0.0, -1.0 / 0.0};
static const int64_t ITEMS_AT[ROWS + 1] = {0, 2, 2, 3, 3, 4, 4};

static struct arrow_built *make_batch(void)
{
    static const char *const items[] = {"a", "b,\"c\"", NULL, ""};
    struct arrow_built *columns[] = {
        arrow_build_fixed("id", "l", 8, NUMBERS, ROWS, "011111"),
        arrow_build_bytes("text, \"quoted\"", "u", TEXTS, LENGTHS, ROWS),
        arrow_build_fixed("id", "g", 8, DOUBLES, ROWS, NULL),
        arrow_build_list("items", "+l", ITEMS_AT, ROWS, "111011",
                         arrow_build_bytes("item", "u", items, NULL, 4)),
        arrow_build_bytes("bytes", "z", TEXTS, LENGTHS, ROWS),
    };

    columns[0]->schema.flags = 0;
    return arrow_build_struct("", ROWS, NULL, 5, columns);
}

static const struct result_options CSV = {.choice.format = RESULT_CSV};
static const struct result_options NDJSON = {.choice.format = RESULT_NDJSON};
static const struct result_options NDJSON_END = {
    .choice = {.format = RESULT_NDJSON, .end_line = true}};
static const struct result_options ENVELOPE = {.choice.format = RESULT_ENVELOPE,
                                               .query_id = "0-1-2"};
static const struct result_options JSON = {.choice.format = RESULT_JSON};
static const struct result_options ARROW = {.choice.format = RESULT_ARROW};

static struct result_writer *make_writer(const struct arrow_built *batch,
                                         const struct result_options *options)
{
    struct result_writer *writer = NULL;
    struct error err;

    if (result_writer_new(&batch->schema, options, &writer, &err) != 0)
        fail_msg("%s", err.detail);
    return writer;
}

static void put_rows(struct result_writer *writer, const struct arrow_built *batch, int64_t first,
                     int64_t count, struct byte_buffer *out)
{
    struct error err;

    if (result_writer_rows(writer, &batch->array, first, count, out, &err) != 0)
        fail_msg("%s", err.detail);
}

/* The whole answer, its rows written `step` at a time. */
static struct byte_buffer write_answer(const struct result_options *options,
                                       const struct result_end *end, int64_t step)
{
    struct arrow_built *batch = make_batch();
    struct result_writer *writer = make_writer(batch, options);
    struct byte_buffer out = {0};
    size_t before_end = 0;

    result_writer_begin(writer, &out);
    for (int64_t row = 0; row < ROWS; row += step)
        put_rows(writer, batch, row, ROWS - row < step ? ROWS - row : step, &out);
    before_end = out.length;
    result_writer_end(writer, end, &out);
    assert_true(out.length - before_end <= result_writer_end_bytes_max(writer));
    assert_false(out.failed);
    result_writer_free(writer);
    arrow_build_free(batch);
    return out;
}

static void check_answer(const struct result_options *options, const struct result_end *end,
                         const char *expected, size_t length)
{
    for (int64_t step = 1; step <= ROWS; step++) {
        struct byte_buffer out = write_answer(options, end, step);

        if (out.length != length || memcmp(out.data, expected, length) != 0)
            fail_msg("%.*s", (int)out.length, out.data);
        byte_buffer_done(&out);
    }
}

#define CHECK_ANSWER(options, end, expected)                                                       \
    check_answer(options, end, expected, sizeof(expected) - 1)

static struct result_end six_rows(void)
{
    struct result_end end = RESULT_END_UNKNOWN;

    end.rows = ROWS;
    return end;
}

#define ROW_0                                                                                      \
    "{\"id\":null,\"text, \\\"quoted\\\"\":null,\"id_2\":0.1,\"items\":[\"a\",\"b,\\\"c\\\"\"],"   \
    "\"bytes\":null}"
#define ROW_1                                                                                      \
    "{\"id\":-9223372036854775808,\"text, \\\"quoted\\\"\":\"\",\"id_2\":-0.0,\"items\":[],"       \
    "\"bytes\":\"\"}"
#define ROW_2                                                                                      \
    "{\"id\":9223372036854775807,\"text, \\\"quoted\\\"\":\"say \\\"hi\\\"\",\"id_2\":1e+300,"     \
    "\"items\":[null],\"bytes\":\"c2F5ICJoaSI=\"}"
#define ROW_3                                                                                      \
    "{\"id\":7,\"text, \\\"quoted\\\"\":\"a,b\\r\\nc\",\"id_2\":5e-324,\"items\":null,"            \
    "\"bytes\":\"YSxiDQpj\"}"
#define ROW_4                                                                                      \
    "{\"id\":-1,\"text, \\\"quoted\\\"\":\"n\\u0000l\",\"id_2\":\"Infinity\",\"items\":[\"\"],"    \
    "\"bytes\":\"bgBs\"}"
#define ROW_5                                                                                      \
    "{\"id\":9007199254740993,\"text, \\\"quoted\\\"\":\"x\xef\xbf\xbdy\",\"id_2\":\"-Infinity\"," \
    "\"items\":[],\"bytes\":\"eP95\"}"

static void test_csv(void **state)
{
    const struct result_end end = six_rows();

    (void)state;
    CHECK_ANSWER(&CSV, &end,
                 "id,\"text, \"\"quoted\"\"\",id_2,items,bytes\r\n"
                 ",,0.1,\"[\"\"a\"\",\"\"b,\\\"\"c\\\"\"\"\"]\",\r\n"
                 "-9223372036854775808,\"\",-0.0,[],\"\"\r\n"
                 "9223372036854775807,\"say \"\"hi\"\"\",1e+300,[null],c2F5ICJoaSI=\r\n"
                 "7,\"a,b\r\nc\",5e-324,,YSxiDQpj\r\n"
                 "-1,n\0l,Infinity,\"[\"\"\"\"]\",bgBs\r\n"
                 "9007199254740993,x\xef\xbf\xbdy,-Infinity,[],eP95\r\n");
}

static void test_ndjson(void **state)
{
    struct result_end end = six_rows();

    (void)state;
    CHECK_ANSWER(&NDJSON, &end, ROW_0 "\n" ROW_1 "\n" ROW_2 "\n" ROW_3 "\n" ROW_4 "\n" ROW_5 "\n");
    end.truncated = true;
    CHECK_ANSWER(&NDJSON_END, &end,
                 ROW_0 "\n" ROW_1 "\n" ROW_2 "\n" ROW_3 "\n" ROW_4 "\n" ROW_5 "\n"
                       "[\"end\",{\"rows\":6,\"truncated\":true}]\n");
}

static void test_json(void **state)
{
    const struct result_end end = six_rows();

    (void)state;
    CHECK_ANSWER(&JSON, &end, "[" ROW_0 "," ROW_1 "," ROW_2 "," ROW_3 "," ROW_4 "," ROW_5 "]");
}

#define ENVELOPE_HEAD                                                                              \
    "{\"query_id\":\"0-1-2\",\"schema\":["                                                         \
    "{\"name\":\"id\",\"type\":\"BIGINT\",\"nullable\":false},"                                    \
    "{\"name\":\"text, \\\"quoted\\\"\",\"type\":\"STRING\",\"nullable\":true},"                   \
    "{\"name\":\"id_2\",\"type\":\"DOUBLE\",\"nullable\":true},"                                   \
    "{\"name\":\"items\",\"type\":\"ARRAY<STRING>\",\"nullable\":true},"                           \
    "{\"name\":\"bytes\",\"type\":\"BINARY\",\"nullable\":true}],\"data\":[" ROW_0 "," ROW_1       \
    "," ROW_2 "," ROW_3 "," ROW_4 "," ROW_5

static void test_envelope(void **state)
{
    struct result_end end = six_rows();

    (void)state;
    CHECK_ANSWER(&ENVELOPE, &end,
                 ENVELOPE_HEAD "],\"row_count\":6,\"truncated\":false,\"stats\":{}}");
    end = (struct result_end){.rows = 6,
                              .truncated = true,
                              .source_kind = "delta",
                              .source_version = "12",
                              .queue_us = 999,
                              .plan_us = 3999,
                              .run_us = 9000,
                              .files_read = 1,
                              .files_total = 4,
                              .bytes_read = 4096};
    CHECK_ANSWER(&ENVELOPE, &end,
                 ENVELOPE_HEAD
                 "],\"row_count\":6,\"truncated\":true,"
                 "\"source\":{\"kind\":\"delta\",\"version\":\"12\"},\"stats\":{\"queue_ms\":0,"
                 "\"plan_ms\":3,\"run_ms\":9,\"files_read\":1,\"files_total\":4,"
                 "\"bytes_read\":4096}}");
}

/* The largest tail that can be stays within what is set aside for it. */
static void test_longest_envelope_tail(void **state)
{
    char version[33];
    struct result_end end = {.rows = INT64_MAX,
                             .source_kind = "iceberg",
                             .source_version = version,
                             .queue_us = INT64_MAX,
                             .plan_us = INT64_MAX,
                             .run_us = INT64_MAX,
                             .files_read = INT64_MAX,
                             .files_total = INT64_MAX,
                             .bytes_read = INT64_MAX};
    struct byte_buffer out = {0};

    (void)state;
    memset(version, '\x01', sizeof(version)); /* six bytes each as JSON */
    version[32] = '\0';
    out = write_answer(&ENVELOPE, &end, ROWS); /* checks the bound */
    byte_buffer_done(&out);
}

/* The messages of an Arrow answer have tests of their own (test_arrow_ipc.c). */
static void test_arrow(void **state)
{
    const struct result_end end = six_rows();
    struct byte_buffer out = write_answer(&ARROW, &end, 2);
    static const unsigned char mark[8] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0};

    (void)state;
    assert_memory_equal(out.data, mark, 4);
    assert_memory_equal(out.data + out.length - 8, mark, 8);
    byte_buffer_done(&out);
}

static void test_no_rows(void **state)
{
    static const struct {
        const struct result_options *options;
        const char *expected;
    } CASES[] = {
        {&JSON, "[]"},
        {&NDJSON, ""},
        {&NDJSON_END, "[\"end\",{\"rows\":0,\"truncated\":false}]\n"},
        {&CSV, "id,\"text, \"\"quoted\"\"\",id_2,items,bytes\r\n"},
    };
    const struct result_end end = RESULT_END_UNKNOWN;
    struct arrow_built *batch = make_batch();

    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct result_writer *writer = make_writer(batch, CASES[i].options);
        struct byte_buffer out = {0};

        result_writer_begin(writer, &out);
        result_writer_end(writer, &end, &out);
        byte_buffer_append_char(&out, '\0');
        assert_string_equal(out.data, CASES[i].expected);
        byte_buffer_done(&out);
        result_writer_free(writer);
    }
    arrow_build_free(batch);
}

/* The JSON formats alone: CSV has no other form for a number. */
static void test_numbers_as_strings(void **state)
{
    static const struct {
        struct result_options options;
        const char *expected;
    } CASES[] = {
        {{.choice.format = RESULT_JSON, .numbers_as_strings = true},
         "{\"n\":\"9007199254740993\"},{\"n\":7}"},
        {{.choice.format = RESULT_NDJSON, .numbers_as_strings = true},
         "{\"n\":\"9007199254740993\"}\n{\"n\":7}\n"},
        {{.choice.format = RESULT_ENVELOPE, .numbers_as_strings = true},
         "{\"n\":\"9007199254740993\"},{\"n\":7}"},
        {{.choice.format = RESULT_CSV, .numbers_as_strings = true}, "9007199254740993\r\n7\r\n"},
    };
    static const int64_t numbers[] = {9007199254740993, 7};
    struct arrow_built *columns[] = {arrow_build_fixed("n", "l", 8, numbers, 2, NULL)};
    struct arrow_built *batch = arrow_build_struct("", 2, NULL, 1, columns);

    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct result_writer *writer = make_writer(batch, &CASES[i].options);
        struct byte_buffer out = {0};

        put_rows(writer, batch, 0, 2, &out);
        byte_buffer_append_char(&out, '\0');
        assert_string_equal(out.data, CASES[i].expected);
        byte_buffer_done(&out);
        result_writer_free(writer);
    }
    arrow_build_free(batch);
}

/* Scalars whose JSON is a string, columns that are all NULL, dictionaries, documents. */
static void test_csv_cells(void **state)
{
    static const int32_t dates[] = {0, 19753};
    static const __int128 prices[] = {1050, -1};
    static const char *const documents[] = {"{\"a\": [1, \"x\"]}", "12"};
    static const char *const times[] = {"-838:59:59", "09:57:06.5"};
    static const char *const values[] = {"red", NULL};
    static const int8_t indices[] = {1, 0};
    struct arrow_built *columns[] = {
        arrow_build_fixed("date", "tdD", 4, dates, 2, NULL),
        arrow_build_fixed("price", "d:10,2", 16, prices, 2, NULL),
        arrow_build_boolean("flag", "10", NULL),
        arrow_build_null("none", 2),
        arrow_build_bytes("document", "u", documents, NULL, 2),
        arrow_build_bytes("clock", "u", times, NULL, 2),
        arrow_build_dictionary(arrow_build_fixed("colour", "c", 1, indices, 2, NULL),
                               arrow_build_bytes("", "u", values, NULL, 2)),
    };
    const char *expected = "date,price,flag,none,document,clock,colour\r\n"
                           "1970-01-01,10.50,true,,\"{\"\"a\"\": [1, \"\"x\"\"]}\","
                           "-838:59:59.000000,\r\n"
                           "2024-01-31,-0.01,false,,12,09:57:06.500000,red\r\n";
    struct arrow_built *batch = NULL;
    struct result_writer *writer = NULL;
    struct byte_buffer out = {0};

    (void)state;
    arrow_build_metadata(columns[4], "mysql_type", "JSON");
    arrow_build_metadata(columns[5], "mysql_type", "TIME");
    batch = arrow_build_struct("", 2, NULL, 7, columns);
    writer = make_writer(batch, &CSV);
    result_writer_begin(writer, &out);
    put_rows(writer, batch, 0, 2, &out);
    byte_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, expected);
    byte_buffer_done(&out);
    result_writer_free(writer);
    arrow_build_free(batch);
}

/* Of every range and every limit: the most rows that fit, and the same bytes as without. */
static void check_within(const struct result_options *options)
{
    struct arrow_built *batch = make_batch();

    for (int64_t count = 0; count <= ROWS; count++) {
        struct byte_buffer whole = {0};
        struct result_writer *writer = make_writer(batch, options);
        size_t lengths[ROWS + 1] = {0};

        for (int64_t rows = 0; rows <= count; rows++) {
            struct result_writer *fresh = make_writer(batch, options);

            byte_buffer_reset(&whole);
            if (rows > 0)
                put_rows(fresh, batch, 0, rows, &whole);
            lengths[rows] = whole.length;
            result_writer_free(fresh);
        }
        for (size_t limit = 0; limit <= whole.length + 1; limit++) {
            struct byte_buffer out = {0};
            struct error err;
            int64_t fitting = 0;
            struct result_writer *fresh = make_writer(batch, options);

            while (fitting < count && lengths[fitting + 1] <= limit)
                fitting++;
            assert_int_equal(
                result_writer_rows_within(fresh, &batch->array, 0, count, limit, &out, &err),
                fitting);
            assert_int_equal(out.length, lengths[fitting]);
            byte_buffer_done(&out);
            result_writer_free(fresh);
        }
        result_writer_free(writer);
        byte_buffer_done(&whole);
    }
    arrow_build_free(batch);
}

static void test_rows_within_a_limit(void **state)
{
    (void)state;
    check_within(&JSON);
    check_within(&NDJSON);
    check_within(&CSV);
    check_within(&ENVELOPE);
}

/* Separators are right after a row that didn't fit. */
static void test_goes_on_after_nothing_fitted(void **state)
{
    struct arrow_built *batch = make_batch();
    struct result_writer *writer = make_writer(batch, &JSON);
    struct byte_buffer out = {0};
    struct error err;

    (void)state;
    assert_int_equal(result_writer_rows_within(writer, &batch->array, 0, 1, 3, &out, &err), 0);
    assert_int_equal(out.length, 0);
    put_rows(writer, batch, 1, 1, &out);
    put_rows(writer, batch, 3, 1, &out);
    byte_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, ROW_1 "," ROW_3);
    byte_buffer_done(&out);
    result_writer_free(writer);
    arrow_build_free(batch);
}

static void check_refused(const struct result_options *options, int64_t first, int64_t count)
{
    struct arrow_built *batch = make_batch();
    struct result_writer *writer = make_writer(batch, options);
    struct byte_buffer out = {0};
    struct error err;

    byte_buffer_append_text(&out, "before");
    assert_int_equal(result_writer_rows(writer, &batch->array, first, count, &out, &err), -1);
    assert_int_equal(err.code, ERROR_ENGINE_ERROR);
    assert_int_equal(out.length, 6);
    byte_buffer_done(&out);
    result_writer_free(writer);
    arrow_build_free(batch);
}

static void test_ranges_outside(void **state)
{
    static const struct result_options *const ALL[] = {&JSON, &ENVELOPE, &NDJSON, &CSV, &ARROW};

    (void)state;
    for (size_t i = 0; i < sizeof(ALL) / sizeof(ALL[0]); i++) {
        check_refused(ALL[i], -1, 1);
        check_refused(ALL[i], 0, ROWS + 1);
        check_refused(ALL[i], ROWS, 1);
        check_refused(ALL[i], INT64_MAX, 1);
        check_refused(ALL[i], 1, INT64_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_longest_envelope_tail),
        cmocka_unit_test(test_ndjson),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_csv_cells),
        cmocka_unit_test(test_numbers_as_strings),
        cmocka_unit_test(test_arrow),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_rows_within_a_limit),
        cmocka_unit_test(test_goes_on_after_nothing_fitted),
        cmocka_unit_test(test_ranges_outside),
    };

    return cmocka_run_group_tests_name("result_writer", tests, NULL, NULL);
}
