/* The pool's own logic, with connections that are only counted. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../../service/deadline.h"
#include "../../service/mysql_connection.h"
#include "../../service/mysql_pool.h"

#define PATIENCE_MS 20000

struct mysql_connection {
    bool quiet;
};

static atomic_int opened;
static atomic_int closed;
static atomic_bool refuses;

int mysql_connection_open(const struct mysql_target *target,
                          const struct mysql_connection_limits *limits,
                          struct mysql_connection **ret_connection, struct error *err)
{
    (void)target;
    (void)limits;
    if (refuses)
        return error_set(err, ERROR_SOURCE_ERROR, "told to refuse");
    *ret_connection = calloc(1, sizeof(**ret_connection));
    assert_non_null(*ret_connection);
    (*ret_connection)->quiet = true;
    opened++;
    return 0;
}

void mysql_connection_close(struct mysql_connection *connection)
{
    if (connection != NULL)
        closed++;
    free(connection);
}

bool mysql_connection_is_quiet(const struct mysql_connection *connection)
{
    return connection->quiet;
}

void mysql_connection_thread_end(void)
{
}

/* ---- a pool and what it is asked ---- */

static struct mysql_target target_of(const char *password)
{
    return (struct mysql_target){.host = (char *)"h",
                                 .port = 3306,
                                 .user = (char *)"u",
                                 .password = (char *)(uintptr_t)password};
}

static struct mysql_pool *open_pool(size_t limit, int64_t idle_ms)
{
    const struct mysql_pool_config config = {
        .limit = limit, .idle_ms = idle_ms, .connect_timeout_ms = 1000};
    struct mysql_pool *pool = NULL;
    struct error err;

    opened = 0;
    closed = 0;
    refuses = false;
    assert_int_equal(mysql_pool_new(&config, &pool, &err), 0);
    return pool;
}

struct taker {
    struct mysql_pool *pool;
    struct mysql_target target;
    struct mysql_cutoff cutoff;
    int64_t timeout_ms;
    struct mysql_lease lease;
    struct error err;
    int rc;
    pthread_t thread;
};

static void taker_init(struct taker *taker, struct mysql_pool *pool, const char *password)
{
    memset(taker, 0, sizeof(*taker));
    taker->pool = pool;
    taker->target = target_of(password);
    taker->timeout_ms = PATIENCE_MS;
    mysql_cutoff_init(&taker->cutoff);
}

static void *take(void *argument)
{
    struct taker *taker = argument;

    taker->rc = mysql_pool_take(taker->pool, &taker->target, &taker->cutoff,
                                monotime_after(monotime_now(), taker->timeout_ms), &taker->lease,
                                &taker->err);
    return NULL;
}

static void take_now(struct taker *taker, struct mysql_pool *pool, const char *password)
{
    taker_init(taker, pool, password);
    take(taker);
    assert_int_equal(taker->rc, 0);
}

static void give_back(struct taker *taker, bool usable)
{
    mysql_pool_give_back(taker->pool, &taker->lease, usable);
    assert_null(taker->lease.connection);
    mysql_cutoff_done(&taker->cutoff);
}

static void look_again(void)
{
    const struct timespec span = {.tv_nsec = 1000000};

    nanosleep(&span, NULL);
}

static void begin_waiting(struct taker *taker, struct mysql_pool *pool, int64_t timeout_ms)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    taker_init(taker, pool, "p");
    taker->timeout_ms = timeout_ms;
    assert_int_equal(pthread_create(&taker->thread, NULL, take, taker), 0);
    while (mysql_pool_count(pool).waiting == 0 && !monotime_reached(limit, monotime_now()))
        look_again();
}

static void wait_open(struct mysql_pool *pool, size_t open)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    while (mysql_pool_count(pool).open != open) {
        assert_false(monotime_reached(limit, monotime_now()));
        look_again();
    }
}

/* ---- tests ---- */

static void test_idle_ones_are_used_again(void **state)
{
    struct mysql_pool *pool = open_pool(2, 60000);
    struct taker taker;

    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        take_now(&taker, pool, "p");
        assert_int_equal(taker.lease.fresh, turn == 0);
        give_back(&taker, true);
    }
    assert_int_equal(opened, 1);
    assert_int_equal(mysql_pool_count(pool).idle, 1);
    mysql_pool_free(pool);
    assert_int_equal(closed, 1);
}

static void test_an_idle_one_without_waiting(void **state)
{
    struct mysql_pool *pool = open_pool(1, 60000);
    struct mysql_target target = target_of("p");
    struct mysql_lease lease = {0};
    struct taker taker;

    (void)state;
    assert_false(mysql_pool_take_idle(pool, &target, &lease)); /* makes none */
    assert_int_equal(mysql_pool_count(pool).sources, 0);
    take_now(&taker, pool, "p");
    assert_false(mysql_pool_take_idle(pool, &target, &lease));
    give_back(&taker, true);
    assert_true(mysql_pool_take_idle(pool, &target, &lease));
    assert_false(lease.fresh);
    assert_int_equal(mysql_pool_count(pool).idle, 0);
    lease.connection->quiet = false;
    mysql_pool_give_back(pool, &lease, true);
    assert_false(mysql_pool_take_idle(pool, &target, &lease)); /* left to a worker */
    assert_int_equal(mysql_pool_count(pool).idle, 1);
    mysql_pool_free(pool);
    assert_int_equal(opened, 1);
}

