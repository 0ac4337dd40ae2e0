#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/explanation.h"

static int released;

static void release_schema(struct ArrowSchema *schema)
{
    released++;
    schema->release = NULL;
}

/* One column of that Arrow format, its release counted. */
static void set_schema(struct ArrowSchema *schema, struct ArrowSchema *column,
                       struct ArrowSchema **columns, const char *format)
{
    *column = (struct ArrowSchema){.format = format,
                                   .name = "a \"b\"",
                                   .flags = ARROW_FLAG_NULLABLE,
                                   .release = release_schema};
    columns[0] = column;
    *schema = (struct ArrowSchema){.format = "+s",
                                   .name = "",
                                   .n_children = 1,
                                   .children = columns,
                                   .release = release_schema};
}

static void check_text(const struct byte_buffer *out, const char *wanted)
{
    assert_int_equal(out->length, strlen(wanted));
    assert_memory_equal(out->data, wanted, out->length);
}

/* MySQL tells neither filters nor files. */
static void test_what_an_engine_does_not_tell_is_left_out(void **state)
{
    struct ArrowSchema column;
    struct ArrowSchema *columns[1];
    struct explanation explanation = {.plan = strdup("{\n\t\"query_block\": \"\x01\"}")};
    struct byte_buffer out = {0};
    struct error err;

    (void)state;
    set_schema(&explanation.schema, &column, columns, "l");
    assert_int_equal(explanation_write(&explanation, "mysql", &out, &err), 0);
    check_text(&out, "{\"plan\":\"{\\n\\t\\\"query_block\\\": \\\"\\u0001\\\"}\",\"schema\":"
                     "[{\"name\":\"a \\\"b\\\"\",\"type\":\"BIGINT\",\"nullable\":true}],"
                     "\"source\":{\"kind\":\"mysql\"}}");
    released = 0;
    explanation_done(&explanation);
    assert_int_equal(released, 1);
    explanation_done(&explanation); /* nothing is left to free */
    byte_buffer_done(&out);
}

/* An engine that tells filters may have none; one that tells files may not know all. */
static void test_none_and_unknown_differ(void **state)
{
    struct ArrowSchema column;
    struct ArrowSchema *columns[1];
    struct explanation explanation = {
        .plan = strdup(""),
        .has_filters = true,
        .has_source = true,
        .source = {.files_read = 0, .files_total = -1, .bytes_read = 0, .bytes_total = -1}};
    struct byte_buffer out = {0};
    struct error err;

    (void)state;
    set_schema(&explanation.schema, &column, columns, "b");
    assert_int_equal(explanation_write(&explanation, "delta", &out, &err), 0);
    check_text(&out, "{\"plan\":\"\",\"schema\":[{\"name\":\"a \\\"b\\\"\",\"type\":\"BOOLEAN\","
                     "\"nullable\":true}],\"source\":{\"kind\":\"delta\"},\"pushed_filters\":[],"
                     "\"unpushed_filters\":[],\"files_read\":0,\"bytes_read\":0}");
    explanation_done(&explanation);
    byte_buffer_done(&out);
}

static void test_a_schema_that_cannot_be_told(void **state)
{
    struct ArrowSchema column;
    struct ArrowSchema *columns[1];
    struct explanation explanation = {.plan = strdup("p")};
    struct byte_buffer out = {0};
    struct error err;

    (void)state;
    set_schema(&explanation.schema, &column, columns, "no such format");
    assert_int_equal(explanation_write(&explanation, "delta", &out, &err), -1);
    assert_int_equal(err.code, ERROR_ENGINE_ERROR);
    explanation_done(&explanation);
    byte_buffer_done(&out);
}

static void test_done_of_a_half_built_one(void **state)
{
    struct explanation explanation = {.filters = calloc(2, sizeof(struct explained_filter)),
                                      .filter_count = 2};

    (void)state;
    assert_non_null(explanation.filters);
    explanation.filters[0].text = strdup("t");
    explanation_done(&explanation);
    assert_null(explanation.filters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_an_engine_does_not_tell_is_left_out),
        cmocka_unit_test(test_none_and_unknown_differ),
        cmocka_unit_test(test_a_schema_that_cannot_be_told),
        cmocka_unit_test(test_done_of_a_half_built_one),
    };

    return cmocka_run_group_tests_name("explanation", tests, NULL, NULL);
}
