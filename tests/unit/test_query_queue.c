#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/query_queue.h"

/* The queue only links queries: the rest of them stays zero. */
#define COUNT 5

static struct query_queue *new_queue(size_t limit)
{
    return query_queue_new(&(struct query_queue_config){.limit = limit, .workers = COUNT});
}

static void test_bound_and_order(void **state)
{
    struct query_queue *queue = new_queue(COUNT - 1);
    struct query queries[COUNT] = {0};

    (void)state;
    assert_int_equal(query_queue_limit(queue), COUNT - 1);
    for (size_t i = 0; i < COUNT - 1; i++) {
        assert_int_equal(query_queue_length(queue), i);
        assert_true(query_queue_try_push(queue, &queries[i]));
    }
    assert_false(query_queue_try_push(queue, &queries[COUNT - 1]));
    for (size_t i = 0; i < COUNT - 1; i++)
        assert_ptr_equal(query_queue_pop_wait(queue), &queries[i]);
    assert_int_equal(query_queue_length(queue), 0);
    assert_true(query_queue_try_push(queue, &queries[COUNT - 1]));
    assert_ptr_equal(query_queue_pop_wait(queue), &queries[COUNT - 1]);
    query_queue_free(queue);
}

static void test_limit_zero_without_worker(void **state)
{
    struct query_queue *queue = new_queue(0);
    struct query query = {0};

    (void)state;
    assert_false(query_queue_try_push(queue, &query));
    assert_int_equal(query_queue_length(queue), 0);
    query_queue_free(queue);
}

static void check_remove(size_t removed)
{
    struct query_queue *queue = new_queue(COUNT);
    struct query queries[COUNT] = {0};

    for (size_t i = 0; i < COUNT; i++)
        assert_true(query_queue_try_push(queue, &queries[i]));
    assert_true(query_queue_remove(queue, &queries[removed]));
    assert_false(query_queue_remove(queue, &queries[removed]));
    assert_int_equal(query_queue_length(queue), COUNT - 1);
    for (size_t i = 0; i < COUNT; i++) {
        if (i != removed)
            assert_ptr_equal(query_queue_pop_wait(queue), &queries[i]);
    }
    assert_false(query_queue_remove(queue, &queries[COUNT - 1])); /* too late */
    assert_true(query_queue_try_push(queue, &queries[removed]));
    assert_ptr_equal(query_queue_pop_wait(queue), &queries[removed]);
    query_queue_free(queue);
}

static void test_remove(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        check_remove(i);
}

/* A worker in pop_wait, as a thread of its own. */
struct worker {
    struct query_queue *queue;
    pthread_t thread;
    struct query *taken;
};

static void *take_one(void *argument)
{
    struct worker *worker = argument;

    worker->taken = query_queue_pop_wait(worker->queue);
    return NULL;
}

static void test_a_reserved_worker_is_nobodys(void **state)
{
    struct query_queue *queue = new_queue(1);
    struct query queries[3] = {0};
    struct worker worker = {.queue = queue};

    (void)state;
    assert_false(query_queue_reserve(queue)); /* there is no worker yet */
    query_queue_announce(queue, &(struct query){0});
    assert_true(query_queue_reserve(queue));
    assert_false(query_queue_reserve(queue));
    assert_int_equal(pthread_create(&worker.thread, NULL, take_one, &worker), 0);
    assert_true(query_queue_try_push(queue, &queries[0])); /* has to wait, for all that */
    assert_int_equal(query_queue_length(queue), 1);
    assert_true(query_queue_has_to_wait(queue, &queries[0]));
    assert_false(query_queue_try_push(queue, &queries[1]));
    query_queue_hand_over(queue, &queries[2]);
    pthread_join(worker.thread, NULL);
    assert_ptr_equal(worker.taken, &queries[2]);
    assert_int_equal(query_queue_length(queue), 1);
    query_queue_announce(queue, &queries[2]); /* the same worker, back */
    assert_false(query_queue_reserve(queue)); /* the queue needs it */
    assert_ptr_equal(query_queue_pop_wait(queue), &queries[0]);
    query_queue_free(queue);
}

