/* Which statements neither read nor change their session; and what is alike in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/mysql_plain.h"

static const struct mysql_modes USUAL = {0};
static const struct mysql_modes ANSI = {.ansi_quotes = true};

/* `tables` as schema.name with a blank behind each. */
static void check_in(const char *sql, struct mysql_modes modes, const char *shape,
                     const char *tables)
{
    struct mysql_plain plain;
    char found[512] = "";
    size_t length = 0;

    if (!mysql_plain_read(sql, modes, &plain))
        fail_msg("not plain: %s", sql);
    assert_string_equal(plain.shape.data, shape);
    for (size_t i = 0; i < plain.table_count; i++)
        length += (size_t)snprintf(found + length, sizeof(found) - length, "%s.%s ",
                                   plain.tables[i].schema, plain.tables[i].name);
    assert_string_equal(found, tables);
    mysql_plain_done(&plain);
}

static void check(const char *sql, const char *shape, const char *tables)
{
    check_in(sql, USUAL, shape, tables);
}

static void refuse_in(const char *sql, struct mysql_modes modes)
{
    struct mysql_plain plain;

    if (mysql_plain_read(sql, modes, &plain))
        fail_msg("plain: %s", sql);
}

static void refuse(const char *sql)
{
    refuse_in(sql, USUAL);
}

static void test_shapes(void **state)
{
    (void)state;
    check("SELECT id, name FROM small WHERE id = 1000007",
          "SELECT id, name FROM small WHERE id = 0", ".small ");
    check("select  *\n from t -- all\n;", "select * from t ;", ".t ");
    check("SELECT a FROM t WHERE b = 'it''s' AND c=\"x\"",
          "SELECT a FROM t WHERE b = '''' AND c=''", ".t ");
    check("SELECT 12 34.5, -1e5, 0x1F FROM t", "SELECT 0 0.0, -0e5, 0x1F FROM t", ".t ");
    check("SELECT a FROM t WHERE b = :b", "SELECT a FROM t WHERE b = :b", ".t ");
    check("SELECT a1 FROM t2 WHERE a1 IN (1, 22,333)", "SELECT a1 FROM t2 WHERE a1 IN (0, 0,0)",
          ".t2 ");
}

static void test_tables(void **state)
{
    (void)state;
    check("SELECT * FROM `a` JOIN s.b ON a.x = b.`from` LEFT JOIN `S`.`c` USING (y)",
          "SELECT * FROM `a` JOIN s.b ON a.x = b.`from` LEFT JOIN `S`.`c` USING (y)",
          ".a s.b S.c ");
    check("SELECT x FROM (SELECT y AS x FROM u) AS v", "SELECT x FROM (SELECT y AS x FROM u) AS v",
          ".u ");
    check("SELECT 1 FROM t WHERE x IN (SELECT y FROM u) UNION ALL SELECT 2 FROM w",
          "SELECT 0 FROM t WHERE x IN (SELECT y FROM u) UNION ALL SELECT 0 FROM w", ".t .u .w ");
    check_in("SELECT a FROM \"t\"", ANSI, "SELECT a FROM \"t\"", ".t ");
    refuse("SELECT 1");
    refuse("SELECT a FROM \"t\"");
    refuse("SELECT a FROM t, u");
    refuse("SELECT a FROM t JOIN u ON t.x = u.where, v");
    refuse("SELECT a FROM t window, v");
    refuse("SELECT a FROM (t, u)");
    refuse("SELECT a FROM t JOIN (u)");
    refuse("SELECT a FROM `a``b`");
    refuse("SELECT a FROM `a b`");
    refuse("SELECT a FROM gr\xC3\xBC\xC3\x9F");
    refuse("SELECT a FROM a.b.c");
    refuse("SELECT a FROM 1a");
    refuse("SELECT a FROM f(1)");
    refuse("SELECT a FROM");
    refuse("SELECT a FROM t PARTITION (p)");
    refuse("SELECT 1 FROM a JOIN b JOIN c JOIN d JOIN e");
    check("SELECT 1 FROM a JOIN b JOIN c JOIN d", "SELECT 0 FROM a JOIN b JOIN c JOIN d",
          ".a .b .c .d ");
}

