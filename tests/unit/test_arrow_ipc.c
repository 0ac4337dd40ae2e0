/* needs: unit/arrow_build.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arrow_build.h"
#include "arrow_ipc_read.h"
#include "arrow_ipc_write.h"
#include "result_writer.h"

#define CELLS(...) ((const char *const[]){__VA_ARGS__})
#define COLUMNS(...) ((struct arrow_built *[]){__VA_ARGS__})
#define OFFSETS(...) ((const int64_t[]){__VA_ARGS__})
#define ROWS 11
#define VALID "11011110111"

/* ---- a batch of every type that an engine makes ---- */

static struct arrow_built *numbers(const char *name, const char *format, size_t width,
                                   const char *valid)
{
    unsigned char values[ROWS * 32];

    for (size_t i = 0; i < ROWS * width; i++)
        values[i] = (unsigned char)(i % width < 2 ? i + 1 : 0);
    return arrow_build_fixed(name, format, width, values, ROWS, valid);
}

static struct arrow_built *texts(const char *name, const char *format)
{
    return arrow_build_bytes(name, format,
                             CELLS("a", "", NULL, "dddd", "ee", "fff", "g", NULL, "hh", "i", "jjj"),
                             NULL, ROWS);
}

static struct arrow_built *items(int64_t count)
{
    int32_t values[32];

    for (int32_t i = 0; i < 32; i++)
        values[i] = i * 3;
    return arrow_build_fixed("item", "i", 4, values, count, NULL);
}

static struct arrow_built *lists(const char *name, const char *format)
{
    return arrow_build_list(name, format, OFFSETS(0, 2, 2, 2, 5, 9, 9, 10, 10, 12, 14, 15), ROWS,
                            VALID, items(15));
}

static struct arrow_built *maps(void)
{
    const char *const keys[] = {"k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"};
    struct arrow_built *built =
        arrow_build_map("m", OFFSETS(0, 1, 2, 2, 3, 3, 3, 5, 5, 6, 7, 8), ROWS, VALID,
                        arrow_build_bytes("key", "u", keys, NULL, 8), items(8));

    built->children[0]->schema.flags = 0; /* Arrow's maps have neither null pairs ... */
    built->children[0]->children[0]->schema.flags = 0; /* ... nor null keys */
    return built;
}

static struct arrow_built *structs(void)
{
    return arrow_build_struct(
        "s", ROWS, VALID, 3,
        COLUMNS(texts("t", "u"), lists("l", "+l"), numbers("t", "l", 8, VALID)));
}

static struct arrow_built *list_of_structs(void)
{
    struct arrow_built *fields = arrow_build_struct("item", 15, NULL, 1, COLUMNS(items(15)));

    return arrow_build_list("ls", "+L", OFFSETS(0, 2, 2, 2, 5, 9, 9, 10, 10, 12, 14, 15), ROWS,
                            VALID, fields);
}

static struct arrow_built *every_type(void)
{
    struct arrow_built *time = texts("time", "u");
    struct arrow_built *columns[] = {
        numbers("i8", "c", 1, NULL),
        numbers("i16", "s", 2, VALID),
        numbers("i32", "i", 4, VALID),
        numbers("i64", "l", 8, VALID),
        numbers("u8", "C", 1, VALID),
        numbers("u16", "S", 2, VALID),
        numbers("u32", "I", 4, VALID),
        numbers("u64", "L", 8, NULL),
        numbers("f32", "f", 4, VALID),
        numbers("f64", "g", 8, VALID),
        numbers("d128", "d:20,3", 16, VALID),
        numbers("d256", "d:60,-3,256", 32, VALID),
        numbers("d64", "d:12,0,64", 8, VALID),
        numbers("date", "tdD", 4, VALID),
        numbers("date_ms", "tdm", 8, VALID),
        numbers("t32", "ttm", 4, VALID),
        numbers("t64", "ttu", 8, VALID),
        numbers("ntz", "tsu:", 8, VALID),
        numbers("utc", "tsn:UTC", 8, VALID),
        numbers("zone", "tss:Europe/Berlin", 8, VALID),
        numbers("dur", "tDu", 8, VALID),
        numbers("months", "tiM", 4, VALID),
        numbers("days", "tiD", 8, VALID),
        numbers("nanos", "tin", 16, VALID),
        numbers("fixed", "w:5", 5, VALID),
        arrow_build_boolean("b", "10110011101", VALID),
        arrow_build_null("null", ROWS),
        texts("u", "u"),
        texts("U", "U"),
        texts("z", "z"),
        texts("Z", "Z"),
        lists("l", "+l"),
        lists("L", "+L"),
        arrow_build_fixed_list("w", "+w:2", ROWS, VALID, items(22)),
        maps(),
        structs(),
        list_of_structs(),
        time,
    };

