#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/thread_nice.h"

#define NICE 7

/* A thread of that name that lives between the two barriers. */
struct named_thread {
    const char *name;
    pthread_t thread;
    pid_t id;
    pthread_barrier_t named;
    pthread_barrier_t over;
};

static void *live(void *argument)
{
    struct named_thread *mine = argument;

    pthread_setname_np(pthread_self(), mine->name);
    mine->id = gettid();
    pthread_barrier_wait(&mine->named);
    pthread_barrier_wait(&mine->over);
    return NULL;
}

static void begin(struct named_thread *thread, const char *name)
{
    thread->name = name;
    assert_int_equal(pthread_barrier_init(&thread->named, NULL, 2), 0);
    assert_int_equal(pthread_barrier_init(&thread->over, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread->thread, NULL, live, thread), 0);
    pthread_barrier_wait(&thread->named);
}

static void end(struct named_thread *thread)
{
    pthread_barrier_wait(&thread->over);
    assert_int_equal(pthread_join(thread->thread, NULL), 0);
    pthread_barrier_destroy(&thread->named);
    pthread_barrier_destroy(&thread->over);
}

static int nice_of(pid_t id)
{
    return getpriority(PRIO_PROCESS, (id_t)id);
}

static void test_those_of_the_name(void **state)
{
    struct named_thread first;
    struct named_thread second;
    struct named_thread other;
    int before = nice_of(gettid());

    (void)state;
    begin(&first, "C2 CompilerThre");
    begin(&second, "C2 Other");
    begin(&other, "C1 CompilerThre");
    assert_int_equal(thread_nice_set("C2 ", before + NICE), 2);
    assert_int_equal(nice_of(first.id), before + NICE);
    assert_int_equal(nice_of(second.id), before + NICE);
    assert_int_equal(nice_of(other.id), before);
    assert_int_equal(nice_of(gettid()), before);
    end(&first);
    end(&second);
    end(&other);
    assert_int_equal(thread_nice_set("C2 ", before + NICE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_those_of_the_name),
    };

    return cmocka_run_group_tests_name("thread_nice", tests, NULL, NULL);
}
