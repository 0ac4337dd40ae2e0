/*
 * mysql_statement: a caller's SQL with :name in it -> MySQL's prepared form,
 * `?` in each place and the names in their order. Values never become text;
 * :name in strings, quoted names and comments, `::` and `:=` stay.   [any]
 */
#ifndef SERVICE_MYSQL_STATEMENT_H
#define SERVICE_MYSQL_STATEMENT_H

#include "error.h"
#include "mysql_lexer.h"

struct mysql_statement {
    char *text;
    char **names; /* one for each `?`; a name that stands twice is here twice */
    size_t count;
};

/* -1: ERROR_SQL_ERROR (07001) for a `?` of the caller's own. */
int mysql_statement_parse(const char *sql, struct mysql_modes modes,
                          struct mysql_statement *ret_statement, struct error *err);

/* True when every sql_mode gives the same statement. */
bool mysql_statement_is_same_in_all_modes(const char *sql);

/* Frees the contents; fine on a zeroed struct. */
void mysql_statement_done(struct mysql_statement *statement);

#endif
