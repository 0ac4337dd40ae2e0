/* Statements that are begun without blocking, against a MySQL server by script: what is whole, and what
 * a worker goes on with, from every place where it may have to. */
/* needs: fakes/scripted_mysql.c */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/byte_buffer.h"
#include "../../service/mysql_engine.h"
#include "../../service/result_writer.h"
#include "scripted_mysql.h"

#define PATIENCE_MS 20000
#define HOUR_MS (INT64_C(3600) * 1000)
#define BYTES_MAX 1000
#define MANY_ROWS 2500
#define WIDE_BYTES (1024 * 1024)

enum { LONG = 3, DOUBLE = 5, VAR_STRING = 253, BINARY = 63, TEXT = 45 };

#define LOOK_AT(name)                                                                              \
    "SELECT (SELECT COUNT(*) = 1 AND MIN(TABLE_TYPE = 'BASE TABLE' AND ENGINE IN ('InnoDB', "      \
    "'MyISAM', 'Aria')) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND "       \
    "TABLE_NAME = '" name "')"
#define PLAIN "SELECT n FROM plain WHERE n = 1"
#define ONE "[{\"n\":1}]"

static const struct scripted_column number_column[] = {{"n", LONG, 0, BINARY, 11, 0}};
static const struct scripted_column double_column[] = {{"n", DOUBLE, 0, BINARY, 22, 31}};
static const struct scripted_column wide_column[] = {{"n", VAR_STRING, 0, TEXT, WIDE_BYTES, 0}};

static const struct scripted_answer plain = {.sql = PLAIN,
                                             .columns = number_column,
                                             .column_count = 1,
                                             .row = "\0\1\0\0\0",
                                             .row_bytes = 5,
                                             .text = "\0011",
                                             .text_bytes = 2,
                                             .row_count = 1};

static struct mysql_engine *engine;

struct rig {
    struct scripted_mysql *server;
    struct mysql_cutoff cutoff;
    struct mysql_target target;
    struct mysql_query query;
};

static void begin(struct rig *rig)
{
    const struct scripted_answer answers[] = {
        plain,
        {.sql = LOOK_AT("plain"),
         .columns = number_column,
         .column_count = 1,
         .text = "\0011",
         .text_bytes = 2,
         .row_count = 1},
        {.sql = NULL},
    };

    memset(rig, 0, sizeof(*rig));
    rig->server = scripted_mysql_start(answers, "ONLY_FULL_GROUP_BY");
    mysql_cutoff_init(&rig->cutoff);
    rig->target = (struct mysql_target){.host = (char *)"127.0.0.1",
                                        .port = scripted_mysql_port(rig->server),
                                        .user = (char *)"reader",
                                        .password = (char *)"secret",
                                        .database = (char *)"app",
                                        .tls.mode = MYSQL_TLS_DISABLED};
    rig->query = (struct mysql_query){.target = &rig->target,
                                      .sql = PLAIN,
                                      .cutoff = &rig->cutoff,
                                      .timeout_ms = PATIENCE_MS,
                                      .row_limit = -1};
}

static void end(struct rig *rig)
{
    mysql_cutoff_done(&rig->cutoff);
    scripted_mysql_stop(rig->server);
}

/* The rows of an open cursor as JSON, and closes it. */
static void check_rows(struct mysql_cursor *cursor, const char *wanted)
{
    const struct result_options options = {.choice.format = RESULT_JSON};
    struct result_writer *writer = NULL;
    struct result_end over = RESULT_END_UNKNOWN;
    struct byte_buffer out = {0};
    struct ArrowArray batch = {0};
    struct error err = {0};
    int rc = 0;

    assert_int_equal(result_writer_new(mysql_cursor_schema(cursor), &options, &writer, &err), 0);
    result_writer_begin(writer, &out);
    while ((rc = mysql_cursor_next(cursor, &batch, &err)) == 1) {
        assert_int_equal(result_writer_rows(writer, &batch, 0, batch.length, &out, &err), 0);
        batch.release(&batch);
    }
    if (rc != 0)
        fail_msg("%s", err.detail);
    result_writer_end(writer, &over, &out);
    result_writer_free(writer);
    mysql_cursor_close(cursor);
    byte_buffer_append_char(&out, '\0');
    if (wanted != NULL)
        assert_string_equal(out.data, wanted);
    else /* MANY_ROWS of ONE's */
        assert_int_equal(out.length, MANY_ROWS * strlen("{\"n\":1},") + strlen("[]"));
    byte_buffer_done(&out);
}

