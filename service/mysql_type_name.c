#include "mysql_type_name.h"

#include <mysql.h>
#include <stdio.h>

#define CHARSET_BINARY 63

bool mysql_type_is_binary(const MYSQL_FIELD *field)
{
    return field->charsetnr == CHARSET_BINARY && (field->flags & BINARY_FLAG) != 0;
}

unsigned long mysql_type_decimal_digits(const MYSQL_FIELD *field)
{
    return field->length - (field->decimals > 0) - ((field->flags & UNSIGNED_FLAG) == 0);
}

/* NULL: not an integer. */
static const char *integer_name(enum enum_field_types type)
{
    switch ((int)type) {
    case MYSQL_TYPE_TINY:
        return "TINYINT";
    case MYSQL_TYPE_SHORT:
        return "SMALLINT";
    case MYSQL_TYPE_INT24:
        return "MEDIUMINT";
    case MYSQL_TYPE_LONG:
        return "INT";
    case MYSQL_TYPE_LONGLONG:
        return "BIGINT";
    default:
        return NULL;
    }
}

/* On the wire ENUM and SET are strings; Connector/J tells them so, too. */
static const char *text_name(const MYSQL_FIELD *field)
{
    bool is_binary = mysql_type_is_binary(field);

    switch ((int)field->type) {
    case MYSQL_TYPE_STRING:
        return is_binary ? "BINARY" : "CHAR";
    case MYSQL_TYPE_VARCHAR:
    case MYSQL_TYPE_VAR_STRING:
        return is_binary ? "VARBINARY" : "VARCHAR";
    default:
        return is_binary ? "BLOB" : "TEXT";
    }
}

static const char *plain_name(const MYSQL_FIELD *field)
{
    switch ((int)field->type) {
    case MYSQL_TYPE_YEAR:
        return "YEAR";
    case MYSQL_TYPE_FLOAT:
        return "FLOAT";
    case MYSQL_TYPE_DOUBLE:
        return "DOUBLE";
    case MYSQL_TYPE_DATE:
        return "DATE";
    case MYSQL_TYPE_DATETIME:
        return "DATETIME";
    case MYSQL_TYPE_TIMESTAMP:
        return "TIMESTAMP";
    case MYSQL_TYPE_TIME:
        return "TIME";
    case MYSQL_TYPE_JSON_NUMBER:
        return "JSON";
    case MYSQL_TYPE_GEOMETRY:
        return "GEOMETRY";
    case MYSQL_TYPE_NULL:
        return "NULL";
    default:
        return text_name(field);
    }
}

void mysql_type_name(const MYSQL_FIELD *field, char ret_name[MYSQL_TYPE_NAME_BYTES])
{
    const char *integer = integer_name(field->type);
    unsigned long digits = 0;

    switch ((int)field->type) {
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
        digits = mysql_type_decimal_digits(field);
        snprintf(ret_name, MYSQL_TYPE_NAME_BYTES, "DECIMAL(%lu,%u)",
                 digits > field->decimals ? digits : field->decimals, field->decimals);
        return;
    case MYSQL_TYPE_BIT:
        snprintf(ret_name, MYSQL_TYPE_NAME_BYTES, "BIT(%lu)", field->length);
        return;
    default:
        break;
    }
    if (integer != NULL)
        snprintf(ret_name, MYSQL_TYPE_NAME_BYTES, "%s%s", integer,
                 (field->flags & UNSIGNED_FLAG) != 0 ? " UNSIGNED" : "");
    else
        snprintf(ret_name, MYSQL_TYPE_NAME_BYTES, "%s", plain_name(field));
}
