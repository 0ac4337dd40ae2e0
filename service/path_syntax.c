#include "path_syntax.h"

#include <stddef.h>
#include <string.h>

#include "utf8.h"

#define S3A_SCHEME "s3a://"
#define BUCKET_MAX_BYTES 63 /* and at least 3: the rules of S3 */
#define BUCKET_MIN_BYTES 3

/* C0, DEL, and C1 as UTF-8 has it. */
static bool is_control(const char *c)
{
    return (unsigned char)*c < 0x20 || *c == 0x7f ||
           ((unsigned char)c[0] == 0xc2 && (unsigned char)c[1] < 0xa0);
}

const char *path_syntax_fault(const char *text)
{
    size_t whole = strlen(text);

    if (whole > PATH_SYNTAX_MAX_BYTES)
        return "is too long";
    if (!utf8_is_valid(text, whole))
        return "is not UTF-8";
    for (const char *c = text; *c != '\0'; c++) {
        if (is_control(c))
            return "has a control character";
        if (strchr("%*?[]{}\\", *c) != NULL)
            return "has one of the characters % * ? [ ] { } \\";
    }
    for (const char *part = text; *part != '\0'; part += *part == '/') {
        size_t length = strcspn(part, "/");

        if (length == 2 && memcmp(part, "..", 2) == 0)
            return "has a '..'";
        if (length > PATH_SYNTAX_NAME_MAX_BYTES)
            return "has a name that is too long";
        part += length;
    }
    return NULL;
}

const char *path_syntax_s3a_key(const char *text)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
    const char *bucket = text + strlen(S3A_SCHEME);
    size_t length = strspn(bucket, set);

    if (length < BUCKET_MIN_BYTES || length > BUCKET_MAX_BYTES ||
        (bucket[length] != '/' && bucket[length] != '\0'))
        return NULL;
    return bucket + length;
}

bool path_syntax_is_s3a(const char *text)
{
    return strncmp(text, S3A_SCHEME, strlen(S3A_SCHEME)) == 0;
}
