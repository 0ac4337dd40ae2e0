#include "mysql_tables.h"

#include <mysql.h>
#include <string.h>

#include "byte_buffer.h"

/* The names are letters, digits, _ and $ (mysql_plain). Two tables whose names differ in case
 * only prove nothing. Looked up by both names, each server opens that one table only. */
static void append_table(struct byte_buffer *sql, const struct mysql_plain_table *table)
{
    byte_buffer_append_format(
        sql,
        "%s(SELECT COUNT(*) = 1 AND MIN(TABLE_TYPE = 'BASE TABLE' AND ENGINE IN ('InnoDB', "
        "'MyISAM', 'Aria')) FROM information_schema.TABLES WHERE TABLE_SCHEMA = ",
        sql->length == 0 ? "SELECT " : " AND ");
    if (table->schema[0] != '\0')
        byte_buffer_append_format(sql, "'%s'", table->schema);
    else
        byte_buffer_append_text(sql, "DATABASE()");
    byte_buffer_append_format(sql, " AND TABLE_NAME = '%s')", table->name);
}

bool mysql_tables_are_tables(MYSQL *handle, const struct mysql_plain *plain)
{
    struct byte_buffer sql = {0};
    MYSQL_RES *result = NULL;
    MYSQL_ROW row = NULL;
    bool are = false;

    for (size_t i = 0; i < plain->table_count; i++)
        append_table(&sql, &plain->tables[i]);
    if (!sql.failed && mysql_real_query(handle, sql.data, sql.length) == 0 &&
        (result = mysql_store_result(handle)) != NULL && (row = mysql_fetch_row(result)) != NULL)
        are = row[0] != NULL && strcmp(row[0], "1") == 0;
    mysql_free_result(result);
    byte_buffer_done(&sql);
    return are;
}
