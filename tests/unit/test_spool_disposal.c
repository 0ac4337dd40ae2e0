/* needs: unit/arrow_build.c */
/* Spools given back: their bytes are free again, whoever gives the last part back. */
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/deadline.h"
#include "../../service/delivery_pool.h"
#include "../../service/reply_channel.h"
#include "../../service/result_spool.h"
#include "../../service/spool_disposal.h"
#include "arrow_build.h"

#define PATIENCE_MS 20000
#define MANY 50

struct rig {
    char folder[32];
    struct event_base *base;
    struct reply_channel *channel;
    struct delivery_pool *pool;
    struct spool_store *store;
    struct spool_disposal *disposal;
};

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct error err;

    assert_non_null(rig);
    snprintf(rig->folder, sizeof(rig->folder), "/tmp/disposal-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    rig->base = event_base_new();
    assert_int_equal(reply_channel_new(rig->base, &rig->channel, &err), 0);
    assert_int_equal(delivery_pool_start(2, &rig->pool, &err), 0);
    rig->store = spool_store_new(rig->folder, (int64_t)1 << 30);
    rig->disposal = spool_disposal_new(rig->pool, rig->channel);
    assert_non_null(rig->disposal);
    *state = rig;
    return 0;
}

/* In the order of the service; what is left on its way must not be lost. */
static int tear_down(void **state)
{
    struct rig *rig = *state;

    spool_disposal_stop(rig->disposal);
    delivery_pool_stop(rig->pool);
    reply_channel_free(rig->channel);
    spool_disposal_free(rig->disposal);
    assert_int_equal(spool_store_bytes(rig->store), 0);
    spool_store_free(rig->store);
    event_base_free(rig->base);
    assert_int_equal(rmdir(rig->folder), 0); /* no file is left */
    free(rig);
    return 0;
}

static struct result_spool *make_spool(const struct rig *rig)
{
    const int64_t values[] = {1, 2, 3};
    struct arrow_built *batch = arrow_build_struct(
        "", 3, NULL, 1, (struct arrow_built *[]){arrow_build_fixed("n", "l", 8, values, 3, NULL)});
    struct result_spool *spool = NULL;
    struct error err;

    assert_int_equal(result_spool_new(rig->store, &batch->schema, &spool, &err), 0);
    assert_int_equal(result_spool_append(spool, &batch->array, 0, 3, &err), 0);
    arrow_build_free(batch);
    assert_true(spool_store_bytes(rig->store) > 0);
    return spool;
}

static void test_given_back_by_the_pool(void **state)
{
    const struct rig *rig = *state;
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    for (int i = 0; i < MANY; i++)
        spool_disposal_take(rig->disposal, make_spool(rig));
    spool_disposal_take(rig->disposal, NULL);
    while (spool_store_bytes(rig->store) > 0) {
        assert_false(monotime_reached(limit, monotime_now()));
        assert_true(event_base_loop(rig->base, EVLOOP_NONBLOCK) >= 0);
    }
}

/* Another holder goes on reading. */
static void test_not_the_last_holder(void **state)
{
    const struct rig *rig = *state;
    struct result_spool *spool = make_spool(rig);
    struct ArrowArray batch = {0};
    struct error err;

    result_spool_hold(spool);
    spool_disposal_take(rig->disposal, spool);
    assert_int_equal(result_spool_read(spool, 0, &batch, &err), SPOOL_BATCH);
    assert_int_equal(batch.length, 3);
    batch.release(&batch);
    result_spool_release(spool);
}

static void test_after_the_stop(void **state)
{
    const struct rig *rig = *state;

    spool_disposal_stop(rig->disposal);
    spool_disposal_take(rig->disposal, make_spool(rig));
    assert_int_equal(spool_store_bytes(rig->store), 0);
    spool_disposal_take(NULL, make_spool(rig));
    assert_int_equal(spool_store_bytes(rig->store), 0);
}

/* The pool stops before it came to them: see tear_down. */
static void test_stop_with_some_on_their_way(void **state)
{
    const struct rig *rig = *state;

    for (int i = 0; i < MANY; i++)
        spool_disposal_take(rig->disposal, make_spool(rig));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ONE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        ONE(test_given_back_by_the_pool),
        ONE(test_not_the_last_holder),
        ONE(test_after_the_stop),
        ONE(test_stop_with_some_on_their_way),
#undef ONE
    };

    return cmocka_run_group_tests_name("spool_disposal", tests, NULL, NULL);
}
