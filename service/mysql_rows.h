/*
 * mysql_rows: the rows of an executed statement, fetched one by one as the
 * server sends them and handed on as Arrow batches (mysql_batch).   [worker],
 * the loop where it is said
 */
#ifndef SERVICE_MYSQL_ROWS_H
#define SERVICE_MYSQL_ROWS_H

#include <stdbool.h>

#include "arrow_c_data.h"
#include "error.h"
#include "mysql_columns.h"

struct mysql_rows;
struct mysql_steps;
struct st_mysql;      /* MYSQL of mysql.h */
struct st_mysql_res;  /* MYSQL_RES of mysql.h */
struct st_mysql_stmt; /* MYSQL_STMT of mysql.h */

/* Borrows both until free. -1: *err. */
int mysql_rows_new(struct st_mysql_stmt *statement, const struct mysql_columns *columns,
                   struct mysql_rows **ret_rows, struct error *err);

/* The same of a result that is text and yet exact (mysql_text_is_exact). */
int mysql_rows_new_text(struct st_mysql *handle, struct st_mysql_res *result,
                        const struct mysql_columns *columns, struct mysql_rows **ret_rows,
                        struct error *err);

void mysql_rows_free(struct mysql_rows *rows);

/* 1: *ret_batch is filled, the caller releases it; 0: end; -1: *err. */
int mysql_rows_next(struct mysql_rows *rows, struct ArrowArray *ret_batch, struct error *err);

enum mysql_gathered { ROWS_ALL, ROWS_NOT_YET, ROWS_TOO_MANY, ROWS_FAILED };

/* Takes the rows of a text result that have come, without blocking; the next call goes on.
 * ROWS_TOO_MANY: with their columns' names they are more than `bytes_max`. Behind that, and
 * behind ROWS_FAILED, mysql_rows_next goes on by itself, blocking. Borrows the steps.   [loop] */
enum mysql_gathered mysql_rows_gather(struct mysql_rows *rows, struct mysql_steps *steps,
                                      size_t bytes_max);

/* True once the server has sent its last row, though that may be in a batch yet to be used. */
bool mysql_rows_ended(const struct mysql_rows *rows);

#endif
