#include "error.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

struct code_entry {
    const char *name;
    int status;
    bool retryable;
};

static const struct code_entry code_table[] = {
#define X(name, wire, status, retryable) [ERROR_##name] = {wire, status, retryable},
    ERROR_CODE_TABLE(X)
#undef X
};

#define CODE_COUNT (sizeof(code_table) / sizeof(code_table[0]))

static const struct code_entry *code_entry(enum error_code code)
{
    if ((size_t)code >= CODE_COUNT)
        code = ERROR_ENGINE_ERROR;
    return &code_table[code];
}

/* Details quote callers, tables and servers: whatever isn't UTF-8 becomes '?'. */
static void replace_malformed(char *text)
{
    size_t length = strlen(text);

    for (size_t at = 0; at < length;) {
        size_t step = utf8_char_length(text + at, length - at);
        if (step == 0) {
            text[at] = '?';
            step = 1;
        }
        at += step;
    }
}

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
    char detail[sizeof(err->detail) + 4];
    va_list arguments;

    /* Formatted aside: the arguments may point into *err. */
    va_start(arguments, format);
    int written = vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    if (written < 0)
        detail[0] = '\0';
    detail[utf8_cut(detail, strlen(detail), sizeof(err->detail) - 1)] = '\0';
    replace_malformed(detail);

    error_clear(err);
    err->code = code;
    err->retryable = code_entry(code)->retryable;
    memcpy(err->detail, detail, strlen(detail) + 1);
    return -1;
}

int error_set_cancelled(struct error *err)
{
    return error_set(err, ERROR_CANCELLED, "the query was cancelled");
}

void error_clear(struct error *err)
{
    memset(err, 0, sizeof(*err));
}

const char *error_code_name(enum error_code code)
{
    return code_entry(code)->name;
}

int error_status(enum error_code code)
{
    return code_entry(code)->status;
}

enum error_code error_code_from_name(const char *name)
{
    for (size_t i = ERROR_NONE + 1; i < CODE_COUNT; i++) {
        if (strcmp(code_table[i].name, name) == 0)
            return (enum error_code)i;
    }
    return ERROR_ENGINE_ERROR;
}
