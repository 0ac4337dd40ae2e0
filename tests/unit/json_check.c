#include "json_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

char *json_check_write(const struct arrow_built *batch, const struct json_options *options,
                       struct error *err)
{
    const struct result_options result = {.numbers_as_strings = options->numbers_as_strings};
    struct result_end end = RESULT_END_UNKNOWN;
    struct result_writer *writer = NULL;
    struct byte_buffer out = {0};
    char *text = NULL;

    if (result_writer_new(&batch->schema, &result, &writer, err) < 0)
        return NULL;
    result_writer_begin(writer, &out);
    size_t before = out.length;
    if (result_writer_rows(writer, &batch->array, 0, batch->array.length, &out, err) == 0) {
        result_writer_end(writer, &end, &out);
        byte_buffer_append_char(&out, '\0');
        text = strdup(out.data);
    } else {
        assert_int_equal(out.length, before);
    }
    byte_buffer_done(&out);
    result_writer_free(writer);
    return text;
}

static void check_rows(const struct arrow_built *batch, const struct json_options *options,
                       const char *const *cells, int64_t count)
{
    struct error err;
    struct byte_buffer expected = {0};
    char *text = json_check_write(batch, options, &err);

    if (text == NULL)
        fail_msg("%s", err.detail);
    byte_buffer_append_char(&expected, '[');
    for (int64_t i = 0; i < count; i++)
        byte_buffer_append_format(&expected, "%s{\"c\":%s}", i > 0 ? "," : "", cells[i]);
    byte_buffer_append(&expected, "]", 2);
    assert_string_equal(text, expected.data);
    byte_buffer_done(&expected);
    free(text);
}

void json_check_cells_with(struct arrow_built *column, const struct json_options *options,
                           const char *const *cells)
{
    int64_t count = column->array.length;
    struct arrow_built *batch = arrow_build_struct("", count, NULL, 1, &column);

    check_rows(batch, options, cells, count);
    if (count > 1) {
        batch->array.offset = 1;
        batch->array.length = count - 1;
        check_rows(batch, options, cells + 1, count - 1);
        arrow_build_slice(column, 1, count - 1);
        batch->array.offset = 0;
        check_rows(batch, options, cells + 1, count - 1);
    }
    if (count > 2) {
        batch->array.offset = 1;
        batch->array.length = count - 2;
        check_rows(batch, options, cells + 2, count - 2);
    }
    arrow_build_free(batch);
}

void json_check_cells(struct arrow_built *column, const char *const *cells)
{
    json_check_cells_with(column, &(struct json_options){false}, cells);
}

void json_check_refused(struct arrow_built *column, const char *reason)
{
    struct error err;
    struct arrow_built *batch = arrow_build_struct("", column->array.length, NULL, 1, &column);
    char *text = json_check_write(batch, &(struct json_options){false}, &err);

    assert_null(text);
    assert_int_equal(err.code, ERROR_ENGINE_ERROR);
    if (strstr(err.detail, reason) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", reason, err.detail);
    arrow_build_free(batch);
}
