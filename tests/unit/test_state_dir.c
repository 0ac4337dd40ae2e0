#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/state_dir.h"

#define PATH_BYTES 160

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/spark-service-test-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* `name` below the test's folder; a few may be in use at once. */
static const char *below(const char *name)
{
    static char paths[8][PATH_BYTES];
    static size_t next;
    char *path = paths[next++ % 8];

    snprintf(path, PATH_BYTES, "%s/%s", folder, name);
    return path;
}

static bool exists(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0;
}

static void make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static void test_makes_what_is_missing(void **state)
{
    struct state_dir *dir = NULL;
    struct stat info;
    struct error err;

    (void)state;
    assert_int_equal(state_dir_open(below("a/b/state"), &dir, &err), 0);
    assert_string_equal(state_dir_scratch(dir), below("a/b/state/scratch"));
    assert_int_equal(stat(state_dir_scratch(dir), &info), 0);
    assert_true(S_ISDIR(info.st_mode));
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(stat(below("a/b/state"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    state_dir_close(dir);
    state_dir_close(NULL);
}

static void test_one_owner(void **state)
{
    struct state_dir *first = NULL;
    struct state_dir *second = NULL;
    struct error err;

    (void)state;
    assert_int_equal(state_dir_open(below("state"), &first, &err), 0);
    make_file(below("state/scratch/of-the-first"));
    assert_int_equal(state_dir_open(below("state"), &second, &err), -1);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_non_null(strstr(err.detail, "another spark-service uses"));
    assert_non_null(strstr(err.detail, below("state")));
    assert_true(exists(below("state/scratch/of-the-first"))); /* the loser wipes nothing */
    state_dir_close(first);
    assert_int_equal(state_dir_open(below("state"), &second, &err), 0);
    state_dir_close(second);
}

/* What a killed process left, and at the end what this one leaves. */
static void test_scratch_is_wiped(void **state)
{
    struct state_dir *dir = NULL;
    struct error err;

    (void)state;
    assert_int_equal(mkdir(below("state"), 0700), 0);
    assert_int_equal(mkdir(below("state/scratch"), 0700), 0);
    assert_int_equal(mkdir(below("state/scratch/blockmgr-1"), 0700), 0);
    make_file(below("state/scratch/blockmgr-1/block"));
    make_file(below("state/scratch/file"));
    make_file(below("state/kept"));
    assert_int_equal(state_dir_open(below("state"), &dir, &err), 0);
    assert_false(exists(below("state/scratch/blockmgr-1")));
    assert_false(exists(below("state/scratch/file")));
    assert_true(exists(below("state/scratch")));
    assert_true(exists(below("state/kept")));
    make_file(below("state/scratch/late"));
    state_dir_close(dir);
    assert_false(exists(below("state/scratch/late")));
    assert_true(exists(below("state/kept")));
}

/* Results are of use to one process only; the ids of asynchronous queries stay. */
static void test_what_stays(void **state)
{
    struct state_dir *dir = NULL;
    struct error err;

    (void)state;
    assert_int_equal(state_dir_open(below("state"), &dir, &err), 0);
    assert_string_equal(state_dir_results(dir), below("state/results"));
    assert_string_equal(state_dir_journal(dir), below("state/handles"));
    make_file(below("state/results/one"));
    make_file(state_dir_journal(dir));
    state_dir_close(dir);
    assert_false(exists(below("state/results/one")));
    assert_true(exists(below("state/handles")));
    make_file(below("state/results/two")); /* of a killed process */
    assert_int_equal(state_dir_open(below("state"), &dir, &err), 0);
    assert_false(exists(below("state/results/two")));
    assert_true(exists(below("state/handles")));
    state_dir_close(dir);
}

static void test_links_are_not_followed(void **state)
{
    struct state_dir *dir = NULL;
    struct error err;

    (void)state;
    assert_int_equal(mkdir(below("others"), 0700), 0);
    make_file(below("others/precious"));
    assert_int_equal(mkdir(below("state"), 0700), 0);
    assert_int_equal(mkdir(below("state/scratch"), 0700), 0);
    assert_int_equal(symlink(below("others"), below("state/scratch/link")), 0);
    assert_int_equal(symlink(below("others/precious"), below("state/scratch/file-link")), 0);
    assert_int_equal(state_dir_open(below("state"), &dir, &err), 0);
    assert_false(exists(below("state/scratch/link")));
    assert_false(exists(below("state/scratch/file-link")));
    assert_true(exists(below("others/precious")));
    state_dir_close(dir);
}

static void check_refused(const char *path, const char *part)
{
    struct state_dir *dir = NULL;
    struct error err;

    assert_int_equal(state_dir_open(path, &dir, &err), -1);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_non_null(strstr(err.detail, "STATE_DIR: "));
    assert_non_null(strstr(err.detail, part));
    assert_null(dir);
}

static void test_refused(void **state)
{
    char long_path[5000];

    (void)state;
    memset(long_path, 'a', sizeof(long_path) - 1);
    long_path[0] = '/';
    long_path[sizeof(long_path) - 1] = '\0';
    check_refused("relative/path", "is not an absolute path");
    check_refused("", "is not an absolute path");
    check_refused(long_path, "a path of more than");
    make_file(below("file"));
    check_refused(below("file/state"), "can't make");
    assert_int_equal(mkdir(below("taken"), 0700), 0);
    assert_int_equal(mkdir(below("taken/lock"), 0700), 0);
    check_refused(below("taken"), "can't open");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_makes_what_is_missing, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_one_owner, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_scratch_is_wiped, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_what_stays, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_links_are_not_followed, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_refused, make_folder, remove_folder),
    };

    return cmocka_run_group_tests_name("state_dir", tests, NULL, NULL);
}
