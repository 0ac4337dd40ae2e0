/*
 * mysql_text: cells of MySQL's text protocol as the values that the binary one
 * has. FLOAT is not among them: its text is rounded.   [any]
 */
#ifndef SERVICE_MYSQL_TEXT_H
#define SERVICE_MYSQL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mysql_columns.h"

struct st_mysql_time; /* MYSQL_TIME of mysql.h */

/* Whether text carries each column's cells exactly. */
bool mysql_text_is_exact(const struct mysql_columns *columns);

/* Digits with a sign or none; of an unsigned one the bits. False: no such number. */
bool mysql_text_integer(const char *text, size_t length, int64_t *ret_value);

/* `2024-02-29`, with ` 12:34:56` and a fraction or without. Zero dates are fine. */
bool mysql_text_datetime(const char *text, size_t length, struct st_mysql_time *ret_time);

/* `-838:59:59`, with a fraction or without; the hours may go beyond a day. */
bool mysql_text_time(const char *text, size_t length, struct st_mysql_time *ret_time);

#endif