static void test_a_released_worker_takes_what_waits(void **state)
{
    struct query_queue *queue = new_queue(1);
    struct query query = {0};
    struct worker worker = {.queue = queue};

    (void)state;
    query_queue_announce(queue, &query);
    assert_true(query_queue_reserve(queue));
    assert_true(query_queue_try_push(queue, &query));
    assert_int_equal(pthread_create(&worker.thread, NULL, take_one, &worker), 0);
    query_queue_release(queue);
    pthread_join(worker.thread, NULL);
    assert_ptr_equal(worker.taken, &query);
    query_queue_free(queue);
}

static void test_what_is_handed_over_outlives_the_close(void **state)
{
    struct query_queue *queue = new_queue(1);
    struct query queries[2] = {0};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        query_queue_announce(queue, &queries[i]);
        assert_true(query_queue_reserve(queue));
        query_queue_hand_over(queue, &queries[i]);
    }
    query_queue_close(queue);
    assert_false(query_queue_reserve(queue));
    assert_ptr_equal(query_queue_pop_wait(queue), &queries[1]);
    assert_ptr_equal(query_queue_pop_wait(queue), &queries[0]);
    assert_null(query_queue_pop_wait(queue));
    query_queue_free(queue);
}

static void test_announced_worker_is_idle(void **state)
{
    struct query_queue *queue = new_queue(0);
    struct query queries[2] = {0};

    (void)state;
    query_queue_announce(queue, &(struct query){0});
    assert_true(query_queue_try_push(queue, &queries[0]));
    assert_false(query_queue_expire(queue, &queries[0]));
    assert_false(query_queue_try_push(queue, &queries[1]));
    assert_ptr_equal(query_queue_pop_wait(queue), &queries[0]);
    assert_false(query_queue_try_push(queue, &queries[1])); /* that worker is busy now */
    query_queue_free(queue);
}

static void test_expire_what_has_to_wait(void **state)
{
    struct query_queue *queue = new_queue(1);
    struct query query = {0};

    (void)state;
    assert_true(query_queue_try_push(queue, &query));
    assert_true(query_queue_expire(queue, &query));
    assert_false(query_queue_expire(queue, &query));
    assert_int_equal(query_queue_length(queue), 0);
    query_queue_free(queue);
}

static void test_closed(void **state)
{
    struct query_queue *queue = new_queue(COUNT);
    struct query queries[COUNT] = {0};

    (void)state;
    assert_true(query_queue_try_push(queue, &queries[0]));
    query_queue_close(queue);
    assert_false(query_queue_try_push(queue, &queries[1]));
    assert_ptr_equal(query_queue_pop_wait(queue), &queries[0]); /* closed is not emptied */
    assert_null(query_queue_pop_wait(queue));
    assert_null(query_queue_pop_wait(queue));
    query_queue_free(queue);
    query_queue_free(NULL);
}

/* ---- with threads ---- */

#define WORKERS 4

struct crew {
    struct query_queue *queue;
    pthread_t threads[WORKERS];
    atomic_size_t taken;
};

static void *take_all(void *argument)
{
    struct crew *crew = argument;
    struct query *query = NULL;

    while ((query = query_queue_pop_wait(crew->queue)) != NULL) {
        query->generation++; /* taken once: else two threads race here */
        atomic_fetch_add(&crew->taken, 1);
    }
    return NULL;
}

static void start_crew(struct crew *crew, size_t limit)
{
    *crew = (struct crew){.queue = new_queue(limit)};
    for (size_t i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&crew->threads[i], NULL, take_all, crew), 0);
}

static void end_crew(struct crew *crew)
{
    query_queue_close(crew->queue);
    for (size_t i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_join(crew->threads[i], NULL), 0);
    query_queue_free(crew->queue);
}

static void test_close_wakes_all(void **state)
{
    struct crew crew;

    (void)state;
    start_crew(&crew, 0);
    end_crew(&crew);
    assert_int_equal(atomic_load(&crew.taken), 0);
}

/* Without a waiting room a query gets in when, and only when, a worker is free
 * for it; and then it does not expire. */
