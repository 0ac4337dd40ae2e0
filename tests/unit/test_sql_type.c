/* needs: unit/arrow_build.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/sql_type.h"
#include "arrow_build.h"

static void check_field(struct arrow_built *field, const char *expected)
{
    struct byte_buffer out = {0};

    sql_type_append(&out, &field->schema);
    byte_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, expected);
    byte_buffer_done(&out);
    arrow_build_free(field);
}

static struct arrow_built *column(const char *name, const char *format)
{
    return arrow_build_fixed(name, format, 16, NULL, 0, NULL);
}

static struct arrow_built *text(const char *name)
{
    return arrow_build_bytes(name, "u", NULL, NULL, 0);
}

static void test_plain_types(void **state)
{
    static const struct {
        const char *format;
        const char *name;
    } CASES[] = {
        {"n", "VOID"},
        {"b", "BOOLEAN"},
        {"c", "TINYINT"},
        {"s", "SMALLINT"},
        {"i", "INT"},
        {"l", "BIGINT"},
        {"L", "BIGINT UNSIGNED"},
        {"f", "FLOAT"},
        {"g", "DOUBLE"},
        {"u", "STRING"},
        {"U", "STRING"},
        {"vu", "STRING"},
        {"z", "BINARY"},
        {"w:16", "BINARY"},
        {"tdD", "DATE"},
        {"tdm", "DATE"},
        {"ttu", "TIME"},
        {"tsu:UTC", "TIMESTAMP"},
        {"tsu:", "TIMESTAMP_NTZ"},
        {"tDu", "INTERVAL DAY TO SECOND"},
        {"tiM", "INTERVAL YEAR TO MONTH"},
        {"tin", "INTERVAL"},
        {"d:10,2", "DECIMAL(10,2)"},
        {"d:38,0", "DECIMAL(38,0)"},
        {"d:5,-2", "DECIMAL(5,-2)"},
        {"d:76,10,256", "DECIMAL(76,10)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        check_field(column("c", CASES[i].format), CASES[i].name);
}

static void test_nested_types(void **state)
{
    static const int64_t none[] = {0};
    struct arrow_built *fields[] = {column("a", "i"), text("b c")};
    struct arrow_built *record = arrow_build_struct("s", 0, NULL, 2, fields);

    (void)state;
    check_field(arrow_build_list("l", "+l", none, 0, NULL, column("item", "d:4,1")),
                "ARRAY<DECIMAL(4,1)>");
    check_field(arrow_build_map("m", none, 0, NULL, text("key"),
                                arrow_build_list("value", "+l", none, 0, NULL, record)),
                "MAP<STRING, ARRAY<STRUCT<a: INT, b c: STRING>>>");
    check_field(arrow_build_struct("s", 0, NULL, 0, NULL), "STRUCT<>");
    check_field(arrow_build_dictionary(column("d", "i"), text("")), "STRING");
}

static void test_named_outright(void **state)
{
    static const int64_t none[] = {0};
    struct arrow_built *field = column("c", "i");
    struct arrow_built *item = text("item");

    (void)state;
    arrow_build_metadata(field, "sql_type", "MEDIUMINT UNSIGNED");
    check_field(field, "MEDIUMINT UNSIGNED");
    arrow_build_metadata(item, "sql_type", "VARIANT");
    check_field(arrow_build_list("l", "+l", none, 0, NULL, item), "ARRAY<VARIANT>");
}

static void test_unknown_types(void **state)
{
    (void)state;
    check_field(column("c", "+us:0,1"), "+us:0,1");
    check_field(column("c", "?"), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_types),
        cmocka_unit_test(test_nested_types),
        cmocka_unit_test(test_named_outright),
        cmocka_unit_test(test_unknown_types),
    };

    return cmocka_run_group_tests_name("sql_type", tests, NULL, NULL);
}