    arrow_build_metadata(time, "mysql_type", "DECIMAL");
    return arrow_build_struct("", ROWS, NULL, sizeof(columns) / sizeof(columns[0]), columns);
}

/* ---- there and back ---- */

static char *to_json(const struct ArrowSchema *schema, const struct ArrowArray *batch,
                     int64_t first, int64_t count)
{
    const struct result_options options = {0};
    struct result_writer *writer = NULL;
    struct byte_buffer out = {0};
    struct error err;

    if (result_writer_new(schema, &options, &writer, &err) != 0 ||
        result_writer_rows(writer, batch, first, count, &out, &err) != 0)
        fail_msg("%s", err.detail);
    byte_buffer_append(&out, "", 1);
    result_writer_free(writer);
    return out.data;
}

/* The message in an allocation of its exact size, so that ASan sees its end. */
static void *exact_copy(const struct byte_buffer *bytes)
{
    void *copy = malloc(bytes->length);

    memcpy(copy, bytes->data, bytes->length);
    return copy;
}

static void read_schema(const struct ArrowSchema *schema, struct ArrowSchema *ret_schema)
{
    struct byte_buffer message = {0};
    struct error err;
    void *copy = NULL;

    assert_int_equal(arrow_ipc_write_schema(schema, &message, &err), 0);
    copy = exact_copy(&message);
    if (arrow_ipc_read_schema(copy, message.length, ret_schema, &err) != 0)
        fail_msg("%s", err.detail);
    free(copy);
    byte_buffer_done(&message);
}

static void check_slice(const struct arrow_built *built, int64_t first, int64_t count)
{
    struct byte_buffer message = {0};
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct error err;
    char *expected = to_json(&built->schema, &built->array, first, count);
    char *got = NULL;

    read_schema(&built->schema, &schema);
    if (arrow_ipc_write_batch(&built->schema, &built->array, first, count, &message, &err) != 0 ||
        arrow_ipc_read_batch(&schema, exact_copy(&message), message.length, &batch, &err) != 0)
        fail_msg("%s", err.detail);
    assert_int_equal(message.length % 8, 0);
    assert_int_equal(batch.length, count);
    got = to_json(&schema, &batch, 0, count);
    assert_string_equal(got, expected);
    batch.release(&batch);
    schema.release(&schema);
    byte_buffer_done(&message);
    free(expected);
    free(got);
}

static void test_every_slice_comes_back(void **state)
{
    struct arrow_built *built = every_type();

    (void)state;
    for (int64_t first = 0; first <= ROWS; first++) {
        for (int64_t count = 0; count <= ROWS - first; count++)
            check_slice(built, first, count);
    }
    arrow_build_free(built);
}

static void test_slices_of_slices(void **state)
{
    struct arrow_built *built = arrow_build_slice(every_type(), 3, 7);

    (void)state;
    check_slice(built, 0, 7);
    check_slice(built, 2, 4);
    arrow_build_free(built);
    built = arrow_build_struct(
        "", 5, NULL, 3,
        COLUMNS(arrow_build_slice(texts("u", "u"), 4, 6), arrow_build_slice(lists("l", "+l"), 5, 6),
                arrow_build_slice(arrow_build_boolean("b", "10110011101", VALID), 1, 9)));
    check_slice(built, 0, 5);
    check_slice(built, 3, 2);
    arrow_build_free(built);
}

