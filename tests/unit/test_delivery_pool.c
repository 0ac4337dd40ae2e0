#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "../../service/delivery_pool.h"

#define THREADS 4
#define TASKS 8
#define GIFTS 20000

/* Eats what it was given, one gift a step; never by two threads at once. */
struct eater {
    struct delivery_task task; /* first */
    atomic_int gifts;
    atomic_int inside;
    atomic_bool last_given;
    atomic_bool crowded;
    atomic_bool over;
    int eaten;
};

static enum delivery_step eat(struct delivery_task *task)
{
    struct eater *eater = (struct eater *)task;
    enum delivery_step went = STEP_PARK;

    if (atomic_fetch_add(&eater->inside, 1) != 0)
        atomic_store(&eater->crowded, true);
    if (atomic_load(&eater->gifts) > 0) {
        atomic_fetch_sub(&eater->gifts, 1);
        eater->eaten++;
        went = STEP_AGAIN;
    } else if (atomic_load(&eater->last_given) && atomic_load(&eater->gifts) == 0) {
        went = STEP_OVER;
    }
    atomic_fetch_sub(&eater->inside, 1);
    if (went == STEP_OVER)
        atomic_store(&eater->over, true);
    return went;
}

static void wait_until(atomic_bool *flag)
{
    const struct timespec pause = {.tv_nsec = 1000000};

    for (int i = 0; i < 20000 && !atomic_load(flag); i++)
        nanosleep(&pause, NULL);
    assert_true(atomic_load(flag));
}

/* No wake is lost, however it meets a step, and no task is stepped twice at once. */
static void test_every_wake_counts(void **state)
{
    struct eater eaters[TASKS] = {0};
    struct delivery_pool *pool = NULL;
    struct error err;

    (void)state;
    assert_int_equal(delivery_pool_start(THREADS, &pool, &err), 0);
    for (int i = 0; i < TASKS; i++) {
        eaters[i].task.step = eat;
        delivery_pool_wake(pool, &eaters[i].task); /* hasn't entered: nothing happens */
        delivery_pool_enter(pool, &eaters[i].task);
    }
    for (int gift = 0; gift < GIFTS; gift++) {
        struct eater *eater = &eaters[gift % TASKS];

        atomic_fetch_add(&eater->gifts, 1);
        delivery_pool_wake(pool, &eater->task);
    }
    for (int i = 0; i < TASKS; i++) {
        atomic_store(&eaters[i].last_given, true);
        delivery_pool_wake(pool, &eaters[i].task);
    }
    for (int i = 0; i < TASKS; i++)
        wait_until(&eaters[i].over);
    delivery_pool_stop(pool);
    for (int i = 0; i < TASKS; i++) {
        assert_int_equal(eaters[i].eaten, GIFTS / TASKS);
        assert_false(atomic_load(&eaters[i].crowded));
    }
}

static void test_stop_leaves_the_parked(void **state)
{
    struct eater eater = {.task.step = eat};
    struct delivery_pool *pool = NULL;
    struct error err;

    (void)state;
    assert_int_equal(delivery_pool_start(1, &pool, &err), 0);
    delivery_pool_enter(pool, &eater.task);
    delivery_pool_stop(pool);
    assert_false(atomic_load(&eater.over));
    delivery_pool_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_wake_counts),
        cmocka_unit_test(test_stop_leaves_the_parked),
    };

    return cmocka_run_group_tests_name("delivery_pool", tests, NULL, NULL);
}
