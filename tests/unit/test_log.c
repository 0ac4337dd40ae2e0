#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/log.h"

#define THREADS 4
#define LINES 200

/* stderr as a datagram socket: one write(2) is one datagram, so that the test
 * sees each of them. */
struct capture {
    int saved_stderr;
    int reader;
};

static int capture_start(void **state)
{
    static struct capture capture;
    int sockets[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return -1;
    capture.saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    dup2(sockets[1], STDERR_FILENO);
    close(sockets[1]);
    capture.reader = sockets[0];
    log_set_level(LOG_INFO);
    *state = &capture;
    return 0;
}

static int capture_stop(void **state)
{
    struct capture *capture = *state;

    dup2(capture->saved_stderr, STDERR_FILENO);
    close(capture->saved_stderr);
    close(capture->reader);
    return 0;
}

/* The next line; "" when none was written. */
static const char *next_line(const struct capture *capture)
{
    static char line[65536];
    ssize_t length = recv(capture->reader, line, sizeof(line) - 1, MSG_DONTWAIT);

    line[length < 0 ? 0 : length] = '\0';
    return line;
}

static const char *after_time(const char *line)
{
    const char *level = strstr(line, " level=");

    assert_non_null(level);
    assert_int_equal(level - line, strlen("time=2024-01-31T09:57:06.123456Z"));
    assert_memory_equal(line, "time=20", 7);
    assert_int_equal(level[-1], 'Z');
    return level + 1;
}

static void test_fields(void **state)
{
    const char *nothing = NULL;

    log_line(LOG_INFO, "query done", LOG_TEXT("query_id", "a-1"), LOG_NUMBER("rows", -10),
             LOG_TEXT("tag", nothing));
    assert_string_equal(after_time(next_line(*state)),
                        "level=info msg=\"query done\" query_id=a-1 rows=-10 tag=\"\"\n");
    log_line(LOG_ERROR, "ready");
    assert_string_equal(after_time(next_line(*state)), "level=error msg=ready\n");
}

static void test_levels(void **state)
{
    enum log_level level = LOG_ERROR;

    log_line(LOG_DEBUG, "hidden");
    assert_string_equal(next_line(*state), "");
    log_set_level(LOG_DEBUG);
    log_line(LOG_DEBUG, "seen");
    assert_string_equal(after_time(next_line(*state)), "level=debug msg=seen\n");
    log_set_level(LOG_ERROR);
    log_line(LOG_WARN, "hidden");
    assert_string_equal(next_line(*state), "");

    assert_true(log_level_from_name("warn", &level));
    assert_int_equal(level, LOG_WARN);
    assert_false(log_level_from_name("WARN", &level));
    assert_false(log_level_from_name("", &level));
    assert_int_equal(level, LOG_WARN);
}

static void test_caller_data_forges_nothing(void **state)
{
    log_line(LOG_INFO, "m", LOG_TEXT("a", "x\nlevel=error msg=\"y\""),
             LOG_TEXT("b", "a\\b\t\r\x01"), LOG_TEXT("c", "k=v"),
             LOG_TEXT("d", "\xC3\xA4 \xFF \xC2\x9B"), LOG_TEXT("e", "a b"));
    assert_string_equal(
        after_time(next_line(*state)),
        "level=info msg=m a=\"x\\nlevel=error msg=\\\"y\\\"\" b=\"a\\\\b\\t\\r\\x01\" "
        "c=\"k=v\" d=\"\xC3\xA4 \\xff \\xc2\\x9b\" e=\"a b\"\n");
}

static void test_values_are_cut(void **state)
{
    char text[600];

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(text + 510, "\xE2\x82\xAC", 3);
    log_line(LOG_INFO, "m", LOG_TEXT("v", text), LOG_NUMBER("n", 1));

    const char *value = strstr(next_line(*state), " v=") + 3;
    assert_int_equal(strspn(value, "a"), 510);
    assert_string_equal(value + 510, "... n=1\n");
}

static void test_a_line_has_an_end(void **state)
{
    struct log_field fields[64] = {{0}};
    char text[600];

    memset(text, '\x01', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i + 1 < sizeof(fields) / sizeof(fields[0]); i++)
        fields[i] = LOG_TEXT("key", text);
    log_write(LOG_INFO, "m", fields);

    const char *line = next_line(*state);
    size_t length = strlen(line);
    assert_in_range(length, 4096, 8192);
    const char *end = "\"... cut=true\n";
    assert_string_equal(line + length - strlen(end), end);
    assert_string_equal(next_line(*state), "");
}

static void *write_lines(void *user)
{
    for (int i = 0; i < LINES; i++)
        log_line(LOG_INFO, "from a thread", LOG_TEXT("name", user), LOG_NUMBER("i", i));
    return NULL;
}

static void test_lines_of_threads_stay_whole(void **state)
{
    static char names[THREADS][2] = {"a", "b", "c", "d"};
    pthread_t threads[THREADS];
    int counts[THREADS] = {0};
    struct capture *capture = *state;
    char line[512];

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
    for (int read_count = 0; read_count < THREADS * LINES; read_count++) {
        ssize_t length = recv(capture->reader, line, sizeof(line) - 1, 0);
        assert_true(length > 0);
        line[length] = '\0';
        assert_int_equal(line[length - 1], '\n');
        assert_ptr_equal(strchr(line, '\n'), line + length - 1);
        char name = strstr(line, " name=")[6];
        assert_in_range(name, 'a', 'd');
        /* In the order its thread wrote them. */
        assert_int_equal(atoi(strstr(line, " i=") + 3), counts[name - 'a']++);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fields, capture_start, capture_stop),
        cmocka_unit_test_setup_teardown(test_levels, capture_start, capture_stop),
        cmocka_unit_test_setup_teardown(test_caller_data_forges_nothing, capture_start,
                                        capture_stop),
        cmocka_unit_test_setup_teardown(test_values_are_cut, capture_start, capture_stop),
        cmocka_unit_test_setup_teardown(test_a_line_has_an_end, capture_start, capture_stop),
        cmocka_unit_test_setup_teardown(test_lines_of_threads_stay_whole, capture_start,
                                        capture_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
