#include "prefer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* One `name = value`, without the parameters behind ';'. */
struct preference {
    const char *name;
    size_t name_length;
    const char *value; /* without quotes */
    size_t value_length;
};

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t");
}

/* Behind the quoted string that starts at `at`, or at its missing end. */
static const char *skip_quoted(const char *at)
{
    for (at++; *at != '\0' && *at != '"'; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
    }
    return *at == '"' ? at + 1 : at;
}

/* Behind the comma that ends this preference, or at the end of the text. */
static const char *skip_rest(const char *at)
{
    while (*at != '\0' && *at != ',')
        at = *at == '"' ? skip_quoted(at) : at + 1;
    return *at == ',' ? at + 1 : at;
}

static void read_value(const char *at, struct preference *ret_preference)
{
    if (*at == '"') {
        const char *end = skip_quoted(at);
        ret_preference->value = at + 1;
        ret_preference->value_length = (size_t)(end - at) - (end[-1] == '"' && end > at + 1) - 1;
        return;
    }
    ret_preference->value = at;
    ret_preference->value_length = strcspn(at, " \t,;");
}

/* The next one of the list; NULL at its end. */
static const char *next_preference(const char *at, struct preference *ret_preference)
{
    at += strspn(at, " \t,");
    if (*at == '\0')
        return NULL;
    *ret_preference = (struct preference){.name = at, .name_length = strcspn(at, " \t=,;\"")};
    at = skip_space(at + ret_preference->name_length);
    if (*at == '=')
        read_value(skip_space(at + 1), ret_preference);
    return skip_rest(at);
}

static bool is_named(const struct preference *preference, const char *name)
{
    return preference->name_length == strlen(name) &&
           strncasecmp(preference->name, name, preference->name_length) == 0;
}

/* delta-seconds (RFC 9111); -1: it is none. What is too long to count is long enough. */
static int64_t read_seconds(const struct preference *preference)
{
    int64_t seconds = 0;

    if (preference->value_length == 0)
        return -1;
    for (size_t i = 0; i < preference->value_length; i++) {
        char c = preference->value[i];
        if (c < '0' || c > '9')
            return -1;
        if (seconds < INT32_MAX)
            seconds = seconds * 10 + (c - '0');
    }
    return seconds < INT32_MAX ? seconds : INT32_MAX;
}

struct prefer prefer_parse(const char *value)
{
    struct prefer prefer = {.wait_s = -1};
    struct preference preference;
    bool wait_seen = false;

    while (value != NULL && (value = next_preference(value, &preference)) != NULL) {
        if (is_named(&preference, "respond-async") && preference.value_length == 0)
            prefer.respond_async = true;
        if (!is_named(&preference, "wait") || wait_seen)
            continue;
        wait_seen = true;
        prefer.wait_s = read_seconds(&preference);
    }
    return prefer;
}

int64_t prefer_wait_ms(const struct prefer *prefer, int64_t maximum_ms)
{
    if (prefer->wait_s >= 0)
        return prefer->wait_s < maximum_ms / 1000 ? prefer->wait_s * 1000 : maximum_ms;
    return prefer->respond_async ? 0 : -1;
}

void prefer_format_applied(const struct prefer *prefer, char ret_text[PREFER_APPLIED_BYTES])
{
    ret_text[0] = '\0';
    if (prefer->wait_s >= 0)
        snprintf(ret_text, PREFER_APPLIED_BYTES, "%swait=%lld",
                 prefer->respond_async ? "respond-async, " : "", (long long)prefer->wait_s);
    else if (prefer->respond_async)
        snprintf(ret_text, PREFER_APPLIED_BYTES, "respond-async");
}