static void run_usually(struct rig *rig, const char *wanted)
{
    struct mysql_cursor *cursor = NULL;
    struct error err = {0};

    if (mysql_cursor_open(engine, &rig->query, &cursor, &err) != 0)
        fail_msg("%s", err.detail);
    check_rows(cursor, wanted);
}

/* So that the connection knows the statement. */
static void learn(struct rig *rig)
{
    assert_null(mysql_cursor_begin(engine, &rig->query, 0));
    run_usually(rig, ONE);
    assert_null(mysql_cursor_begin(engine, &rig->query, 0));
    run_usually(rig, ONE);
}

static struct mysql_cursor *begin_and_send(struct rig *rig)
{
    struct mysql_cursor *cursor = mysql_cursor_begin(engine, &rig->query, 0);

    assert_non_null(cursor);
    mysql_cursor_send(cursor);
    return cursor;
}

/* A begun one of a server that answers like this from now on. */
static struct mysql_cursor *begin_with(struct rig *rig, struct scripted_answer answer)
{
    learn(rig);
    scripted_mysql_change(rig->server, &answer);
    return begin_and_send(rig);
}

static void wait_readable(const struct mysql_cursor *cursor)
{
    struct pollfd socket = {.fd = mysql_cursor_fd(cursor), .events = POLLIN};

    assert_int_equal(poll(&socket, 1, PATIENCE_MS), 1);
}

/* As the loop does. */
static enum mysql_progress look(struct mysql_cursor *cursor)
{
    enum mysql_progress progress = MYSQL_PROGRESS_WAITS;

    while (progress == MYSQL_PROGRESS_WAITS) {
        wait_readable(cursor);
        progress = mysql_cursor_look(cursor, BYTES_MAX);
    }
    return progress;
}

static void go_on(struct mysql_cursor *cursor)
{
    struct error err = {0};

    if (mysql_cursor_go_on(cursor, &err) != 0)
        fail_msg("%s", err.detail);
}

static void check_fails(struct mysql_cursor *cursor, enum error_code code, const char *sqlstate)
{
    struct error err = {0};

    assert_int_equal(mysql_cursor_go_on(cursor, &err), -1);
    assert_string_equal(error_code_name(err.code), error_code_name(code));
    assert_string_equal(err.sqlstate, sqlstate);
    mysql_cursor_close(cursor);
}

static size_t sessions_made(struct rig *rig)
{
    return scripted_mysql_count(rig->server, "SET NAMES");
}

/* ---- what is whole ---- */

static void test_a_whole_answer(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    learn(&rig);
    for (int i = 0; i < 3; i++) {
        struct mysql_cursor *cursor = begin_and_send(&rig);

        assert_int_equal(look(cursor), MYSQL_PROGRESS_WHOLE);
        go_on(cursor);
        check_rows(cursor, ONE);
        run_usually(&rig, ONE); /* the blocking way takes turns with it */
    }
    assert_int_equal(scripted_mysql_connections(rig.server), 1);
    assert_int_equal(scripted_mysql_executes(rig.server), 2);
    assert_int_equal(scripted_mysql_count(rig.server, PLAIN), 2 + 6);
    assert_int_equal(sessions_made(&rig), 3);
    end(&rig);
}

static void test_no_rows_are_whole(void **state)
{
    struct scripted_answer none = plain;
    struct mysql_cursor *cursor = NULL;
    struct rig rig;

    (void)state;
    begin(&rig);
    none.row_count = 0;
    cursor = begin_with(&rig, none);
    assert_int_equal(look(cursor), MYSQL_PROGRESS_WHOLE);
    go_on(cursor);
    check_rows(cursor, "[]");
    end(&rig);
}

static void test_whole_and_thrown_away(void **state)
{
    struct mysql_cursor *cursor = NULL;
    struct rig rig;

    (void)state;
    begin(&rig);
    cursor = begin_with(&rig, plain);
    assert_int_equal(look(cursor), MYSQL_PROGRESS_WHOLE);
    mysql_cursor_close(cursor);
    assert_int_equal(scripted_mysql_count(rig.server, "KILL"), 0);
    run_usually(&rig, ONE);
    assert_int_equal(scripted_mysql_connections(rig.server), 1);
    end(&rig);
}

/* ---- what isn't begun ---- */

