/*
 * mysql_columns: the columns of a MySQL result as an Arrow schema, the same
 * that the bridge's Column gives: the type, and in the field metadata what
 * result_json has to know of MySQL's ("mysql_type") and MySQL's own name of
 * the type ("sql_type").   [worker]
 */
#ifndef SERVICE_MYSQL_COLUMNS_H
#define SERVICE_MYSQL_COLUMNS_H

#include <stddef.h>

#include "arrow_c_data.h"
#include "error.h"

struct st_mysql_field; /* MYSQL_FIELD of mysql.h */

/* How a cell is fetched and laid out. */
enum mysql_cell {
    MYSQL_CELL_NULL, /* the type of a bare NULL */
    MYSQL_CELL_INT32,
    MYSQL_CELL_INT64,
    MYSQL_CELL_UINT64, /* decimal(20, 0) in Arrow, as Spark has no unsigned integer */
    MYSQL_CELL_FLOAT,
    MYSQL_CELL_DOUBLE,
    MYSQL_CELL_DECIMAL, /* up to 38 digits; longer ones are bytes */
    MYSQL_CELL_BOOLEAN, /* BIT(1) */
    MYSQL_CELL_BYTES,   /* text and binary */
    MYSQL_CELL_DATE,
    MYSQL_CELL_DATETIME, /* TIMESTAMP too */
    MYSQL_CELL_TIME      /* text in Arrow: it goes beyond a day */
};

struct mysql_column {
    enum mysql_cell cell;
    int scale; /* of a DECIMAL */
    struct ArrowSchema schema;
    char format[16];
    char metadata[128];
};

struct mysql_columns {
    struct mysql_column *items;
    size_t count;
    struct ArrowSchema schema; /* a struct of them; borrows from `items` */
};

/* -1: ERROR_ENGINE_ERROR, out of memory. */
int mysql_columns_new(const struct st_mysql_field *fields, size_t count,
                      struct mysql_columns *ret_columns, struct error *err);

/* Gives the columns as a schema that lives by itself; they are then empty. -1: no memory. */
int mysql_columns_give(struct mysql_columns *columns, struct ArrowSchema *ret_schema,
                       struct error *err);

/* Frees the contents; fine on a zeroed struct. */
void mysql_columns_done(struct mysql_columns *columns);

#endif