static void test_schema_comes_back(void **state)
{
    struct arrow_built *built = every_type();
    struct ArrowSchema schema;
    struct byte_buffer once = {0};
    struct byte_buffer twice = {0};
    struct error err;

    (void)state;
    built->children[3]->schema.flags = 0;
    read_schema(&built->schema, &schema);
    assert_int_equal(schema.n_children, built->schema.n_children);
    for (int64_t i = 0; i < schema.n_children; i++) {
        assert_string_equal(schema.children[i]->name, built->schema.children[i]->name);
        assert_int_equal(schema.children[i]->flags, built->schema.children[i]->flags);
        if (*built->schema.children[i]->format != 'd')
            assert_string_equal(schema.children[i]->format, built->schema.children[i]->format);
    }
    assert_string_equal(schema.children[10]->format, "d:20,3,128");
    /* All of it: what was read is written as the same bytes. */
    assert_int_equal(arrow_ipc_write_schema(&schema, &once, &err), 0);
    schema.release(&schema);
    assert_int_equal(arrow_ipc_read_schema(once.data, once.length, &schema, &err), 0);
    assert_int_equal(arrow_ipc_write_schema(&schema, &twice, &err), 0);
    assert_int_equal(once.length, twice.length);
    assert_memory_equal(once.data, twice.data, once.length);
    schema.release(&schema);
    byte_buffer_done(&once);
    byte_buffer_done(&twice);
    arrow_build_free(built);
}

static void test_equal_names_become_unique(void **state)
{
    struct arrow_built *built = arrow_build_struct(
        "", ROWS, NULL, 3, COLUMNS(texts("a", "u"), texts("a", "u"), texts("a_2", "u")));
    struct ArrowSchema schema;

    (void)state;
    read_schema(&built->schema, &schema);
    assert_string_equal(schema.children[0]->name, "a");
    assert_string_not_equal(schema.children[1]->name, "a");
    assert_string_not_equal(schema.children[1]->name, schema.children[2]->name);
    schema.release(&schema);
    arrow_build_free(built);
}

static void test_no_column_and_no_row(void **state)
{
    struct arrow_built *built = arrow_build_struct("", 0, NULL, 0, NULL);

    (void)state;
    check_slice(built, 0, 0);
    arrow_build_free(built);
    built = arrow_build_struct("", 0, NULL, 1, COLUMNS(arrow_build_null("n", 0)));
    check_slice(built, 0, 0);
    arrow_build_free(built);
}

/* ---- what is refused ---- */

static void check_refused_schema(struct arrow_built *column)
{
    struct arrow_built *built = arrow_build_struct("", ROWS, NULL, 1, COLUMNS(column));
    struct byte_buffer out = {0};
    struct error err;

    byte_buffer_append_text(&out, "before");
    assert_int_equal(arrow_ipc_write_schema(&built->schema, &out, &err), -1);
    assert_int_equal(err.code, ERROR_ENGINE_ERROR);
    assert_int_equal(out.length, strlen("before"));
    byte_buffer_done(&out);
    arrow_build_free(built);
}

static void test_refused_types(void **state)
{
    (void)state;
    check_refused_schema(texts("v", "vu"));
    check_refused_schema(arrow_build_dictionary(numbers("d", "i", 4, NULL), texts("v", "u")));
    check_refused_schema(numbers("x", "+ud:0", 4, NULL));
}

static void check_refused_batch(struct arrow_built *column, int64_t first, int64_t count)
{
    struct arrow_built *built =
        arrow_build_struct("", column->array.length, NULL, 1, COLUMNS(column));
    struct byte_buffer out = {0};
    struct error err;

    assert_int_equal(arrow_ipc_write_batch(&built->schema, &built->array, first, count, &out, &err),
                     -1);
    assert_int_equal(err.code, ERROR_ENGINE_ERROR);
    assert_int_equal(out.length, 0);
    byte_buffer_done(&out);
    arrow_build_free(built);
}

static void test_refused_batches(void **state)
{
    struct arrow_built *column = lists("l", "+l");

    (void)state;
    column->children[0]->array.length = 14;
    check_refused_batch(column, 0, ROWS);
    column = texts("u", "u");
    ((int32_t *)(uintptr_t)column->array.buffers[1])[0] = -1;
    check_refused_batch(column, 0, ROWS);
    check_refused_batch(texts("u", "u"), 1, ROWS);
    check_refused_batch(texts("u", "u"), -1, 1);
    check_refused_batch(texts("u", "u"), 1, -1);
    column = numbers("i", "i", 4, NULL);
    column->array.null_count = 1;
    check_refused_batch(column, 0, ROWS);
}

