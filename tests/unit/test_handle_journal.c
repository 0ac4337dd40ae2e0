/* Ids on disk: they outlive the process, a torn end and a full disk, and stay few. */
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/deadline.h"
#include "../../service/handle_journal.h"
#include "../../service/journal_file.h"
#include "../../service/reply_channel.h"

#define PATIENCE_MS 20000
#define LENGTH 10

struct rig {
    char folder[32];
    char path[48];
    struct event_base *base;
    struct reply_channel *channel;
    struct handle_journal *journal;
    unsigned char told[4096]; /* how often, by number */
    size_t written;
    size_t failed;
};

static const char *id_of(unsigned number)
{
    static char text[JOURNAL_ID_BYTES];

    snprintf(text, sizeof(text), "%08x-0000-4000-8000-000000000000", number);
    return text;
}

static void on_written(void *user, const char *id, const struct error *err)
{
    struct rig *rig = user;
    unsigned number = (unsigned)strtoul(id, NULL, 16);

    rig->told[number]++;
    if (err == NULL)
        rig->written++;
    else
        rig->failed++;
}

static void open_journal(struct rig *rig)
{
    struct error err;

    memset(rig->told, 0, sizeof(rig->told));
    rig->written = 0;
    rig->failed = 0;
    rig->base = event_base_new();
    assert_non_null(rig->base);
    assert_int_equal(reply_channel_new(rig->base, &rig->channel, &err), 0);
    if (handle_journal_open(rig->path, LENGTH, rig->channel, on_written, rig, &rig->journal,
                            &err) != 0)
        fail_msg("%s", err.detail);
}

static void close_journal(struct rig *rig)
{
    assert_true(handle_journal_stop(rig->journal, PATIENCE_MS));
    reply_channel_free(rig->channel);
    handle_journal_free(rig->journal);
    event_base_free(rig->base);
}

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    snprintf(rig->folder, sizeof(rig->folder), "/tmp/journal-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    snprintf(rig->path, sizeof(rig->path), "%s/handles", rig->folder);
    open_journal(rig);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    close_journal(rig);
    assert_int_equal(unlink(rig->path), 0);
    assert_int_equal(rmdir(rig->folder), 0); /* nothing else was left there */
    free(rig);
    return 0;
}

static void wait_told(struct rig *rig, size_t count)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    while (rig->written + rig->failed < count) {
        assert_false(monotime_reached(limit, monotime_now()));
        assert_true(event_base_loop(rig->base, EVLOOP_ONCE) >= 0);
    }
    assert_int_equal(rig->written + rig->failed, count);
}

static void write_ids(struct rig *rig, unsigned first, unsigned count)
{
    size_t before = rig->written + rig->failed;
    struct error err;

    for (unsigned i = first; i < first + count; i++)
        assert_int_equal(handle_journal_write(rig->journal, id_of(i), &err), 0);
    wait_told(rig, before + count);
    for (unsigned i = first; i < first + count; i++)
        assert_int_equal(rig->told[i], 1);
}

static void check(const struct rig *rig, unsigned first, unsigned count, enum handle_origin wanted)
{
    for (unsigned i = first; i < first + count; i++)
        assert_int_equal(handle_journal_find(rig->journal, id_of(i)), wanted);
}

static int64_t file_bytes(const struct rig *rig)
{
    struct stat info;

    assert_int_equal(stat(rig->path, &info), 0);
    return info.st_size;
}

