/* When a session is made new, and what is remembered of statements, at each bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/mysql_session.h"
#include "../../service/mysql_tables.h"

#define LONG_MS (INT64_C(3600) * 1000)
#define SQL "SELECT a FROM t WHERE b = 1"

static struct {
    struct mysql_shapes shapes;
    struct monotime new_since;
    int renewals;
    int looks;
    bool are_tables;
    bool renews;
    bool reusable;
} fake;

/* The connection, by script. */

struct mysql_modes mysql_connection_modes(const struct mysql_connection *connection)
{
    (void)connection;
    return (struct mysql_modes){0};
}

bool mysql_connection_may_be_reused(const struct mysql_connection *connection)
{
    (void)connection;
    return fake.reusable;
}

struct mysql_shapes *mysql_connection_shapes(struct mysql_connection *connection)
{
    (void)connection;
    return &fake.shapes;
}

struct monotime mysql_connection_new_since(const struct mysql_connection *connection)
{
    (void)connection;
    return fake.new_since;
}

bool mysql_connection_renew(struct mysql_connection *connection)
{
    (void)connection;
    fake.renewals++;
    fake.new_since = monotime_now();
    return fake.renews;
}

struct st_mysql *mysql_connection_handle(const struct mysql_connection *connection)
{
    (void)connection;
    return NULL;
}

int mysql_connection_check(struct st_mysql *handle, struct error *err)
{
    (void)handle;
    (void)err;
    return 0;
}

bool mysql_tables_are_tables(struct st_mysql *handle, const struct mysql_plain *plain)
{
    (void)handle;
    (void)plain;
    fake.looks++;
    return fake.are_tables;
}

static int begin(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof(fake));
    fake.are_tables = fake.renews = fake.reusable = true;
    fake.new_since = monotime_now();
    return mysql_shapes_init(&fake.shapes, 2);
}

static int end(void **state)
{
    (void)state;
    mysql_shapes_done(&fake.shapes);
    return 0;
}

/* How often the session was made new for it; before and after are one each. */
static int run_for(const char *sql, int64_t reuse_ms, bool *ret_as_text)
{
    struct mysql_session session;
    struct error err = {0};
    int before = fake.renewals;

    assert_int_equal(mysql_session_begin(NULL, sql, reuse_ms, &session, &err), 0);
    *ret_as_text = session.as_text;
    assert_true(mysql_session_end(&session, true, true));
    return fake.renewals - before;
}

static void check_run(const char *sql, int renewals, bool as_text)
{
    bool was_text = !as_text;

    assert_int_equal(run_for(sql, LONG_MS, &was_text), renewals);
    assert_int_equal(was_text, as_text);
}

static void test_proven_at_the_second_time(void **state)
{
    (void)state;
    check_run(SQL, 2, false);
    assert_int_equal(fake.looks, 0);
    check_run("SELECT a FROM t WHERE b = 22", 2, false);
    assert_int_equal(fake.looks, 1);
    check_run("SELECT a FROM t WHERE b = 333", 0, true);
    check_run(SQL, 0, true);
    assert_int_equal(fake.looks, 1);
    check_run("SELECT a FROM u WHERE b = 1", 2, false);
    check_run("SELECT @a", 2, false);
    check_run(NULL, 2, false);
    check_run(SQL, 0, true);
}

static void test_no_table_is_asked_about_again_and_again(void **state)
{
    (void)state;
    fake.are_tables = false;
    for (int i = 0; i < 5; i++)
        check_run(SQL, 2, false);
    assert_int_equal(fake.looks, 1);
}

static void test_after_the_time_it_is_made_new(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        check_run(SQL, 2, false);
    fake.new_since = monotime_after(monotime_now(), -LONG_MS + 1000);
    check_run(SQL, 0, true);
    fake.new_since = monotime_after(monotime_now(), -LONG_MS);
    check_run(SQL, 1, true); /* behind it */
    /* What was looked up is too old: prepared, looked up anew. */
    mysql_shapes_find(&fake.shapes, "SELECT a FROM t WHERE b = 0")->looked_until = monotime_now();
    check_run(SQL, 2, false);
    assert_int_equal(fake.looks, 2);
    check_run(SQL, 0, true);
    /* One that comes seldom isn't worth a look. */
    mysql_shapes_find(&fake.shapes, "SELECT a FROM t WHERE b = 0")->looked_until = monotime_now();
    mysql_shapes_find(&fake.shapes, "SELECT a FROM t WHERE b = 0")->used =
        monotime_after(monotime_now(), -LONG_MS);
    check_run(SQL, 2, false);
    assert_int_equal(fake.looks, 2);
}

/* Once SQL is proven; `ret_settled`: its end needs nothing of the server. */
static bool join(int64_t margin_ms, bool *ret_settled)
{
    struct mysql_session session;

    if (!mysql_session_join(NULL, SQL, LONG_MS, margin_ms, &session))
        return false;
    *ret_settled = mysql_session_settle(&session);
    mysql_session_drop(&session);
    return true;
}

