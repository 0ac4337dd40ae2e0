/*
 * What holds for good can be tested only in a process of its own: each case runs
 * in a child of the test, which answers by its exit code.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/no_children.h"

#define TRUE_PROGRAM "/bin/true"

extern char **environ;

static int spawn_true(void)
{
    char *arguments[] = {(char *)TRUE_PROGRAM, NULL};
    pid_t child = 0;
    int rc = posix_spawn(&child, TRUE_PROGRAM, NULL, NULL, arguments, environ);

    if (rc == 0)
        (void)waitpid(child, NULL, 0);
    return rc;
}

static int fork_one(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    if (child > 0)
        (void)waitpid(child, NULL, 0);
    return child < 0 ? errno : 0;
}

static int shell(void)
{
    return system("true") == 0 ? 0 : EPERM;
}

static int become_another(void)
{
    execl(TRUE_PROGRAM, TRUE_PROGRAM, (char *)NULL);
    return errno;
}

struct waiting_thread {
    sem_t go;
    int (*attempt)(void);
    int outcome;
};

static void *attempt_later(void *argument)
{
    struct waiting_thread *waiting = argument;

    (void)sem_wait(&waiting->go);
    waiting->outcome = waiting->attempt();
    return NULL;
}

/* The attempt on a thread that is there before the ban, and on one made after it. */
static int outcome_in_threads(int (*attempt)(void))
{
    struct waiting_thread before = {.attempt = attempt};
    struct waiting_thread after = {.attempt = attempt};
    struct error err;
    pthread_t threads[2];

    (void)sem_init(&before.go, 0, 0);
    (void)sem_init(&after.go, 0, 1);
    if (pthread_create(&threads[0], NULL, attempt_later, &before) != 0 ||
        no_children_from_now(&err) != 0 ||
        pthread_create(&threads[1], NULL, attempt_later, &after) != 0)
        return 255;
    (void)sem_post(&before.go);
    (void)pthread_join(threads[0], NULL);
    (void)pthread_join(threads[1], NULL);
    return before.outcome == after.outcome ? before.outcome : 254;
}

static int run_in_child(int (*body)(int (*)(void)), int (*attempt)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        _exit(body(attempt));
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int plainly(int (*attempt)(void))
{
    return attempt();
}

static void test_each_way_is_open_before(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(plainly, spawn_true), 0);
    assert_int_equal(run_in_child(plainly, fork_one), 0);
    assert_int_equal(run_in_child(plainly, shell), 0);
    assert_int_equal(run_in_child(plainly, become_another), 0);
}

static void test_no_way_is_open_after(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(outcome_in_threads, spawn_true), EPERM);
    assert_int_equal(run_in_child(outcome_in_threads, fork_one), EPERM);
    assert_int_equal(run_in_child(outcome_in_threads, shell), EPERM);
    assert_int_equal(run_in_child(outcome_in_threads, become_another), EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_way_is_open_before),
        cmocka_unit_test(test_no_way_is_open_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
