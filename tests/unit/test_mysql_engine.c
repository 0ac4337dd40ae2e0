/* The direct engine against a MySQL server by script: rows, values, errors, and how a statement ends. */
/* needs: fakes/scripted_mysql.c */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/byte_buffer.h"
#include "../../service/mysql_engine.h"
#include "../../service/mysql_explain.h"
#include "../../service/result_writer.h"
#include "scripted_mysql.h"

#define BINARY 63
#define TEXT 45
#define MANY_ROWS 2500
#define LONG_TEXT_BYTES 1000
#define PATIENCE_MS 10000
#define LOOK_US 2000

/* Types of the protocol. */
enum {
    TINY = 1,
    LONG = 3,
    FLOAT,
    DOUBLE,
    NULL_TYPE,
    LONGLONG = 8,
    DATE = 10,
    TIME,
    DATETIME,
    BIT = 16,
    NEWDECIMAL = 246,
    BLOB = 252,
    VAR_STRING,
};
#define UNSIGNED 32
#define BINARY_FLAG 128

#define COLUMNS(names) .columns = (names), .column_count = sizeof(names) / sizeof((names)[0])
#define ROW(bytes) .row = (bytes), .row_bytes = sizeof(bytes) - 1
#define TEXT_ROW(bytes) .text = (bytes), .text_bytes = sizeof(bytes) - 1

static const struct scripted_column number_column[] = {{"n", LONG, 0, BINARY, 11, 0}};
static const struct scripted_column text_column[] = {{"EXPLAIN", VAR_STRING, 0, TEXT, 1000, 0}};
static const struct scripted_column decimal_column[] = {{"d", NEWDECIMAL, 0, BINARY, 7, 2}};
static const struct scripted_column all_columns[] = {
    {"tiny", TINY, 0, BINARY, 4, 0},
    {"big", LONGLONG, 0, BINARY, 20, 0},
    {"huge", LONGLONG, UNSIGNED, BINARY, 20, 0},
    {"f", FLOAT, 0, BINARY, 12, 31},
    {"d", DOUBLE, 0, BINARY, 22, 31},
    {"dec", NEWDECIMAL, 0, BINARY, 12, 3},
    {"bit", BIT, UNSIGNED, BINARY, 1, 0},
    {"day", DATE, 0, BINARY, 10, 0},
    {"at", DATETIME, 0, BINARY, 26, 6},
    {"span", TIME, 0, BINARY, 10, 0},
    {"text", VAR_STRING, 0, TEXT, 40, 0},
    {"blob", BLOB, BINARY_FLAG, BINARY, 65535, 0},
};

#define ALL_VALUES                                                                                 \
    "\0\0"                             /* no NULL: 12 columns, the bitmap from bit 2 on */         \
    "\xFF"                             /* -1 */                                                    \
    "\0\0\0\0\0\0\0\x80"               /* -2^63 */                                                 \
    "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF" /* 2^64 - 1 */                                              \
    "\0\0\xC0\x3F"                     /* 1.5 */                                                   \
    "\0\0\0\0\0\0\x04\xC0"             /* -2.5 */                                                  \
    "\x05-12.5"                        /* fewer digits than the scale */                           \
    "\x01\x01"                         /* true */                                                  \
    "\x04\xE8\x07\x02\x1D"             /* 2024-02-29 */                                            \
    "\x0B\x6C\x07\x01\x01\x17\x3B\x3A\x40\xE2\x01\0" /* 1900-01-01 23:59:58.123456 */              \
    "\x08\x01\x02\0\0\0\x03\x04\x05"                 /* -(2 days 3:04:05) */                       \
    "\x03h\xC3\xA9"                                  /* text in UTF-8 */                           \
    "\x03\0\x01\xFF"
#define ALL_NULL "\xFC\x3F"
/* The day 2024-02-00 and the time 0000-00-00 00:00:00; the rest is NULL. */
#define ZERO_DATES "\xFC\x39\x04\xE8\x07\x02\0\0"

