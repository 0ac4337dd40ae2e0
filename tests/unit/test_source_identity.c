/* needs: unit/temp_folder.c */
/* The tables are folders of empty and short files: what is in them plays no part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/source_identity.h"
#include "temp_folder.h"

static enum source_doubt doubt; /* of the last one that was refused */

#define INODES_MAX 64

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(temp_at(name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int tear_down(void **state)
{
    (void)state;
    return temp_folder_remove();
}

static int set_up(void **state)
{
    (void)state;
    if (temp_folder_make("test_source_identity") != 0)
        return -1;
    temp_make_folder("files");
    temp_make_folder("files/day=1");
    write_file("files/day=1/a.parquet", "aaaa");
    write_file("files/b.parquet", "bb");
    temp_make_folder("delta");
    temp_make_folder("delta/_delta_log");
    write_file("delta/_delta_log/00000000000000000000.json", "{}");
    write_file("delta/_delta_log/00000000000000000001.json", "{}");
    temp_make_folder("iceberg");
    temp_make_folder("iceberg/metadata");
    write_file("iceberg/metadata/v1.metadata.json", "{}");
    write_file("iceberg/metadata/version-hint.text", "1");
    temp_make_folder("elsewhere");
    write_file("elsewhere/b.parquet", "bb");
    assert_int_equal(symlink("files", temp_at("link")), 0);
    return 0;
}

/* A query that begins when all that was done so far has settled. */
static struct source_instant begin_settled(void)
{
    struct source_instant settled_at = source_instant_now();
    struct source_instant now;

    settled_at.wall_ns += (SOURCE_SETTLED_MS + 10) * INT64_C(1000000);
    do {
        const struct timespec pause = {0, 1000000};
        nanosleep(&pause, NULL);
        now = source_instant_now();
    } while (now.wall_ns < settled_at.wall_ns);
    return now;
}

/* The folder of the test is the data root: /tmp changes with each other program. */
static struct source_read read_of(enum source_layout layout, const char *asked,
                                  const char *location)
{
    return (struct source_read){layout, temp_at(asked), temp_at(location), strlen(temp_folder),
                                strlen(temp_folder)};
}

static struct source_identity *take(enum source_layout layout, const char *asked,
                                    const char *location)
{
    const struct source_read read = read_of(layout, asked, location);

    return source_identity_take(&read, 1, begin_settled(), INODES_MAX, &doubt);
}

static void check_gone(struct source_identity *identity)
{
    assert_false(source_identity_holds(identity));
    source_identity_free(identity);
}

/* A settled one, and proof that it holds until the change that the test makes. */
static struct source_identity *settled(enum source_layout layout, const char *asked,
                                       const char *location)
{
    struct source_identity *identity = take(layout, asked, location);

    assert_non_null(identity);
    assert_true(source_identity_holds(identity));
    return identity;
}

static void test_files_hold_until_one_comes(void **state)
{
    struct source_identity *identity = settled(SOURCE_FILES, "files", "files");

    (void)state;
    write_file("files/day=1/c.parquet", "c");
    check_gone(identity);
}

static void test_files_hold_until_one_goes(void **state)
{
    struct source_identity *identity = settled(SOURCE_FILES, "files", "files");

    (void)state;
    assert_int_equal(unlink(temp_at("files/b.parquet")), 0);
    check_gone(identity);
}

/* Same name, same size, same modification time: the inode and its change time tell. */
static void test_replaced_file_of_equal_looks_is_seen(void **state)
{
    struct source_identity *identity = settled(SOURCE_FILES, "files", "files");
    struct stat before;
    struct timespec times[2];

    (void)state;
    assert_int_equal(stat(temp_at("files/b.parquet"), &before), 0);
    write_file("elsewhere/new", "BB");
    times[0] = before.st_atim;
    times[1] = before.st_mtim;
    assert_int_equal(utimensat(AT_FDCWD, temp_at("elsewhere/new"), times, 0), 0);
    assert_int_equal(rename(temp_at("elsewhere/new"), temp_at("files/b.parquet")), 0);
    check_gone(identity);
}

static void test_file_written_in_place_with_its_old_time_is_seen(void **state)
{
    struct source_identity *identity = settled(SOURCE_FILES, "files", "files");
    struct stat before;
    struct timespec times[2];

    (void)state;
    assert_int_equal(stat(temp_at("files/b.parquet"), &before), 0);
    write_file("files/b.parquet", "BB");
    times[0] = before.st_atim;
    times[1] = before.st_mtim;
    assert_int_equal(utimensat(AT_FDCWD, temp_at("files/b.parquet"), times, 0), 0);
    check_gone(identity);
}

static void test_one_file_is_a_table(void **state)
{
    struct source_identity *identity = settled(SOURCE_FILES, "files/b.parquet", "files/b.parquet");

    (void)state;
    write_file("files/b.parquet", "other");
    check_gone(identity);
}

static void test_other_table_in_its_place_is_seen(void **state)
{
    struct source_identity *identity = settled(SOURCE_FILES, "files", "files");

    (void)state;
    assert_int_equal(rename(temp_at("files"), temp_at("old")), 0);
    assert_int_equal(rename(temp_at("elsewhere"), temp_at("files")), 0);
    check_gone(identity);
}

static void test_link_that_leads_elsewhere_is_seen(void **state)
{
    struct source_identity *identity = settled(SOURCE_FILES, "link", "files");

    (void)state;
    assert_int_equal(unlink(temp_at("link")), 0);
    assert_int_equal(symlink("elsewhere", temp_at("link")), 0);
    check_gone(identity);
}

static void test_delta_commit_is_seen(void **state)
{
    struct source_identity *identity = settled(SOURCE_DELTA, "delta", "delta");

    (void)state;
    write_file("delta/part-0.parquet", "data that no commit names yet");
    write_file("delta/_delta_log/00000000000000000002.json", "{}");
    check_gone(identity);
}

static void test_delta_commit_written_in_place_is_seen(void **state)
{
    struct source_identity *identity = settled(SOURCE_DELTA, "delta", "delta");

    (void)state;
    write_file("delta/_delta_log/00000000000000000001.json", "{\"other\":1}");
    check_gone(identity);
}

static void test_iceberg_commit_is_seen(void **state)
{
    struct source_identity *identity = settled(SOURCE_ICEBERG, "iceberg", "iceberg");

    (void)state;
    write_file("iceberg/metadata/v2.metadata.json", "{}");
    check_gone(identity);
}

static void test_iceberg_hint_written_in_place_is_seen(void **state)
{
    struct source_identity *identity = settled(SOURCE_ICEBERG, "iceberg", "iceberg");

    (void)state;
    write_file("iceberg/metadata/version-hint.text", "2");
    check_gone(identity);
}

/* ---- what has no identity ---- */

static struct source_identity *take_after(void (*change)(void), enum source_layout layout,
                                          const char *asked, const char *location)
{
    const struct source_read read = read_of(layout, asked, location);
    struct source_instant began = begin_settled();

    change();
    return source_identity_take(&read, 1, began, INODES_MAX, &doubt);
}

static void add_file(void)
{
    write_file("files/c.parquet", "c");
}

static void swap_link(void)
{
    assert_int_equal(symlink("elsewhere", temp_at("link2")), 0);
    assert_int_equal(rename(temp_at("link2"), temp_at("link")), 0);
}

static void swap_folders(void)
{
    assert_int_equal(rename(temp_at("files"), temp_at("old")), 0);
    assert_int_equal(rename(temp_at("elsewhere"), temp_at("files")), 0);
}

static void commit_delta(void)
{
    write_file("delta/_delta_log/00000000000000000002.json", "{}");
}

static void test_what_changed_during_the_query_has_none(void **state)
{
    (void)state;
    assert_null(take_after(add_file, SOURCE_FILES, "files", "files"));
    assert_null(take_after(commit_delta, SOURCE_DELTA, "delta", "delta"));
}

/* The files now there are old, but they are not those that were read. */
static void test_what_was_swapped_during_the_query_has_none(void **state)
{
    (void)state;
    assert_null(take_after(swap_link, SOURCE_FILES, "link", "elsewhere"));
    assert_null(take_after(swap_folders, SOURCE_FILES, "files", "files"));
}

/* What happens above the data root is nobody's sign; in the root itself it is. */
static void test_way_counts_from_the_root_on(void **state)
{
    struct source_read read = read_of(SOURCE_FILES, "files", "files");
    struct source_identity *identity = NULL;
    struct source_instant began = begin_settled();

    (void)state;
    write_file("beside", "anything");
    read.asked_root = read.location_root = strlen(temp_at("files"));
    identity = source_identity_take(&read, 1, began, INODES_MAX, &doubt);
    assert_non_null(identity);
    source_identity_free(identity);
    read.location_root = strlen(temp_folder);
    assert_null(source_identity_take(&read, 1, began, INODES_MAX, &doubt));
}

static void test_link_to_another_place_than_was_read_has_none(void **state)
{
    (void)state;
    assert_null(take(SOURCE_FILES, "link", "elsewhere"));
}

static void test_links_inside_have_none(void **state)
{
    (void)state;
    assert_int_equal(symlink("../elsewhere/b.parquet", temp_at("files/l.parquet")), 0);
    assert_null(take(SOURCE_FILES, "files", "files"));
}

static void test_too_young_has_none(void **state)
{
    const struct source_read read = read_of(SOURCE_FILES, "files", "files");

    (void)state;
    write_file("files/b.parquet", "young");
    assert_null(source_identity_take(&read, 1, source_instant_now(), INODES_MAX, &doubt));
    assert_int_equal(doubt, SOURCE_CHANGED_LATELY);
}

static void test_more_inodes_than_allowed_have_none(void **state)
{
    const struct source_read read = read_of(SOURCE_FILES, "files", "files");
    struct source_identity *identity = source_identity_take(&read, 1, begin_settled(), 4, &doubt);

    (void)state;
    assert_non_null(identity); /* files, day=1 and the file in each */
    source_identity_free(identity);
    assert_null(source_identity_take(&read, 1, begin_settled(), 3, &doubt));
    assert_int_equal(doubt, SOURCE_TOO_MANY_FILES);
}

static void test_what_is_no_table_has_none(void **state)
{
    (void)state;
    assert_null(take(SOURCE_DELTA, "files", "files"));
    assert_null(take(SOURCE_ICEBERG, "files", "files"));
    assert_null(take(SOURCE_FILES, "missing", "missing"));
    assert_int_equal(doubt, SOURCE_UNKNOWN);
    assert_null(take(SOURCE_FILES, "files", "missing"));
    assert_int_equal(doubt, SOURCE_UNKNOWN);
}

static void test_clock_that_was_set_has_none(void **state)
{
    const struct source_read read = read_of(SOURCE_FILES, "files", "files");
    struct source_instant began = begin_settled();

    (void)state;
    began.monotonic_ns -= INT64_C(20000000);
    assert_null(source_identity_take(&read, 1, began, INODES_MAX, &doubt));
}

static void test_another_machines_file_system_has_none(void **state)
{
    const struct source_read read = {SOURCE_FILES, "/sys/kernel/notes", "/sys/kernel/notes", 0, 0};
    const struct source_read far = {SOURCE_FILES, "s3a://bucket/t", "s3a://bucket/t", 0, 0};

    (void)state;
    assert_null(source_identity_take(&read, 1, begin_settled(), INODES_MAX, &doubt));
    assert_int_equal(doubt, SOURCE_REMOTE);
    assert_null(source_identity_take(&far, 1, begin_settled(), INODES_MAX, &doubt));
    assert_int_equal(doubt, SOURCE_REMOTE);
}

static void test_no_table_at_all_always_holds(void **state)
{
    struct source_identity *identity =
        source_identity_take(NULL, 0, source_instant_now(), INODES_MAX, &doubt);

    (void)state;
    assert_non_null(identity);
    assert_true(source_identity_holds(identity));
    source_identity_free(identity);
}

static void test_one_of_two_tables_is_enough(void **state)
{
    const struct source_read reads[] = {read_of(SOURCE_FILES, "files", "files"),
                                        read_of(SOURCE_DELTA, "delta", "delta")};
    struct source_identity *identity =
        source_identity_take(reads, 2, begin_settled(), INODES_MAX, &doubt);

    (void)state;
    assert_non_null(identity);
    assert_true(source_identity_bytes(identity) > 0);
    commit_delta();
    check_gone(identity);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_files_hold_until_one_comes),
        TEST(test_files_hold_until_one_goes),
        TEST(test_replaced_file_of_equal_looks_is_seen),
        TEST(test_file_written_in_place_with_its_old_time_is_seen),
        TEST(test_one_file_is_a_table),
        TEST(test_other_table_in_its_place_is_seen),
        TEST(test_link_that_leads_elsewhere_is_seen),
        TEST(test_delta_commit_is_seen),
        TEST(test_delta_commit_written_in_place_is_seen),
        TEST(test_iceberg_commit_is_seen),
        TEST(test_iceberg_hint_written_in_place_is_seen),
        TEST(test_what_changed_during_the_query_has_none),
        TEST(test_what_was_swapped_during_the_query_has_none),
        TEST(test_way_counts_from_the_root_on),
        TEST(test_link_to_another_place_than_was_read_has_none),
        TEST(test_links_inside_have_none),
        TEST(test_too_young_has_none),
        TEST(test_more_inodes_than_allowed_have_none),
        TEST(test_what_is_no_table_has_none),
        TEST(test_clock_that_was_set_has_none),
        TEST(test_another_machines_file_system_has_none),
        TEST(test_no_table_at_all_always_holds),
        TEST(test_one_of_two_tables_is_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
