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

#define CELLS(...) ((const char *const[]){__VA_ARGS__})
#define COLUMNS(...) ((struct arrow_built *[]){__VA_ARGS__})
#define OFFSETS(...) ((const int64_t[]){__VA_ARGS__})

static const struct json_options native = {.numbers_as_strings = false};
static const struct result_options plain = {0};
static const struct result_end no_end = RESULT_END_UNKNOWN;

static struct arrow_built *int_column(const char *name, int64_t count)
{
    int32_t values[16];

    for (int32_t i = 0; i < 16; i++)
        values[i] = i;
    return arrow_build_fixed(name, "i", 4, values, count, NULL);
}

static void test_lists(void **state)
{
    static const char *const formats[] = {"+l", "+L"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct arrow_built *item = arrow_build_slice(int_column("item", 8), 2, 6);

        json_check_cells(arrow_build_list("c", formats[i], OFFSETS(0, 2, 2, 3, 6), 4, "1101", item),
                         CELLS("[2,3]", "[]", "null", "[5,6,7]"));
    }
}

static void test_fixed_lists(void **state)
{
    struct arrow_built *item = arrow_build_slice(int_column("item", 9), 1, 8);

    (void)state;
    json_check_cells(arrow_build_fixed_list("c", "+w:2", 4, "1101", item),
                     CELLS("[1,2]", "[3,4]", "null", "[7,8]"));
    json_check_cells(arrow_build_fixed_list("c", "+w:0", 3, NULL, int_column("item", 0)),
                     CELLS("[]", "[]", "[]"));
}

static void test_structs(void **state)
{
    struct arrow_built *fields[] = {
        arrow_build_slice(int_column("a", 5), 1, 4),
        arrow_build_bytes("b", "u", CELLS("x", NULL, "z", "w"), NULL, 4),
    };

    (void)state;
    json_check_cells(
        arrow_build_struct("c", 4, "1101", 2, fields),
        CELLS("{\"a\":1,\"b\":\"x\"}", "{\"a\":2,\"b\":null}", "null", "{\"a\":4,\"b\":\"w\"}"));
    json_check_cells(arrow_build_struct("c", 2, NULL, 0, NULL), CELLS("{}", "{}"));
}

static void test_struct_in_list_in_struct(void **state)
{
    struct arrow_built *inner =
        arrow_build_struct("item", 6, "111011", 1, COLUMNS(int_column("v", 6)));
    struct arrow_built *list = arrow_build_list("l", "+l", OFFSETS(0, 1, 4, 4, 6), 4, NULL,
                                                arrow_build_slice(inner, 0, 6));

    (void)state;
    json_check_cells(arrow_build_struct("c", 4, NULL, 1, &list),
                     CELLS("{\"l\":[{\"v\":0}]}", "{\"l\":[{\"v\":1},{\"v\":2},null]}",
                           "{\"l\":[]}", "{\"l\":[{\"v\":4},{\"v\":5}]}"));
}

static void test_map_with_text_keys(void **state)
{
    struct arrow_built *key = arrow_build_bytes("key", "u", CELLS("a", "b\"", "a", "a"), NULL, 4);

    (void)state;
    json_check_cells(
        arrow_build_map("c", OFFSETS(0, 2, 2, 2, 4), 4, "1101", key, int_column("value", 4)),
        CELLS("{\"a\":0,\"b\\\"\":1}", "{}", "null", "{\"a\":2,\"a\":3}"));
}

static void test_map_entries_with_an_offset(void **state)
{
    struct arrow_built *key =
        arrow_build_bytes("key", "U", CELLS("skipped", "a", "b", "c"), NULL, 4);
    struct arrow_built *map =
        arrow_build_map("c", OFFSETS(0, 1, 3), 2, NULL, key, int_column("value", 4));

    (void)state;
    arrow_build_slice(map->children[0], 1, 3);
    json_check_cells(map, CELLS("{\"a\":1}", "{\"b\":2,\"c\":3}"));
}

