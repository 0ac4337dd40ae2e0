/*
 * mysql_errors: MySQL's and MariaDB's errors, by their numbers, as this
 * service's (MySQL Error Message Reference); the bridge's MysqlErrors says the
 * same.   [any]
 */
#ifndef SERVICE_MYSQL_ERRORS_H
#define SERVICE_MYSQL_ERRORS_H

#include <stdbool.h>

#include "error.h"

/* True for the client library's own: the connection, not the statement. */
bool mysql_errors_is_client(unsigned number);

/* Fills *err; returns -1. Credentials and addresses never get into the detail. */
int mysql_errors_set(struct error *err, unsigned number, const char *sqlstate, const char *message);

/* A statement that gives no rows is none of ours. */
int mysql_errors_set_no_rows(struct error *err);

#endif