static void test_limit_zero_with_workers(void **state)
{
    enum { QUERIES = 2000 };
    struct query *queries = calloc(QUERIES, sizeof(*queries));
    struct crew crew;

    (void)state;
    assert_non_null(queries);
    start_crew(&crew, 0);
    for (size_t i = 0; i < QUERIES; i++) {
        while (!query_queue_try_push(crew.queue, &queries[i]))
            sched_yield();
        assert_int_equal(query_queue_length(crew.queue), 0);
        assert_false(query_queue_expire(crew.queue, &queries[i]));
    }
    end_crew(&crew);
    assert_int_equal(atomic_load(&crew.taken), QUERIES);
    for (size_t i = 0; i < QUERIES; i++)
        assert_int_equal(queries[i].generation, 1);
    free(queries);
}

/* Each query is taken by a worker or removed by the loop, never both, never neither. */
static void test_taken_or_removed(void **state)
{
    enum { QUERIES = 20000 };
    struct query *queries = calloc(QUERIES, sizeof(*queries));
    struct crew crew;
    size_t removed = 0;

    (void)state;
    assert_non_null(queries);
    start_crew(&crew, 16);
    for (size_t i = 0; i < QUERIES; i++) {
        while (!query_queue_try_push(crew.queue, &queries[i]))
            sched_yield();
        if (i % 3 == 0 && query_queue_remove(crew.queue, &queries[i - i % 2])) {
            queries[i - i % 2].slot = -1;
            removed++;
        }
    }
    end_crew(&crew);
    assert_int_equal(atomic_load(&crew.taken) + removed, QUERIES);
    for (size_t i = 0; i < QUERIES; i++)
        assert_int_equal(queries[i].generation, queries[i].slot == -1 ? 0 : 1);
    free(queries);
}

/* ---- small first; a query's `received` is the clock ---- */

static struct query arriving(int64_t at_ms, enum run_size size, int64_t span_ms)
{
    return (struct query){.received = {at_ms * 1000000},
                          .guess = {size, span_ms},
                          .request = {.queue_timeout_ms = 10000}};
}

static void test_small_first(void **state)
{
    struct query_queue *queue = new_queue(COUNT);
    struct query heavy = arriving(1000, RUN_HEAVY, 3000);
    struct query unknown = arriving(1001, RUN_MIDDLE, 500);
    struct query small = arriving(1002, RUN_SMALL, 20);
    struct query late = arriving(1600, RUN_SMALL, 20);

    (void)state;
    assert_true(query_queue_try_push(queue, &heavy));
    assert_true(query_queue_try_push(queue, &unknown));
    assert_true(query_queue_try_push(queue, &small));
    assert_true(query_queue_try_push(queue, &late));
    assert_int_equal(query_queue_length_of(queue, RUN_SMALL), 2);
    assert_int_equal(query_queue_length_of(queue, RUN_MIDDLE), 1);
    assert_int_equal(query_queue_length_of(queue, RUN_HEAVY), 1);
    assert_ptr_equal(query_queue_pop_wait(queue), &small);
    assert_ptr_equal(query_queue_pop_wait(queue), &unknown);
    assert_ptr_equal(query_queue_pop_wait(queue), &late);
    assert_ptr_equal(query_queue_pop_wait(queue), &heavy);
    query_queue_free(queue);
}

/* However heavy it is and however many small ones come: those that come later than half of
 * its patience don't pass it. */
static void test_nobody_starves(void **state)
{
    enum { SMALL = 100, INTERVAL_MS = 100 };
    struct query_queue *queue = new_queue(SMALL + 1);
    struct query heavy = arriving(0, RUN_HEAVY, 600000);
    struct query small[SMALL];
    size_t passed = 0;

    (void)state;
    assert_true(query_queue_try_push(queue, &heavy));
    for (size_t i = 0; i < SMALL; i++) {
        small[i] = arriving((int64_t)i * INTERVAL_MS, RUN_SMALL, 0);
        assert_true(query_queue_try_push(queue, &small[i]));
    }
    while (query_queue_pop_wait(queue) != &heavy)
        passed++;
    assert_in_range(passed, 1, 10000 / 2 / INTERVAL_MS);
    query_queue_free(queue);
}

