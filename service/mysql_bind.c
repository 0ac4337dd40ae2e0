#include "mysql_bind.h"

#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mysql_connection.h"

static void bind_time(MYSQL_BIND *bind, MYSQL_TIME *time, const char *text)
{
    int fraction_digits = 0;
    const char *point = strchr(text, '.');

    (void)sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u", &time->year, &time->month, &time->day,
                 &time->hour, &time->minute, &time->second);
    for (const char *digit = point != NULL ? point + 1 : ""; *digit != '\0'; digit++) {
        time->second_part = time->second_part * 10 + (unsigned long)(*digit - '0');
        fraction_digits++;
    }
    for (; fraction_digits > 0 && fraction_digits < 6; fraction_digits++)
        time->second_part *= 10;
    time->time_type =
        bind->buffer_type == MYSQL_TYPE_DATE ? MYSQL_TIMESTAMP_DATE : MYSQL_TIMESTAMP_DATETIME;
    bind->buffer = time;
    bind->buffer_length = sizeof(*time);
}

static void bind_text(MYSQL_BIND *bind, char *text)
{
    bind->buffer = text;
    bind->buffer_length = strlen(text);
}

/* `time` is room for a value that needs another form. */
static void bind_value(MYSQL_BIND *bind, struct mysql_value *value, MYSQL_TIME *time)
{
    static const enum enum_field_types types[] = {
        [MYSQL_VALUE_NULL] = MYSQL_TYPE_NULL,        [MYSQL_VALUE_BOOLEAN] = MYSQL_TYPE_LONGLONG,
        [MYSQL_VALUE_INTEGER] = MYSQL_TYPE_LONGLONG, [MYSQL_VALUE_DOUBLE] = MYSQL_TYPE_DOUBLE,
        [MYSQL_VALUE_TEXT] = MYSQL_TYPE_STRING,      [MYSQL_VALUE_DECIMAL] = MYSQL_TYPE_NEWDECIMAL,
        [MYSQL_VALUE_DATE] = MYSQL_TYPE_DATE,        [MYSQL_VALUE_DATETIME] = MYSQL_TYPE_DATETIME,
    };

    bind->buffer_type = types[value->kind];
    switch (value->kind) {
    case MYSQL_VALUE_NULL:
        break;
    case MYSQL_VALUE_BOOLEAN:
    case MYSQL_VALUE_INTEGER:
        bind->buffer = &value->integer;
        break;
    case MYSQL_VALUE_DOUBLE:
        bind->buffer = &value->real;
        break;
    case MYSQL_VALUE_TEXT:
    case MYSQL_VALUE_DECIMAL:
        bind_text(bind, value->text);
        break;
    case MYSQL_VALUE_DATE:
    case MYSQL_VALUE_DATETIME:
        bind_time(bind, time, value->text);
        break;
    }
}

int mysql_bind_and_execute(MYSQL_STMT *statement, struct mysql_values *values, struct error *err)
{
    MYSQL_BIND *binds = calloc(values->count + 1, sizeof(*binds));
    MYSQL_TIME *times = calloc(values->count + 1, sizeof(*times));
    int rc = 0;

    if (binds == NULL || times == NULL) {
        rc = error_set(err, ERROR_ENGINE_ERROR, "out of memory for the parameters");
    } else {
        for (size_t i = 0; i < values->count; i++)
            bind_value(&binds[i], &values->items[i], &times[i]);
        if ((values->count > 0 && mysql_stmt_bind_param(statement, binds) != 0) ||
            mysql_stmt_execute(statement) != 0)
            rc = mysql_connection_statement_fail(statement, err);
    }
    free(binds);
    free(times);
    return rc;
}
