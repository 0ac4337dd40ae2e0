/* needs: unit/temp_folder.c */
/* Bodies on disk: what is read is what was written, and never more than the budget. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/kept_file.h"
#include "../../service/metrics.h"
#include "temp_folder.h"

#define BUDGET 4000
#define QUARTER 1000

static struct kept_file_store *store;

static int set_up(void **state)
{
    (void)state;
    if (temp_folder_make("test_kept_file") != 0)
        return -1;
    store = kept_file_store_new(temp_folder, BUDGET);
    return store != NULL ? 0 : -1;
}

static int count_files(void)
{
    DIR *dir = opendir(temp_folder);
    int count = 0;

    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* Nothing is left, whatever a test did. */
static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(count_files(), 0);
    assert_int_equal(metrics_get(METRIC_CACHE_DISK_BYTES), 0);
    kept_file_store_free(store);
    return temp_folder_remove();
}

static bool append(struct kept_file *file, char byte, size_t length)
{
    char bytes[BUDGET];

    memset(bytes, byte, length);
    return kept_file_append(file, bytes, length);
}

static struct kept_file *make(char byte, size_t length)
{
    struct kept_file *file = kept_file_new(store);

    assert_non_null(file);
    assert_true(append(file, byte, length));
    assert_true(kept_file_finish(file));
    return file;
}

static void check_piece(struct kept_file *file, int64_t offset, size_t wanted, const char *text)
{
    struct error err;
    char *bytes = NULL;
    size_t length = 0;

    assert_int_equal(kept_file_read(file, offset, wanted, &bytes, &length, &err), 0);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(bytes, text, length);
    free(bytes);
}

static void test_read_in_pieces(void **state)
{
    struct kept_file *file = kept_file_new(store);

    (void)state;
    assert_true(append(file, 'a', 3));
    assert_true(append(file, 'b', 2));
    assert_true(kept_file_finish(file));
    assert_int_equal(kept_file_length(file), 5);
    check_piece(file, 0, 4, "aaab");
    check_piece(file, 4, 4, "b");
    assert_int_equal(count_files(), 1);
    assert_int_equal(metrics_get(METRIC_CACHE_DISK_BYTES), 5);
    assert_ptr_equal(kept_file_hold(file), file);
    kept_file_release(file);
    check_piece(file, 2, 2, "ab");
    kept_file_release(file);
    kept_file_release(NULL);
}

static void test_is_ours_alone(void **state)
{
    struct kept_file *file = make('a', 1);
    struct stat info;

    (void)state;
    assert_int_equal(stat(temp_at("answer-0.body"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    kept_file_release(file);
}

static void test_bound_of_one(void **state)
{
    struct kept_file *exact = make('a', QUARTER);
    struct kept_file *over = NULL;
    int64_t refused = metrics_get(METRIC_CACHE_DISK_TOO_LARGE);

    (void)state;
    kept_file_release(exact);
    over = kept_file_new(store);
    assert_true(append(over, 'a', QUARTER));
    assert_false(append(over, 'a', 1));
    assert_int_equal(metrics_get(METRIC_CACHE_DISK_TOO_LARGE), refused + 1);
    kept_file_release(over);
}

static void test_bound_of_those_that_are_made(void **state)
{
    struct kept_file *one = kept_file_new(store);
    struct kept_file *other = kept_file_new(store);
    int64_t refused = metrics_get(METRIC_CACHE_DISK_NO_ROOM);

    (void)state;
    assert_true(append(one, 'a', QUARTER - 100));
    assert_true(append(other, 'b', 100));
    assert_false(append(other, 'b', 1));
    assert_int_equal(metrics_get(METRIC_CACHE_DISK_NO_ROOM), refused + 1);
    kept_file_release(other);
    assert_true(append(one, 'a', 100));
    kept_file_release(one);
}

static void test_bound_of_those_that_are_kept(void **state)
{
    struct kept_file *kept[3];
    struct kept_file *fourth = NULL;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        kept[i] = make('a', QUARTER);
        assert_true(kept_file_keep(kept[i]));
    }
    fourth = make('b', QUARTER);
    assert_int_equal(metrics_get(METRIC_CACHE_DISK_BYTES), BUDGET);
    assert_false(kept_file_keep(fourth));
    kept_file_give_up(kept[0]);
    assert_true(kept_file_keep(fourth));
    /* Given up, but not yet gone: there is no room for a new one. */
    assert_int_equal(metrics_get(METRIC_CACHE_DISK_BYTES), BUDGET);
    kept_file_release(kept[0]);
    kept[0] = make('c', QUARTER);
    kept_file_release(kept[0]);
    for (size_t i = 1; i < 3; i++) {
        kept_file_give_up(kept[i]);
        kept_file_release(kept[i]);
    }
    kept_file_give_up(fourth);
    kept_file_release(fourth);
}

static void test_disk_that_fails(void **state)
{
    struct kept_file *file = kept_file_new(store);
    int64_t failed = metrics_get(METRIC_CACHE_DISK_FAILED);

    (void)state;
    assert_int_equal(rmdir(temp_folder), 0);
    assert_false(append(file, 'a', 10));
    assert_int_equal(metrics_get(METRIC_CACHE_DISK_FAILED), failed + 1);
    assert_int_equal(mkdir(temp_folder, 0700), 0);
    kept_file_release(file);
}

static void test_file_that_is_lost(void **state)
{
    struct kept_file *file = make('a', 10);
    struct error err;
    char *bytes = NULL;
    size_t length = 0;

    (void)state;
    assert_false(kept_file_is_lost(file));
    assert_int_equal(truncate(temp_at("answer-0.body"), 5), 0);
    check_piece(file, 0, 5, "aaaaa");
    assert_int_equal(kept_file_read(file, 5, 5, &bytes, &length, &err), -1);
    assert_int_equal(err.code, ERROR_ENGINE_ERROR);
    assert_true(kept_file_is_lost(file));
    kept_file_release(file);
}

static void test_off(void **state)
{
    struct kept_file_store *off = kept_file_store_new(temp_folder, 0);

    (void)state;
    assert_true(kept_file_store_is_on(store));
    assert_false(kept_file_store_is_on(off));
    assert_false(kept_file_store_is_on(NULL));
    kept_file_store_free(off);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ONE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        ONE(test_read_in_pieces),
        ONE(test_is_ours_alone),
        ONE(test_bound_of_one),
        ONE(test_bound_of_those_that_are_made),
        ONE(test_bound_of_those_that_are_kept),
        ONE(test_disk_that_fails),
        ONE(test_file_that_is_lost),
        ONE(test_off),
#undef ONE
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
