/* Lines on their way to a stderr that nobody reads, or reads late. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/log_writer.h"
#include "../../service/metrics.h"

#define PIPE_BYTES 4096
#define RING_BYTES 16384
#define LINE_BYTES 100
#define THREADS 4
#define PATIENCE_MS 10000

struct pipe_stderr {
    int saved;
    int reader;
    int64_t lost_before;
};

static int setup(void **state)
{
    static struct pipe_stderr own;
    struct error err;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0 || fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES) < 0 ||
        fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
        return -1;
    own.saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    own.reader = ends[0];
    own.lost_before = metrics_get(METRIC_LOG_LINES_LOST);
    *state = &own;
    return log_writer_start(RING_BYTES, &err);
}

static int teardown(void **state)
{
    struct pipe_stderr *own = *state;

    log_writer_stop(PATIENCE_MS);
    dup2(own->saved, STDERR_FILENO);
    close(own->saved);
    close(own->reader);
    return 0;
}

static int64_t lost(const struct pipe_stderr *own)
{
    return metrics_get(METRIC_LOG_LINES_LOST) - own->lost_before;
}

static void put_lines(char letter, int count)
{
    char line[LINE_BYTES];

    memset(line, letter, sizeof(line) - 1);
    line[sizeof(line) - 1] = '\n';
    for (int i = 0; i < count; i++)
        log_writer_put(line, sizeof(line));
}

/* Reads `wanted` lines, each whole and of one letter. */
static void read_lines(const struct pipe_stderr *own, int64_t wanted)
{
    char line[LINE_BYTES];
    size_t length = 0;

    while (wanted > 0) {
        struct pollfd readable = {.fd = own->reader, .events = POLLIN};
        ssize_t got = read(own->reader, line + length, sizeof(line) - length);

        if (got < 0) {
            assert_int_equal(errno, EAGAIN);
            assert_int_equal(poll(&readable, 1, PATIENCE_MS), 1);
            continue;
        }
        assert_true(got > 0);
        length += (size_t)got;
        if (length < sizeof(line))
            continue;
        for (size_t i = 1; i < sizeof(line) - 1; i++)
            assert_int_equal(line[i], line[0]);
        assert_int_equal(line[sizeof(line) - 1], '\n');
        length = 0;
        wanted--;
    }
}

static void assert_nothing_left(const struct pipe_stderr *own)
{
    char byte;

    assert_int_equal(read(own->reader, &byte, 1), -1);
    assert_int_equal(errno, EAGAIN);
}

/* A hundred thousand bytes into a pipe and a ring of twenty thousand. */
static void test_a_full_pipe_holds_nobody(void **state)
{
    struct pipe_stderr *own = *state;
    int64_t kept = 0;

    put_lines('a', 1000);
    assert_true(log_writer_bytes() <= RING_BYTES);
    assert_true(log_writer_bytes() > RING_BYTES / 2);
    kept = 1000 - lost(own);
    assert_in_range(kept, RING_BYTES / (LINE_BYTES + 4) - 1,
                    (RING_BYTES + 2 * PIPE_BYTES) / LINE_BYTES + 1);
    read_lines(own, kept);
    put_lines('b', 10); /* there is room again */
    read_lines(own, 10);
    assert_int_equal(lost(own), 1000 - kept);
    assert_nothing_left(own);
    assert_int_equal(log_writer_bytes(), 0);
}

static void *put_own_lines(void *letter)
{
    put_lines(*(const char *)letter, 30);
    return NULL;
}

static void test_lines_of_threads_stay_whole(void **state)
{
    static const char letters[THREADS] = {'p', 'q', 'r', 's'};
    struct pipe_stderr *own = *state;
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, put_own_lines, (void *)(uintptr_t)&letters[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(lost(own), 0);
    read_lines(own, 30L * THREADS);
    assert_nothing_left(own);
}

static void test_the_stop_writes_what_waits(void **state)
{
    struct pipe_stderr *own = *state;

    put_lines('c', PIPE_BYTES / LINE_BYTES);
    log_writer_stop(PATIENCE_MS);
    read_lines(own, PIPE_BYTES / LINE_BYTES);
    put_lines('e', 1); /* straight away again */
    read_lines(own, 1);
    assert_nothing_left(own);
    assert_int_equal(lost(own), 0);
}

static void test_the_stop_gives_up(void **state)
{
    struct pipe_stderr *own = *state;

    put_lines('f', 100);
    assert_int_equal(lost(own), 0);
    log_writer_stop(10);
    put_lines('g', 3);
    assert_int_equal(lost(own), 3);
    read_lines(own, 100); /* the reader was late, no more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_full_pipe_holds_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lines_of_threads_stay_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_stop_writes_what_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_stop_gives_up, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
