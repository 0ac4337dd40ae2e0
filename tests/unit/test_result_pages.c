/* needs: unit/arrow_build.c unit/decode.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/content_coding.h"
#include "../../service/result_pages.h"
#include "arrow_build.h"
#include "decode.h"

#define BATCH_ROWS 1000
#define KIB ((size_t)1024)
#define NO_LIMITS ((struct result_limits){.rows = -1, .bytes = -1})

/* Rows 0, 1, 2 ... of one BIGINT and one text of `width` bytes. */
static struct arrow_built *make_batch(int64_t first, int64_t rows, size_t width)
{
    int64_t *numbers = calloc((size_t)rows + 1, sizeof(*numbers));
    const char **texts = calloc((size_t)rows + 1, sizeof(*texts));
    char *text = malloc(width + 1);
    struct arrow_built *columns[2];

    memset(text, 'x', width);
    text[width] = '\0';
    for (int64_t i = 0; i < rows; i++) {
        numbers[i] = first + i;
        texts[i] = text;
    }
    columns[0] = arrow_build_fixed("n", "l", 8, numbers, rows, NULL);
    columns[1] = arrow_build_bytes("t", "u", texts, NULL, rows);
    free(numbers);
    free(texts);
    free(text);
    return arrow_build_struct("", rows, NULL, 2, columns);
}

/* An answer taken apart. */
struct outcome {
    struct byte_buffer wire;
    struct byte_buffer body; /* decoded */
    size_t pages;
    size_t readable_bytes;   /* decoded so far */
    size_t first_page_bytes; /* decoded */
    size_t largest_later_page;
    int64_t rows;
    bool truncated;
    enum content_coding coding;
};

static void outcome_done(struct outcome *outcome)
{
    byte_buffer_done(&outcome->wire);
    byte_buffer_done(&outcome->body);
}

/* What the client can read so far. */
static size_t readable(const struct outcome *outcome, enum content_coding coding, bool *ret_ended)
{
    struct byte_buffer out = {0};
    size_t length = 0;

    assert_true(decode_bytes(coding, outcome->wire.data, outcome->wire.length, &out, ret_ended));
    length = out.length;
    byte_buffer_done(&out);
    return length;
}

static void take(struct result_pages *pages, struct outcome *outcome)
{
    struct result_page page;
    struct error err;
    bool ended = false;
    size_t length = 0;

    if (result_pages_take(pages, &page, &err) != 0)
        fail_msg("%s", err.detail);
    byte_buffer_append(&outcome->wire, page.data, page.length);
    free(page.data);
    /* A page can be read whole as soon as it is there. */
    length = readable(outcome, result_pages_coding(pages), &ended);
    assert_int_equal(length, result_pages_body_bytes(pages));
    if (outcome->pages++ == 0)
        outcome->first_page_bytes = length;
    else if (length - outcome->readable_bytes > outcome->largest_later_page)
        outcome->largest_later_page = length - outcome->readable_bytes;
    outcome->readable_bytes = length;
}

static struct outcome run(const struct result_options *options, struct result_limits limits,
                          int64_t rows, size_t width)
{
    struct outcome outcome = {0};
    struct result_pages *pages = NULL;
    struct result_end end = RESULT_END_UNKNOWN;
    struct error err;
    bool ended = false;
    struct arrow_built *schema = make_batch(0, 0, width);

    if (result_pages_new(&schema->schema, options, &limits, &pages, &err) != 0)
        fail_msg("%s", err.detail);
    for (int64_t at = 0; at < rows && !result_pages_is_cut(pages); at += BATCH_ROWS) {
        int64_t count = rows - at < BATCH_ROWS ? rows - at : BATCH_ROWS;
        struct arrow_built *batch = make_batch(at, count, width);

        for (int64_t row = 0; row < count && !result_pages_is_cut(pages);) {
            int64_t done = result_pages_add(pages, &batch->array, row, &err);

            if (done < 0)
                fail_msg("%s", err.detail);
            assert_true(done > 0 || result_pages_is_cut(pages));
            row += done;
            if (result_pages_is_ready(pages))
                take(pages, &outcome);
        }
        arrow_build_free(batch);
    }
    if (result_pages_end(pages, &end, &err) != 0)
        fail_msg("%s", err.detail);
    take(pages, &outcome);
    outcome.rows = result_pages_rows(pages);
    outcome.truncated = result_pages_is_cut(pages);
    outcome.coding = result_pages_coding(pages);
    assert_int_equal(result_pages_taken_bytes(pages), outcome.wire.length);
    assert_true(decode_bytes(outcome.coding, outcome.wire.data, outcome.wire.length, &outcome.body,
                             &ended));
    assert_int_equal(ended, outcome.coding != CODING_IDENTITY);
    byte_buffer_append_char(&outcome.body, '\0');
    outcome.body.length--;
    result_pages_free(pages);
    arrow_build_free(schema);
    return outcome;
}