static void test_only_what_is_known_is_begun(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    learn(&rig);
    rig.query.sql = "SELECT n FROM other WHERE n = 1";
    assert_null(mysql_cursor_begin(engine, &rig.query, 0));
    rig.query.sql = "SELECT @n";
    assert_null(mysql_cursor_begin(engine, &rig.query, 0));
    rig.query.sql = PLAIN;
    rig.query.row_limit = 10; /* the session has another */
    assert_null(mysql_cursor_begin(engine, &rig.query, 0));
    rig.query.row_limit = -1;
    rig.query.params_json = "{\"a\":1}"; /* which the statement doesn't name */
    assert_null(mysql_cursor_begin(engine, &rig.query, 0));
    rig.query.params_json = NULL;
    assert_null(mysql_cursor_begin(engine, &rig.query, HOUR_MS)); /* the session would be due */
    rig.target.password = (char *)"another";
    assert_null(mysql_cursor_begin(engine, &rig.query, 0));
    rig.target.password = (char *)"secret";
    assert_int_equal(scripted_mysql_count(rig.server, PLAIN), 2);
    run_usually(&rig, ONE);
    assert_int_equal(scripted_mysql_connections(rig.server), 1);
    end(&rig);
}

/* ---- what a worker goes on with ---- */

static void test_an_answer_that_hasnt_begun(void **state)
{
    struct scripted_answer answer = plain;
    struct mysql_cursor *cursor = NULL;
    struct rig rig;

    (void)state;
    begin(&rig);
    answer.end = SCRIPTED_WAITS_FIRST;
    for (int i = 0; i < 2; i++) {
        cursor = i == 0 ? begin_with(&rig, answer) : begin_and_send(&rig);
        if (i == 0) { /* nothing has come: the step is suspended, and the worker waits for it */
            assert_int_equal(mysql_cursor_look(cursor, BYTES_MAX), MYSQL_PROGRESS_WAITS);
            scripted_mysql_go_on(rig.server);
        }
        go_on(cursor);
        check_rows(cursor, ONE);
    }
    assert_int_equal(scripted_mysql_connections(rig.server), 1);
    assert_int_equal(sessions_made(&rig), 3);
    end(&rig);
}

static void test_a_statement_that_isnt_sent(void **state)
{
    struct mysql_cursor *cursor = NULL;
    struct rig rig;

    (void)state;
    begin(&rig);
    learn(&rig);
    cursor = mysql_cursor_begin(engine, &rig.query, 0);
    assert_non_null(cursor);
    go_on(cursor); /* sends it */
    check_rows(cursor, ONE);
    assert_int_equal(scripted_mysql_count(rig.server, PLAIN), 3);
    cursor = mysql_cursor_begin(engine, &rig.query, 0);
    assert_non_null(cursor);
    mysql_cursor_close(cursor);
    run_usually(&rig, ONE);
    assert_int_equal(scripted_mysql_count(rig.server, "KILL"), 0);
    assert_int_equal(scripted_mysql_connections(rig.server), 1);
    end(&rig);
}

static void test_rows_of_which_some_have_come(void **state)
{
    struct scripted_answer answer = plain;
    struct mysql_cursor *cursor = NULL;
    struct rig rig;

    (void)state;
    begin(&rig);
    answer.end = SCRIPTED_WAITS;
    answer.row_count = 2;
    cursor = begin_with(&rig, answer);
    wait_readable(cursor);
    assert_int_equal(mysql_cursor_look(cursor, BYTES_MAX), MYSQL_PROGRESS_WAITS);
    scripted_mysql_go_on(rig.server);
    go_on(cursor);
    check_rows(cursor, "[{\"n\":1},{\"n\":1}]");
    assert_int_equal(scripted_mysql_connections(rig.server), 1);
    assert_int_equal(sessions_made(&rig), 3);
    end(&rig);
}

static void test_more_rows_than_it_may_be(void **state)
{
    struct scripted_answer answer = plain;
    struct mysql_cursor *cursor = NULL;
    struct rig rig;

    (void)state;
    begin(&rig);
    answer.row_count = MANY_ROWS;
    cursor = begin_with(&rig, answer);
    assert_int_equal(look(cursor), MYSQL_PROGRESS_LARGE);
    go_on(cursor);
    check_rows(cursor, NULL);
    assert_int_equal(scripted_mysql_connections(rig.server), 1);
    /* The bound itself: a cell counts its bytes, its column's name and 8 more. */
    answer.row_count = 3;
    scripted_mysql_change(rig.server, &answer);
    for (int less = 0; less < 2; less++) {
        enum mysql_progress progress = MYSQL_PROGRESS_WAITS;

        cursor = begin_and_send(&rig);
        while (progress == MYSQL_PROGRESS_WAITS) {
            wait_readable(cursor);
            progress = mysql_cursor_look(cursor, (size_t)(3 * 10 - less));
        }
        assert_int_equal(progress, less == 0 ? MYSQL_PROGRESS_WHOLE : MYSQL_PROGRESS_LARGE);
        go_on(cursor);
        check_rows(cursor, "[{\"n\":1},{\"n\":1},{\"n\":1}]");
    }
    end(&rig);
}