/* Of all_columns those that text carries. */
static const struct scripted_column exact_columns[] = {
    {"tiny", TINY, 0, BINARY, 4, 0},
    {"big", LONGLONG, 0, BINARY, 20, 0},
    {"huge", LONGLONG, UNSIGNED, BINARY, 20, 0},
    {"dec", NEWDECIMAL, 0, BINARY, 12, 3},
    {"bit", BIT, UNSIGNED, BINARY, 1, 0},
    {"day", DATE, 0, BINARY, 10, 0},
    {"at", DATETIME, 0, BINARY, 26, 6},
    {"span", TIME, 0, BINARY, 10, 0},
    {"text", VAR_STRING, 0, TEXT, 40, 0},
    {"blob", BLOB, BINARY_FLAG, BINARY, 65535, 0},
    {"zero", DATE, 0, BINARY, 10, 0},
    {"nothing", VAR_STRING, 0, TEXT, 40, 0},
};
#define EXACT_VALUES                                                                               \
    "\0\x30" /* the last two are NULL */                                                           \
    "\xFF"   /* as in ALL_VALUES, without f and d */                                               \
    "\0\0\0\0\0\0\0\x80"                                                                           \
    "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"                                                             \
    "\x05-12.5"                                                                                    \
    "\x01\x01"                                                                                     \
    "\x04\xE8\x07\x02\x1D"                                                                         \
    "\x0B\x6C\x07\x01\x01\x17\x3B\x3A\x40\xE2\x01\0"                                               \
    "\x08\x01\x02\0\0\0\x03\x04\x05"                                                               \
    "\x03h\xC3\xA9"                                                                                \
    "\x03\0\x01\xFF"
#define EXACT_TEXT                                                                                 \
    "\x02-1"                                                                                       \
    "\x14-9223372036854775808"                                                                     \
    "\x14"                                                                                         \
    "18446744073709551615"                                                                         \
    "\x05-12.5"                                                                                    \
    "\x01\x01"                                                                                     \
    "\x0A"                                                                                         \
    "2024-02-29"                                                                                   \
    "\x1A"                                                                                         \
    "1900-01-01 23:59:58.123456"                                                                   \
    "\x09-51:04:05"                                                                                \
    "\x03h\xC3\xA9"                                                                                \
    "\x03\0\x01\xFF"                                                                               \
    "\x0A"                                                                                         \
    "0000-00-00"                                                                                   \
    "\xFB"

static const struct scripted_column double_column[] = {{"n", DOUBLE, 0, BINARY, 22, 31}};

#define LOOK_AT(name)                                                                              \
    "SELECT (SELECT COUNT(*) = 1 AND MIN(TABLE_TYPE = 'BASE TABLE' AND ENGINE IN ('InnoDB', "      \
    "'MyISAM', 'Aria')) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND "       \
    "TABLE_NAME = '" name "')"

static char long_row[LONG_TEXT_BYTES + 4];

