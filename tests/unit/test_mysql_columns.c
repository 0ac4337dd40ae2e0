/* A MySQL result's columns as an Arrow schema: each type, its name and what the formats must know. */
#include <mysql.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/arrow_format.h"
#include "../../service/mysql_columns.h"
#include "../../service/mysql_type_name.h"

#define BINARY_CHARSET 63
#define TEXT_CHARSET 45 /* utf8mb4_general_ci */

static const struct {
    enum enum_field_types type;
    unsigned flags;
    unsigned charset;
    unsigned long length; /* characters to show it: digits, point and sign of a DECIMAL */
    unsigned decimals;
    enum mysql_cell cell;
    const char *format; /* Arrow's */
    const char *name;   /* MySQL's */
    const char *meaning;
} CASES[] = {
    {MYSQL_TYPE_TINY, 0, BINARY_CHARSET, 4, 0, MYSQL_CELL_INT32, "i", "TINYINT", NULL},
    {MYSQL_TYPE_TINY, UNSIGNED_FLAG, BINARY_CHARSET, 3, 0, MYSQL_CELL_INT32, "i",
     "TINYINT UNSIGNED", NULL},
    {MYSQL_TYPE_SHORT, 0, BINARY_CHARSET, 6, 0, MYSQL_CELL_INT32, "i", "SMALLINT", NULL},
    {MYSQL_TYPE_INT24, UNSIGNED_FLAG, BINARY_CHARSET, 8, 0, MYSQL_CELL_INT32, "i",
     "MEDIUMINT UNSIGNED", NULL},
    {MYSQL_TYPE_LONG, 0, BINARY_CHARSET, 11, 0, MYSQL_CELL_INT32, "i", "INT", NULL},
    {MYSQL_TYPE_LONG, UNSIGNED_FLAG, BINARY_CHARSET, 10, 0, MYSQL_CELL_INT64, "l", "INT UNSIGNED",
     NULL},
    {MYSQL_TYPE_LONGLONG, 0, BINARY_CHARSET, 20, 0, MYSQL_CELL_INT64, "l", "BIGINT", NULL},
    {MYSQL_TYPE_LONGLONG, UNSIGNED_FLAG, BINARY_CHARSET, 20, 0, MYSQL_CELL_UINT64, "d:20,0",
     "BIGINT UNSIGNED", "BIGINT UNSIGNED"},
    {MYSQL_TYPE_YEAR, UNSIGNED_FLAG, BINARY_CHARSET, 4, 0, MYSQL_CELL_INT32, "i", "YEAR", NULL},
    {MYSQL_TYPE_NEWDECIMAL, 0, BINARY_CHARSET, 12, 2, MYSQL_CELL_DECIMAL, "d:10,2", "DECIMAL(10,2)",
     NULL},
    {MYSQL_TYPE_NEWDECIMAL, UNSIGNED_FLAG, BINARY_CHARSET, 11, 2, MYSQL_CELL_DECIMAL, "d:10,2",
     "DECIMAL(10,2)", NULL},
    {MYSQL_TYPE_NEWDECIMAL, 0, BINARY_CHARSET, 11, 0, MYSQL_CELL_DECIMAL, "d:10,0", "DECIMAL(10,0)",
     NULL},
    {MYSQL_TYPE_NEWDECIMAL, 0, BINARY_CHARSET, 4, 4, MYSQL_CELL_DECIMAL, "d:4,4", "DECIMAL(4,4)",
     NULL},
    {MYSQL_TYPE_NEWDECIMAL, 0, BINARY_CHARSET, 67, 30, MYSQL_CELL_BYTES, "u", "DECIMAL(65,30)",
     "DECIMAL"},
    {MYSQL_TYPE_FLOAT, 0, BINARY_CHARSET, 12, 31, MYSQL_CELL_FLOAT, "f", "FLOAT", NULL},
    {MYSQL_TYPE_DOUBLE, 0, BINARY_CHARSET, 22, 31, MYSQL_CELL_DOUBLE, "g", "DOUBLE", NULL},
    {MYSQL_TYPE_BIT, UNSIGNED_FLAG, BINARY_CHARSET, 1, 0, MYSQL_CELL_BOOLEAN, "b", "BIT(1)", NULL},
    {MYSQL_TYPE_BIT, UNSIGNED_FLAG, BINARY_CHARSET, 8, 0, MYSQL_CELL_BYTES, "z", "BIT(8)", NULL},
    {MYSQL_TYPE_DATE, 0, BINARY_CHARSET, 10, 0, MYSQL_CELL_DATE, "tdD", "DATE", NULL},
    {MYSQL_TYPE_DATETIME, 0, BINARY_CHARSET, 26, 6, MYSQL_CELL_DATETIME, "tsu:", "DATETIME", NULL},
    {MYSQL_TYPE_TIMESTAMP, 0, BINARY_CHARSET, 19, 0, MYSQL_CELL_DATETIME, "tsu:UTC", "TIMESTAMP",
     NULL},
    {MYSQL_TYPE_TIME, 0, BINARY_CHARSET, 10, 0, MYSQL_CELL_TIME, "u", "TIME", "TIME"},
    {(enum enum_field_types)MYSQL_TYPE_JSON_NUMBER, BINARY_FLAG, BINARY_CHARSET, 0, 0,
     MYSQL_CELL_BYTES, "u", "JSON", "JSON"},
    {MYSQL_TYPE_GEOMETRY, BINARY_FLAG, BINARY_CHARSET, 0, 0, MYSQL_CELL_BYTES, "z", "GEOMETRY",
     "GEOMETRY"},
    {MYSQL_TYPE_NULL, 0, BINARY_CHARSET, 0, 0, MYSQL_CELL_NULL, "n", "NULL", NULL},
    {MYSQL_TYPE_STRING, 0, TEXT_CHARSET, 40, 0, MYSQL_CELL_BYTES, "u", "CHAR", NULL},
    {MYSQL_TYPE_STRING, BINARY_FLAG, BINARY_CHARSET, 40, 0, MYSQL_CELL_BYTES, "z", "BINARY", NULL},
    {MYSQL_TYPE_VAR_STRING, 0, TEXT_CHARSET, 40, 0, MYSQL_CELL_BYTES, "u", "VARCHAR", NULL},
    {MYSQL_TYPE_VAR_STRING, BINARY_FLAG, BINARY_CHARSET, 40, 0, MYSQL_CELL_BYTES, "z", "VARBINARY",
     NULL},
    /* A collation by bytes is still text. */
    {MYSQL_TYPE_VAR_STRING, BINARY_FLAG, TEXT_CHARSET, 40, 0, MYSQL_CELL_BYTES, "u", "VARCHAR",
     NULL},
    {MYSQL_TYPE_BLOB, BLOB_FLAG, TEXT_CHARSET, 65535, 0, MYSQL_CELL_BYTES, "u", "TEXT", NULL},
    {MYSQL_TYPE_BLOB, BLOB_FLAG | BINARY_FLAG, BINARY_CHARSET, 65535, 0, MYSQL_CELL_BYTES, "z",
     "BLOB", NULL},
};

