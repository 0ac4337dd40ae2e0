/*
 * mysql_bind: the values of a prepared statement, bound and sent.   [worker]
 */
#ifndef SERVICE_MYSQL_BIND_H
#define SERVICE_MYSQL_BIND_H

#include "error.h"
#include "mysql_params.h"

struct st_mysql_stmt; /* MYSQL_STMT of mysql.h */

/* Executes with one value for each `?`. -1: *err, as the server or the library has it. */
int mysql_bind_and_execute(struct st_mysql_stmt *statement, struct mysql_values *values,
                           struct error *err);

#endif