static const struct scripted_answer answers[] = {
    {.sql = "SELECT 1", COLUMNS(number_column), ROW("\0\1\0\0\0"), .row_count = 1},
    {.sql = "SELECT many", COLUMNS(number_column), ROW("\0\1\0\0\0"), .row_count = MANY_ROWS},
    {.sql = "SELECT all_values", COLUMNS(all_columns), ROW(ALL_VALUES), .row_count = 1},
    {.sql = "SELECT all_null", COLUMNS(all_columns), ROW(ALL_NULL), .row_count = 1},
    {.sql = "SELECT zero_dates", COLUMNS(all_columns), ROW(ZERO_DATES), .row_count = 1},
    {.sql = "SELECT long_text",
     COLUMNS(text_column),
     .row = long_row,
     .row_bytes = sizeof(long_row),
     .row_count = MANY_ROWS},
    {.sql = "SELECT too_many_digits",
     COLUMNS(decimal_column),
     ROW("\0\x06"
         "1.2345"),
     .row_count = 1},
    {.sql = "SELECT no_digits",
     COLUMNS(decimal_column),
     ROW("\0\x03"
         "abc"),
     .row_count = 1},
    {.sql = "SELECT ?, ?, ?, ?, ?, ?, ?, ?",
     .parameters = 8,
     COLUMNS(number_column),
     ROW("\0\1\0\0\0"),
     .row_count = 1},
    {.sql = "SELECT n FROM plain WHERE n = 1",
     COLUMNS(number_column),
     ROW("\0\1\0\0\0"),
     TEXT_ROW("\0011"),
     .row_count = 1},
    {.sql = LOOK_AT("plain"), COLUMNS(number_column), TEXT_ROW("\0011"), .row_count = 1},
    {.sql = "SELECT n FROM viewed",
     COLUMNS(number_column),
     ROW("\0\1\0\0\0"),
     TEXT_ROW("\0011"),
     .row_count = 1},
    {.sql = LOOK_AT("viewed"), COLUMNS(number_column), TEXT_ROW("\0010"), .row_count = 1},
    {.sql = "SELECT * FROM exact",
     COLUMNS(exact_columns),
     ROW(EXACT_VALUES),
     TEXT_ROW(EXACT_TEXT),
     .row_count = 1},
    {.sql = LOOK_AT("exact"), COLUMNS(number_column), TEXT_ROW("\0011"), .row_count = 1},
    {.sql = "SELECT d FROM inexact",
     COLUMNS(double_column),
     ROW("\0\0\0\0\0\0\0\xF8\x3F"),
     TEXT_ROW("\003"
              "1.5"),
     .row_count = 1},
    {.sql = LOOK_AT("inexact"), COLUMNS(number_column), TEXT_ROW("\0011"), .row_count = 1},
    {.sql = "SELECT nowhere", .end = SCRIPTED_REFUSES},
    {.sql = "SELECT read_only", COLUMNS(number_column), .end = SCRIPTED_REFUSES_TO_RUN},
    {.sql = "SELECT fails_late",
     COLUMNS(number_column),
     ROW("\0\1\0\0\0"),
     .row_count = 3,
     .end = SCRIPTED_FAILS},
    {.sql = "SELECT hangs",
     COLUMNS(number_column),
     ROW("\0\1\0\0\0"),
     .row_count = MANY_ROWS,
     .end = SCRIPTED_HANGS},
    {.sql = "SELECT hangs_at_once", COLUMNS(number_column), .end = SCRIPTED_HANGS},
    {.sql = "SELECT no_rows"},
    {.sql = "EXPLAIN FORMAT=JSON SELECT 1",
     COLUMNS(text_column),
     ROW("\0\x0B{\"plan\": 1}"),
     .row_count = 2},
    {.sql = NULL},
};

/* One for all, as the client library can be begun only once in a process. */
static struct mysql_engine *engine;

struct rig {
    struct scripted_mysql *server;
    struct mysql_pool_counts before; /* connections to servers of other tests */
    struct mysql_cutoff cutoff;
    struct mysql_target target;
    struct mysql_query query;
};

static void begin_with(struct rig *rig, const char *sql_mode)
{
    memset(rig, 0, sizeof(*rig));
    rig->server = scripted_mysql_start(answers, sql_mode);
    rig->before = mysql_engine_count(engine);
    mysql_cutoff_init(&rig->cutoff);
    rig->target = (struct mysql_target){.host = (char *)"127.0.0.1",
                                        .port = scripted_mysql_port(rig->server),
                                        .user = (char *)"reader",
                                        .password = (char *)"secret",
                                        .database = (char *)"app",
                                        .tls.mode = MYSQL_TLS_DISABLED};
    rig->query = (struct mysql_query){
        .target = &rig->target, .cutoff = &rig->cutoff, .timeout_ms = PATIENCE_MS, .row_limit = -1};
}

static void begin(struct rig *rig)
{
    begin_with(rig, "ONLY_FULL_GROUP_BY");
}

static void end(struct rig *rig)
{
    mysql_cutoff_done(&rig->cutoff);
    scripted_mysql_stop(rig->server);
}

static struct mysql_cursor *open_cursor(struct rig *rig, const char *sql)
{
    struct mysql_cursor *cursor = NULL;
    struct error err = {0};

    rig->query.sql = sql;
    if (mysql_cursor_open(engine, &rig->query, &cursor, &err) != 0)
        fail_msg("%s: %s", sql, err.detail);
    assert_int_equal(err.code, ERROR_NONE); /* a caller goes by it */
    return cursor;
}

static void check_refused(struct rig *rig, const char *sql, enum error_code code,
                          const char *sqlstate)
{
    struct mysql_cursor *cursor = NULL;
    struct error err = {0};

    rig->query.sql = sql;
    assert_int_equal(mysql_cursor_open(engine, &rig->query, &cursor, &err), -1);
    assert_string_equal(error_code_name(err.code), error_code_name(code));
    assert_string_equal(err.sqlstate, sqlstate);
}