static void test_map_with_other_keys(void **state)
{
    struct arrow_built *value =
        arrow_build_bytes("value", "u", CELLS("zero", NULL, "two"), NULL, 3);

    (void)state;
    json_check_cells(
        arrow_build_map("c", OFFSETS(0, 2, 2, 3), 3, NULL, int_column("key", 3), value),
        CELLS("[[0,\"zero\"],[1,null]]", "[]", "[[2,\"two\"]]"));
}

static struct arrow_built *colours(const char *format, size_t width, const void *indices,
                                   int64_t count, const char *valid, const char *name)
{
    return arrow_build_dictionary(arrow_build_fixed(name, format, width, indices, count, valid),
                                  arrow_build_bytes("", "u", CELLS("red", "green", NULL), NULL, 3));
}

static void test_dictionaries(void **state)
{
    const int8_t i8[] = {1, 0, 2, 1};
    const uint8_t u8[] = {1, 0, 2, 1};
    const int16_t i16[] = {1, 0, 2, 1};
    const uint16_t u16[] = {1, 0, 2, 1};
    const int32_t i32[] = {1, 0, 2, 1};
    const uint32_t u32[] = {1, 0, 2, 1};
    const int64_t i64[] = {1, 0, 2, 1};
    const uint64_t u64[] = {1, 0, 2, 1};
    const struct {
        const char *format;
        size_t width;
        const void *indices;
    } cases[] = {{"c", 1, i8},  {"C", 1, u8},  {"s", 2, i16}, {"S", 2, u16},
                 {"i", 4, i32}, {"I", 4, u32}, {"l", 8, i64}, {"L", 8, u64}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        json_check_cells(colours(cases[i].format, cases[i].width, cases[i].indices, 4, "1110", "c"),
                         CELLS("\"green\"", "\"red\"", "null", "null"));
}

static void test_map_with_dictionary_keys(void **state)
{
    struct arrow_built *key = colours("c", 1, (const int8_t[]){1, 0}, 2, NULL, "key");

    (void)state;
    json_check_cells(arrow_build_map("c", OFFSETS(0, 2), 1, NULL, key, int_column("value", 2)),
                     CELLS("{\"green\":0,\"red\":1}"));
    json_check_refused(arrow_build_map("c", OFFSETS(0, 1), 1, NULL,
                                       colours("c", 1, (const int8_t[]){2}, 1, NULL, "key"),
                                       int_column("value", 1)),
                       "row 0 is malformed");
}

static void check_names(size_t count, const char *const *names, const char *expected)
{
    struct arrow_built *columns[8];
    struct error err;

    for (size_t i = 0; i < count; i++)
        columns[i] = arrow_build_null(names[i], 1);
    struct arrow_built *batch = arrow_build_struct("", 1, NULL, (int64_t)count, columns);
    char *text = json_check_write(batch, &native, &err);
    assert_string_equal(text, expected);
    free(text);
    arrow_build_free(batch);
}

static void test_equal_names(void **state)
{
    (void)state;
    check_names(3, CELLS("a", "a", "a"), "[{\"a\":null,\"a_2\":null,\"a_3\":null}]");
    check_names(3, CELLS("a", "a", "a_2"), "[{\"a\":null,\"a_3\":null,\"a_2\":null}]");
    check_names(4, CELLS("a_2", "a_2", "a", "a"),
                "[{\"a_2\":null,\"a_2_2\":null,\"a\":null,\"a_3\":null}]");
    check_names(3, CELLS("", "A", ""), "[{\"\":null,\"A\":null,\"_2\":null}]");
    check_names(2, CELLS("q\"\\", "\xff"), "[{\"q\\\"\\\\\":null,\"\xef\xbf\xbd\":null}]");
    check_names(0, NULL, "[{}]");
}

static void test_equal_names_in_a_struct(void **state)
{
    (void)state;
    json_check_cells(
        arrow_build_struct("c", 1, NULL, 2, COLUMNS(int_column("x", 1), int_column("x", 1))),
        CELLS("{\"x\":0,\"x_2\":0}"));
}

static void test_thousands_of_equal_names(void **state)
{
    enum { COUNT = 20000 };
    struct arrow_built **columns = calloc(COUNT, sizeof(*columns));
    struct error err;

    (void)state;
    for (int i = 0; i < COUNT; i++)
        columns[i] = arrow_build_null("a", 1);
    struct arrow_built *batch = arrow_build_struct("", 1, NULL, COUNT, columns);
    char *text = json_check_write(batch, &native, &err);
    assert_non_null(strstr(text, ",\"a_20000\":null}]"));
    free(text);
    free(columns);
    arrow_build_free(batch);
}

static void test_batches_and_windows(void **state)
{
    struct arrow_built *batch = arrow_build_struct("", 5, NULL, 1, COLUMNS(int_column("c", 5)));
    struct result_writer *writer = NULL;
    struct byte_buffer out = {0};
    struct error err;

    (void)state;
    assert_int_equal(result_writer_new(&batch->schema, &plain, &writer, &err), 0);
    result_writer_begin(writer, &out);
    assert_int_equal(result_writer_rows(writer, &batch->array, 0, 0, &out, &err), 0);
    assert_int_equal(result_writer_rows(writer, &batch->array, 1, 2, &out, &err), 0);
    assert_int_equal(result_writer_rows(writer, &batch->array, 4, 2, &out, &err), -1);
    assert_int_equal(result_writer_rows(writer, &batch->array, -1, 1, &out, &err), -1);
    assert_int_equal(result_writer_rows(writer, &batch->array, 0, -1, &out, &err), -1);
    assert_int_equal(result_writer_rows(writer, &batch->array, INT64_MAX, 1, &out, &err), -1);
    assert_int_equal(result_writer_rows(writer, &batch->array, 5, 0, &out, &err), 0);
    assert_int_equal(result_writer_rows(writer, &batch->array, 4, 1, &out, &err), 0);
    result_writer_end(writer, &no_end, &out);
    byte_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, "[{\"c\":1},{\"c\":2},{\"c\":4}]");
    byte_buffer_done(&out);
    result_writer_free(writer);
    arrow_build_free(batch);
}

