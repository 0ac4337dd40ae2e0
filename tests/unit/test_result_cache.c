/* needs: unit/temp_folder.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/metrics.h"
#include "../../service/result_cache.h"
#include "temp_folder.h"

#define ROOMY ((size_t)1024 * 1024)

/* Of no table: always the same. */
static struct source_identity *lasting(void)
{
    enum source_doubt doubt;
    struct source_identity *identity =
        source_identity_take(NULL, 0, source_instant_now(), 1, &doubt);

    assert_non_null(identity);
    return identity;
}

static struct byte_buffer key_named(const char *name)
{
    struct byte_buffer key = {0};

    byte_buffer_append_text(&key, name);
    assert_false(key.failed);
    return key;
}

static bool keep(struct result_cache *cache, const char *name, const char *text, size_t padding)
{
    size_t length = strlen(text) + padding;
    char *data = calloc(1, length + 1);
    struct byte_buffer key = key_named(name);
    struct cached_answer answer = {.content_type = "application/json", .rows = 1};
    bool kept = false;

    assert_non_null(data);
    memcpy(data, text, strlen(text));
    answer.body = shared_bytes_new(data, length);
    assert_non_null(answer.body);
    kept = result_cache_keep(cache, &key, &answer, lasting());
    shared_bytes_release(answer.body);
    byte_buffer_done(&key);
    return kept;
}

/* The body of what is found; NULL: nothing. */
static const char *found(struct result_cache *cache, const char *name)
{
    struct byte_buffer key = key_named(name);
    const struct cached_answer *answer = NULL;
    enum cache_look look = result_cache_find(cache, &key, monotime_now(), &answer);

    byte_buffer_done(&key);
    assert_true(look == CACHE_HIT || look == CACHE_MISS);
    return look == CACHE_HIT ? answer->body->data : NULL;
}

static void test_keeps_by_key(void **state)
{
    struct result_cache *cache = result_cache_new(ROOMY, NULL);

    (void)state;
    assert_null(found(cache, "a"));
    assert_true(keep(cache, "a", "[1]", 0));
    assert_true(keep(cache, "b", "[2]", 0));
    assert_string_equal(found(cache, "a"), "[1]");
    assert_string_equal(found(cache, "b"), "[2]");
    assert_true(keep(cache, "a", "[3]", 0));
    assert_string_equal(found(cache, "a"), "[3]");
    assert_int_equal(metrics_get(METRIC_CACHE_ANSWERS), 2);
    result_cache_free(cache);
    assert_int_equal(metrics_get(METRIC_CACHE_ANSWERS), 0);
    assert_int_equal(metrics_get(METRIC_CACHE_BYTES), 0);
}

static void test_least_lately_used_goes_first(void **state)
{
    struct result_cache *cache = result_cache_new(4000, NULL);
    int64_t evicted = metrics_get(METRIC_CACHE_EVICTED);

    (void)state;
    assert_true(keep(cache, "a", "[1]", 1500));
    assert_true(keep(cache, "b", "[2]", 1500));
    assert_non_null(found(cache, "a"));
    assert_true(keep(cache, "c", "[3]", 1500));
    assert_non_null(found(cache, "a"));
    assert_null(found(cache, "b"));
    assert_non_null(found(cache, "c"));
    assert_int_equal(metrics_get(METRIC_CACHE_EVICTED), evicted + 1);
    assert_true(metrics_get(METRIC_CACHE_BYTES) <= 4000);
    result_cache_free(cache);
}

#define FILE_BYTES 1000

static struct kept_file *whole_file(struct kept_file_store *store)
{
    static const char BYTES[FILE_BYTES];
    struct kept_file *file = kept_file_new(store);

    assert_non_null(file);
    assert_true(kept_file_append(file, BYTES, sizeof(BYTES)));
    assert_true(kept_file_finish(file));
    return file;
}

static void keep_file(struct result_cache *cache, const char *name, struct kept_file_store *store)
{
    struct byte_buffer key = key_named(name);
    struct cached_answer answer = {.file = whole_file(store), .rows = 1};

    assert_int_equal(cached_answer_bytes(&answer), FILE_BYTES);
    assert_true(result_cache_keep(cache, &key, &answer, lasting()));
    kept_file_release(answer.file);
    byte_buffer_done(&key);
}

/* NULL: nothing is found. */
static struct kept_file *found_file(struct result_cache *cache, const char *name)
{
    struct byte_buffer key = key_named(name);
    const struct cached_answer *answer = NULL;
    enum cache_look look = result_cache_find(cache, &key, monotime_now(), &answer);

    byte_buffer_done(&key);
    return look == CACHE_HIT ? answer->file : NULL;
}

