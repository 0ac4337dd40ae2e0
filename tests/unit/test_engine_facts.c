/* needs: unit/spark_attach.c */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../../jni/spark_engine.h"
#include "../../service/deadline.h"
#include "../../service/engine_facts.h"
#include "spark_attach.h"

#define PATIENCE_MS 20000

/* The engine of this test runs queries "q0" .. of which each is as far as its number. */
struct spark_engine {
    struct spark_attach attach;
    atomic_int pulls;
    atomic_int queries;
    atomic_bool fails;
    atomic_bool hangs; /* for ever */
};

int spark_engine_facts(struct spark_thread *thread, struct spark_facts *ret_facts,
                       struct error *err)
{
    struct spark_engine *engine = thread->engine;
    size_t count = (size_t)atomic_load(&engine->queries);
    const struct timespec nap = {.tv_nsec = 1000000};

    atomic_fetch_add(&engine->pulls, 1);
    while (atomic_load(&engine->hangs))
        nanosleep(&nap, NULL);
    if (atomic_load(&engine->fails))
        return error_set(err, ERROR_ENGINE_ERROR, "silent");
    *ret_facts =
        (struct spark_facts){.waiting_bytes = 11, .spooled_bytes = 22, .reuse = {.plan_hits = 33}};
    ret_facts->memory[SPARK_MEMORY_HEAP] = (struct spark_memory){100, 200, 300};
    ret_facts->memory[SPARK_MEMORY_ARROW] = (struct spark_memory){5, -1, -1};
    ret_facts->queries = calloc(count + 1, sizeof(*ret_facts->queries));
    if (ret_facts->queries == NULL)
        abort();
    ret_facts->query_count = count;
    for (size_t i = 0; i < count; i++) {
        struct spark_query_progress *query = &ret_facts->queries[i];
        snprintf(query->tag, sizeof(query->tag), "q%zu", i);
        query->progress = (struct spark_progress){(int64_t)i, (int64_t)i + 1, (int64_t)i * 10, 100};
    }
    return 0;
}

static void nap_until_pulls(const struct spark_engine *engine, int pulls)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);
    const struct timespec look = {.tv_nsec = 1000000};

    while (atomic_load(&engine->pulls) < pulls) {
        assert_false(monotime_reached(limit, monotime_now()));
        nanosleep(&look, NULL);
    }
}

/* Two more: the first may have begun before the engine changed. */
static void nap_until_renewed(const struct spark_engine *engine)
{
    nap_until_pulls(engine, atomic_load(&engine->pulls) + 3);
}

static void test_tells_the_last_pull(void **state)
{
    struct spark_engine engine = {.queries = 3};
    struct engine_facts *facts = NULL;
    struct spark_progress progress = {.stages = -7};
    struct engine_memory memory;
    struct error err;

    (void)state;
    assert_int_equal(engine_facts_start(&engine, 2, &facts, &err), 0);
    nap_until_renewed(&engine);
    assert_true(engine_facts_progress(facts, "q2", &progress));
    assert_int_equal(progress.stages_done, 2);
    assert_int_equal(progress.stages, 3);
    assert_int_equal(progress.tasks_done, 20);
    assert_int_equal(progress.tasks, 100);
    assert_false(engine_facts_progress(facts, "q3", &progress));
    assert_int_equal(progress.stages, 3); /* left alone */
    assert_true(engine_facts_memory(facts, &memory));
    assert_int_equal(memory.areas[SPARK_MEMORY_HEAP].max_bytes, 300);
    assert_int_equal(memory.areas[SPARK_MEMORY_ARROW].committed_bytes, -1);
    assert_int_equal(memory.waiting_bytes, 11);
    assert_int_equal(memory.reuse.plan_hits, 33);
    assert_int_equal(memory.spooled_bytes, 22);
    assert_string_equal(engine_facts_area_name(SPARK_MEMORY_HEAP), "heap");
    assert_string_equal(engine_facts_area_name(SPARK_MEMORY_ARROW), "arrow");

    atomic_store(&engine.queries, 1); /* the others are over */
    nap_until_renewed(&engine);
    assert_false(engine_facts_progress(facts, "q2", &progress));
    assert_true(engine_facts_progress(facts, "q0", &progress));
    assert_true(engine_facts_stop(facts, PATIENCE_MS));
    assert_int_equal(atomic_load(&engine.attach.count), 0);
}