#define CASE_COUNT (sizeof(CASES) / sizeof(CASES[0]))

static char column_names[CASE_COUNT][8];

static void fill_fields(MYSQL_FIELD *fields)
{
    for (size_t i = 0; i < CASE_COUNT; i++) {
        snprintf(column_names[i], sizeof(column_names[i]), "c%zu", i);
        fields[i] = (MYSQL_FIELD){.name = column_names[i],
                                  .type = CASES[i].type,
                                  .flags = CASES[i].flags,
                                  .charsetnr = CASES[i].charset,
                                  .length = CASES[i].length,
                                  .decimals = CASES[i].decimals};
    }
}

/* `wanted` NULL: the key isn't there. */
static void check_metadata(const struct ArrowSchema *schema, const char *key, const char *wanted)
{
    const char *value = NULL;
    size_t length = 0;

    if (!arrow_metadata_find(schema->metadata, key, &value, &length)) {
        if (wanted != NULL)
            fail_msg("%s has no %s", schema->name, key);
        return;
    }
    if (wanted == NULL || strlen(wanted) != length || memcmp(value, wanted, length) != 0)
        fail_msg("%s: %s is %.*s", schema->name, key, (int)length, value);
}

static void check_schema(const struct ArrowSchema *schema)
{
    assert_string_equal(schema->format, "+s");
    assert_int_equal(schema->n_children, CASE_COUNT);
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const struct ArrowSchema *column = schema->children[i];

        assert_string_equal(column->name, column_names[i]);
        assert_string_equal(column->format, CASES[i].format);
        assert_int_equal(column->flags, ARROW_FLAG_NULLABLE);
        check_metadata(column, "sql_type", CASES[i].name);
        check_metadata(column, "mysql_type", CASES[i].meaning);
    }
}

static void test_each_type(void **state)
{
    MYSQL_FIELD fields[CASE_COUNT];
    struct mysql_columns columns;
    struct error err;

    (void)state;
    fill_fields(fields);
    assert_int_equal(mysql_columns_new(fields, CASE_COUNT, &columns, &err), 0);
    assert_int_equal(columns.count, CASE_COUNT);
    check_schema(&columns.schema);
    for (size_t i = 0; i < CASE_COUNT; i++)
        assert_int_equal(columns.items[i].cell, CASES[i].cell);
    mysql_columns_done(&columns);
}

static void test_a_schema_outlives_its_columns(void **state)
{
    MYSQL_FIELD fields[CASE_COUNT];
    struct mysql_columns columns;
    struct ArrowSchema schema;
    struct error err;

    (void)state;
    fill_fields(fields);
    assert_int_equal(mysql_columns_new(fields, CASE_COUNT, &columns, &err), 0);
    assert_int_equal(mysql_columns_give(&columns, &schema, &err), 0);
    assert_int_equal(columns.count, 0);
    mysql_columns_done(&columns);
    check_schema(&schema);
    schema.release(&schema);
    assert_null(schema.release);
}

static void test_no_columns(void **state)
{
    struct mysql_columns columns;
    struct error err;

    (void)state;
    assert_int_equal(mysql_columns_new(NULL, 0, &columns, &err), 0);
    assert_int_equal(columns.schema.n_children, 0);
    mysql_columns_done(&columns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type),
        cmocka_unit_test(test_a_schema_outlives_its_columns),
        cmocka_unit_test(test_no_columns),
    };

    return cmocka_run_group_tests_name("mysql_columns", tests, NULL, NULL);
}