static void test_malformed_row_leaves_no_trace(void **state)
{
    struct arrow_built *text = arrow_build_bytes("c", "u", CELLS("a", "b", "c"), NULL, 3);
    struct arrow_built *batch = arrow_build_struct("", 3, NULL, 1, &text);
    struct result_writer *writer = NULL;
    struct byte_buffer out = {0};
    struct error err;

    (void)state;
    ((int32_t *)text->array.buffers[1])[3] = -5;
    assert_int_equal(result_writer_new(&batch->schema, &plain, &writer, &err), 0);
    result_writer_begin(writer, &out);
    assert_int_equal(result_writer_rows(writer, &batch->array, 0, 3, &out, &err), -1);
    assert_int_equal(err.code, ERROR_ENGINE_ERROR);
    assert_string_equal(err.detail, "result batch: row 2 is malformed");
    /* Still usable, and without a comma left over. */
    assert_int_equal(result_writer_rows(writer, &batch->array, 0, 1, &out, &err), 0);
    result_writer_end(writer, &no_end, &out);
    byte_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, "[{\"c\":\"a\"}]");
    byte_buffer_done(&out);
    result_writer_free(writer);
    arrow_build_free(batch);
}

/* A buffer that lost bytes for want of memory must not pass for an answer. */
static void test_failed_buffer_is_an_error(void **state)
{
    struct arrow_built *batch = arrow_build_struct("", 2, NULL, 1, COLUMNS(int_column("c", 2)));
    struct result_writer *writer = NULL;
    struct byte_buffer out = {.failed = true};
    struct error err;

    (void)state;
    assert_int_equal(result_writer_new(&batch->schema, &plain, &writer, &err), 0);
    assert_int_equal(result_writer_rows(writer, &batch->array, 0, 2, &out, &err), -1);
    assert_int_equal(err.code, ERROR_ENGINE_ERROR);
    assert_string_equal(err.detail, "out of memory for the answer");
    assert_int_equal(out.length, 0);
    byte_buffer_done(&out);
    result_writer_free(writer);
    arrow_build_free(batch);
}

/* Drops one buffer of a column. */
static struct arrow_built *without_buffer(struct arrow_built *column, int64_t i)
{
    free((void *)column->array.buffers[i]);
    column->array.buffers[i] = NULL;
    return column;
}

