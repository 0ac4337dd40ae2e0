/*
 * mysql_type_name: MySQL's own name of a column's type, the same that the
 * bridge's Column gives: without lengths, but for DECIMAL(10,2) and BIT(8); all
 * sizes of TEXT and BLOB have one name, ENUM and SET are CHAR.   [any]
 */
#ifndef SERVICE_MYSQL_TYPE_NAME_H
#define SERVICE_MYSQL_TYPE_NAME_H

#include <stdbool.h>

struct st_mysql_field; /* MYSQL_FIELD of mysql.h */

#define MYSQL_TYPE_NAME_BYTES 32
#define MYSQL_TYPE_JSON_NUMBER 245 /* MYSQL_TYPE_JSON, which not every client library names */

void mysql_type_name(const struct st_mysql_field *field, char ret_name[MYSQL_TYPE_NAME_BYTES]);

/* A text or blob type holds bytes when it says so and has no character set. */
bool mysql_type_is_binary(const struct st_mysql_field *field);

/* Digits of a DECIMAL: its length without point and sign. */
unsigned long mysql_type_decimal_digits(const struct st_mysql_field *field);

#endif
