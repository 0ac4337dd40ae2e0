#include "mysql_columns.h"

#include <mysql.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mysql_type_name.h"

#define DECIMAL_DIGITS_MAX 38

static void set_type(struct mysql_column *column, enum mysql_cell cell, const char *format)
{
    column->cell = cell;
    snprintf(column->format, sizeof(column->format), "%s", format);
}

static char *put_text(char *at, const char *text)
{
    const int32_t length = (int32_t)strlen(text);

    memcpy(at, &length, sizeof(length));
    memcpy(at + sizeof(length), text, (size_t)length);
    return at + sizeof(length) + length;
}

/* A metadata block as the Arrow C Data Interface lays it out; mysql_type may be NULL. */
static void set_metadata(struct mysql_column *column, const char *sql_type, const char *mysql_type)
{
    const int32_t pairs = mysql_type != NULL ? 2 : 1;
    char *at = column->metadata;

    memcpy(at, &pairs, sizeof(pairs));
    at = put_text(at + sizeof(pairs), "sql_type");
    at = put_text(at, sql_type);
    if (mysql_type != NULL) {
        at = put_text(at, "mysql_type");
        put_text(at, mysql_type);
    }
    column->schema.metadata = column->metadata;
}

static void set_decimal(struct mysql_column *column, const MYSQL_FIELD *field)
{
    unsigned long digits = mysql_type_decimal_digits(field);

    column->scale = (int)field->decimals;
    if (digits > DECIMAL_DIGITS_MAX) {
        set_type(column, MYSQL_CELL_BYTES, "u");
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
        break;
    case MYSQL_TYPE_JSON_NUMBER:
        set_type(column, MYSQL_CELL_BYTES, "u");
        break;
    case MYSQL_TYPE_GEOMETRY:
        set_type(column, MYSQL_CELL_BYTES, "z");
        break;
    case MYSQL_TYPE_NULL:
        set_type(column, MYSQL_CELL_NULL, "n");
        break;
    default:
        set_type(column, MYSQL_CELL_BYTES, mysql_type_is_binary(field) ? "z" : "u");
        break;
    }
}

/* What result_columns has to know beyond the Arrow type; NULL: nothing. */
static const char *meaning_of(const struct mysql_column *column, const MYSQL_FIELD *field)
{
    switch ((int)field->type) {
    case MYSQL_TYPE_LONGLONG:
        return column->cell == MYSQL_CELL_UINT64 ? "BIGINT UNSIGNED" : NULL;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
        return column->cell == MYSQL_CELL_BYTES ? "DECIMAL" : NULL;
    case MYSQL_TYPE_TIME:
        return "TIME";
    case MYSQL_TYPE_JSON_NUMBER:
        return "JSON";
    case MYSQL_TYPE_GEOMETRY:
        return "GEOMETRY";
    default:
        return NULL;
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

        char name[MYSQL_TYPE_NAME_BYTES];

        set_column(column, &fields[i]);
        mysql_type_name(&fields[i], name);
        set_metadata(column, name, meaning_of(column, &fields[i]));
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