static void test_rows_that_may_be_wide(void **state)
{
    struct scripted_answer answer = plain;
    struct mysql_cursor *cursor = NULL;
    struct rig rig;

    (void)state;
    begin(&rig);
    answer.columns = wide_column;
    cursor = begin_with(&rig, answer);
    assert_int_equal(look(cursor), MYSQL_PROGRESS_LARGE);
    go_on(cursor);
    check_rows(cursor, "[{\"n\":\"1\"}]");
    end(&rig);
}

static void test_errors_of_the_statement(void **state)
{
    struct scripted_answer answer = plain;
    struct mysql_cursor *cursor = NULL;
    struct ArrowArray batch = {0};
    struct error err = {0};
    struct rig rig;

    (void)state;
    begin(&rig);
    answer.end = SCRIPTED_REFUSES_TO_RUN;
    cursor = begin_with(&rig, answer);
    assert_int_equal(look(cursor), MYSQL_PROGRESS_FAILED);
    check_fails(cursor, ERROR_FORBIDDEN, "25006");
    assert_int_equal(sessions_made(&rig), 4); /* who knows what it has done */
    answer.end = SCRIPTED_FAILS;
    scripted_mysql_change(rig.server, &answer);
    cursor = begin_and_send(&rig);
    assert_int_equal(look(cursor), MYSQL_PROGRESS_FAILED);
    go_on(cursor);
    assert_int_equal(mysql_cursor_next(cursor, &batch, &err), -1);
    assert_int_equal(err.code, ERROR_SOURCE_ERROR);
    assert_string_equal(err.sqlstate, "HY000");
    mysql_cursor_close(cursor);
    assert_int_equal(sessions_made(&rig), 5);
    assert_int_equal(scripted_mysql_count(rig.server, "KILL"), 0);
    scripted_mysql_change(rig.server, &plain);
    run_usually(&rig, ONE);
    assert_int_equal(scripted_mysql_connections(rig.server), 1);
    end(&rig);
}

static void test_a_value_that_is_none(void **state)
{
    struct scripted_answer answer = plain;
    struct mysql_cursor *cursor = NULL;
    struct ArrowArray batch = {0};
    struct error err = {0};
    struct rig rig;

    (void)state;
    begin(&rig);
    answer.text = "\1x";
    cursor = begin_with(&rig, answer);
    assert_int_equal(look(cursor), MYSQL_PROGRESS_FAILED);
    go_on(cursor);
    assert_int_equal(mysql_cursor_next(cursor, &batch, &err), -1);
    assert_int_equal(err.code, ERROR_ENGINE_ERROR);
    mysql_cursor_close(cursor);
    end(&rig);
}

static void test_columns_that_have_changed(void **state)
{
    struct scripted_answer answer = plain;
    struct mysql_cursor *cursor = NULL;
    struct rig rig;

    (void)state;
    begin(&rig);
    answer.columns = double_column;
    answer.row = "\0\0\0\0\0\0\0\xF8\x3F";
    answer.row_bytes = 9;
    answer.text = "\0031.5";
    answer.text_bytes = 4;
    cursor = begin_with(&rig, answer);
    assert_int_equal(look(cursor), MYSQL_PROGRESS_FAILED);
    go_on(cursor);
    check_rows(cursor, "[{\"n\":1.5}]");
    assert_int_equal(scripted_mysql_executes(rig.server), 3);
    end(&rig);
}

/* ---- connections that end ---- */

static void test_a_connection_that_ends_is_made_anew(void **state)
{
    struct scripted_answer answer = plain;
    struct mysql_cursor *cursor = NULL;
    struct rig rig;

    (void)state;
    begin(&rig);
    answer.end = SCRIPTED_WAITS_FIRST;
    cursor = begin_with(&rig, answer);
    assert_int_equal(mysql_cursor_look(cursor, BYTES_MAX), MYSQL_PROGRESS_WAITS);
    scripted_mysql_hang_up(rig.server);
    assert_int_equal(look(cursor), MYSQL_PROGRESS_FAILED);
    scripted_mysql_change(rig.server, &plain);
    go_on(cursor);
    check_rows(cursor, ONE);
    assert_int_equal(scripted_mysql_connections(rig.server), 2);
    /* One that ended while it was idle isn't even begun on. */
    scripted_mysql_hang_up(rig.server);
    assert_null(mysql_cursor_begin(engine, &rig.query, 0));
    run_usually(&rig, ONE);
    assert_int_equal(scripted_mysql_connections(rig.server), 3);
    end(&rig);
}

