/* Requests without a valid token: all are counted, few are told. */
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "caller_refusals.h"
#include "metrics.h"

/* What is logged from begin_log to end_log. */
static char log_path[] = "/tmp/caller-refusals-XXXXXX";
static int stderr_before;

static void begin_log(void)
{
    int fd = -1;

    strcpy(log_path, "/tmp/caller-refusals-XXXXXX");
    fd = mkstemp(log_path);
    assert_true(fd >= 0);
    fflush(stderr);
    stderr_before = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

static size_t end_log(char *ret_text, size_t size)
{
    FILE *file = NULL;
    size_t length = 0;
    size_t lines = 0;

    dup2(stderr_before, STDERR_FILENO);
    close(stderr_before);
    file = fopen(log_path, "re");
    assert_non_null(file);
    length = fread(ret_text, 1, size - 1, file);
    ret_text[length] = '\0';
    fclose(file);
    (void)unlink(log_path);
    for (const char *at = ret_text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    return lines;
}

static void test_one_line_for_many(void **state)
{
    struct event_base *base = event_base_new();
    struct caller_refusals *refusals = NULL;
    int64_t before = metrics_get(METRIC_REFUSED_TOKEN);
    char text[4096];
    struct error err;

    (void)state;
    assert_int_equal(caller_refusals_new(base, &refusals, &err), 0);
    begin_log();
    for (int i = 0; i < 1000; i++) {
        caller_refusals_note(refusals, "10.0.0.7:1");
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    caller_refusals_note(refusals, "10.0.0.8:2");
    caller_refusals_free(refusals); /* the rest is told, nothing is lost */
    assert_int_equal(end_log(text, sizeof(text)), 2);
    assert_non_null(strstr(text, "level=warn msg=\"requests without a valid token\" count=1 "
                                 "last_client=10.0.0.7:1\n"));
    assert_non_null(strstr(text, " count=1000 last_client=10.0.0.8:2\n"));
    assert_int_equal(metrics_get(METRIC_REFUSED_TOKEN) - before, 1001);
    event_base_free(base);
}

static void test_nothing_to_tell(void **state)
{
    struct event_base *base = event_base_new();
    struct caller_refusals *refusals = NULL;
    char text[4096];
    struct error err;

    (void)state;
    assert_int_equal(caller_refusals_new(base, &refusals, &err), 0);
    begin_log();
    caller_refusals_free(refusals);
    caller_refusals_free(NULL);
    assert_int_equal(end_log(text, sizeof(text)), 0);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_line_for_many),
        cmocka_unit_test(test_nothing_to_tell),
    };

    return cmocka_run_group_tests_name("caller_refusals", tests, NULL, NULL);
}
