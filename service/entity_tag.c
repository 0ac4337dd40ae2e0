#include "entity_tag.h"

#include <openssl/evp.h>
#include <string.h>

#define DIGEST_BYTES 32
#define SHOWN_BYTES 16

struct entity_tag entity_tag_of(const void *body, size_t length)
{
    static const char HEX[] = "0123456789abcdef";
    struct entity_tag tag = {""};
    unsigned char digest[DIGEST_BYTES];
    char *text = tag.text;

    if (EVP_Digest(body, length, digest, NULL, EVP_sha256(), NULL) != 1)
        return tag;
    *text++ = '"';
    for (size_t i = 0; i < SHOWN_BYTES; i++) {
        *text++ = HEX[digest[i] >> 4];
        *text++ = HEX[digest[i] & 0x0f];
    }
    *text++ = '"';
    *text = '\0';
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
