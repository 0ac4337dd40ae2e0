#include "query_string.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* In place; -1: an escape that isn't one, or NUL. */
static int decode(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++) {
        int high = 0;
        int low = 0;

        if (*from != '%') {
            *to++ = *from == '+' ? ' ' : *from;
            continue;
        }
        high = hex_digit(from[1]);
        low = high >= 0 ? hex_digit(from[2]) : -1;
        if (low < 0 || high + low == 0)
            return -1;
        *to++ = (char)(high << 4 | low);
        from += 2;
    }
    *to = '\0';
    return 0;
}

static int is_utf8(const char *text)
{
    size_t length = strlen(text);

    for (size_t at = 0; at < length;) {
        size_t step = utf8_char_length(text + at, length - at);
        if (step == 0)
            return 0;
        at += step;
    }
    return 1;
}

static int add_field(struct query_string *string, char *field, const char *const *known,
                     struct error *err)
{
    char *value = strchr(field, '=');

    if (value != NULL)
        *value++ = '\0';
    else
        value = field + strlen(field);
    if (decode(field) != 0 || decode(value) != 0 || !is_utf8(field) || !is_utf8(value))
        return error_set(err, ERROR_BAD_REQUEST,
                         "the target's query is not percent-encoded UTF-8 text");
    while (*known != NULL && strcmp(*known, field) != 0)
        known++;
    if (*known == NULL)
        return error_set(err, ERROR_BAD_REQUEST, "unknown query parameter %.128s", field);
    if (query_string_get(string, field) != NULL || string->count == QUERY_STRING_FIELDS_MAX)
        return error_set(err, ERROR_BAD_REQUEST, "%.128s: is there twice", field);
    string->fields[string->count].name = field;
    string->fields[string->count].value = value;
    string->count++;
    return 0;
}

int query_string_parse(const char *text, const char *const *known, struct query_string *ret_string,
                       struct error *err)
{
    struct query_string string = {.text = strdup(text)};
    char *rest = string.text;
    char *field = NULL;

    if (string.text == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    while ((field = strsep(&rest, "&")) != NULL) {
        if (*field != '\0' && add_field(&string, field, known, err) != 0) {
            query_string_done(&string);
            return -1;
        }
    }
    *ret_string = string;
    return 0;
}

void query_string_done(struct query_string *string)
{
    free(string->text);
    memset(string, 0, sizeof(*string));
}

const char *query_string_get(const struct query_string *string, const char *name)
{
    for (size_t i = 0; i < string->count; i++) {
        if (strcmp(string->fields[i].name, name) == 0)
            return string->fields[i].value;
    }
    return NULL;
}