static void test_a_broken_one_is_not_kept(void **state)
{
    struct mysql_pool *pool = open_pool(1, 60000);
    struct taker taker;

    (void)state;
    take_now(&taker, pool, "p");
    give_back(&taker, false);
    assert_int_equal(closed, 1);
    take_now(&taker, pool, "p");
    assert_true(taker.lease.fresh);
    taker.lease.connection->quiet = false; /* the server hangs up while it is idle */
    give_back(&taker, true);
    take_now(&taker, pool, "p");
    assert_true(taker.lease.fresh);
    assert_int_equal(opened, 3);
    give_back(&taker, true);
    mysql_pool_free(pool);
    assert_int_equal(closed, 3);
}

static void test_another_password_is_another_source(void **state)
{
    struct mysql_pool *pool = open_pool(1, 60000);
    struct taker one;
    struct taker other;

    (void)state;
    take_now(&one, pool, "p");
    take_now(&other, pool, "q");
    assert_int_equal(mysql_pool_count(pool).sources, 2);
    give_back(&one, true);
    give_back(&other, true);
    take_now(&other, pool, "r");
    assert_true(other.lease.fresh);
    give_back(&other, true);
    mysql_pool_free(pool);
    assert_int_equal(opened, 3);
    assert_int_equal(closed, 3);
}

static void test_at_the_limit_one_waits(void **state)
{
    struct mysql_pool *pool = open_pool(1, 60000);
    struct taker first;
    struct taker second;

    (void)state;
    take_now(&first, pool, "p");
    begin_waiting(&second, pool, PATIENCE_MS);
    give_back(&first, true);
    pthread_join(second.thread, NULL);
    assert_int_equal(second.rc, 0);
    assert_int_equal(opened, 1);
    give_back(&second, true);
    mysql_pool_free(pool);
}

static void test_waiting_ends_with_the_deadline(void **state)
{
    struct mysql_pool *pool = open_pool(1, 60000);
    struct taker first;
    struct taker second;

    (void)state;
    take_now(&first, pool, "p");
    begin_waiting(&second, pool, 50);
    pthread_join(second.thread, NULL);
    assert_int_equal(second.rc, -1);
    assert_int_equal(second.err.code, ERROR_TIMEOUT);
    mysql_cutoff_done(&second.cutoff);
    give_back(&first, true);
    mysql_pool_free(pool);
}

static void test_waiting_ends_with_a_cut(void **state)
{
    struct mysql_pool *pool = open_pool(1, 60000);
    struct taker first;
    struct taker second;

    (void)state;
    take_now(&first, pool, "p");
    begin_waiting(&second, pool, PATIENCE_MS);
    mysql_cutoff_cut(&second.cutoff);
    mysql_pool_wake(pool);
    pthread_join(second.thread, NULL);
    assert_int_equal(second.rc, -1);
    assert_int_equal(second.err.code, ERROR_CANCELLED);
    mysql_cutoff_done(&second.cutoff);
    give_back(&first, false);
    mysql_pool_free(pool);
}

static void test_a_failed_connect_frees_its_place(void **state)
{
    struct mysql_pool *pool = open_pool(1, 60000);
    struct taker taker;

    (void)state;
    refuses = true;
    taker_init(&taker, pool, "p");
    take(&taker);
    assert_int_equal(taker.rc, -1);
    assert_int_equal(taker.err.code, ERROR_SOURCE_ERROR);
    mysql_cutoff_done(&taker.cutoff);
    assert_int_equal(mysql_pool_count(pool).open, 0);
    refuses = false;
    take_now(&taker, pool, "p");
    give_back(&taker, true);
    mysql_pool_free(pool);
}

static void test_idle_ones_are_closed(void **state)
{
    struct mysql_pool *pool = open_pool(4, 20);
    struct taker takers[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        take_now(&takers[i], pool, "p");
    for (size_t i = 0; i < 3; i++)
        give_back(&takers[i], true);
    wait_open(pool, 0);
    mysql_pool_free(pool);
    assert_int_equal(closed, 3);
}

#define CROWD 16
#define TURNS 200

static void *come_and_go(void *argument)
{
    struct taker *taker = argument;

    for (int turn = 0; turn < TURNS; turn++) {
        take(taker);
        if (taker->rc == 0)
            mysql_pool_give_back(taker->pool, &taker->lease, turn % 7 != 0);
    }
    return NULL;
}

static void test_a_crowd_stays_within_the_limit(void **state)
{
    struct mysql_pool *pool = open_pool(3, 1);
    struct taker takers[CROWD];

    (void)state;
    for (size_t i = 0; i < CROWD; i++) {
        taker_init(&takers[i], pool, i % 2 == 0 ? "p" : "q");
        assert_int_equal(pthread_create(&takers[i].thread, NULL, come_and_go, &takers[i]), 0);
    }
    for (size_t i = 0; i < CROWD; i++) {
        assert_true(mysql_pool_count(pool).open <= 6);
        pthread_join(takers[i].thread, NULL);
        assert_int_equal(takers[i].rc, 0);
        mysql_cutoff_done(&takers[i].cutoff);
    }
    mysql_pool_free(pool);
    assert_int_equal(opened, closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle_ones_are_used_again),
        cmocka_unit_test(test_an_idle_one_without_waiting),
        cmocka_unit_test(test_a_broken_one_is_not_kept),
        cmocka_unit_test(test_another_password_is_another_source),
        cmocka_unit_test(test_at_the_limit_one_waits),
        cmocka_unit_test(test_waiting_ends_with_the_deadline),
        cmocka_unit_test(test_waiting_ends_with_a_cut),
        cmocka_unit_test(test_a_failed_connect_frees_its_place),
        cmocka_unit_test(test_idle_ones_are_closed),
        cmocka_unit_test(test_a_crowd_stays_within_the_limit),
    };

    return cmocka_run_group_tests_name("mysql_pool", tests, NULL, NULL);
}
