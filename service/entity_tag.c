#include "entity_tag.h"

#include <string.h>

#include "digest.h"

#define SHOWN_BYTES 16

struct entity_tag entity_tag_of(const void *body, size_t length)
{
    struct entity_tag tag = {""};
    unsigned char digest[SHA256_BYTES];

    if (!digest_sha256(body, length, digest))
        return tag;
    tag.text[0] = '"';
    hex_format(digest, SHOWN_BYTES, tag.text + 1);
    memcpy(tag.text + 1 + 2 * SHOWN_BYTES, "\"", 2);
    return tag;
}

/* Behind a tag that stands at `text`, NULL when none does. */
static const char *skip_tag(const char *text)
{
    if (strncmp(text, "W/", 2) == 0)
        text += 2;
    if (*text != '"')
        return NULL;
    text = strchr(text + 1, '"');
    return text != NULL ? text + 1 : NULL;
}

bool entity_tag_is_named(const struct entity_tag *tag, const char *if_none_match)
{
    static const char SPACE[] = " \t,";
    size_t length = strlen(tag->text);
    const char *at = if_none_match;

    if (at == NULL || length == 0)
        return false;
    at += strspn(at, SPACE);
    if (strcmp(at, "*") == 0)
        return true;
    while (*at != '\0') {
        const char *end = skip_tag(at);
        if (end == NULL)
            return false;
        if ((size_t)(end - at) >= length && memcmp(end - length, tag->text, length) == 0)
            return true;
        at = end + strspn(end, SPACE);
    }
    return false;
}
