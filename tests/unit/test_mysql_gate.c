#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/mysql_errors.h"
#include "../../service/mysql_gate.h"

static const struct mysql_modes USUAL = {0};

static void allow(const char *sql)
{
    struct error err = {0};

    if (mysql_gate_check(sql, USUAL, &err) != 0)
        fail_msg("refused: %s: %s", sql, err.detail);
}

static void refuse_in(const char *sql, struct mysql_modes modes, enum error_code code,
                      const char *part)
{
    struct error err = {0};

    if (mysql_gate_check(sql, modes, &err) == 0)
        fail_msg("allowed: %s", sql);
    assert_int_equal(err.code, code);
    if (strstr(err.detail, part) == NULL)
        fail_msg("%s: %s", sql, err.detail);
}

static void refuse(const char *sql, const char *part)
{
    refuse_in(sql, USUAL, ERROR_FORBIDDEN, part);
}

static void test_reads(void **state)
{
    (void)state;
    allow("SELECT 1");
    allow("  select 1 ;");
    allow("((SELECT 1) UNION (SELECT 2))");
    allow("WITH a AS (SELECT 1) SELECT * FROM a");
    allow("WITH RECURSIVE a (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a WHERE n < 5), b AS "
          "(TABLE a) "
          "SELECT replace(n, 'a', 'b') FROM b");
    allow("WITH a AS (SELECT 1) (SELECT * FROM a)");
    allow("WITH a AS (SELECT 'DELETE' AS `update`) VALUES ROW(1)");
    allow("VALUES ROW(1)");
    allow("TABLE users");
    allow("/* hello */ -- world\n# and\n SELECT 1");
    allow("SELECT 'INTO OUTFILE', `outfile`, \"LOAD_FILE\"");
    allow("SELECT 1 -- INTO OUTFILE 'x'");
}

static void test_with_in_front_of_a_write(void **state)
{
    (void)state;
    refuse("WITH a AS (SELECT 1) DELETE FROM t", "DELETE");
    refuse("with recursive a(n) as (select 1), b as (select 2) update t set x = 1", "UPDATE");
    refuse("WITH a AS (SELECT (1)) /* SELECT */ DELETE t FROM t JOIN a", "DELETE");
    refuse("WITH a AS (SELECT 1) INSERT INTO t SELECT 1", "INSERT");
    refuse("(WITH a AS (SELECT 1) DELETE FROM t)", "DELETE");
}

static void test_show_and_describe(void **state)
{
    (void)state;
    allow("SHOW TABLES");
    allow("SHOW FULL TABLES");
    allow("show extended full columns from t");
    allow("SHOW FIELDS FROM t");
    allow("DESCRIBE users");
    allow("DESC `select`");
    refuse("SHOW GRANTS", "SHOW");
    refuse("SHOW", "SHOW");
    refuse_in("(SHOW TABLES)", USUAL, ERROR_SQL_ERROR, "SHOW");
    refuse("DESCRIBE SELECT 1", "DESCRIBE");
    refuse("DESC ANALYZE SELECT 1", "DESC");
    refuse("DESCRIBE (SELECT 1)", "DESCRIBE");
    refuse("DESCRIBE", "DESCRIBE");
}

static void test_other_statements(void **state)
{
    static const char *const verbs[] = {"ALTER", "BEGIN",    "CALL",   "CREATE",  "DELETE",  "DO",
                                        "DROP",  "EXPLAIN",  "GRANT",  "HANDLER", "INSERT",  "KILL",
                                        "LOAD",  "LOCK",     "MERGE",  "PREPARE", "REPLACE", "SET",
                                        "START", "TRUNCATE", "UPDATE", "USE",     "XA"};
    char sql[64];

    (void)state;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        snprintf(sql, sizeof(sql), "/* c */ %s x", verbs[i]);
        refuse(sql, verbs[i]);
    }
}

