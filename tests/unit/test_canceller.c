/* needs: unit/spark_attach.c */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../../jni/spark_engine.h"
#include "../../service/canceller.h"
#include "../../service/deadline.h"
#include "spark_attach.h"

/* The engine of this test counts how often it is asked to cancel which tag. */
#define TAGS 16
#define PATIENCE_MS 20000
#define REPEAT_MS 100

struct asked {
    char tag[64];
    int count;
};

struct spark_engine {
    struct spark_attach attach;
    pthread_mutex_t lock;
    struct asked asked[TAGS]; /* under lock */
};

/* The entry of a tag, made when new. */
static struct asked *find_asked(struct spark_engine *engine, const char *tag)
{
    for (size_t i = 0; i < TAGS; i++) {
        if (engine->asked[i].tag[0] == '\0')
            strncpy(engine->asked[i].tag, tag, sizeof(engine->asked[i].tag) - 1);
        if (strcmp(engine->asked[i].tag, tag) == 0)
            return &engine->asked[i];
    }
    abort();
}

void spark_engine_cancel(struct spark_thread *thread, const char *tag)
{
    pthread_mutex_lock(&thread->engine->lock);
    find_asked(thread->engine, tag)->count++;
    pthread_mutex_unlock(&thread->engine->lock);
}

static int asked_count(struct spark_engine *engine, const char *tag)
{
    int count = 0;

    pthread_mutex_lock(&engine->lock);
    count = find_asked(engine, tag)->count;
    pthread_mutex_unlock(&engine->lock);
    return count;
}

static void wait_asked(struct spark_engine *engine, const char *tag, int count)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);
    const struct timespec look = {.tv_nsec = 1000000};

    while (asked_count(engine, tag) < count) {
        assert_false(monotime_reached(limit, monotime_now()));
        nanosleep(&look, NULL);
    }
}

static struct canceller *start(struct spark_engine *engine)
{
    struct canceller *canceller = NULL;
    struct error err;

    *engine = (struct spark_engine){.lock = PTHREAD_MUTEX_INITIALIZER};
    assert_int_equal(canceller_start(engine, 64, &canceller, &err), 0);
    assert_int_equal(atomic_load(&engine->attach.count), 1);
    return canceller;
}

static void test_asks_again(void **state)
{
    struct spark_engine engine;
    struct canceller *canceller = start(&engine);
    struct monotime begin = monotime_now();

    (void)state;
    canceller_add(canceller, "a");
    wait_asked(&engine, "a", 3);
    assert_true(monotime_span_ms(begin, monotime_now()) >= 2 * REPEAT_MS - 5);
    canceller_stop(canceller);
    assert_int_equal(atomic_load(&engine.attach.count), 0);
    canceller_stop(NULL);
}

/* One more ask may be under way when remove returns, no second one. */
static void test_remove_stops_it(void **state)
{
    struct spark_engine engine;
    struct canceller *canceller = start(&engine);
    int asked = 0;

    (void)state;
    canceller_add(canceller, "a");
    canceller_add(canceller, "b");
    wait_asked(&engine, "a", 1);
    canceller_remove(canceller, "a");
    asked = asked_count(&engine, "a");
    wait_asked(&engine, "b", asked_count(&engine, "b") + 3);
    assert_true(asked_count(&engine, "a") <= asked + 1);
    canceller_stop(canceller);
}

static void test_add_twice(void **state)
{
    struct spark_engine engine;
    struct canceller *canceller = start(&engine);
    int asked = 0;

    (void)state;
    canceller_add(canceller, "a");
    canceller_add(canceller, "a");
    canceller_add(canceller, "b");
    wait_asked(&engine, "b", 1);
    canceller_remove(canceller, "a"); /* once is enough */
    canceller_remove(canceller, "unknown");
    asked = asked_count(&engine, "a");
    wait_asked(&engine, "b", asked_count(&engine, "b") + 3);
    assert_true(asked_count(&engine, "a") <= asked + 1);
    canceller_remove(canceller, "b");
    canceller_add(canceller, "c"); /* empty in between */
    wait_asked(&engine, "c", 1);
    canceller_stop(canceller);
}

/* A new tag does not wait for the turn of the others. */
static void test_first_ask_is_at_once(void **state)
{
    struct spark_engine engine;
    struct canceller *canceller = start(&engine);
    struct monotime begin;
    int64_t best_ms = INT64_MAX;

    (void)state;
    canceller_add(canceller, "old");
    wait_asked(&engine, "old", 1);
    for (int i = 0; i < 8; i++) { /* the best of some: the machine may be busy */
        char tag[] = {(char)('a' + i), '\0'};
        int64_t span_ms = 0;

        begin = monotime_now();
        canceller_add(canceller, tag);
        wait_asked(&engine, tag, 1);
        span_ms = monotime_span_ms(begin, monotime_now());
        best_ms = span_ms < best_ms ? span_ms : best_ms;
    }
    assert_true(best_ms < REPEAT_MS / 2);
    canceller_stop(canceller);
}

static void test_stop_with_entries(void **state)
{
    struct spark_engine engine;
    struct canceller *canceller = start(&engine);

    (void)state;
    canceller_add(canceller, "a");
    canceller_add(canceller, "b");
    canceller_stop(canceller); /* the leak checker looks at the rest */
    assert_int_equal(atomic_load(&engine.attach.count), 0);
}

static void test_failed_attach(void **state)
{
    struct spark_engine engine = {.attach = {.refuses = true}};
    struct canceller *canceller = NULL;
    struct error err;

    (void)state;
    assert_int_equal(canceller_start(&engine, 64, &canceller, &err), -1);
    assert_null(canceller);
    assert_string_equal(err.detail, "canceller may not attach");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asks_again),        cmocka_unit_test(test_remove_stops_it),
        cmocka_unit_test(test_add_twice),         cmocka_unit_test(test_first_ask_is_at_once),
        cmocka_unit_test(test_stop_with_entries), cmocka_unit_test(test_failed_attach),
    };

    return cmocka_run_group_tests_name("canceller", tests, NULL, NULL);
}