static struct arrow_built *with_length(struct arrow_built *column, int64_t offset, int64_t length)
{
    column->array.offset = offset;
    column->array.length = length;
    return column;
}

/* As Arrow Java 12 exports them. */
static void test_null_columns_of_length_0(void **state)
{
    (void)state;
    json_check_cells(
        arrow_build_struct("c", 2, NULL, 1, COLUMNS(with_length(arrow_build_null("x", 2), 0, 0))),
        CELLS("{\"x\":null}", "{\"x\":null}"));
    json_check_cells(arrow_build_list("c", "+l", OFFSETS(0, 2), 1, NULL,
                                      with_length(arrow_build_null("item", 2), 0, 0)),
                     CELLS("[null,null]"));
}

static void test_malformed_arrays(void **state)
{
    struct arrow_built *column;

    (void)state;
    json_check_refused(without_buffer(int_column("c", 2), 1), "no values");
    column = int_column("c", 2);
    column->array.null_count = 1;
    json_check_refused(column, "nulls without a validity bitmap");
    column = int_column("c", 2);
    column->array.n_buffers = 1;
    free((void *)column->array.buffers[1]);
    json_check_refused(column, "wrong number of buffers");
    json_check_refused(without_buffer(arrow_build_bytes("c", "u", CELLS("a", "b"), NULL, 2), 2),
                       "row 0 is malformed");
    column = arrow_build_list("c", "+l", OFFSETS(0, 1, 3), 2, NULL, int_column("item", 2));
    json_check_refused(column, "row 1 is malformed");
    column = arrow_build_list("c", "+l", OFFSETS(2, 1, 1), 2, NULL, int_column("item", 2));
    json_check_refused(column, "row 0 is malformed");
    column = arrow_build_fixed_list("c", "+w:2", 2, NULL, int_column("item", 3));
    json_check_refused(column, "too short");
    column = arrow_build_struct("c", 2, NULL, 1, COLUMNS(int_column("x", 1)));
    json_check_refused(column, "too short");
    column = arrow_build_struct("c", 2, NULL, 1, COLUMNS(with_length(int_column("x", 2), -1, 2)));
    json_check_refused(column, "offset or length out of range");
    column =
        arrow_build_struct("c", 0, NULL, 1, COLUMNS(with_length(int_column("x", 2), INT64_MAX, 2)));
    json_check_refused(column, "offset or length out of range");
    column = colours("c", 1, (const int8_t[]){-1}, 1, NULL, "c");
    json_check_refused(column, "row 0 is malformed");
    column = colours("c", 1, (const int8_t[]){3}, 1, NULL, "c");
    json_check_refused(column, "row 0 is malformed");
    column = colours("c", 1, (const int8_t[]){0}, 1, NULL, "c");
    column->array.dictionary = NULL;
    json_check_refused(column, "no dictionary");
}

static void test_malformed_views(void **state)
{
    const char *long_text = "longer than twelve bytes";
    struct arrow_built *column;

    (void)state;
    for (int i = 0; i < 4; i++) {
        column = arrow_build_bytes("c", "vu", &long_text, NULL, 1);
        int32_t *view = (int32_t *)column->array.buffers[1];

        view[0] = i == 0 ? -1 : view[0];
        view[0] = i == 1 ? view[0] + 1 : view[0];
        view[2] = i == 2 ? 2 : view[2];
        view[3] = i == 3 ? 1 : view[3];
        json_check_refused(column, "row 0 is malformed");
    }
    column = arrow_build_bytes("c", "vu", &long_text, NULL, 1);
    json_check_refused(without_buffer(column, 4), "a view array without its sizes");
}

static void test_malformed_children(void **state)
{
    struct arrow_built *column = arrow_build_struct("c", 1, NULL, 1, COLUMNS(int_column("x", 1)));

    (void)state;
    column->array.n_children = 0;
    json_check_refused(column, "wrong number of children");
    column = arrow_build_struct("c", 1, NULL, 1, COLUMNS(int_column("x", 1)));
    column->array.children[0] = NULL;
    json_check_refused(column, "no array");
    column =
        arrow_build_map("c", OFFSETS(0, 1), 1, NULL,
                        arrow_build_bytes("key", "u", CELLS("a"), NULL, 1), int_column("value", 1));
    column->children[0]->array.n_children = 1;
    json_check_refused(column, "a map without key and value");
}