static void test_refused_anywhere(void **state)
{
    (void)state;
    refuse("SELECT 1 INTO OUTFILE '/tmp/x'", "OUTFILE");
    refuse("SELECT 1 into dumpfile '/tmp/x'", "DUMPFILE");
    refuse("SELECT load_file('/etc/passwd')", "LOAD_FILE");
    refuse("SELECT found_rows()", "FOUND_ROWS");
    refuse("SELECT 1 /*!50000 INTO OUTFILE '/tmp/x' */", "executable comment");
    refuse("SELECT 1 /*M! + 1 */", "executable comment");
}

static void test_sql_modes_move_the_quotes(void **state)
{
    const struct mysql_modes no_escapes = {.no_backslash_escapes = true};
    const struct mysql_modes ansi = {.ansi_quotes = true};

    (void)state;
    allow("SELECT '\\' INTO OUTFILE ' AS a");
    refuse_in("SELECT '\\' INTO OUTFILE '/tmp/x'", no_escapes, ERROR_FORBIDDEN, "OUTFILE");
    refuse_in("SELECT \"\\\" INTO OUTFILE \"x\"", ansi, ERROR_FORBIDDEN, "OUTFILE");
}

static void test_no_statement_at_all(void **state)
{
    (void)state;
    refuse_in("-- nothing", USUAL, ERROR_SQL_ERROR, "empty");
    refuse_in("((", USUAL, ERROR_SQL_ERROR, "empty");
    refuse_in("SELEC 1", USUAL, ERROR_SQL_ERROR, "SELEC");
    refuse_in("'SELECT' 1", USUAL, ERROR_SQL_ERROR, "not with '");
}

static void check_error(unsigned number, const char *sqlstate, enum error_code code,
                        const char *detail, const char *told_sqlstate)
{
    struct error err;

    assert_int_equal(mysql_errors_set(&err, number, sqlstate, "first line\nsecond"), -1);
    assert_int_equal(err.code, code);
    assert_string_equal(err.detail, detail);
    assert_string_equal(err.sqlstate, told_sqlstate);
}

static void test_errors_by_number(void **state)
{
    const char *broke = "MySQL could not be reached, or the connection broke.";

    (void)state;
    check_error(1064, "42000", ERROR_SQL_ERROR, "first line", "42000");
    check_error(1146, "42S02", ERROR_SQL_ERROR, "first line", "42S02");
    check_error(1045, "28000", ERROR_SOURCE_ERROR, "MySQL denied access (error 1045).", "28000");
    check_error(1142, "42000", ERROR_SOURCE_ERROR, "MySQL denied access (error 1142).", "42000");
    check_error(1049, "42000", ERROR_SOURCE_ERROR, "first line", "42000");
    check_error(1317, "70100", ERROR_SOURCE_ERROR, "first line", "70100");
    check_error(1792, "25006", ERROR_FORBIDDEN, "first line", "25006");
    check_error(3024, "HY000", ERROR_TIMEOUT, "first line", "HY000");
    check_error(1969, "70100", ERROR_TIMEOUT, "first line", "70100");
    check_error(2003, "HY000", ERROR_SOURCE_ERROR, broke, "08S01");
    check_error(2013, "HY000", ERROR_SOURCE_ERROR, broke, "08S01");
    check_error(5012, "HY000", ERROR_SOURCE_ERROR, broke, "08S01");
    check_error(0, "00000", ERROR_SOURCE_ERROR, broke, "08S01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_with_in_front_of_a_write),
        cmocka_unit_test(test_show_and_describe),
        cmocka_unit_test(test_other_statements),
        cmocka_unit_test(test_refused_anywhere),
        cmocka_unit_test(test_sql_modes_move_the_quotes),
        cmocka_unit_test(test_no_statement_at_all),
        cmocka_unit_test(test_errors_by_number),
    };

    return cmocka_run_group_tests_name("mysql_gate", tests, NULL, NULL);
}
