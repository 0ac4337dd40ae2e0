#include "query_target.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "json_text.h"
#include "query_string.h"

#define INTEGER_DIGITS_MAX 18

enum field_kind { FIELD_TEXT, FIELD_INTEGER, FIELD_DOCUMENT };

static const struct {
    const char *name;
    enum field_kind kind;
} FIELDS[] = {
    {"sql", FIELD_TEXT},           {"path", FIELD_TEXT},
    {"table", FIELD_TEXT},         {"engine", FIELD_TEXT},
    {"query_id", FIELD_TEXT},      {"cache", FIELD_TEXT},
    {"numbers", FIELD_TEXT},       {"on_wait", FIELD_TEXT},
    {"timeout_ms", FIELD_INTEGER}, {"queue_timeout_ms", FIELD_INTEGER},
    {"row_limit", FIELD_INTEGER},  {"byte_limit", FIELD_INTEGER},
    {"wait_ms", FIELD_INTEGER},    {"params", FIELD_DOCUMENT},
    {"as_of", FIELD_DOCUMENT},
};

#define FIELD_COUNT (sizeof(FIELDS) / sizeof(FIELDS[0]))

static bool is_integer(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits <= INTEGER_DIGITS_MAX && text[digits] == '\0' &&
           (text[0] != '0' || digits == 1);
}

/* One whole JSON value and nothing behind it, so that it can't end the body around it. */
static bool is_document(const char *text)
{
    json_t *tree = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    bool is_object = json_is_object(tree);

    json_decref(tree);
    return is_object;
}

static int append_value(struct byte_buffer *body, const char *name, enum field_kind kind,
                        const char *value, struct error *err)
{
    switch (kind) {
    case FIELD_TEXT:
        json_text_append_string(body, value, strlen(value));
        return 0;
    case FIELD_INTEGER:
        if (!is_integer(value))
            return error_set(err, ERROR_BAD_REQUEST, "%s: must be an integer", name);
        break;
    case FIELD_DOCUMENT:
        if (!is_document(value))
            return error_set(err, ERROR_BAD_REQUEST, "%s: must be a JSON object", name);
        break;
    }
    byte_buffer_append_text(body, value);
    return 0;
}

static int append_fields(struct byte_buffer *body, const struct query_string *string,
                         struct error *err)
{
    const char *separator = "";

    byte_buffer_append_char(body, '{');
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const char *value = query_string_get(string, FIELDS[i].name);

        if (value == NULL)
            continue;
        byte_buffer_append_format(body, "%s\"%s\":", separator, FIELDS[i].name);
        separator = ",";
        if (append_value(body, FIELDS[i].name, FIELDS[i].kind, value, err) != 0)
            return -1;
    }
    byte_buffer_append_char(body, '}');
    return body->failed ? error_set(err, ERROR_ENGINE_ERROR, "out of memory for the request") : 0;
}

int query_target_to_body(const char *query, struct byte_buffer *ret_body, struct error *err)
{
    const char *names[FIELD_COUNT + 1] = {NULL};
    struct query_string string = {0};
    int rc = -1;

    for (size_t i = 0; i < FIELD_COUNT; i++)
        names[i] = FIELDS[i].name;
    if (query_string_parse(query, names, &string, err) != 0)
        return -1;
    rc = append_fields(ret_body, &string, err);
    query_string_done(&string);
    return rc;
}