static void test_joined_only_when_nothing_is_to_be_asked(void **state)
{
    struct mysql_session session;
    bool settled = false;

    (void)state;
    assert_false(join(0, &settled));
    check_run(SQL, 2, false);
    assert_false(join(0, &settled));
    check_run(SQL, 2, false);
    assert_true(join(1000, &settled));
    assert_true(settled);
    assert_false(join(LONG_MS, &settled));
    fake.new_since = monotime_after(monotime_now(), -LONG_MS);
    assert_false(join(0, &settled));
    fake.new_since = monotime_now();
    mysql_shapes_find(&fake.shapes, "SELECT a FROM t WHERE b = 0")->as_text = false;
    assert_false(join(0, &settled));
    mysql_shapes_find(&fake.shapes, "SELECT a FROM t WHERE b = 0")->as_text = true;
    mysql_shapes_find(&fake.shapes, "SELECT a FROM t WHERE b = 0")->looked_until = monotime_now();
    assert_false(join(0, &settled));
    mysql_shapes_find(&fake.shapes, "SELECT a FROM t WHERE b = 0")->looked_until =
        monotime_after(monotime_now(), LONG_MS);
    assert_false(mysql_session_join(NULL, "SELECT @a", LONG_MS, 0, &session));
    assert_int_equal(fake.looks, 1);
    assert_int_equal(fake.renewals, 4);
}

static void test_what_is_settled_asks_nothing_however_late(void **state)
{
    struct mysql_session session;

    (void)state;
    check_run(SQL, 2, false);
    check_run(SQL, 2, false);
    assert_true(mysql_session_join(NULL, SQL, LONG_MS, 0, &session));
    assert_true(mysql_session_settle(&session));
    fake.new_since = monotime_after(monotime_now(), -LONG_MS);
    mysql_shapes_find(&fake.shapes, "SELECT a FROM t WHERE b = 0")->looked_until = monotime_now();
    assert_true(mysql_session_end(&session, true, true));
    assert_int_equal(fake.renewals, 4);
    assert_int_equal(fake.looks, 1);
    /* Too late to be settled: it ends as any other. */
    mysql_shapes_find(&fake.shapes, "SELECT a FROM t WHERE b = 0")->looked_until =
        monotime_after(monotime_now(), LONG_MS);
    fake.new_since = monotime_now();
    assert_true(mysql_session_join(NULL, SQL, LONG_MS, 0, &session));
    fake.new_since = monotime_after(monotime_now(), -LONG_MS);
    assert_false(mysql_session_settle(&session));
    assert_true(mysql_session_end(&session, true, true));
    assert_int_equal(fake.renewals, 5);
}

static void test_never(void **state)
{
    bool as_text = true;

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(run_for(SQL, 0, &as_text), 2);
    assert_false(as_text);
    fake.reusable = false;
    for (int i = 0; i < 4; i++)
        check_run(SQL, 2, false);
    assert_int_equal(fake.shapes.count, 0);
    assert_int_equal(fake.looks, 0);
}

static void test_a_failure_makes_new(void **state)
{
    struct mysql_session session;
    struct error err = {0};

    (void)state;
    check_run(SQL, 2, false);
    check_run(SQL, 2, false);
    assert_int_equal(mysql_session_begin(NULL, SQL, LONG_MS, &session, &err), 0);
    assert_true(session.is_proven);
    assert_true(mysql_session_end(&session, false, true));
    assert_int_equal(fake.renewals, 5);
    fake.renews = false;
    assert_int_equal(mysql_session_begin(NULL, SQL, LONG_MS, &session, &err), 0);
    assert_false(mysql_session_end(&session, false, true));
    assert_int_equal(mysql_session_begin(NULL, NULL, LONG_MS, &session, &err), -1);
}

static void test_the_latest_used_shapes_are_kept(void **state)
{
    char text[MYSQL_SHAPE_BYTES_MAX + 2];
    struct monotime now = monotime_now();

    (void)state;
    mysql_shapes_add(&fake.shapes, "a", now);
    mysql_shapes_add(&fake.shapes, "b", monotime_after(now, 1));
    mysql_shapes_find(&fake.shapes, "a")->used = monotime_after(now, 2);
    mysql_shapes_add(&fake.shapes, "c", monotime_after(now, 3));
    assert_int_equal(fake.shapes.count, 2);
    assert_non_null(mysql_shapes_find(&fake.shapes, "a"));
    assert_null(mysql_shapes_find(&fake.shapes, "b"));
    assert_non_null(mysql_shapes_find(&fake.shapes, "c"));
    memset(text, 'x', sizeof(text));
    text[MYSQL_SHAPE_BYTES_MAX + 1] = '\0';
    mysql_shapes_add(&fake.shapes, text, monotime_after(now, 4));
    assert_null(mysql_shapes_find(&fake.shapes, text));
    text[MYSQL_SHAPE_BYTES_MAX] = '\0';
    mysql_shapes_add(&fake.shapes, text, monotime_after(now, 5));
    assert_non_null(mysql_shapes_find(&fake.shapes, text));
    mysql_shapes_done(&fake.shapes);
    assert_int_equal(mysql_shapes_init(&fake.shapes, 0), 0);
    mysql_shapes_add(&fake.shapes, "a", now);
    assert_null(mysql_shapes_find(&fake.shapes, "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_proven_at_the_second_time, begin, end),
        cmocka_unit_test_setup_teardown(test_no_table_is_asked_about_again_and_again, begin, end),
        cmocka_unit_test_setup_teardown(test_after_the_time_it_is_made_new, begin, end),
        cmocka_unit_test_setup_teardown(test_joined_only_when_nothing_is_to_be_asked, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_settled_asks_nothing_however_late, begin, end),
        cmocka_unit_test_setup_teardown(test_never, begin, end),
        cmocka_unit_test_setup_teardown(test_a_failure_makes_new, begin, end),
        cmocka_unit_test_setup_teardown(test_the_latest_used_shapes_are_kept, begin, end),
    };

    return cmocka_run_group_tests_name("mysql_session", tests, NULL, NULL);
}
