#include "mysql_params.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mysql_statement.h"

#define DECIMAL_DIGITS_MAX 65
#define DECIMAL_SCALE_LIMIT 30
#define DECIMAL_DIGITS_DEFAULT 10
#define DOUBLE_DIGITS 17

/* A type's name in pieces: DECIMAL(10,2) */
struct type_name {
    char word[16];
    int first;  /* -1 = not given */
    int second; /* -1 = not given */
};

struct named_type {
    const char *name;
    enum mysql_value_kind kind;
    int64_t min;
    int64_t max;
    bool takes_length;
};

static const struct named_type types[] = {
    {"TINYINT", MYSQL_VALUE_INTEGER, INT8_MIN, INT8_MAX, false},
    {"SMALLINT", MYSQL_VALUE_INTEGER, INT16_MIN, INT16_MAX, false},
    {"MEDIUMINT", MYSQL_VALUE_INTEGER, -(1 << 23), (1 << 23) - 1, false},
    {"INT", MYSQL_VALUE_INTEGER, INT32_MIN, INT32_MAX, false},
    {"INTEGER", MYSQL_VALUE_INTEGER, INT32_MIN, INT32_MAX, false},
    {"BIGINT", MYSQL_VALUE_INTEGER, INT64_MIN, INT64_MAX, false},
    {"FLOAT", MYSQL_VALUE_DOUBLE, 0, 0, false},
    {"DOUBLE", MYSQL_VALUE_DOUBLE, 0, 0, false},
    {"REAL", MYSQL_VALUE_DOUBLE, 0, 0, false},
    {"DECIMAL", MYSQL_VALUE_DECIMAL, 0, 0, true},
    {"NUMERIC", MYSQL_VALUE_DECIMAL, 0, 0, true},
    {"BOOLEAN", MYSQL_VALUE_BOOLEAN, 0, 0, false},
    {"CHAR", MYSQL_VALUE_TEXT, 0, 0, true},
    {"VARCHAR", MYSQL_VALUE_TEXT, 0, 0, true},
    {"TEXT", MYSQL_VALUE_TEXT, 0, 0, false},
    {"STRING", MYSQL_VALUE_TEXT, 0, 0, false},
    {"DATE", MYSQL_VALUE_DATE, 0, 0, false},
    {"DATETIME", MYSQL_VALUE_DATETIME, 0, 0, false},
    {"TIMESTAMP", MYSQL_VALUE_DATETIME, 0, 0, false},
};

static int fail(struct error *err, const char *name, const char *reason)
{
    return error_set(err, ERROR_BAD_REQUEST, "params.%.128s: %s", name, reason);
}

static int fail_memory(struct error *err)
{
    return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the parameters");
}

static int set_text(struct mysql_value *value, const char *text, struct error *err)
{
    value->text = strdup(text);
    return value->text != NULL ? 0 : fail_memory(err);
}

/* ---- typed values, given as text ---- */

static const struct named_type *find_type(const char *text, struct type_name *ret_name)
{
    char close = '\0';
    int read = 0;
    int fields = 0;

    *ret_name = (struct type_name){.first = -1, .second = -1};
    fields = sscanf(text, " %15[A-Za-z] %n( %3d , %3d %c %n", ret_name->word, &read,
                    &ret_name->first, &ret_name->second, &close, &read);
    if (fields == 2) { /* one number: its bracket has not been read */
        ret_name->second = -1;
        read = 0;
        if (sscanf(text, " %*15[A-Za-z] ( %*d %c %n", &close, &read) != 1)
            return NULL;
    }
    if (fields < 1 || fields == 3 || (fields >= 2 && close != ')') || text[read] != '\0')
        return NULL;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcasecmp(types[i].name, ret_name->word) == 0)
            return ret_name->first < 0 || types[i].takes_length ? &types[i] : NULL;
    }
    return NULL;
}

static int read_integer(const char *name, const char *text, const struct named_type *type,
                        struct mysql_value *value, struct error *err)
{
    char *end = NULL;
    long long number = 0;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (isspace((unsigned char)*text) || end == text || *end != '\0')
        return fail(err, name, "the value is not a whole number");
    if (errno != 0 || number < type->min || number > type->max)
        return fail(err, name, "the value does not fit its type");
    value->integer = number;
    return 0;
}

static int read_double(const char *name, const char *text, struct mysql_value *value,
                       struct error *err)
{
    char *end = NULL;

    value->real = strtod(text, &end) + 0.0; /* as in read_value */
    if (strspn(text, "0123456789+-.eE") != strlen(text) || end == text || *end != '\0')
        return fail(err, name, "the value is not a number");
    if (!isfinite(value->real))
        return fail(err, name, "the value does not fit its type");
    return 0;
}

/* Writes [sign] digits . exactly `scale` digits; no digit is ever dropped. */
static int read_decimal(const char *name, const char *text, const struct type_name *type,
                        struct mysql_value *value, struct error *err)
{
    int digits = type->first >= 0 ? type->first : DECIMAL_DIGITS_DEFAULT;
    int scale = type->second >= 0 ? type->second : 0;
    const char *sign = *text == '-' ? "-" : "";
    const char *whole = text + (*text == '-' || *text == '+');
    size_t whole_length = strspn(whole, "0123456789");
    const char *fraction = whole + whole_length + (whole[whole_length] == '.');
    size_t fraction_length = strspn(fraction, "0123456789");