static void test_functions(void **state)
{
    (void)state;
    check("SELECT count(*), MAX(a), lower(concat(b, 'x')) FROM t GROUP BY c HAVING sum(a) > 1",
          "SELECT count(*), MAX(a), lower(concat(b, '')) FROM t GROUP BY c HAVING sum(a) > 0",
          ".t ");
    check("SELECT CAST(a AS DECIMAL(10, 2)) FROM t WHERE a BETWEEN (1) AND (2)",
          "SELECT CAST(a AS DECIMAL(0, 0)) FROM t WHERE a BETWEEN (0) AND (0)", ".t ");
    refuse("SELECT GET_LOCK('x', 1) FROM t");
    refuse("SELECT get_lock('x', 1) FROM t");
    refuse("SELECT release_lock('x') FROM t");
    refuse("SELECT LAST_INSERT_ID(7) FROM t");
    refuse("SELECT LAST_INSERT_ID() FROM t");
    refuse("SELECT FOUND_ROWS() FROM t");
    refuse("SELECT ROW_COUNT() FROM t");
    refuse("SELECT CONNECTION_ID() FROM t");
    refuse("SELECT RAND(1) FROM t");
    refuse("SELECT my_function(1) FROM t");
    refuse("SELECT `count`(1) FROM t");
    refuse("SELECT s.count(1) FROM t");
    refuse("SELECT s.in(1) FROM t");
    refuse("SELECT COUNT (1) FROM t");
    refuse("SELECT COUNT/**/(1) FROM t");
    refuse("SELECT 'a' (1) FROM t");
    refuse("SELECT NEXTVAL(s) FROM t");
    refuse("SELECT s.NEXTVAL (1) FROM t");
}

static void test_what_a_session_has(void **state)
{
    (void)state;
    refuse("SELECT @a FROM t");
    refuse("SELECT @a := 1 FROM t");
    refuse("SELECT @@sql_select_limit FROM t");
    refuse("SELECT a FROM t INTO @x");
    refuse("SELECT a FROM t FOR UPDATE");
    refuse("SELECT a FROM t LOCK IN SHARE MODE");
    refuse("SELECT SQL_CALC_FOUND_ROWS a FROM t LIMIT 1");
    refuse("SELECT NEXT VALUE FOR s FROM t");
    refuse("SELECT a FROM t PROCEDURE ANALYSE()");
}

static void test_other_statements(void **state)
{
    (void)state;
    refuse("");
    refuse("SHOW TABLES");
    refuse("TABLE t");
    refuse("VALUES ROW(1)");
    refuse("WITH a AS (SELECT 1) SELECT * FROM t");
    refuse("(SELECT a FROM t)");
    refuse("SELECT a FROM t; SELECT 1");
    refuse("SELECT a FROM t WHERE (b");
    refuse("SELECT a FROM t)");
    refuse("SELECT a FROM t WHERE b = ?");
    refuse("SELECT /*!50000 SQL_CALC_FOUND_ROWS */ a FROM t");
    refuse("SELECT {fn x} FROM t");
    refuse("SELECT a FROM t WHERE ((((((((((((((((b))))))))))))))))");
    check("SELECT a FROM t WHERE (((((((((((((((b)))))))))))))))",
          "SELECT a FROM t WHERE (((((((((((((((b)))))))))))))))", ".t ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),           cmocka_unit_test(test_tables),
        cmocka_unit_test(test_functions),        cmocka_unit_test(test_what_a_session_has),
        cmocka_unit_test(test_other_statements),
    };

    return cmocka_run_group_tests_name("mysql_plain", tests, NULL, NULL);
}