/* Of three workers one is not for heavy queries. */
static void test_lane_for_small(void **state)
{
    struct query_queue *queue =
        query_queue_new(&(struct query_queue_config){.limit = 1, .workers = 3, .small_slots = 1});
    struct query heavy[4];
    struct query small = arriving(5, RUN_SMALL, 1);

    (void)state;
    for (size_t i = 0; i < 4; i++)
        heavy[i] = arriving((int64_t)i, RUN_HEAVY, 1000);
    for (size_t i = 0; i < 3; i++)
        query_queue_announce(queue, &small); /* three workers on their way */
    for (size_t i = 0; i < 3; i++)
        assert_true(query_queue_try_push(queue, &heavy[i]));
    assert_int_equal(query_queue_length(queue), 1);
    assert_false(query_queue_try_push(queue, &heavy[3])); /* idle, but not for it */
    assert_false(query_queue_has_to_wait(queue, &heavy[1]));
    assert_true(query_queue_has_to_wait(queue, &heavy[2]));
    assert_true(query_queue_try_push(queue, &small));
    assert_false(query_queue_has_to_wait(queue, &small));
    assert_ptr_equal(query_queue_pop_wait(queue), &small); /* it came later and is short */
    assert_ptr_equal(query_queue_pop_wait(queue), &heavy[0]);
    assert_ptr_equal(query_queue_pop_wait(queue), &heavy[1]);
    assert_true(query_queue_has_to_wait(queue, &heavy[2]));
    query_queue_announce(queue, &small);
    assert_true(query_queue_has_to_wait(queue, &heavy[2]));
    query_queue_announce(queue, &heavy[0]);
    assert_false(query_queue_has_to_wait(queue, &heavy[2]));
    assert_ptr_equal(query_queue_pop_wait(queue), &heavy[2]);
    query_queue_free(queue);
}

/* With one worker there is none to keep. */
static void test_last_worker_is_for_all(void **state)
{
    struct query_queue *queue =
        query_queue_new(&(struct query_queue_config){.limit = 0, .workers = 1, .small_slots = 8});
    struct query heavy = arriving(0, RUN_HEAVY, 1000);

    (void)state;
    query_queue_announce(queue, &(struct query){0});
    assert_true(query_queue_try_push(queue, &heavy));
    assert_ptr_equal(query_queue_pop_wait(queue), &heavy);
    query_queue_free(queue);
}

/* Nobody waits for a slot that is kept once the queue is closed. */
static void test_closed_keeps_no_lane(void **state)
{
    struct query_queue *queue =
        query_queue_new(&(struct query_queue_config){.limit = 4, .workers = 2, .small_slots = 1});
    struct query heavy[2] = {arriving(0, RUN_HEAVY, 1000), arriving(1, RUN_HEAVY, 1000)};

    (void)state;
    assert_true(query_queue_try_push(queue, &heavy[0]));
    assert_true(query_queue_try_push(queue, &heavy[1]));
    assert_ptr_equal(query_queue_pop_wait(queue), &heavy[0]);
    query_queue_close(queue);
    assert_ptr_equal(query_queue_pop_wait(queue), &heavy[1]);
    assert_null(query_queue_pop_wait(queue));
    query_queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound_and_order),
        cmocka_unit_test(test_limit_zero_without_worker),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_a_reserved_worker_is_nobodys),
        cmocka_unit_test(test_a_released_worker_takes_what_waits),
        cmocka_unit_test(test_what_is_handed_over_outlives_the_close),
        cmocka_unit_test(test_announced_worker_is_idle),
        cmocka_unit_test(test_small_first),
        cmocka_unit_test(test_nobody_starves),
        cmocka_unit_test(test_lane_for_small),
        cmocka_unit_test(test_last_worker_is_for_all),
        cmocka_unit_test(test_closed_keeps_no_lane),
        cmocka_unit_test(test_expire_what_has_to_wait),
        cmocka_unit_test(test_closed),
        cmocka_unit_test(test_close_wakes_all),
        cmocka_unit_test(test_limit_zero_with_workers),
        cmocka_unit_test(test_taken_or_removed),
    };

    return cmocka_run_group_tests_name("query_queue", tests, NULL, NULL);
}