    if (digits < 1 || digits > DECIMAL_DIGITS_MAX || scale > DECIMAL_SCALE_LIMIT || scale > digits)
        return fail(err, name, "a DECIMAL has 1 to 65 digits, at most 30 behind the point");
    if (whole_length + fraction_length == 0 || fraction[fraction_length] != '\0')
        return fail(err, name, "the value is not a decimal number");
    if (whole_length == 0) {
        whole = "0";
        whole_length = 1;
    }
    for (; whole_length > 1 && *whole == '0'; whole_length--)
        whole++;
    for (; fraction_length > (size_t)scale && fraction[fraction_length - 1] == '0';)
        fraction_length--;
    if (fraction_length > (size_t)scale ||
        (whole_length > (size_t)(digits - scale) && !(whole_length == 1 && *whole == '0')))
        return fail(err, name, "the value has more digits than its type");
    if (asprintf(&value->text, "%s%.*s%s%.*s%.*s", sign, (int)whole_length, whole,
                 scale > 0 ? "." : "", (int)fraction_length, fraction, scale - (int)fraction_length,
                 "000000000000000000000000000000") < 0) {
        value->text = NULL;
        return fail_memory(err);
    }
    return 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

/* "2024-01-31"; gives what follows, NULL when it is no date. */
static const char *after_date(const char *text)
{
    int year = 0;
    int month = 0;
    int day = 0;
    int read = 0;

    if (strspn(text, "0123456789") != 4 ||
        sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &read) != 3 || read != 10)
        return NULL;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return NULL;
    return text + read;
}

/* "09:57:06" and up to six digits behind a point. */
static const char *after_clock(const char *text)
{
    int hour = 0;
    int minute = 0;
    int second = 0;
    int read = 0;
    size_t digits = 0;

    if (sscanf(text, "%2d:%2d:%2d%n", &hour, &minute, &second, &read) != 3 || read != 8 ||
        strspn(text, "0123456789:") != 8)
        return NULL;
    if (hour > 23 || minute > 59 || second > 59)
        return NULL;
    text += read;
    if (*text != '.')
        return text;
    digits = strspn(text + 1, "0123456789");
    return digits >= 1 && digits <= 6 ? text + 1 + digits : NULL;
}

static int read_date(const char *name, const char *text, struct mysql_value *value,
                     struct error *err)
{
    const char *end = after_date(text);

    if (end == NULL || *end != '\0')
        return fail(err, name, "the value is not a date like 2024-01-31");
    return set_text(value, text, err);
}

/* The session's zone is UTC, so that a Z says nothing new. */
static int read_datetime(const char *name, const char *text, struct mysql_value *value,
                         struct error *err)
{
    const char *end = after_date(text);

    if (end != NULL && (*end == 'T' || *end == ' '))
        end = after_clock(end + 1);
    else
        end = NULL;
    if (end == NULL || strcmp(*end == 'Z' ? end + 1 : end, "") != 0)
        return fail(err, name, "the value is not a time like 2024-01-31T09:57:06.123456");
    if (set_text(value, text, err) != 0)
        return -1;
    value->text[10] = 'T';
    value->text[end - text] = '\0';
    return 0;
}

static int read_boolean(const char *name, const char *text, struct mysql_value *value,
                        struct error *err)
{
    value->integer = strcasecmp(text, "true") == 0;
    if (value->integer == 0 && strcasecmp(text, "false") != 0)
        return fail(err, name, "the value is neither true nor false");
    return 0;
}

static int read_as(const char *name, const char *text, const struct named_type *type,
                   const struct type_name *spelled, struct mysql_value *value, struct error *err)
{
    value->kind = type->kind;
    switch (type->kind) {
    case MYSQL_VALUE_INTEGER:
        return read_integer(name, text, type, value, err);
    case MYSQL_VALUE_DOUBLE:
        return read_double(name, text, value, err);
    case MYSQL_VALUE_DECIMAL:
        return read_decimal(name, text, spelled, value, err);
    case MYSQL_VALUE_BOOLEAN:
        return read_boolean(name, text, value, err);
    case MYSQL_VALUE_DATE:
        return read_date(name, text, value, err);
    case MYSQL_VALUE_DATETIME:
        return read_datetime(name, text, value, err);
    default:
        return set_text(value, text, err);
    }
}

/* A JSON value as the text of it; "" for what has none. */
static const char *text_of(const json_t *value, char *buffer, size_t size)
{
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_integer(value))
        snprintf(buffer, size, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(buffer, size, "%.*g", DOUBLE_DIGITS, json_real_value(value));
    else
        snprintf(buffer, size, "%s",
                 json_is_boolean(value) ? (json_is_true(value) ? "true" : "false") : "");
    return buffer;
}