static struct result_options options_of(enum result_format format, enum content_coding coding)
{
    return (struct result_options){.choice = {.format = format, .coding = coding},
                                   .query_id = "0-1-2"};
}

static void test_short_answer_is_one_page(void **state)
{
    struct result_options options = options_of(RESULT_JSON, CODING_IDENTITY);
    struct outcome outcome = run(&options, NO_LIMITS, 2, 1);

    (void)state;
    assert_int_equal(outcome.pages, 1);
    assert_string_equal(outcome.body.data, "[{\"n\":0,\"t\":\"x\"},{\"n\":1,\"t\":\"x\"}]");
    assert_int_equal(outcome.rows, 2);
    assert_false(outcome.truncated);
    outcome_done(&outcome);
}

/* One page up to 1 MiB; then a first page of that size, later ones of 256 KiB. */
static void test_page_sizes(void **state)
{
    static const size_t WIDTHS[] = {1, 100, 5000, 100000};

    (void)state;
    for (size_t i = 0; i < sizeof(WIDTHS) / sizeof(WIDTHS[0]); i++) {
        struct result_options options = options_of(RESULT_CSV, CODING_IDENTITY);
        int64_t rows = (int64_t)(3000 * KIB / (WIDTHS[i] + 8));
        struct outcome outcome = run(&options, NO_LIMITS, rows, WIDTHS[i]);
        size_t slack = 64 * KIB + WIDTHS[i]; /* a step of rows, a row */

        assert_true(outcome.pages >= 6);
        assert_true(outcome.first_page_bytes > RESULT_WHOLE_BYTES);
        assert_true(outcome.first_page_bytes <= RESULT_WHOLE_BYTES + slack);
        assert_true(outcome.largest_later_page <= RESULT_PAGE_BYTES + slack);
        outcome_done(&outcome);
    }
}

/* Each coding carries the very bytes of the plain answer, short and long. */
static void test_codings(void **state)
{
    static const int64_t ROWS[] = {0, 1, 20, 1000, 40000};

    (void)state;
    for (int format = 0; format < RESULT_FORMAT_COUNT; format++) {
        for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
            struct result_options options = options_of((enum result_format)format, CODING_IDENTITY);
            struct outcome plain = run(&options, NO_LIMITS, ROWS[i], 20);

            for (int coding = CODING_GZIP; coding < CONTENT_CODING_COUNT; coding++) {
                struct outcome coded = {0};

                options.choice.coding = (enum content_coding)coding;
                coded = run(&options, NO_LIMITS, ROWS[i], 20);
                assert_int_equal(coded.body.length, plain.body.length);
                assert_memory_equal(coded.body.data, plain.body.data, plain.body.length);
                assert_int_equal(coded.pages, plain.pages);
                assert_int_equal(coded.coding, plain.body.length < RESULT_CODED_BYTES_MIN
                                                   ? CODING_IDENTITY
                                                   : (enum content_coding)coding);
                if (ROWS[i] >= 1000)
                    assert_true(coded.wire.length < plain.wire.length / 2);
                outcome_done(&coded);
            }
            outcome_done(&plain);
        }
    }
}