/* The rows as JSON, appended; gives their number. */
static int64_t append_rows(struct mysql_cursor *cursor, struct byte_buffer *out,
                           size_t *ret_batches)
{
    const struct result_options options = {.choice.format = RESULT_JSON};
    struct result_writer *writer = NULL;
    struct result_end over = RESULT_END_UNKNOWN;
    struct error err = {0};
    struct ArrowArray batch = {0};
    int64_t rows = 0;
    int rc = 0;

    *ret_batches = 0;
    assert_int_equal(result_writer_new(mysql_cursor_schema(cursor), &options, &writer, &err), 0);
    result_writer_begin(writer, out);
    while ((rc = mysql_cursor_next(cursor, &batch, &err)) == 1) {
        assert_int_equal(result_writer_rows(writer, &batch, 0, batch.length, out, &err), 0);
        rows += batch.length;
        ++*ret_batches;
        batch.release(&batch);
    }
    if (rc != 0)
        fail_msg("%s", err.detail);
    result_writer_end(writer, &over, out);
    result_writer_free(writer);
    return rows;
}

static void check_answer(struct rig *rig, const char *sql, const char *wanted)
{
    struct mysql_cursor *cursor = open_cursor(rig, sql);
    struct byte_buffer out = {0};
    size_t batches = 0;

    (void)append_rows(cursor, &out, &batches);
    mysql_cursor_close(cursor);
    byte_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, wanted);
    byte_buffer_done(&out);
}

static void wait_until_count(struct rig *rig, const char *text, size_t count)
{
    for (int i = 0; i < PATIENCE_MS * 1000 / LOOK_US; i++) {
        if (scripted_mysql_count(rig->server, text) >= count)
            return;
        usleep(LOOK_US);
    }
    fail_msg("%s: not %zu times", text, count);
}

/* ---- rows ---- */

static void test_each_type(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    check_answer(&rig, "SELECT all_values",
                 "[{\"tiny\":-1,\"big\":-9223372036854775808,\"huge\":18446744073709551615,"
                 "\"f\":1.5,\"d\":-2.5,\"dec\":\"-12.500\",\"bit\":true,\"day\":\"2024-02-29\","
                 "\"at\":\"1900-01-01T23:59:58.123456\",\"span\":\"-51:04:05.000000\","
                 "\"text\":\"h\xC3\xA9\",\"blob\":\"AAH/\"}]");
    check_answer(
        &rig, "SELECT all_null",
        "[{\"tiny\":null,\"big\":null,\"huge\":null,\"f\":null,\"d\":null,\"dec\":null,"
        "\"bit\":null,\"day\":null,\"at\":null,\"span\":null,\"text\":null,\"blob\":null}]");
    check_answer(
        &rig, "SELECT zero_dates",
        "[{\"tiny\":null,\"big\":null,\"huge\":null,\"f\":null,\"d\":null,\"dec\":null,"
        "\"bit\":null,\"day\":null,\"at\":null,\"span\":null,\"text\":null,\"blob\":null}]");
    end(&rig);
}

static void check_rows(struct rig *rig, const char *sql, size_t bytes_min, size_t batches_wanted)
{
    struct mysql_cursor *cursor = open_cursor(rig, sql);
    struct byte_buffer out = {0};
    size_t batches = 0;

    assert_int_equal(append_rows(cursor, &out, &batches), MANY_ROWS);
    assert_int_equal(batches, batches_wanted);
    assert_true(out.length >= bytes_min);
    mysql_cursor_close(cursor);
    byte_buffer_done(&out);
}

static void test_batches_are_bounded(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    memset(long_row, 'x', sizeof(long_row));
    memcpy(long_row, "\0\xFC\xE8\x03", 4); /* no NULL; a text of 1000 bytes */
    check_rows(&rig, "SELECT many", MANY_ROWS * strlen("{\"n\":1}"), 3);
    /* Longer than the first place of a cell; of 1000 bytes 1024 rows aren't a MiB. */
    check_rows(&rig, "SELECT long_text", (size_t)MANY_ROWS * LONG_TEXT_BYTES, 3);
    end(&rig);
}

static void test_decimals_beyond_their_type(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    for (int i = 0; i < 2; i++) {
        struct mysql_cursor *cursor =
            open_cursor(&rig, i == 0 ? "SELECT too_many_digits" : "SELECT no_digits");
        struct ArrowArray batch = {0};
        struct error err = {0};

        assert_int_equal(mysql_cursor_next(cursor, &batch, &err), -1);
        assert_int_equal(err.code, ERROR_ENGINE_ERROR);
        assert_non_null(strstr(err.detail, "column d"));
        mysql_cursor_close(cursor);
    }
    end(&rig);
}