/* Reads damaged bytes: an error, or something that can be formatted. */
static void try_batch(const struct ArrowSchema *schema, const char *bytes, size_t length)
{
    const struct result_options options = {0};
    struct byte_buffer out = {0};
    struct result_writer *writer = NULL;
    struct ArrowArray batch;
    struct error err;
    void *copy = malloc(length + 1);

    memcpy(copy, bytes, length);
    copy = realloc(copy, length > 0 ? length : 1);
    if (arrow_ipc_read_batch(schema, copy, length, &batch, &err) != 0) {
        free(copy);
        return;
    }
    assert_int_equal(result_writer_new(schema, &options, &writer, &err), 0);
    (void)result_writer_rows(writer, &batch, 0, batch.length < 64 ? batch.length : 64, &out, &err);
    result_writer_free(writer);
    byte_buffer_done(&out);
    batch.release(&batch);
}

static void test_damaged_batches(void **state)
{
    struct arrow_built *built = every_type();
    struct ArrowSchema schema;
    struct byte_buffer message = {0};
    struct error err;

    (void)state;
    read_schema(&built->schema, &schema);
    assert_int_equal(arrow_ipc_write_batch(&built->schema, &built->array, 0, ROWS, &message, &err),
                     0);
    for (size_t length = 0; length < message.length; length++) {
        void *copy = malloc(length + 1);
        struct ArrowArray batch;

        memcpy(copy, message.data, length);
        assert_int_equal(arrow_ipc_read_batch(&schema, copy, length, &batch, &err), -1);
        free(copy);
    }
    for (size_t at = 0; at < message.length; at++) {
        static const unsigned char masks[] = {0x01, 0x80};
        char kept = message.data[at];

        for (size_t i = 0; i < sizeof(masks); i++) {
            message.data[at] = (char)(kept ^ masks[i]);
            try_batch(&schema, message.data, message.length);
        }
        message.data[at] = kept;
    }
    schema.release(&schema);
    byte_buffer_done(&message);
    arrow_build_free(built);
}

static void test_damaged_schemas(void **state)
{
    struct arrow_built *built = every_type();
    struct byte_buffer message = {0};
    struct ArrowSchema schema;
    struct error err;

    (void)state;
    assert_int_equal(arrow_ipc_write_schema(&built->schema, &message, &err), 0);
    for (size_t length = 0; length < message.length; length++) {
        void *copy = malloc(length + 1);

        memcpy(copy, message.data, length);
        assert_int_equal(arrow_ipc_read_schema(copy, length, &schema, &err), -1);
        free(copy);
    }
    for (size_t at = 0; at < message.length; at++) {
        char kept = message.data[at];

        for (int bit = 0; bit < 8; bit++) {
            message.data[at] = (char)(kept ^ (1 << bit));
            if (arrow_ipc_read_schema(message.data, message.length, &schema, &err) == 0)
                schema.release(&schema);
        }
        message.data[at] = kept;
    }
    byte_buffer_done(&message);
    arrow_build_free(built);
}

/* Writes a stream for other readers: ARROW_IPC_SAMPLE names the file. */
static void test_sample_stream(void **state)
{
    const char *path = getenv("ARROW_IPC_SAMPLE");
    struct arrow_built *built = every_type();
    struct byte_buffer stream = {0};
    struct error err;
    FILE *file = NULL;

    (void)state;
    assert_int_equal(arrow_ipc_write_schema(&built->schema, &stream, &err), 0);
    assert_int_equal(arrow_ipc_write_batch(&built->schema, &built->array, 0, ROWS, &stream, &err),
                     0);
    assert_int_equal(arrow_ipc_write_batch(&built->schema, &built->array, 3, 6, &stream, &err), 0);
    arrow_ipc_write_end(&stream);
    assert_memory_equal(stream.data + stream.length - 8, "\xFF\xFF\xFF\xFF\0\0\0\0", 8);
    if (path != NULL) {
        file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(stream.data, 1, stream.length, file), stream.length);
        fclose(file);
    }
    byte_buffer_done(&stream);
    arrow_build_free(built);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_slice_comes_back),
        cmocka_unit_test(test_slices_of_slices),
        cmocka_unit_test(test_schema_comes_back),
        cmocka_unit_test(test_equal_names_become_unique),
        cmocka_unit_test(test_no_column_and_no_row),
        cmocka_unit_test(test_refused_types),
        cmocka_unit_test(test_refused_batches),
        cmocka_unit_test(test_damaged_batches),
        cmocka_unit_test(test_damaged_schemas),
        cmocka_unit_test(test_sample_stream),
    };

    return cmocka_run_group_tests_name("arrow_ipc", tests, NULL, NULL);
}
