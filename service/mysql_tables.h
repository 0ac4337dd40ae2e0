/*
 * mysql_tables: what MySQL says of the tables that a statement names.   [worker]
 */
#ifndef SERVICE_MYSQL_TABLES_H
#define SERVICE_MYSQL_TABLES_H

#include <stdbool.h>

#include "mysql_plain.h"

struct st_mysql; /* MYSQL of mysql.h */

/* Whether each is a table of rows on the server's own disk: no view, which may call any
 * function, and none of another engine. One round trip. False, too, when the server
 * doesn't say; a connection that broke says so at its next use. */
bool mysql_tables_are_tables(struct st_mysql *handle, const struct mysql_plain *plain);

#endif