/* ---- what is sent ---- */

static void test_values_of_each_kind(void **state)
{
    static const unsigned char wanted[] = {0x17, 1,    0,    0,    0,    0,    1,    0,    0,
                                           0,       /* execute, statement 1, no cursor, once */
                                           0x01, 1, /* the first is NULL; types follow */
                                           6,    0,    8,    0,    8,    0,    5,    0,    254,
                                           0,    246,  0,    10,   0,    12,   0,    1,    0,
                                           0,    0,    0,    0,    0,    0, /* true */
                                           0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, /* -2 */
                                           0,    0,    0,    0,    0,    0,    0xE0, 0x3F, /* 0.5 */
                                           3,    'h',  0xC3, 0xA9, 4,    '1',  '.',  '5',  '0'};
    unsigned char sent[256];
    struct rig rig;

    (void)state;
    begin(&rig);
    rig.query.params_json = "{\"a\":null,\"b\":true,\"c\":-2,\"d\":0.5,\"e\":\"h\xC3\xA9\","
                            "\"f\":{\"type\":\"DECIMAL(5,2)\",\"value\":\"1.50\"},"
                            "\"g\":{\"type\":\"DATE\",\"value\":\"2024-02-29\"},"
                            "\"h\":{\"type\":\"DATETIME\",\"value\":\"2024-02-29 12:34:56.5\"}}";
    check_answer(&rig, "SELECT :a, :b, :c, :d, :e, :f, :g, :h", "[{\"n\":1}]");
    assert_true(scripted_mysql_last_execute(rig.server, sent, sizeof(sent)) > sizeof(wanted));
    assert_memory_equal(sent, wanted, sizeof(wanted));
    /* 2024-02-29 12:34:56.500000 at the end */
    assert_non_null(memmem(sent + sizeof(wanted), sizeof(sent) - sizeof(wanted),
                           "\x0B\xE8\x07\x02\x1D\x0C\x22\x38\x20\xA1\x07\0", 12));
    rig.query.params_json = "{}";
    check_refused(&rig, "SELECT :a", ERROR_SQL_ERROR, "42P02");
    end(&rig);
}

static void test_row_limit_is_the_sessions(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    rig.query.row_limit = 10;
    check_answer(&rig, "SELECT 1", "[{\"n\":1}]");
    assert_int_equal(scripted_mysql_count(rig.server, "SET SESSION sql_select_limit = 11"), 1);
    end(&rig);
}

static void test_sessions_are_set_and_kept(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    for (int i = 0; i < 5; i++)
        check_answer(&rig, "SELECT 1", "[{\"n\":1}]");
    assert_int_equal(scripted_mysql_connections(rig.server), 1);
    /* Once at the connect, once behind each statement. */
    assert_int_equal(
        scripted_mysql_count(rig.server, "SET NAMES utf8mb4, autocommit = 1, time_zone = '+00:00', "
                                         "sql_mode = 'ONLY_FULL_GROUP_BY', "
                                         "SESSION transaction_read_only = 1"),
        6);
    assert_int_equal(mysql_engine_count(engine).idle, rig.before.idle + 1);
    end(&rig);
}

static struct scripted_answer answer_of(const char *sql)
{
    const struct scripted_answer *answer = answers;

    while (strcmp(answer->sql, sql) != 0)
        answer++;
    return *answer;
}

static size_t sessions_made(struct rig *rig)
{
    return scripted_mysql_count(rig->server, "SET NAMES");
}

#define PLAIN "SELECT n FROM plain WHERE n = 1"

static void test_a_plain_statement_leaves_the_session(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    for (int i = 0; i < 6; i++)
        check_answer(&rig, PLAIN, "[{\"n\":1}]");
    /* At the connect and behind the two that were prepared; its table is looked at once. */
    assert_int_equal(sessions_made(&rig), 3);
    assert_int_equal(scripted_mysql_count(rig.server, LOOK_AT("plain")), 1);
    assert_int_equal(scripted_mysql_executes(rig.server), 2);
    assert_int_equal(scripted_mysql_count(rig.server, PLAIN), 6);
    /* Another kind gets a new session, and leaves none to the next. */
    check_answer(&rig, "SELECT 1", "[{\"n\":1}]");
    assert_int_equal(sessions_made(&rig), 5);
    check_answer(&rig, PLAIN, "[{\"n\":1}]");
    assert_int_equal(sessions_made(&rig), 5);
    assert_int_equal(scripted_mysql_connections(rig.server), 1);
    end(&rig);
}