/* Three have room on disk; those in memory are not in the way. */
static void test_files_have_a_budget_of_their_own(void **state)
{
    struct kept_file_store *store = NULL;
    struct result_cache *cache = result_cache_new(ROOMY, NULL);
    int64_t evicted = metrics_get(METRIC_CACHE_EVICTED);
    struct kept_file *read = NULL;

    (void)state;
    assert_int_equal(temp_folder_make("test_result_cache_files"), 0);
    store = kept_file_store_new(temp_folder, (int64_t)4 * FILE_BYTES);
    assert_true(keep(cache, "in memory", "[1]", 0));
    keep_file(cache, "a", store);
    keep_file(cache, "b", store);
    keep_file(cache, "c", store);
    read = kept_file_hold(found_file(cache, "a"));
    assert_int_equal(metrics_get(METRIC_CACHE_EVICTED), evicted);
    keep_file(cache, "d", store);
    assert_null(found_file(cache, "b"));
    assert_non_null(found_file(cache, "a"));
    assert_non_null(found_file(cache, "c"));
    assert_non_null(found_file(cache, "d"));
    assert_non_null(found(cache, "in memory"));
    assert_int_equal(metrics_get(METRIC_CACHE_EVICTED), evicted + 1);
    assert_int_equal(metrics_get(METRIC_CACHE_DISK_BYTES), 3 * FILE_BYTES);
    keep_file(cache, "c", store); /* in the place of the older one */
    assert_int_equal(metrics_get(METRIC_CACHE_DISK_BYTES), 3 * FILE_BYTES);
    result_cache_free(cache);
    assert_int_equal(metrics_get(METRIC_CACHE_DISK_BYTES), FILE_BYTES);
    kept_file_release(read);
    assert_int_equal(metrics_get(METRIC_CACHE_DISK_BYTES), 0);
    kept_file_store_free(store);
    assert_int_equal(temp_folder_remove(), 0);
}

static void test_bound_is_exact(void **state)
{
    struct result_cache *roomy = result_cache_new(ROOMY, NULL);
    struct result_cache *exact = NULL;
    size_t bytes = 0;

    (void)state;
    assert_true(keep(roomy, "a", "[1]", 100));
    bytes = (size_t)metrics_get(METRIC_CACHE_BYTES);
    result_cache_free(roomy);
    exact = result_cache_new(bytes, NULL);
    assert_true(keep(exact, "a", "[1]", 100));
    assert_false(keep(exact, "b", "[1]", 101));
    assert_non_null(found(exact, "a"));
    result_cache_free(exact);
}

static void test_zero_keeps_nothing(void **state)
{
    struct result_cache *cache = result_cache_new(0, NULL);

    (void)state;
    assert_false(keep(cache, "a", "[1]", 0));
    assert_null(found(cache, "a"));
    result_cache_free(cache);
}

static void test_body_outlives_its_place(void **state)
{
    struct result_cache *cache = result_cache_new(ROOMY, NULL);
    struct byte_buffer key = key_named("a");
    const struct cached_answer *answer = NULL;
    struct shared_bytes *body = NULL;

    (void)state;
    assert_true(keep(cache, "a", "[1]", 0));
    assert_int_equal(result_cache_find(cache, &key, monotime_now(), &answer), CACHE_HIT);
    body = shared_bytes_hold(answer->body);
    result_cache_free(cache);
    assert_string_equal(body->data, "[1]");
    shared_bytes_release(body);
    byte_buffer_done(&key);
}

static void write_table_file(const char *text)
{
    FILE *file = fopen(temp_at("table.parquet"), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Of a file, once it is old enough. */
static struct source_identity *settled(void)
{
    char *path = (char *)(uintptr_t)temp_at("table.parquet");
    const struct source_read read = {.asked = path, .location = path, .layout = SOURCE_FILES};
    const struct timespec pause = {0, 5000000};
    enum source_doubt doubt;

    for (int i = 0; i < 2000; i++) {
        struct source_identity *identity =
            source_identity_take(&read, 1, source_instant_now(), 4, &doubt);
        if (identity != NULL)
            return identity;
        assert_int_equal(doubt, SOURCE_CHANGED_LATELY);
        nanosleep(&pause, NULL);
    }
    fail_msg("never settled");
    return NULL;
}

static enum cache_look look_for(struct result_cache *cache, struct monotime arrived)
{
    struct byte_buffer key = key_named("a");
    const struct cached_answer *answer = NULL;
    enum cache_look look = result_cache_find(cache, &key, arrived, &answer);

    byte_buffer_done(&key);
    return look;
}

static void test_a_look_is_for_those_who_came_before_it(void **state)
{
    struct result_cache *cache = result_cache_new(ROOMY, NULL);
    struct byte_buffer key = key_named("a");
    struct cached_answer answer = {.content_type = "application/json", .rows = 1};
    struct monotime early, earlier;
    int64_t looks = metrics_get(METRIC_CACHE_LOOKS);

    (void)state;
    assert_int_equal(temp_folder_make("test_result_cache"), 0);
    write_table_file("a");
    answer.body = shared_bytes_new(strdup("[1]"), 3);
    assert_true(result_cache_keep(cache, &key, &answer, settled()));
    earlier = monotime_now();
    early = monotime_now();
    assert_int_equal(look_for(cache, early), CACHE_HIT);
    assert_int_equal(look_for(cache, earlier), CACHE_HIT);
    assert_int_equal(look_for(cache, early), CACHE_HIT);
    assert_int_equal(metrics_get(METRIC_CACHE_LOOKS), looks + 1);
    write_table_file("bb");
    assert_int_equal(look_for(cache, early), CACHE_HIT);
    assert_int_equal(look_for(cache, monotime_now()), CACHE_STALE);
    assert_int_equal(look_for(cache, early), CACHE_MISS);
    assert_int_equal(metrics_get(METRIC_CACHE_LOOKS), looks + 2);
    shared_bytes_release(answer.body);
    byte_buffer_done(&key);
    result_cache_free(cache);
    assert_int_equal(temp_folder_remove(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_by_key),
        cmocka_unit_test(test_least_lately_used_goes_first),
        cmocka_unit_test(test_files_have_a_budget_of_their_own),
        cmocka_unit_test(test_bound_is_exact),
        cmocka_unit_test(test_zero_keeps_nothing),
        cmocka_unit_test(test_body_outlives_its_place),
        cmocka_unit_test(test_a_look_is_for_those_who_came_before_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