/* From 1 KiB up a body is coded; below it is only where identity is refused. */
static void test_border_of_coding(void **state)
{
    struct result_options options = options_of(RESULT_CSV, CODING_GZIP);
    size_t fixed = strlen("n,t\r\n0,\r\n");
    struct outcome outcome = run(&options, NO_LIMITS, 1, RESULT_CODED_BYTES_MIN - fixed - 1);

    (void)state;
    assert_int_equal(outcome.body.length, RESULT_CODED_BYTES_MIN - 1);
    assert_int_equal(outcome.coding, CODING_IDENTITY);
    outcome_done(&outcome);

    outcome = run(&options, NO_LIMITS, 1, RESULT_CODED_BYTES_MIN - fixed);
    assert_int_equal(outcome.body.length, RESULT_CODED_BYTES_MIN);
    assert_int_equal(outcome.coding, CODING_GZIP);
    outcome_done(&outcome);

    options.choice.identity_refused = true;
    outcome = run(&options, NO_LIMITS, 0, 1);
    assert_int_equal(outcome.coding, CODING_GZIP);
    assert_string_equal(outcome.body.data, "n,t\r\n");
    outcome_done(&outcome);
}

/* Over the bound an answer goes as it is; a slot comes back with its pages. */
static void test_bound_of_coded_answers(void **state)
{
    struct result_options options = options_of(RESULT_CSV, CODING_ZSTD);
    struct arrow_built *schema = make_batch(0, 0, 1);
    struct result_limits none = NO_LIMITS;
    struct result_pages *first = NULL;
    struct result_pages *second = NULL;
    struct error err;

    (void)state;
    content_coding_set_limit(1);
    assert_int_equal(result_pages_new(&schema->schema, &options, &none, &first, &err), 0);
    assert_int_equal(result_pages_new(&schema->schema, &options, &none, &second, &err), 0);
    assert_int_equal(result_pages_coding(first), CODING_ZSTD);
    assert_int_equal(result_pages_coding(second), CODING_IDENTITY);
    result_pages_free(second);

    options.choice.identity_refused = true;
    assert_int_equal(result_pages_new(&schema->schema, &options, &none, &second, &err), -1);
    assert_int_equal(err.code, ERROR_QUEUE_FULL);
    result_pages_free(first);
    assert_int_equal(result_pages_new(&schema->schema, &options, &none, &second, &err), 0);
    assert_int_equal(result_pages_coding(second), CODING_ZSTD);
    result_pages_free(second);
    content_coding_set_limit(INT64_MAX);
    arrow_build_free(schema);
}

static void check_row_limit(enum result_format format, int64_t rows, int64_t limit,
                            int64_t expected, bool truncated)
{
    struct result_options options = options_of(format, CODING_IDENTITY);
    struct outcome outcome =
        run(&options, (struct result_limits){.rows = limit, .bytes = -1}, rows, 10);

    assert_int_equal(outcome.rows, expected);
    assert_int_equal(outcome.truncated, truncated);
    outcome_done(&outcome);
}

static void test_row_limit(void **state)
{
    (void)state;
    for (int format = 0; format < RESULT_FORMAT_COUNT; format++) {
        enum result_format each = (enum result_format)format;

        check_row_limit(each, 10, 0, 0, true);
        check_row_limit(each, 0, 0, 0, false);
        check_row_limit(each, 10, 9, 9, true);
        check_row_limit(each, 10, 10, 10, false);
        check_row_limit(each, 10, 11, 10, false);
        check_row_limit(each, 2 * BATCH_ROWS, BATCH_ROWS, BATCH_ROWS, true);
        check_row_limit(each, 2 * BATCH_ROWS, BATCH_ROWS + 1, BATCH_ROWS + 1, true);
        check_row_limit(each, 2 * BATCH_ROWS, 2 * BATCH_ROWS, 2 * BATCH_ROWS, false);
    }
}

/* In every format and coding: the body stays within the limit, as many rows as
 * fit are in it, and it ends as every answer does. */
