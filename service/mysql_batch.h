/*
 * mysql_batch: rows of a MySQL result laid out as columns of an Arrow batch, of
 * at most MYSQL_BATCH_ROWS rows and about MYSQL_BATCH_BYTES.   [worker]
 */
#ifndef SERVICE_MYSQL_BATCH_H
#define SERVICE_MYSQL_BATCH_H

#include <mysql.h>
#include <stdbool.h>
#include <stdint.h>

#include "arrow_c_data.h"
#include "error.h"
#include "mysql_columns.h"

#define MYSQL_BATCH_ROWS 1024
#define MYSQL_BATCH_BYTES ((size_t)1024 * 1024)

#ifdef MARIADB_BASE_VERSION
typedef my_bool mysql_place_bool;
#else
typedef bool mysql_place_bool;
#endif

/* Where the library puts one cell of the current row. */
struct mysql_place {
    union {
        int64_t integer;
        float real4;
        double real8;
        MYSQL_TIME time;
    } fixed;
    char *bytes; /* of the variable ones; grows to the longest cell met */
    unsigned long capacity;
    unsigned long length;
    mysql_place_bool is_null;
    mysql_place_bool is_cut;
};

struct mysql_batch;

/* Borrows the columns until free. NULL: no memory. */
struct mysql_batch *mysql_batch_new(const struct mysql_columns *columns);

/* NULL is fine. */
void mysql_batch_free(struct mysql_batch *batch);

/* Copies one row, a place for each column; a date that is none becomes NULL. -1: *err. */
int mysql_batch_append(struct mysql_batch *batch, struct mysql_place *places, struct error *err);

bool mysql_batch_is_empty(const struct mysql_batch *batch);
bool mysql_batch_is_full(const struct mysql_batch *batch);

/* Gives the rows away, to be released by whoever has them then, and is empty. -1: no memory. */
int mysql_batch_give(struct mysql_batch *batch, struct ArrowArray *ret_array, struct error *err);

#endif