static void test_a_view_is_not_plain(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    for (int i = 0; i < 5; i++)
        check_answer(&rig, "SELECT n FROM viewed", "[{\"n\":1}]");
    assert_int_equal(sessions_made(&rig), 6);
    assert_int_equal(scripted_mysql_count(rig.server, LOOK_AT("viewed")), 1);
    assert_int_equal(scripted_mysql_executes(rig.server), 5);
    end(&rig);
}

static void test_text_gives_what_binary_gives(void **state)
{
    const char *wanted =
        "[{\"tiny\":-1,\"big\":-9223372036854775808,\"huge\":18446744073709551615,"
        "\"dec\":\"-12.500\",\"bit\":true,\"day\":\"2024-02-29\","
        "\"at\":\"1900-01-01T23:59:58.123456\",\"span\":\"-51:04:05.000000\","
        "\"text\":\"h\xC3\xA9\",\"blob\":\"AAH/\",\"zero\":null,\"nothing\":null}]";
    struct rig rig;

    (void)state;
    begin(&rig);
    for (int i = 0; i < 4; i++)
        check_answer(&rig, "SELECT * FROM exact", wanted);
    assert_int_equal(scripted_mysql_executes(rig.server), 2);
    for (int i = 0; i < 4; i++)
        check_answer(&rig, "SELECT d FROM inexact", "[{\"n\":1.5}]");
    assert_int_equal(scripted_mysql_executes(rig.server), 2 + 4);
    end(&rig);
}

static void test_columns_that_change_are_prepared_again(void **state)
{
    struct scripted_answer answer = answer_of(PLAIN);
    struct rig rig;

    (void)state;
    begin(&rig);
    for (int i = 0; i < 3; i++)
        check_answer(&rig, PLAIN, "[{\"n\":1}]");
    answer.columns = double_column;
    answer.row = "\0\0\0\0\0\0\0\xF8\x3F";
    answer.row_bytes = 9;
    answer.text = "\0031.5";
    answer.text_bytes = 4;
    scripted_mysql_change(rig.server, &answer);
    for (int i = 0; i < 3; i++)
        check_answer(&rig, PLAIN, "[{\"n\":1.5}]");
    assert_int_equal(scripted_mysql_executes(rig.server), 2 + 3);
    end(&rig);
}

static void test_errors_of_a_statement_as_text(void **state)
{
    struct scripted_answer answer = answer_of(PLAIN);
    struct mysql_cursor *cursor = NULL;
    struct ArrowArray batch = {0};
    struct error err = {0};
    struct rig rig;

    (void)state;
    begin(&rig);
    for (int i = 0; i < 3; i++)
        check_answer(&rig, PLAIN, "[{\"n\":1}]");
    answer.end = SCRIPTED_REFUSES_TO_RUN;
    scripted_mysql_change(rig.server, &answer);
    check_refused(&rig, PLAIN, ERROR_FORBIDDEN, "25006");
    assert_int_equal(sessions_made(&rig), 4); /* who knows what it has done */
    answer.end = SCRIPTED_FAILS;
    scripted_mysql_change(rig.server, &answer);
    cursor = open_cursor(&rig, PLAIN);
    assert_int_equal(mysql_cursor_next(cursor, &batch, &err), -1);
    assert_string_equal(err.sqlstate, "HY000");
    mysql_cursor_close(cursor);
    assert_int_equal(sessions_made(&rig), 5);
    assert_int_equal(scripted_mysql_executes(rig.server), 2);
    assert_int_equal(scripted_mysql_connections(rig.server), 1);
    answer.end = SCRIPTED_HANGS;
    answer.row_count = MANY_ROWS;
    scripted_mysql_change(rig.server, &answer);
    cursor = open_cursor(&rig, PLAIN);
    assert_int_equal(mysql_cursor_next(cursor, &batch, &err), 1);
    batch.release(&batch);
    mysql_cursor_close(cursor);
    wait_until_count(&rig, "KILL QUERY 7", 1);
    answer.end = SCRIPTED_ENDS;
    answer.row_count = 1;
    scripted_mysql_change(rig.server, &answer);
    check_answer(&rig, PLAIN, "[{\"n\":1}]");
    assert_int_equal(scripted_mysql_executes(rig.server), 3); /* a new connection knows nothing */
    end(&rig);
}

