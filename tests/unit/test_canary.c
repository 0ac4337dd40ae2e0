/* needs: unit/spark_attach.c */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../../jni/spark_engine.h"
#include "../../service/canary.h"
#include "../../service/deadline.h"
#include "spark_attach.h"

#define PATIENCE_MS 20000

/* The engine of this test sings as it is told. */
struct spark_engine {
    struct spark_attach attach;
    atomic_int songs;
    atomic_bool fails;
    atomic_bool hangs; /* for ever */
};

int spark_engine_canary(struct spark_thread *thread, struct error *err)
{
    struct spark_engine *engine = thread->engine;
    const struct timespec nap = {.tv_nsec = 1000000};

    atomic_fetch_add(&engine->songs, 1);
    while (atomic_load(&engine->hangs))
        nanosleep(&nap, NULL);
    if (atomic_load(&engine->fails))
        return error_set(err, ERROR_ENGINE_ERROR, "hoarse");
    return 0;
}

static void nap_until_songs(const struct spark_engine *engine, int songs)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);
    const struct timespec look = {.tv_nsec = 1000000};

    while (atomic_load(&engine->songs) < songs) {
        assert_false(monotime_reached(limit, monotime_now()));
        nanosleep(&look, NULL);
    }
}

static void test_sings_on(void **state)
{
    struct spark_engine engine = {0};
    struct canary *canary = NULL;
    struct error err;

    (void)state;
    assert_int_equal(canary_start(&engine, 5, &canary, &err), 0);
    assert_true(atomic_load(&engine.songs) >= 1);
    assert_true(canary_age_ms(canary) >= 0 && canary_age_ms(canary) < PATIENCE_MS);
    nap_until_songs(&engine, 5);
    assert_true(canary_stop(canary, PATIENCE_MS));
    assert_int_equal(atomic_load(&engine.attach.count), 0);
    assert_true(canary_stop(NULL, 0));
}

/* Only a success makes it young again. */
static void test_age(void **state)
{
    struct spark_engine engine = {0};
    struct canary *canary = NULL;
    struct error err;
    int64_t age_ms = 0;

    (void)state;
    assert_int_equal(canary_start(&engine, 5, &canary, &err), 0);
    atomic_store(&engine.fails, true);
    nap_until_songs(&engine, atomic_load(&engine.songs) + 2); /* one may be half way */
    age_ms = canary_age_ms(canary);
    nap_until_songs(&engine, atomic_load(&engine.songs) + 10);
    assert_true(canary_age_ms(canary) >= age_ms + 10 * 4);
    age_ms = canary_age_ms(canary);
    atomic_store(&engine.fails, false);
    while (canary_age_ms(canary) >= age_ms) /* without a success it only grows */
        nap_until_songs(&engine, atomic_load(&engine.songs) + 1);
    assert_true(canary_stop(canary, PATIENCE_MS));
}

static void test_first_one_fails(void **state)
{
    struct spark_engine engine = {0};
    struct canary *canary = NULL;
    struct error err;

    (void)state;
    atomic_store(&engine.fails, true);
    assert_int_equal(canary_start(&engine, 5, &canary, &err), -1);
    assert_string_equal(err.detail, "hoarse");
    assert_int_equal(atomic_load(&engine.attach.count), 0);
    engine.attach.refuses = true;
    assert_int_equal(canary_start(&engine, 5, &canary, &err), -1);
    assert_string_equal(err.detail, "canary may not attach");
    assert_null(canary);
}

static void test_stop_does_not_wait_for_the_interval(void **state)
{
    struct spark_engine engine = {0};
    struct canary *canary = NULL;
    struct error err;
    struct monotime begin = monotime_now();

    (void)state;
    assert_int_equal(canary_start(&engine, 3600 * 1000, &canary, &err), 0);
    assert_true(canary_stop(canary, PATIENCE_MS));
    assert_true(monotime_span_ms(begin, monotime_now()) < PATIENCE_MS);
}

/* Static: a canary that hangs is left behind with all that it uses. */
static struct spark_engine hanging_engine;
static struct canary *hanging_canary;

static void test_hanging_one_is_left_behind(void **state)
{
    struct error err;
    struct monotime begin;

    (void)state;
    assert_int_equal(canary_start(&hanging_engine, 1, &hanging_canary, &err), 0);
    atomic_store(&hanging_engine.hangs, true);
    nap_until_songs(&hanging_engine, atomic_load(&hanging_engine.songs) + 1);
    begin = monotime_now();
    assert_false(canary_stop(hanging_canary, 1));
    assert_true(monotime_span_ms(begin, monotime_now()) < PATIENCE_MS);
    assert_int_equal(atomic_load(&hanging_engine.attach.count), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sings_on),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_first_one_fails),
        cmocka_unit_test(test_stop_does_not_wait_for_the_interval),
        cmocka_unit_test(test_hanging_one_is_left_behind),
    };

    return cmocka_run_group_tests_name("canary", tests, NULL, NULL);
}