static void set_format(struct arrow_built *built, const char *format)
{
    free((void *)built->schema.format);
    built->schema.format = strdup(format);
}

static void test_unknown_types(void **state)
{
    static const char *const formats[] = {
        "",      "x",       "ii",      "d:",      "d:10",       "d:10,2,7", "d:10,2,128,1",
        "d:0,0", "d:9,999", "d:10 ,2", "tsx:UTC", "tsu",        "ts",       "w:",
        "w:-1",  "w:3x",    "+ud:0,1", "+r",      "+vl",        "+w:",      "+w:99999999999999",
        "tdX",   "ttx",     "tDx",     "tix",     "d:10,2,100",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct arrow_built *column = int_column("c", 1);

        set_format(column, formats[i]);
        json_check_refused(column, "unknown Arrow type");
    }
}

static void test_malformed_schemas(void **state)
{
    struct arrow_built *column = int_column("c", 1);
    struct result_writer *writer = NULL;
    struct error err;

    (void)state;
    assert_int_equal(result_writer_new(&column->schema, &plain, &writer, &err), -1);
    assert_non_null(strstr(err.detail, "the root is not a struct"));
    set_format(column, "+l");
    json_check_refused(column, "wrong number of children");
    column = arrow_build_list("c", "+l", OFFSETS(0, 1), 1, NULL, int_column("item", 1));
    set_format(column, "+m");
    json_check_refused(column, "a map without key and value");
    column = arrow_build_dictionary(arrow_build_null("c", 1), int_column("", 1));
    json_check_refused(column, "dictionary index of type n");
}

static void test_depth_is_bounded(void **state)
{
    struct arrow_built *column = int_column("leaf", 1);

    (void)state;
    for (int i = 0; i < 62; i++)
        column = arrow_build_struct(i == 61 ? "c" : "s", 1, NULL, 1, &column);
    struct arrow_built *batch = arrow_build_struct("", 1, NULL, 1, &column);
    struct error err;
    char *text = json_check_write(batch, &native, &err);
    assert_non_null(text);
    free(text);
    batch = arrow_build_struct("c", 1, NULL, 1, &batch);
    json_check_refused(batch, "nested deeper than 64");
}

static void test_metadata_that_lies(void **state)
{
    static const int32_t negative_pairs[] = {-1};
    static const int32_t many_pairs[] = {1 << 30};
    static const int32_t long_key[] = {1, 1 << 30};
    static const int32_t negative_key[] = {1, -4};
    const int32_t *const blocks[] = {negative_pairs, many_pairs, long_key, negative_key};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct arrow_built *column = arrow_build_bytes("c", "u", CELLS("{}"), NULL, 1);

        column->schema.metadata = malloc(8);
        memcpy((void *)column->schema.metadata, blocks[i], i < 2 ? 4 : 8);
        json_check_cells(column, CELLS("\"{}\""));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_fixed_lists),
        cmocka_unit_test(test_structs),
        cmocka_unit_test(test_struct_in_list_in_struct),
        cmocka_unit_test(test_map_with_text_keys),
        cmocka_unit_test(test_map_entries_with_an_offset),
        cmocka_unit_test(test_map_with_other_keys),
        cmocka_unit_test(test_dictionaries),
        cmocka_unit_test(test_map_with_dictionary_keys),
        cmocka_unit_test(test_equal_names),
        cmocka_unit_test(test_equal_names_in_a_struct),
        cmocka_unit_test(test_thousands_of_equal_names),
        cmocka_unit_test(test_batches_and_windows),
        cmocka_unit_test(test_malformed_row_leaves_no_trace),
        cmocka_unit_test(test_failed_buffer_is_an_error),
        cmocka_unit_test(test_null_columns_of_length_0),
        cmocka_unit_test(test_malformed_arrays),
        cmocka_unit_test(test_malformed_views),
        cmocka_unit_test(test_malformed_children),
        cmocka_unit_test(test_unknown_types),
        cmocka_unit_test(test_malformed_schemas),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_metadata_that_lies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