static void test_row_limit_is_said_when_it_differs(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    rig.query.row_limit = 10;
    for (int i = 0; i < 5; i++)
        check_answer(&rig, PLAIN, "[{\"n\":1}]");
    assert_int_equal(scripted_mysql_count(rig.server, "SET SESSION sql_select_limit = 11"), 3);
    rig.query.row_limit = -1;
    check_answer(&rig, PLAIN, "[{\"n\":1}]");
    check_answer(&rig, PLAIN, "[{\"n\":1}]");
    assert_int_equal(scripted_mysql_count(rig.server, "SET SESSION sql_select_limit = DEFAULT"), 1);
    end(&rig);
}

static void test_a_connection_that_died_is_made_anew(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    check_answer(&rig, "SELECT 1", "[{\"n\":1}]");
    scripted_mysql_hang_up(rig.server);
    check_answer(&rig, "SELECT 1", "[{\"n\":1}]");
    assert_int_equal(scripted_mysql_connections(rig.server), 2);
    end(&rig);
}

static void test_describe_and_explain(void **state)
{
    struct explanation explanation = {0};
    struct error err = {0};
    struct rig rig;

    (void)state;
    begin(&rig);
    rig.query.sql = "SELECT 1";
    assert_int_equal(mysql_explain(engine, &rig.query, &explanation, &err), 0);
    assert_string_equal(explanation.plan, "{\"plan\": 1}\n{\"plan\": 1}");
    assert_int_equal(explanation.schema.n_children, 1);
    assert_string_equal(explanation.schema.children[0]->name, "n");
    explanation_done(&explanation);
    rig.query.sql = "SELECT nowhere";
    assert_int_equal(mysql_explain(engine, &rig.query, &explanation, &err), -1);
    assert_int_equal(err.code, ERROR_SQL_ERROR);
    end(&rig);
}

/* ---- failures ---- */

static void test_errors_are_mysqls_own(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    check_refused(&rig, "SELECT nowhere", ERROR_SQL_ERROR, "42S02");
    check_refused(&rig, "SELECT read_only", ERROR_FORBIDDEN, "25006");
    check_refused(&rig, "SELECT no_rows", ERROR_FORBIDDEN, "S1009");
    check_refused(&rig, "DROP TABLE t", ERROR_FORBIDDEN, "");
    assert_int_equal(scripted_mysql_connections(rig.server), 1); /* and it is still good */
    check_answer(&rig, "SELECT 1", "[{\"n\":1}]");
    end(&rig);
}

static void test_an_error_among_the_rows(void **state)
{
    struct mysql_cursor *cursor = NULL;
    struct ArrowArray batch = {0};
    struct error err = {0};
    struct rig rig;

    (void)state;
    begin(&rig);
    cursor = open_cursor(&rig, "SELECT fails_late");
    assert_int_equal(mysql_cursor_next(cursor, &batch, &err), -1);
    assert_int_equal(err.code, ERROR_SOURCE_ERROR); /* 1205: a lock that isn't given */
    mysql_cursor_close(cursor);
    assert_int_equal(scripted_mysql_count(rig.server, "KILL QUERY"), 0); /* it is over */
    check_answer(&rig, "SELECT 1", "[{\"n\":1}]");
    end(&rig);
}

static void test_a_mode_of_signs_nobody_knows(void **state)
{
    struct rig rig;

    (void)state;
    begin_with(&rig, "ANSI'; DROP");
    check_refused(&rig, "SELECT 1", ERROR_SOURCE_ERROR, "");
    end(&rig);
}

static void test_a_server_that_isnt_there(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig);
    rig.target.port = 1;
    check_refused(&rig, "SELECT 1", ERROR_SOURCE_ERROR, "08S01");
    end(&rig);
}

/* The script offers no TLS: who must have it says nothing at all. */
static void test_no_login_without_tls(void **state)
{
    static const enum mysql_tls_mode modes[] = {MYSQL_TLS_REQUIRED, MYSQL_TLS_VERIFY_CA,
                                                MYSQL_TLS_VERIFY_IDENTITY};
    struct rig rig;

    (void)state;
    begin(&rig);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        rig.target.tls.mode = modes[i];
        check_refused(&rig, "SELECT 1", ERROR_SOURCE_ERROR, "");
    }
    assert_int_equal(scripted_mysql_connections(rig.server), 3);
    assert_int_equal(scripted_mysql_logins(rig.server), 0);
    rig.target.tls.mode = MYSQL_TLS_PREFERRED; /* once more, in the clear */
    check_answer(&rig, "SELECT 1", "[{\"n\":1}]");
    assert_int_equal(scripted_mysql_connections(rig.server), 5);
    assert_int_equal(scripted_mysql_logins(rig.server), 1);
    end(&rig);
}