static void check_byte_limit(enum result_format format, enum content_coding coding, int64_t rows,
                             size_t width)
{
    struct result_options options = options_of(format, coding);
    struct outcome whole = run(&options, NO_LIMITS, rows, width);
    struct outcome none = run(&options, NO_LIMITS, 0, width);
    /* what the envelope's end may take more than it took here */
    size_t slack = format == RESULT_ENVELOPE ? 640 : format == RESULT_NDJSON ? 64 : 0;
    size_t largest_row = width + 1100;

    for (int part = 1; part <= 5; part++) {
        size_t limit = none.body.length + (whole.body.length - none.body.length) * (size_t)part / 5;
        struct outcome cut =
            run(&options, (struct result_limits){.rows = -1, .bytes = (int64_t)(limit + slack)},
                rows, width);

        assert_true(cut.body.length <= limit + slack);
        assert_int_equal(cut.truncated, cut.rows < rows);
        if (part == 5)
            assert_int_equal(cut.rows, rows);
        else
            assert_true(cut.rows < rows);
        if (format != RESULT_ARROW) /* there a batch has a head of its own */
            assert_true(cut.body.length + slack + largest_row >= limit);
        outcome_done(&cut);
    }
    outcome_done(&none);
    outcome_done(&whole);
}

static void test_byte_limit(void **state)
{
    (void)state;
    for (int format = 0; format < RESULT_FORMAT_COUNT; format++) {
        for (int coding = 0; coding < CONTENT_CODING_COUNT; coding++)
            check_byte_limit((enum result_format)format, (enum content_coding)coding, 50, 10);
        check_byte_limit((enum result_format)format, CODING_IDENTITY, 1500, 1000);
    }
}

static void test_byte_limit_to_the_byte(void **state)
{
    static const struct {
        enum result_format format;
        size_t limit;
        const char *body;
    } CASES[] = {
        {RESULT_JSON, 16, "[{\"n\":0,\"t\":\"\"}]"},
        {RESULT_JSON, 31, "[{\"n\":0,\"t\":\"\"},{\"n\":1,\"t\":\"\"}]"},
        {RESULT_JSON, 30, "[{\"n\":0,\"t\":\"\"}]"},
        {RESULT_JSON, 15, "[]"},
        {RESULT_JSON, 0, "[]"},
        {RESULT_NDJSON, 30, "{\"n\":0,\"t\":\"\"}\n{\"n\":1,\"t\":\"\"}\n"},
        {RESULT_NDJSON, 29, "{\"n\":0,\"t\":\"\"}\n"},
        {RESULT_NDJSON, 14, ""},
        {RESULT_CSV, 17, "n,t\r\n0,\"\"\r\n1,\"\"\r\n"},
        {RESULT_CSV, 16, "n,t\r\n0,\"\"\r\n"},
        {RESULT_CSV, 10, "n,t\r\n"},
        {RESULT_CSV, 0, "n,t\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct result_options options = options_of(CASES[i].format, CODING_IDENTITY);
        struct outcome outcome = run(
            &options, (struct result_limits){.rows = -1, .bytes = (int64_t)CASES[i].limit}, 3, 0);

        assert_string_equal(outcome.body.data, CASES[i].body);
        assert_true(outcome.truncated);
        outcome_done(&outcome);
    }
}

/* The end says what the pages know, whatever the caller says. */
static void test_end_tells_rows_and_truncation(void **state)
{
    struct result_options options = options_of(RESULT_NDJSON, CODING_IDENTITY);
    struct outcome outcome = {0};

    (void)state;
    options.choice.end_line = true;
    outcome = run(&options, (struct result_limits){.rows = 1, .bytes = -1}, 3, 0);
    assert_string_equal(outcome.body.data,
                        "{\"n\":0,\"t\":\"\"}\n[\"end\",{\"rows\":1,\"truncated\":true}]\n");
    outcome_done(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_answer_is_one_page),
        cmocka_unit_test(test_page_sizes),
        cmocka_unit_test(test_codings),
        cmocka_unit_test(test_border_of_coding),
        cmocka_unit_test(test_bound_of_coded_answers),
        cmocka_unit_test(test_row_limit),
        cmocka_unit_test(test_byte_limit),
        cmocka_unit_test(test_byte_limit_to_the_byte),
        cmocka_unit_test(test_end_tells_rows_and_truncation),
    };

    return cmocka_run_group_tests_name("result_pages", tests, NULL, NULL);
}