static int read_typed(const char *name, const json_t *typed, struct mysql_value *value,
                      struct error *err)
{
    const json_t *plain = json_object_get(typed, "value");
    struct type_name spelled;
    const struct named_type *type =
        find_type(json_string_value(json_object_get(typed, "type")), &spelled);
    char buffer[32];

    if (type == NULL)
        return fail(err, name, "MySQL parameters have no such type");
    if (json_is_array(plain))
        return fail(err, name, "MySQL has no arrays");
    if (json_is_null(plain))
        return 0;
    return read_as(name, text_of(plain, buffer, sizeof(buffer)), type, &spelled, value, err);
}

/* ---- plain values ---- */

static int read_value(const char *name, const json_t *json, struct mysql_value *value,
                      struct error *err)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return read_typed(name, json, value, err);
    case JSON_ARRAY:
        return fail(err, name, "MySQL has no arrays");
    case JSON_STRING:
        value->kind = MYSQL_VALUE_TEXT;
        return set_text(value, json_string_value(json), err);
    case JSON_INTEGER:
        value->kind = MYSQL_VALUE_INTEGER;
        value->integer = json_integer_value(json);
        return 0;
    case JSON_REAL:
        value->kind = MYSQL_VALUE_DOUBLE;
        value->real = json_real_value(json) + 0.0; /* -0.0 is 0.0: not every driver keeps it */
        return 0;
    case JSON_TRUE:
    case JSON_FALSE:
        value->kind = MYSQL_VALUE_BOOLEAN;
        value->integer = json_is_true(json);
        return 0;
    default:
        return 0;
    }
}

static bool is_named(const struct mysql_statement *statement, const char *name)
{
    for (size_t i = 0; i < statement->count; i++) {
        if (strcmp(statement->names[i], name) == 0)
            return true;
    }
    return false;
}

static int check_all_used(const struct mysql_statement *statement, json_t *params,
                          struct error *err)
{
    const char *name;
    json_t *value;

    json_object_foreach(params, name, value)
    {
        if (!is_named(statement, name))
            return fail(err, name, "the statement has no parameter of that name");
    }
    return 0;
}

static int bind_all(const struct mysql_statement *statement, const json_t *params,
                    struct mysql_values *values, struct error *err)
{
    for (size_t i = 0; i < statement->count; i++) {
        const json_t *json = json_object_get(params, statement->names[i]);

        if (json == NULL) {
            error_set(err, ERROR_SQL_ERROR, "The statement's parameter :%.128s has no value.",
                      statement->names[i]);
            snprintf(err->sqlstate, sizeof(err->sqlstate), "42P02");
            return -1;
        }
        if (read_value(statement->names[i], json, &values->items[values->count++], err) != 0)
            return -1;
    }
    return 0;
}

int mysql_params_bind(const struct mysql_statement *statement, const char *params_json,
                      struct mysql_values *ret_values, struct error *err)
{
    struct mysql_values values = {0};
    json_t *params = params_json != NULL ? json_loads(params_json, 0, NULL) : json_object();
    int rc = -1;

    values.items = calloc(statement->count + 1, sizeof(*values.items));
    if (params == NULL || values.items == NULL)
        fail_memory(err);
    else if (check_all_used(statement, params, err) == 0)
        rc = bind_all(statement, params, &values, err);
    json_decref(params);
    if (rc == 0)
        *ret_values = values;
    else
        mysql_values_done(&values);
    return rc;
}

void mysql_values_done(struct mysql_values *values)
{
    for (size_t i = 0; i < values->count; i++)
        free(values->items[i].text);
    free(values->items);
    memset(values, 0, sizeof(*values));
}

static json_t *value_to_json(const struct mysql_value *value)
{
    static const char *const kinds[] = {
        [MYSQL_VALUE_NULL] = "null",       [MYSQL_VALUE_BOOLEAN] = "boolean",
        [MYSQL_VALUE_INTEGER] = "integer", [MYSQL_VALUE_DOUBLE] = "double",
        [MYSQL_VALUE_TEXT] = "text",       [MYSQL_VALUE_DECIMAL] = "decimal",
        [MYSQL_VALUE_DATE] = "date",       [MYSQL_VALUE_DATETIME] = "datetime"};
    json_t *plain = NULL;

    switch (value->kind) {
    case MYSQL_VALUE_NULL:
        plain = json_null();
        break;
    case MYSQL_VALUE_BOOLEAN:
        plain = json_boolean(value->integer);
        break;
    case MYSQL_VALUE_INTEGER:
        plain = json_integer(value->integer);
        break;
    case MYSQL_VALUE_DOUBLE:
        plain = json_real(value->real);
        break;
    default:
        plain = json_string(value->text);
        break;
    }
    return json_pack("{s:s, s:o}", "kind", kinds[value->kind], "value", plain);
}

char *mysql_values_to_json(const struct mysql_values *values)
{
    json_t *array = json_array();
    char *text = NULL;

    for (size_t i = 0; i < values->count; i++) {
        if (json_array_append_new(array, value_to_json(&values->items[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    text = json_dumps(array, JSON_COMPACT | JSON_REAL_PRECISION(DOUBLE_DIGITS));
    json_decref(array);
    return text;
}
