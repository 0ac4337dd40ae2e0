/*
 * mysql_plain: whether a SELECT, by its text, neither reads nor changes the
 * session it runs in: no variables, no locks, no diagnostics, no function but a
 * few built-in ones. Then its session need not be made new for it or after it,
 * provided that its tables are tables: a view may hold anything. What isn't
 * known is not plain.   [any]
 */
#ifndef SERVICE_MYSQL_PLAIN_H
#define SERVICE_MYSQL_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "byte_buffer.h"
#include "mysql_lexer.h"

#define MYSQL_PLAIN_TABLES_MAX 4
#define MYSQL_PLAIN_NAME_BYTES 65 /* with its NUL */

/* Plain letters, digits, _ and $ only; `schema` "" = the session's own. */
struct mysql_plain_table {
    char schema[MYSQL_PLAIN_NAME_BYTES];
    char name[MYSQL_PLAIN_NAME_BYTES];
};

struct mysql_plain {
    struct byte_buffer shape; /* the text with its literals made alike, NUL-terminated */
    struct mysql_plain_table tables[MYSQL_PLAIN_TABLES_MAX];
    size_t table_count; /* a table that stands twice counts twice */
};

/* False: it isn't plain, or there is no memory; there is nothing to free then. */
bool mysql_plain_read(const char *sql, struct mysql_modes modes, struct mysql_plain *ret_plain);

/* Fine on a zeroed struct. */
void mysql_plain_done(struct mysql_plain *plain);

#endif
