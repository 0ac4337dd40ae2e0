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

static void test_bound_and_order(void **state)
{
    struct query_queue *queue = query_queue_new(COUNT - 1);
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
    struct query_queue *queue = query_queue_new(0);
    struct query query = {0};

    (void)state;
    assert_false(query_queue_try_push(queue, &query));
    assert_int_equal(query_queue_length(queue), 0);
    query_queue_free(queue);
}

static void check_remove(size_t removed)
{
    struct query_queue *queue = query_queue_new(COUNT);
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

static void test_announced_worker_is_idle(void **state)
{
    struct query_queue *queue = query_queue_new(0);
    struct query queries[2] = {0};

    (void)state;
    query_queue_announce(queue);
    assert_true(query_queue_try_push(queue, &queries[0]));
    assert_false(query_queue_expire(queue, &queries[0]));
    assert_false(query_queue_try_push(queue, &queries[1]));
    assert_ptr_equal(query_queue_pop_wait(queue), &queries[0]);
    assert_false(query_queue_try_push(queue, &queries[1])); /* that worker is busy now */
    query_queue_free(queue);
}

static void test_expire_what_has_to_wait(void **state)
{
    struct query_queue *queue = query_queue_new(1);
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
    struct query_queue *queue = query_queue_new(COUNT);
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
    *crew = (struct crew){.queue = query_queue_new(limit)};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound_and_order),
        cmocka_unit_test(test_limit_zero_without_worker),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_announced_worker_is_idle),
        cmocka_unit_test(test_expire_what_has_to_wait),
        cmocka_unit_test(test_closed),
        cmocka_unit_test(test_close_wakes_all),
        cmocka_unit_test(test_limit_zero_with_workers),
        cmocka_unit_test(test_taken_or_removed),
    };

    return cmocka_run_group_tests_name("query_queue", tests, NULL, NULL);
}
