#include "media_type.h"

#include <string.h>
#include <strings.h>

#include "accept_list.h"

bool media_type_is(const char *content_type, const char *type)
{
    const char *text = content_type != NULL ? content_type + strspn(content_type, " \t") : "";
    size_t length = strcspn(text, ";,");

    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    return length == strlen(type) && strncasecmp(text, type, length) == 0;
}

int media_range_match(const char *range, size_t length, const char *type)
{
    size_t major = (size_t)(strchr(type, '/') - type);

    if (length == strlen(type) && strncasecmp(range, type, length) == 0)
        return MEDIA_RANGE_EXACT;
    if (length == major + 2 && strncasecmp(range, type, major + 1) == 0 && range[major + 1] == '*')
        return MEDIA_RANGE_MAJOR;
    return length == 3 && strncmp(range, "*/*", 3) == 0 ? MEDIA_RANGE_ALL : MEDIA_RANGE_NONE;
}

bool media_type_accepted(const char *accept, const char *type)
{
    int best = MEDIA_RANGE_NONE;
    bool accepted = false;
    const char *at = accept != NULL ? accept : "";
    struct accept_element element;

    if (at[strspn(at, " \t")] == '\0')
        return true;
    while (accept_list_next(&at, &element)) {
        int match = media_range_match(element.value, element.value_length, type);

        if (match > best) {
            best = match;
            accepted = element.weight > 0;
        }
    }
    return accepted;
}
