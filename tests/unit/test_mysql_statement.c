#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/mysql_statement.h"

static const struct mysql_modes USUAL = {0};
static const struct mysql_modes ANSI = {.ansi_quotes = true};
static const struct mysql_modes NO_ESCAPES = {.no_backslash_escapes = true};

/* `names` with a blank behind each. */
static void check(const char *sql, struct mysql_modes modes, const char *text, const char *names)
{
    struct mysql_statement statement = {0};
    struct error err;
    char found[256] = "";

    assert_int_equal(mysql_statement_parse(sql, modes, &statement, &err), 0);
    assert_string_equal(statement.text, text);
    for (size_t i = 0; i < statement.count; i++) {
        strcat(found, statement.names[i]);
        strcat(found, " ");
    }
    assert_string_equal(found, names);
    mysql_statement_done(&statement);
}

static void check_untouched(const char *sql)
{
    check(sql, USUAL, sql, "");
}

static void test_names(void **state)
{
    (void)state;
    check("SELECT :a", USUAL, "SELECT ?", "a ");
    check(":a,:b_2,:_c", USUAL, "?,?,?", "a b_2 _c ");
    check("a=:a AND b=:a", USUAL, "a=? AND b=?", "a a ");
    check("f(:x)+:y1*2", USUAL, "f(?)+?*2", "x y1 ");
    check("SELECT :a$", USUAL, "SELECT ?$", "a ");
    check("x:=:v", USUAL, "x:=?", "v ");
}

static void test_what_is_no_parameter(void **state)
{
    (void)state;
    check_untouched("");
    check_untouched("SELECT ':a', \":b\", `:c`");
    check_untouched("SELECT 'it''s :a', \"say \"\":b\"\"\", ```:c```");
    check_untouched("SELECT 'it\\'s :a'");
    check_untouched("SELECT 1 -- :a\n");
    check_untouched("SELECT 1 --\t:a");
    check_untouched("SELECT 1 # :a ?\n");
    check_untouched("SELECT /* :a ? */ 1");
    check_untouched("SELECT /*+ :a */ 1");
    check_untouched("SELECT @a:=1, @b := 2");
    check_untouched("SELECT a::b");
    check_untouched("SELECT 1 : 2, :1");
    check_untouched("SELECT ':a");
    check_untouched("SELECT /* :a");
}

static void test_parameters_behind_comments(void **state)
{
    (void)state;
    check("SELECT 1--:a", USUAL, "SELECT 1--?", "a ");
    check("-- :a\n:b", USUAL, "-- :a\n?", "b ");
    check("# :a\n:b", USUAL, "# :a\n?", "b ");
    check("/* ' */ :b /* ' */", USUAL, "/* ' */ ? /* ' */", "b ");
    check("'/*' :b '*/'", USUAL, "'/*' ? '*/'", "b ");
}

static void test_sql_modes(void **state)
{
    (void)state;
    check("'\\' :a '", USUAL, "'\\' :a '", "");
    check("'\\' :a ", NO_ESCAPES, "'\\' ? ", "a ");
    check("\"\\\" :a \"", USUAL, "\"\\\" :a \"", "");
    check("\"\\\" :a ", ANSI, "\"\\\" ? ", "a ");
    check("'\\' :a '", ANSI, "'\\' :a '", "");
    check("`\\` :a", USUAL, "`\\` ?", "a ");
}

static void test_modes_by_name(void **state)
{
    struct mysql_modes modes;

    (void)state;
    modes = mysql_modes_parse("STRICT_TRANS_TABLES,ANSI_QUOTES");
    assert_true(modes.ansi_quotes && !modes.no_backslash_escapes);
    modes = mysql_modes_parse("NO_BACKSLASH_ESCAPES,NO_ZERO_DATE");
    assert_true(!modes.ansi_quotes && modes.no_backslash_escapes);
    modes = mysql_modes_parse("");
    assert_true(!modes.ansi_quotes && !modes.no_backslash_escapes);
    modes = mysql_modes_parse("X_ANSI_QUOTES,ANSI_QUOTES_X");
    assert_false(modes.ansi_quotes);
}

static void test_same_in_all_modes(void **state)
{
    (void)state;
    assert_true(mysql_statement_is_same_in_all_modes("SELECT 1"));
    assert_true(mysql_statement_is_same_in_all_modes("SELECT :a, 'x', \"y\""));
    assert_true(mysql_statement_is_same_in_all_modes("SELECT 'it\\'s'"));
    assert_false(mysql_statement_is_same_in_all_modes("SELECT 'it\\' :a '"));
    assert_false(mysql_statement_is_same_in_all_modes("SELECT \"\\\" :a \""));
}

static void test_own_markers_are_refused(void **state)
{
    struct mysql_statement statement = {0};
    struct error err;

    (void)state;
    assert_int_equal(mysql_statement_parse("SELECT :a, ?", USUAL, &statement, &err), -1);
    assert_int_equal(err.code, ERROR_SQL_ERROR);
    assert_string_equal(err.sqlstate, "07001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_is_no_parameter),
        cmocka_unit_test(test_parameters_behind_comments),
        cmocka_unit_test(test_sql_modes),
        cmocka_unit_test(test_modes_by_name),
        cmocka_unit_test(test_same_in_all_modes),
        cmocka_unit_test(test_own_markers_are_refused),
    };

    return cmocka_run_group_tests_name("mysql_statement", tests, NULL, NULL);
}
