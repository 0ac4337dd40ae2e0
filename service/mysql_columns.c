#include "mysql_columns.h"

#include <mysql.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECIMAL_DIGITS_MAX 38
#define CHARSET_BINARY 63
#define TYPE_JSON 245 /* MYSQL_TYPE_JSON, which not every client library names */

/* A text or blob type holds bytes when it says so and has no character set. */
static bool is_binary(const MYSQL_FIELD *field)
{
    return field->charsetnr == CHARSET_BINARY && (field->flags & BINARY_FLAG) != 0;
}

/* Digits of a DECIMAL: its length without point and sign. */
static unsigned long decimal_digits(const MYSQL_FIELD *field)
{
    return field->length - (field->decimals > 0) - ((field->flags & UNSIGNED_FLAG) == 0);
}

static void set_type(struct mysql_column *column, enum mysql_cell cell, const char *format)
{
    column->cell = cell;
    snprintf(column->format, sizeof(column->format), "%s", format);
}

/* A metadata block of one pair, as the Arrow C Data Interface lays it out. */
static void set_mysql_type(struct mysql_column *column, const char *value)
{
    static const char key[] = "mysql_type";
    const int32_t pairs = 1;
    const int32_t key_length = sizeof(key) - 1;
    const int32_t value_length = (int32_t)strlen(value);
    char *at = column->metadata;

    memcpy(at, &pairs, sizeof(pairs));
    memcpy(at += sizeof(pairs), &key_length, sizeof(key_length));
    memcpy(at += sizeof(key_length), key, sizeof(key) - 1);
    memcpy(at += sizeof(key) - 1, &value_length, sizeof(value_length));
    memcpy(at + sizeof(value_length), value, strlen(value));
    column->schema.metadata = column->metadata;
}

static void set_decimal(struct mysql_column *column, const MYSQL_FIELD *field)
{
    unsigned long digits = decimal_digits(field);

    column->scale = (int)field->decimals;
    if (digits > DECIMAL_DIGITS_MAX) {
        set_type(column, MYSQL_CELL_BYTES, "u");
        set_mysql_type(column, "DECIMAL");
        return;
    }
    if (digits < field->decimals)
        digits = field->decimals;
    column->cell = MYSQL_CELL_DECIMAL;
    snprintf(column->format, sizeof(column->format), "d:%lu,%u", digits, field->decimals);
}

static void set_integer(struct mysql_column *column, const MYSQL_FIELD *field)
{
    bool is_unsigned = (field->flags & UNSIGNED_FLAG) != 0;

    if (field->type == MYSQL_TYPE_LONGLONG && is_unsigned) {
        set_type(column, MYSQL_CELL_UINT64, "d:20,0");
        set_mysql_type(column, "BIGINT UNSIGNED");
    } else if (field->type == MYSQL_TYPE_LONGLONG ||
               (field->type == MYSQL_TYPE_LONG && is_unsigned)) {
        set_type(column, MYSQL_CELL_INT64, "l");
    } else {
        set_type(column, MYSQL_CELL_INT32, "i");
    }
}

static void set_column(struct mysql_column *column, const MYSQL_FIELD *field)
{
    switch ((int)field->type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR:
        set_integer(column, field);
        break;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
        set_decimal(column, field);
        break;
    case MYSQL_TYPE_FLOAT:
        set_type(column, MYSQL_CELL_FLOAT, "f");
        break;
    case MYSQL_TYPE_DOUBLE:
        set_type(column, MYSQL_CELL_DOUBLE, "g");
        break;
    case MYSQL_TYPE_BIT:
        if (field->length == 1)
            set_type(column, MYSQL_CELL_BOOLEAN, "b");
        else
            set_type(column, MYSQL_CELL_BYTES, "z");
        break;
    case MYSQL_TYPE_DATE:
        set_type(column, MYSQL_CELL_DATE, "tdD");
        break;
    case MYSQL_TYPE_DATETIME:
        set_type(column, MYSQL_CELL_DATETIME, "tsu:");
        break;
    case MYSQL_TYPE_TIMESTAMP:
        set_type(column, MYSQL_CELL_DATETIME, "tsu:UTC");
        break;
    case MYSQL_TYPE_TIME:
        set_type(column, MYSQL_CELL_TIME, "u");
        set_mysql_type(column, "TIME");
        break;
    case TYPE_JSON:
        set_type(column, MYSQL_CELL_BYTES, "u");
        set_mysql_type(column, "JSON");
        break;
    case MYSQL_TYPE_GEOMETRY:
        set_type(column, MYSQL_CELL_BYTES, "z");
        set_mysql_type(column, "GEOMETRY");
        break;
    case MYSQL_TYPE_NULL:
        set_type(column, MYSQL_CELL_NULL, "n");
        break;
    default:
        set_type(column, MYSQL_CELL_BYTES, is_binary(field) ? "z" : "u");
        break;
    }
}

static void release_nothing(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

int mysql_columns_new(const MYSQL_FIELD *fields, size_t count, struct mysql_columns *ret_columns,
                      struct error *err)
{
    struct mysql_columns columns = {.items = calloc(count + 1, sizeof(*columns.items)),
                                    .count = count};

    columns.schema = (struct ArrowSchema){.format = "+s",
                                          .name = "",
                                          .n_children = (int64_t)count,
                                          .children = calloc(count + 1, sizeof(void *)),
                                          .release = release_nothing};
    if (columns.items == NULL || columns.schema.children == NULL) {
        mysql_columns_done(&columns);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the result's schema");
    }
    for (size_t i = 0; i < count; i++) {
        struct mysql_column *column = &columns.items[i];

        set_column(column, &fields[i]);
        column->schema.format = column->format;
        column->schema.name = strdup(fields[i].name);
        column->schema.flags = ARROW_FLAG_NULLABLE;
        column->schema.release = release_nothing;
        columns.schema.children[i] = &column->schema;
        if (column->schema.name == NULL) {
            mysql_columns_done(&columns);
            return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the result's schema");
        }
    }
    *ret_columns = columns;
    return 0;
}

void mysql_columns_done(struct mysql_columns *columns)
{
    for (size_t i = 0; columns->items != NULL && i < columns->count; i++)
        free((char *)(uintptr_t)columns->items[i].schema.name);
    free(columns->items);
    free(columns->schema.children);
    memset(columns, 0, sizeof(*columns));
}

static void release_columns(struct ArrowSchema *schema)
{
    mysql_columns_done(schema->private_data);
    free(schema->private_data);
    schema->release = NULL;
}

int mysql_columns_give(struct mysql_columns *columns, struct ArrowSchema *ret_schema,
                       struct error *err)
{
    struct mysql_columns *owner = malloc(sizeof(*owner));

    if (owner == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the result's schema");
    *owner = *columns;
    memset(columns, 0, sizeof(*columns));
    *ret_schema = owner->schema;
    ret_schema->release = release_columns;
    ret_schema->private_data = owner;
    return 0;
}
