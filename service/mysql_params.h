/*
 * mysql_params: the values for the `?` of a statement, in their order, out of
 * a request's `params`. Both engines bind these same values.   [any]
 *
 *   JSON integer -> BIGINT, other number -> DOUBLE, string -> VARCHAR,
 *   true/false -> 1/0, null -> NULL, {"type","value"} -> that type:
 *   TINYINT SMALLINT MEDIUMINT INT INTEGER BIGINT, FLOAT DOUBLE REAL,
 *   DECIMAL(p,s) NUMERIC(p,s), BOOLEAN, CHAR VARCHAR TEXT STRING, DATE,
 *   DATETIME TIMESTAMP.
 */
#ifndef SERVICE_MYSQL_PARAMS_H
#define SERVICE_MYSQL_PARAMS_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct mysql_statement;

enum mysql_value_kind {
    MYSQL_VALUE_NULL,
    MYSQL_VALUE_BOOLEAN, /* integer: 0 or 1 */
    MYSQL_VALUE_INTEGER, /* integer */
    MYSQL_VALUE_DOUBLE,  /* real */
    MYSQL_VALUE_TEXT,    /* text, UTF-8 */
    MYSQL_VALUE_DECIMAL, /* text: all digits, no exponent */
    MYSQL_VALUE_DATE,    /* text: 2024-01-31 */
    MYSQL_VALUE_DATETIME /* text: 2024-01-31T09:57:06.123456 */
};

struct mysql_value {
    enum mysql_value_kind kind;
    int64_t integer;
    double real;
    char *text;
};

struct mysql_values {
    struct mysql_value *items;
    size_t count;
};

/* `params_json` is the checked object (query_params) or NULL. -1:
 * ERROR_SQL_ERROR (42P02) for a name in the statement without a value,
 * ERROR_BAD_REQUEST for a value without its name in the statement, or one that
 * MySQL has no form for. */
int mysql_params_bind(const struct mysql_statement *statement, const char *params_json,
                      struct mysql_values *ret_values, struct error *err);

/* Frees the contents; fine on a zeroed struct. */
void mysql_values_done(struct mysql_values *values);

/* [{"kind":"integer","value":7}, ...], for the bridge (gives); NULL without memory. */
char *mysql_values_to_json(const struct mysql_values *values);

#endif