static void test_a_failed_pull_keeps_the_last_facts(void **state)
{
    struct spark_engine engine = {.queries = 1};
    struct engine_facts *facts = NULL;
    struct spark_progress progress;
    struct engine_memory memory;
    struct error err;

    (void)state;
    assert_int_equal(engine_facts_start(&engine, 2, &facts, &err), 0);
    nap_until_renewed(&engine);
    atomic_store(&engine.fails, true);
    nap_until_renewed(&engine);
    assert_true(engine_facts_progress(facts, "q0", &progress));
    assert_true(engine_facts_memory(facts, &memory));
    assert_true(engine_facts_stop(facts, PATIENCE_MS));
}

static void test_knows_nothing_without_an_engine(void **state)
{
    struct spark_engine engine = {.fails = true};
    struct engine_facts *facts = NULL;
    struct spark_progress progress;
    struct engine_memory memory;
    struct error err;

    (void)state;
    assert_false(engine_facts_progress(NULL, "q0", &progress));
    assert_false(engine_facts_memory(NULL, &memory));
    assert_true(engine_facts_stop(NULL, 0));

    assert_int_equal(engine_facts_start(&engine, 2, &facts, &err), 0);
    nap_until_renewed(&engine);
    assert_false(engine_facts_progress(facts, "q0", &progress));
    assert_false(engine_facts_memory(facts, &memory));
    assert_true(engine_facts_stop(facts, PATIENCE_MS));

    engine.attach.refuses = true;
    assert_int_equal(engine_facts_start(&engine, 2, &facts, &err), 0);
    assert_false(engine_facts_memory(facts, &memory));
    assert_true(engine_facts_stop(facts, PATIENCE_MS));
    assert_int_equal(atomic_load(&engine.attach.count), 0);
}

static void test_stop_does_not_wait_for_the_interval(void **state)
{
    struct spark_engine engine = {0};
    struct engine_facts *facts = NULL;
    struct error err;
    struct monotime begin = monotime_now();

    (void)state;
    assert_int_equal(engine_facts_start(&engine, 3600 * 1000, &facts, &err), 0);
    nap_until_pulls(&engine, 1);
    assert_true(engine_facts_stop(facts, PATIENCE_MS));
    assert_true(monotime_span_ms(begin, monotime_now()) < PATIENCE_MS);
}

/* Static: a pull that hangs is left behind with all that it uses. */
static struct spark_engine hanging_engine;
static struct engine_facts *hanging_facts;

static void test_hanging_one_is_left_behind(void **state)
{
    struct error err;
    struct monotime begin;

    (void)state;
    atomic_store(&hanging_engine.hangs, true);
    assert_int_equal(engine_facts_start(&hanging_engine, 1, &hanging_facts, &err), 0);
    nap_until_pulls(&hanging_engine, 1);
    begin = monotime_now();
    assert_false(engine_facts_stop(hanging_facts, 1));
    assert_true(monotime_span_ms(begin, monotime_now()) < PATIENCE_MS);
    assert_int_equal(atomic_load(&hanging_engine.attach.count), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tells_the_last_pull),
        cmocka_unit_test(test_a_failed_pull_keeps_the_last_facts),
        cmocka_unit_test(test_knows_nothing_without_an_engine),
        cmocka_unit_test(test_stop_does_not_wait_for_the_interval),
        cmocka_unit_test(test_hanging_one_is_left_behind),
    };

    return cmocka_run_group_tests_name("engine_facts", tests, NULL, NULL);
}
