#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/cache_doubt.h"
#include "../../service/cache_key.h"

static const struct query_limits LIMITS = {.timeout_ms_default = 1000,
                                           .timeout_ms_max = 1000,
                                           .queue_timeout_ms_default = 1000,
                                           .wait_ms_preferred = -1};

static struct query_request parse(enum query_source source, const char *body)
{
    struct query_request request;
    struct error err;

    if (query_request_parse(source, body, strlen(body), &LIMITS, &request, &err) != 0)
        fail_msg("%s: %s", body, err.detail);
    return request;
}

static struct byte_buffer key_of(enum query_source source, const char *body)
{
    struct query_request request = parse(source, body);
    struct byte_buffer key = {0};

    cache_key_append(&request, &key);
    query_request_done(&request);
    assert_false(key.failed);
    return key;
}

static bool same(const char *one, const char *other)
{
    struct byte_buffer a = key_of(QUERY_DELTA, one);
    struct byte_buffer b = key_of(QUERY_DELTA, other);
    bool equal = a.length == b.length && memcmp(a.data, b.data, a.length) == 0;

    byte_buffer_done(&a);
    byte_buffer_done(&b);
    return equal;
}

#define ONE "\"sql\":\"SELECT 1\",\"path\":\"/a\""

static void test_what_changes_the_bytes_changes_the_key(void **state)
{
    static const char *const OTHERS[] = {
        "{\"sql\":\"SELECT 2\",\"path\":\"/a\"}",
        "{\"sql\":\"SELECT 1/a\",\"path\":\"/\"}",
        "{\"sql\":\"SELECT 1\",\"path\":\"/b\"}",
        "{\"sql\":\"SELECT 1\",\"table\":\"a.b\"}",
        "{" ONE ",\"params\":{\"a\":1}}",
        "{" ONE ",\"as_of\":{\"version\":0}}",
        "{" ONE ",\"row_limit\":10}",
        "{" ONE ",\"byte_limit\":10}",
        "{" ONE ",\"numbers\":\"string\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++) {
        if (same("{" ONE "}", OTHERS[i]))
            fail_msg("the same key for %s", OTHERS[i]);
    }
    assert_false(same("{" ONE ",\"params\":{\"a\":1}}", "{" ONE ",\"params\":{\"a\":\"1\"}}"));
}

static void test_what_does_not_leaves_it(void **state)
{
    static const char *const SAME[] = {
        "{ \"path\":\"/a\", \"sql\":\"SELECT 1\" }",
        "{" ONE ",\"timeout_ms\":5}",
        "{" ONE ",\"queue_timeout_ms\":5}",
        "{" ONE ",\"tags\":[\"t\"]}",
        "{" ONE ",\"query_id\":\"7d0c1b1e-0000-4000-8000-000000000000\"}",
        "{" ONE ",\"cache\":\"refresh\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(SAME) / sizeof(SAME[0]); i++) {
        if (!same("{" ONE "}", SAME[i]))
            fail_msg("another key for %s", SAME[i]);
    }
}

static void test_source_format_and_coding_are_in_it(void **state)
{
    struct query_request request = parse(QUERY_DELTA, "{" ONE "}");
    struct byte_buffer keys[4] = {0};

    (void)state;
    cache_key_append(&request, &keys[0]);
    request.answer.format = RESULT_CSV;
    cache_key_append(&request, &keys[1]);
    request.answer.coding = CODING_GZIP;
    cache_key_append(&request, &keys[2]);
    request.source = QUERY_PARQUET;
    cache_key_append(&request, &keys[3]);
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(keys[i].data, keys[j].data, keys[i].length);
    }
    for (size_t i = 0; i < 4; i++)
        byte_buffer_done(&keys[i]);
    query_request_done(&request);
}

static void test_who_is_kept(void **state)
{
    struct query_request request = parse(QUERY_PARQUET, "{" ONE "}");
    struct query_request waiting = parse(QUERY_PARQUET, "{" ONE ",\"wait_ms\":5}");
    struct query_request mysql = parse(QUERY_MYSQL, "{\"sql\":\"SELECT 1\"}");

    struct query_request off = parse(QUERY_DELTA, "{" ONE ",\"cache\":\"off\"}");

    (void)state;
    assert_int_equal(cache_doubt_of_request(&request), CACHE_DOUBT_NONE);
    assert_int_equal(cache_doubt_of_request(&waiting), CACHE_DOUBT_WAIT);
    assert_int_equal(cache_doubt_of_request(&mysql), CACHE_DOUBT_MYSQL);
    assert_int_equal(cache_doubt_of_request(&off), CACHE_DOUBT_OFF);
    request.answer.format = RESULT_ENVELOPE;
    assert_int_equal(cache_doubt_of_request(&request), CACHE_DOUBT_ENVELOPE);
    request.answer.format = RESULT_ARROW;
    assert_int_equal(cache_doubt_of_request(&request), CACHE_DOUBT_NONE);
    request.explains = true;
    assert_int_equal(cache_doubt_of_request(&request), CACHE_DOUBT_PLAN);
    query_request_done(&off);
    query_request_done(&request);
    query_request_done(&waiting);
    query_request_done(&mysql);
}

/* RFC 9211 §2.8 and RFC 9651 §3.3.4: a token. */
static void test_each_doubt_is_a_token(void **state)
{
    (void)state;
    assert_null(cache_doubt_detail(CACHE_DOUBT_NONE));
    for (int i = CACHE_DOUBT_NONE + 1; i < CACHE_DOUBT_COUNT; i++) {
        const char *detail = cache_doubt_detail((enum cache_doubt)i);
        assert_non_null(detail);
        assert_in_range(detail[0], 'a', 'z');
        assert_int_equal(strspn(detail, "abcdefghijklmnopqrstuvwxyz-"), strlen(detail));
    }
    assert_int_equal(cache_doubt_of_source(SOURCE_CHANGED_LATELY), CACHE_DOUBT_CHANGED_LATELY);
    assert_int_equal(cache_doubt_of_source(SOURCE_TOO_MANY_FILES), CACHE_DOUBT_TOO_MANY_FILES);
    assert_int_equal(cache_doubt_of_source(SOURCE_REMOTE), CACHE_DOUBT_REMOTE);
    assert_int_equal(cache_doubt_of_source(SOURCE_UNKNOWN), CACHE_DOUBT_UNKNOWN_SOURCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_changes_the_bytes_changes_the_key),
        cmocka_unit_test(test_what_does_not_leaves_it),
        cmocka_unit_test(test_source_format_and_coding_are_in_it),
        cmocka_unit_test(test_who_is_kept),
        cmocka_unit_test(test_each_doubt_is_a_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
