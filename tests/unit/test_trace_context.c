/* traceparent as https://www.w3.org/TR/trace-context/ says, word for word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/trace_context.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static void test_taken_over(void **state)
{
    static const char *const valid[] = {
        "00-" TRACE "-" PARENT "-01", "00-" TRACE "-" PARENT "-00", "00-" TRACE "-" PARENT "-ff",
        /* A version to come: what is known of it is read, what follows isn't. */
        "01-" TRACE "-" PARENT "-01", "cc-" TRACE "-" PARENT "-01-what-the-future-brings"};

    (void)state;
    for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
        struct trace_context context = {0};

        if (!trace_context_parse(valid[i], &context))
            fail_msg("refused: %s", valid[i]);
        assert_string_equal(context.trace_id, TRACE);
        assert_string_equal(context.parent_id, PARENT);
    }
}

static void test_ignored(void **state)
{
    static const char *const invalid[] = {
        "",
        "00",
        "00-" TRACE "-" PARENT,
        "00-" TRACE "-" PARENT "-",
        "00-" TRACE "-" PARENT "-1",
        "00-" TRACE "-" PARENT "-011",
        "00-" TRACE "-" PARENT "-01-", /* version 00 has no more fields */
        "00-" TRACE "-" PARENT "-01-more",
        "01-" TRACE "-" PARENT "-01more", /* a later one has them behind a dash */
        "ff-" TRACE "-" PARENT "-01",     /* no version */
        "0-" TRACE "-" PARENT "-01",
        "0g-" TRACE "-" PARENT "-01",
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
        "00-" TRACE "-00F067AA0BA902B7-01",
        "00-" TRACE "-" PARENT "-0G",
        "00-4bf92f3577b34da6a3ce929d0e0e473-" PARENT "-01",
        "00-4bf92f3577b34da6a3ce929d0e0e47366-" PARENT "-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473x-" PARENT "-01",
        "00_" TRACE "_" PARENT "_01",
        " 00-" TRACE "-" PARENT "-01",
        "00-" TRACE "-" PARENT "-01 ",
        "00-" TRACE "-" PARENT "-01,00-" TRACE "-" PARENT "-01",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
        struct trace_context context = {.trace_id = "as before"};

        if (trace_context_parse(invalid[i], &context))
            fail_msg("taken: %s", invalid[i]);
        assert_string_equal(context.trace_id, "as before");
    }
}

/* No cut-off value may be read behind its end (under the address sanitizer). */
static void test_every_cut(void **state)
{
    static const char whole[] = "00-" TRACE "-" PARENT "-01";

    (void)state;
    for (size_t length = 0; length < sizeof(whole) - 1; length++) {
        struct trace_context context;
        char *cut = strndup(whole, length);

        assert_false(trace_context_parse(cut, &context));
        free(cut);
    }
}

static void test_new_traces_differ(void **state)
{
    enum { TRACES = 1000 };
    static struct trace_context traces[TRACES];

    (void)state;
    for (int i = 0; i < TRACES; i++) {
        trace_context_begin(&traces[i]);
        assert_int_equal(strspn(traces[i].trace_id, "0123456789abcdef"), 32);
        assert_string_equal(traces[i].parent_id, "");
        for (int j = 0; j < i; j++)
            assert_string_not_equal(traces[i].trace_id, traces[j].trace_id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken_over),
        cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_new_traces_differ),
    };

    return cmocka_run_group_tests_name("trace_context", tests, NULL, NULL);
}