static void append_bytes(const struct rig *rig, const char *text)
{
    int fd = open(rig->path, O_WRONLY | O_APPEND);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void test_ids_outlive_the_process(void **state)
{
    struct rig *rig = *state;

    check(rig, 0, 1, HANDLE_UNKNOWN);
    write_ids(rig, 0, 3);
    check(rig, 0, 3, HANDLE_OF_THIS_RUN);
    assert_int_equal(file_bytes(rig), 3 * JOURNAL_ID_BYTES);
    close_journal(rig);
    open_journal(rig);
    check(rig, 0, 3, HANDLE_OF_EARLIER_RUN);
    check(rig, 3, 1, HANDLE_UNKNOWN);
    write_ids(rig, 1, 1); /* the caller's own id, once more */
    check(rig, 1, 1, HANDLE_OF_THIS_RUN);
}

/* What is asked for in the last moment is on disk when the journal has stopped. */
static void test_stop_writes_what_waits(void **state)
{
    struct rig *rig = *state;
    struct error err;

    for (unsigned i = 0; i < LENGTH; i++)
        assert_int_equal(handle_journal_write(rig->journal, id_of(i), &err), 0);
    close_journal(rig);
    assert_int_equal(rig->written, LENGTH);
    open_journal(rig);
    check(rig, 0, LENGTH, HANDLE_OF_EARLIER_RUN);
}

static void test_torn_end(void **state)
{
    struct rig *rig = *state;

    write_ids(rig, 0, 2);
    close_journal(rig);
    append_bytes(rig, "0000000a-0000-4000-8000-00000000000"); /* one byte and the newline short */
    open_journal(rig);
    check(rig, 0, 2, HANDLE_OF_EARLIER_RUN);
    check(rig, 10, 1, HANDLE_UNKNOWN);
    write_ids(rig, 5, 1);
    close_journal(rig);
    open_journal(rig);
    check(rig, 0, 2, HANDLE_OF_EARLIER_RUN);
    check(rig, 5, 1, HANDLE_OF_EARLIER_RUN);
}

static void test_what_is_no_id(void **state)
{
    struct rig *rig = *state;

    write_ids(rig, 0, 1);
    close_journal(rig);
    append_bytes(rig, "0000000a-0000-4000-8000-00000000000x\n"
                      "0000000b-0000-4000-8000-000000000000\n"
                      "0000000c-0000-4000-8000-0000000000000");
    open_journal(rig);
    check(rig, 0, 1, HANDLE_OF_EARLIER_RUN);
    check(rig, 10, 1, HANDLE_UNKNOWN);
    check(rig, 11, 1, HANDLE_OF_EARLIER_RUN);
    check(rig, 12, 1, HANDLE_UNKNOWN);
}

/* Memory and disk: the newest LENGTH count, the file has at most twice as many. */
static void test_it_stays_short(void **state)
{
    struct rig *rig = *state;

    for (unsigned i = 0; i < 200; i++) {
        write_ids(rig, i, 1);
        assert_true(file_bytes(rig) <= 2 * LENGTH * JOURNAL_ID_BYTES);
    }
    check(rig, 0, 200 - LENGTH, HANDLE_UNKNOWN);
    check(rig, 200 - LENGTH, LENGTH, HANDLE_OF_THIS_RUN);
    close_journal(rig);
    open_journal(rig);
    check(rig, 0, 200 - LENGTH, HANDLE_UNKNOWN);
    check(rig, 200 - LENGTH, LENGTH, HANDLE_OF_EARLIER_RUN);
    write_ids(rig, 1000, 3000); /* many at once */
    assert_int_equal(rig->failed, 0);
    check(rig, 4000 - LENGTH, LENGTH, HANDLE_OF_THIS_RUN);
    close_journal(rig);
    assert_int_equal(file_bytes(rig) % JOURNAL_ID_BYTES, 0);
    open_journal(rig);
    check(rig, 4000 - LENGTH, LENGTH, HANDLE_OF_EARLIER_RUN);
}

/* An id that could not be written doesn't count, and breaks none that follows. */
static void test_no_space(void **state)
{
    struct rig *rig = *state;
    struct rlimit before;
    struct rlimit tight;

    write_ids(rig, 0, 1);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    tight = before;
    tight.rlim_cur = JOURNAL_ID_BYTES + 10; /* the next line is torn */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    write_ids(rig, 1, 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rig->failed, 1);
    check(rig, 1, 1, HANDLE_UNKNOWN);
    assert_int_equal(file_bytes(rig), JOURNAL_ID_BYTES);
    write_ids(rig, 2, 1);
    assert_int_equal(rig->failed, 1);
    close_journal(rig);
    open_journal(rig);
    check(rig, 0, 1, HANDLE_OF_EARLIER_RUN);
    check(rig, 1, 1, HANDLE_UNKNOWN);
    check(rig, 2, 1, HANDLE_OF_EARLIER_RUN);
}

static void test_a_path_that_can_not_be(void **state)
{
    struct rig *rig = *state;
    struct handle_journal *journal = NULL;
    char path[80];
    struct error err;

    snprintf(path, sizeof(path), "%s/no/handles", rig->folder);
    assert_int_equal(
        handle_journal_open(path, LENGTH, rig->channel, on_written, rig, &journal, &err), -1);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_non_null(strstr(err.detail, path));
    assert_int_equal(
        handle_journal_open("/dev/full", LENGTH, rig->channel, on_written, rig, &journal, &err),
        -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ONE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        ONE(test_ids_outlive_the_process), ONE(test_stop_writes_what_waits), ONE(test_torn_end),
        ONE(test_what_is_no_id),           ONE(test_it_stays_short),         ONE(test_no_space),
        ONE(test_a_path_that_can_not_be),
#undef ONE
    };

    return cmocka_run_group_tests_name("handle_journal", tests, NULL, NULL);
}
