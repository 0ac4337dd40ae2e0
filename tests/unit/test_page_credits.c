#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../service/deadline.h"
#include "../../service/page_credits.h"

#define PAGE_BYTES 1000
#define PAGES_SENT 20000
#define LONG_US 20000000

struct reader {
    struct page_credits credits;
    atomic_int in_flight;
    atomic_int taken;
    atomic_bool refused;
};

static void *take_pages(void *argument)
{
    struct reader *reader = argument;

    while (page_credits_wait(&reader->credits, LONG_US) == CREDIT_THERE) {
        page_credits_take(&reader->credits, PAGE_BYTES);
        atomic_fetch_add(&reader->in_flight, 1);
        atomic_fetch_add(&reader->taken, 1);
    }
    atomic_store(&reader->refused, true);
    return NULL;
}

/* Never more pages on their way than there are credits; stop ends the wait. */
static void test_many_pages(void **state)
{
    struct page_budget budget = {.bytes_max = INT64_MAX};
    struct reader reader = {0};
    pthread_t thread;

    (void)state;
    page_credits_init(&reader.credits, &budget);
    assert_int_equal(pthread_create(&thread, NULL, take_pages, &reader), 0);
    while (atomic_load(&reader.taken) < PAGES_SENT) {
        int pages = atomic_load(&reader.in_flight);

        assert_true(pages <= PAGES_IN_FLIGHT);
        atomic_fetch_sub(&reader.in_flight, pages);
        for (int i = 0; i < pages; i++)
            page_credits_pass(&reader.credits, PAGE_BYTES);
        page_credits_return(&reader.credits, pages);
    }
    assert_false(atomic_load(&reader.refused));
    page_credits_stop(&reader.credits);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(atomic_load(&budget.bytes), atomic_load(&reader.in_flight) * PAGE_BYTES);
    page_credits_done(&reader.credits);
    assert_int_equal(atomic_load(&budget.bytes), 0);
}

static void test_stopped(void **state)
{
    struct page_budget budget = {.bytes_max = INT64_MAX};
    struct page_credits credits;

    (void)state;
    page_credits_init(&credits, &budget);
    assert_int_equal(page_credits_look(&credits), CREDIT_THERE);
    page_credits_stop(&credits);
    assert_int_equal(page_credits_look(&credits), CREDIT_STOPPED); /* although some are left */
    assert_int_equal(page_credits_wait(&credits, LONG_US), CREDIT_STOPPED);
    page_credits_done(&credits);
}

static void test_patience_ends(void **state)
{
    struct page_budget budget = {.bytes_max = INT64_MAX};
    struct page_credits credits;
    struct monotime begin = monotime_now();

    (void)state;
    page_credits_init(&credits, &budget);
    for (int i = 0; i < PAGES_IN_FLIGHT; i++) {
        assert_int_equal(page_credits_wait(&credits, 0), CREDIT_THERE);
        page_credits_take(&credits, PAGE_BYTES);
    }
    assert_int_equal(page_credits_wait(&credits, 50000), CREDIT_NOT_YET);
    assert_true(monotime_span_us(begin, monotime_now()) >= 50000);
    assert_int_equal(page_credits_wait(&credits, 0), CREDIT_NOT_YET);
    assert_int_equal(page_credits_wait(&credits, -5), CREDIT_NOT_YET);
    page_credits_done(&credits);
}

/* The shared budget holds answers to one page each, and never to none. */
static void test_shared_budget(void **state)
{
    struct page_budget budget = {.bytes_max = 3 * PAGE_BYTES};
    struct page_credits first;
    struct page_credits second;

    (void)state;
    page_credits_init(&first, &budget);
    page_credits_init(&second, &budget);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(page_credits_look(&first), CREDIT_THERE);
        page_credits_take(&first, PAGE_BYTES);
    }
    assert_int_equal(page_credits_look(&first), CREDIT_NOT_YET);
    assert_int_equal(page_credits_look(&second), CREDIT_THERE); /* its first one */
    page_credits_take(&second, PAGE_BYTES);
    assert_int_equal(page_credits_look(&second), CREDIT_NOT_YET);
    for (int i = 0; i < 3; i++)
        page_credits_pass(&first, PAGE_BYTES);
    page_credits_return(&first, 3);
    assert_int_equal(page_credits_look(&second), CREDIT_THERE);
    page_credits_done(&first);
    page_credits_done(&second);
    assert_int_equal(atomic_load(&budget.bytes), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_pages),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_patience_ends),
        cmocka_unit_test(test_shared_budget),
    };

    return cmocka_run_group_tests_name("page_credits", tests, NULL, NULL);
}