static void test_a_connection_that_ends_among_the_rows(void **state)
{
    struct scripted_answer answer = plain;
    struct mysql_cursor *cursor = NULL;
    struct ArrowArray batch = {0};
    struct error err = {0};
    struct rig rig;

    (void)state;
    begin(&rig);
    answer.end = SCRIPTED_LEAVES;
    cursor = begin_with(&rig, answer);
    assert_int_equal(look(cursor), MYSQL_PROGRESS_FAILED);
    go_on(cursor);
    assert_int_equal(mysql_cursor_next(cursor, &batch, &err), -1);
    assert_string_equal(err.sqlstate, "08S01");
    mysql_cursor_close(cursor);
    scripted_mysql_change(rig.server, &plain);
    run_usually(&rig, ONE);
    assert_int_equal(scripted_mysql_connections(rig.server), 2);
    end(&rig);
}

/* Cut before its answer has begun (`early`), or between two rows; opened first, or closed at once. */
static void check_cut(bool early, bool goes_on)
{
    struct scripted_answer answer = plain;
    struct mysql_cursor *cursor = NULL;
    struct error err = {0};
    struct rig rig;

    begin(&rig);
    answer.end = early ? SCRIPTED_WAITS_FIRST : SCRIPTED_WAITS;
    cursor = begin_with(&rig, answer);
    if (!early)
        wait_readable(cursor);
    assert_int_equal(mysql_cursor_look(cursor, BYTES_MAX), MYSQL_PROGRESS_WAITS);
    mysql_engine_cancel(engine, &rig.cutoff);
    wait_readable(cursor);
    if (goes_on && early)
        assert_int_equal(mysql_cursor_go_on(cursor, &err), -1);
    else if (goes_on) /* the rows may or may not have begun to come */
        (void)mysql_cursor_go_on(cursor, &err);
    mysql_cursor_close(cursor);
    assert_int_equal(scripted_mysql_count(rig.server, "KILL QUERY 7"), 1);
    scripted_mysql_change(rig.server, &plain);
    mysql_cutoff_done(&rig.cutoff);
    mysql_cutoff_init(&rig.cutoff);
    run_usually(&rig, ONE);
    assert_int_equal(scripted_mysql_connections(rig.server), 3); /* the second killed */
    end(&rig);
}

static void test_cuts_kill(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        check_cut((i & 1) != 0, (i & 2) != 0);
}

static int start_engine(void **state)
{
    const struct mysql_engine_config config = {
        .pool = {.limit = 2,
                 .idle_ms = HOUR_MS,
                 .connect_timeout_ms = PATIENCE_MS,
                 .read_timeout_ms = PATIENCE_MS,
                 .shapes = 8},
        .kill_timeout_ms = PATIENCE_MS,
        .reuse_ms = HOUR_MS,
    };
    struct error err = {0};

    (void)state;
    return mysql_engine_new(&config, &engine, &err);
}

static int stop_engine(void **state)
{
    (void)state;
    mysql_engine_free(engine);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_answer),
        cmocka_unit_test(test_no_rows_are_whole),
        cmocka_unit_test(test_whole_and_thrown_away),
        cmocka_unit_test(test_only_what_is_known_is_begun),
        cmocka_unit_test(test_an_answer_that_hasnt_begun),
        cmocka_unit_test(test_a_statement_that_isnt_sent),
        cmocka_unit_test(test_rows_of_which_some_have_come),
        cmocka_unit_test(test_more_rows_than_it_may_be),
        cmocka_unit_test(test_rows_that_may_be_wide),
        cmocka_unit_test(test_errors_of_the_statement),
        cmocka_unit_test(test_a_value_that_is_none),
        cmocka_unit_test(test_columns_that_have_changed),
        cmocka_unit_test(test_a_connection_that_ends_is_made_anew),
        cmocka_unit_test(test_a_connection_that_ends_among_the_rows),
        cmocka_unit_test(test_cuts_kill),
    };

    return cmocka_run_group_tests_name("mysql_begun", tests, start_engine, stop_engine);
}
