#include "media_type.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *skip_space(const char *text)
{
    return text + strspn(text, " \t");
}

/* Length of `type/subtype` at the start of text, without trailing space. */
static size_t range_length(const char *text)
{
    size_t length = strcspn(text, ";,");

    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    return length;
}

bool media_type_is(const char *content_type, const char *type)
{
    const char *text = content_type != NULL ? skip_space(content_type) : "";

    return range_length(text) == strlen(type) && strncasecmp(text, type, strlen(type)) == 0;
}

/* 3: the type itself, 2: type/<star>, 1: everything, 0: no match. */
static int specificity(const char *range, size_t length, const char *type)
{
    size_t major = (size_t)(strchr(type, '/') - type);

    if (length == strlen(type) && strncasecmp(range, type, length) == 0)
        return 3;
    if (length == major + 2 && strncasecmp(range, type, major + 1) == 0 && range[major + 1] == '*')
        return 2;
    return length == 3 && strncmp(range, "*/*", 3) == 0 ? 1 : 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The q parameter of one element (up to `end`), 1 when absent or malformed. */
static double quality(const char *element, const char *end)
{
    const char *parameter = memchr(element, ';', (size_t)(end - element));

    while (parameter != NULL && parameter < end) {
        const char *name = skip_space(parameter + 1);
        if ((name[0] == 'q' || name[0] == 'Q') && name[1] == '=')
            return is_digit(name[2]) ? strtod(name + 2, NULL) : 1.0;
        parameter = memchr(name, ';', (size_t)(end > name ? end - name : 0));
    }
    return 1.0;
}

bool media_type_accepted(const char *accept, const char *type)
{
    int best = 0;
    bool accepted = false;
    const char *element = accept != NULL ? skip_space(accept) : "";

    if (*element == '\0')
        return true;
    while (*element != '\0') {
        const char *end = element + strcspn(element, ",");
        int match = specificity(element, range_length(element), type);

        if (match > best) {
            best = match;
            accepted = quality(element, end) > 0.0;
        }
        element = *end == ',' ? skip_space(end + 1) : end;
    }
    return accepted;
}
