#include "query_params.h"

#include <stdbool.h>
#include <string.h>

#include "query_syntax.h"

#define PARAMS_MAX 256
#define PARAMS_DEPTH_MAX 4
#define TYPE_MAX_BYTES 128
#define DOUBLE_DIGITS 17 /* enough for every binary64 to read back as itself */

static int fail(struct error *err, const char *name, const char *reason)
{
    return error_set(err, ERROR_BAD_REQUEST, "params.%.128s: %s", name, reason);
}

/* `depth` counts the arrays around the value. */
static int check_value(const char *name, const json_t *value, int depth, struct error *err)
{
    const json_t *item;
    size_t i;

    if (json_is_object(value))
        return fail(err, name,
                    "must be a number, string, boolean, null, an array of such, or "
                    "{\"type\", \"value\"}");
    if (!json_is_array(value))
        return 0;
    if (depth == PARAMS_DEPTH_MAX)
        return fail(err, name, "arrays are nested too deeply");
    json_array_foreach(value, i, item)
    {
        if (check_value(name, item, depth + 1, err) < 0)
            return -1;
    }
    return 0;
}

static bool is_type_text(const char *text)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "_ (),<>:";

    return *text != '\0' && strlen(text) <= TYPE_MAX_BYTES && strspn(text, set) == strlen(text);
}

static bool contains_real(const json_t *value)
{
    const json_t *item;
    size_t i;

    if (json_is_array(value)) {
        json_array_foreach(value, i, item)
        {
            if (contains_real(item))
                return true;
        }
    }
    return json_is_real(value);
}

/* A JSON number with a point is binary64 by the time it is here. */
static bool is_binary_type(const char *type)
{
    return strcasecmp(type, "DOUBLE") == 0 || strcasecmp(type, "FLOAT") == 0 ||
           strcasecmp(type, "REAL") == 0 || strcasecmp(type, "ARRAY<DOUBLE>") == 0 ||
           strcasecmp(type, "ARRAY<FLOAT>") == 0;
}

static int check_typed(const char *name, const json_t *typed, struct error *err)
{
    const json_t *type = json_object_get(typed, "type");
    const json_t *value = json_object_get(typed, "value");

    if (json_object_size(typed) != 2 || type == NULL || value == NULL)
        return fail(err, name, "an object must have exactly \"type\" and \"value\"");
    if (!json_is_string(type) || !is_type_text(json_string_value(type)))
        return fail(err, name, "\"type\" must be the name of a SQL type");
    if (check_value(name, value, 0, err) < 0)
        return -1;
    if (contains_real(value) && !is_binary_type(json_string_value(type)))
        return fail(err, name,
                    "write a number with a point as a string, so that none of its digits is lost");
    return 0;
}

int query_params_check(const json_t *params, char **ret_json, struct error *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(params))
        return error_set(err, ERROR_BAD_REQUEST, "params: must be an object");
    if (json_object_size(params) > PARAMS_MAX)
        return error_set(err, ERROR_BAD_REQUEST, "params: at most %d parameters", PARAMS_MAX);
    /* The iterator wants a mutable object, but changes nothing. */
    json_object_foreach((json_t *)params, name, value)
    {
        if (!query_syntax_is_parameter(name))
            return fail(err, name, "a parameter's name has letters, digits and '_' only");
        if ((json_is_object(value) ? check_typed(name, value, err)
                                   : check_value(name, value, 0, err)) < 0)
            return -1;
    }
    char *json = json_dumps(params, JSON_COMPACT | JSON_REAL_PRECISION(DOUBLE_DIGITS));
    if (json == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the request");
    *ret_json = json;
    return 0;
}