/* ---- ends ---- */

static void test_rows_unread_are_killed(void **state)
{
    struct mysql_cursor *cursor = NULL;
    struct ArrowArray batch = {0};
    struct error err = {0};
    struct rig rig;

    (void)state;
    begin(&rig);
    cursor = open_cursor(&rig, "SELECT hangs");
    assert_int_equal(mysql_cursor_next(cursor, &batch, &err), 1);
    batch.release(&batch);
    mysql_cursor_close(cursor);
    wait_until_count(&rig, "KILL QUERY 7", 1);
    assert_int_equal(mysql_engine_count(engine).open, rig.before.open);
    end(&rig);
}

static void *cancel_once_it_runs(void *argument)
{
    struct rig *rig = argument;

    wait_until_count(rig, "SELECT hangs_at_once", 1);
    mysql_engine_cancel(engine, &rig->cutoff);
    return NULL;
}

static void test_a_cancel_ends_the_wait(void **state)
{
    struct mysql_cursor *cursor = NULL;
    struct ArrowArray batch = {0};
    struct error err = {0};
    pthread_t canceller;
    struct rig rig;

    (void)state;
    begin(&rig);
    rig.query.sql = "SELECT hangs_at_once";
    assert_int_equal(pthread_create(&canceller, NULL, cancel_once_it_runs, &rig), 0);
    /* It can come between any two steps. */
    if (mysql_cursor_open(engine, &rig.query, &cursor, &err) == 0)
        assert_int_equal(mysql_cursor_next(cursor, &batch, &err), -1);
    pthread_join(canceller, NULL);
    mysql_cursor_close(cursor);
    wait_until_count(&rig, "KILL QUERY 7", 1);
    assert_int_equal(mysql_engine_count(engine).open, rig.before.open);
    check_refused(&rig, "SELECT 1", ERROR_CANCELLED, ""); /* that query is over for good */
    end(&rig);
}

static int begin_engine(void **state)
{
    const struct mysql_engine_config config = {.pool = {.limit = 4,
                                                        .idle_ms = 60000,
                                                        .connect_timeout_ms = 5000,
                                                        .read_timeout_ms = 60000,
                                                        .shapes = 8},
                                               .reuse_ms = 600000,
                                               .kill_timeout_ms = 2000};
    struct error err;

    (void)state;
    return mysql_engine_new(&config, &engine, &err);
}

static int end_engine(void **state)
{
    (void)state;
    mysql_engine_free(engine);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type),
        cmocka_unit_test(test_batches_are_bounded),
        cmocka_unit_test(test_decimals_beyond_their_type),
        cmocka_unit_test(test_values_of_each_kind),
        cmocka_unit_test(test_row_limit_is_the_sessions),
        cmocka_unit_test(test_sessions_are_set_and_kept),
        cmocka_unit_test(test_a_plain_statement_leaves_the_session),
        cmocka_unit_test(test_a_view_is_not_plain),
        cmocka_unit_test(test_text_gives_what_binary_gives),
        cmocka_unit_test(test_columns_that_change_are_prepared_again),
        cmocka_unit_test(test_errors_of_a_statement_as_text),
        cmocka_unit_test(test_row_limit_is_said_when_it_differs),
        cmocka_unit_test(test_a_connection_that_died_is_made_anew),
        cmocka_unit_test(test_describe_and_explain),
        cmocka_unit_test(test_errors_are_mysqls_own),
        cmocka_unit_test(test_an_error_among_the_rows),
        cmocka_unit_test(test_a_mode_of_signs_nobody_knows),
        cmocka_unit_test(test_a_server_that_isnt_there),
        cmocka_unit_test(test_no_login_without_tls),
        cmocka_unit_test(test_rows_unread_are_killed),
        cmocka_unit_test(test_a_cancel_ends_the_wait),
    };

    return cmocka_run_group_tests(tests, begin_engine, end_engine);
}
