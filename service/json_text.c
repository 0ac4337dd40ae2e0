#include "json_text.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "utf8.h"

#define EVERY_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH_BITS EVERY_BYTE(0x80)

/* High bit of a byte set where that byte needs a second look: a control, '"',
 * '\\' or not ASCII. A borrow may mark a byte too much, never one too few. */
static inline uint64_t unclean_bytes(uint64_t word)
{
    uint64_t quote = word ^ EVERY_BYTE('"');
    uint64_t backslash = word ^ EVERY_BYTE('\\');

    return (word | (word - EVERY_BYTE(0x20)) | (quote - EVERY_BYTE(1)) |
            (backslash - EVERY_BYTE(1))) &
           HIGH_BITS;
}

static inline bool is_clean(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* First byte at or behind `at` that can't be copied as it is without a look. */
static const uint8_t *skip_clean(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 8) {
        uint64_t word;

        memcpy(&word, at, sizeof(word));
        if (unclean_bytes(word) != 0)
            break;
        at += 8;
    }
    while (at < end && is_clean(*at))
        at++;
    return at;
}

static void append_escape(struct byte_buffer *out, uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    char escape[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};

    switch (byte) {
    case '"':
    case '\\':
        escape[1] = (char)byte;
        break;
    case '\b':
        escape[1] = 'b';
        break;
    case '\t':
        escape[1] = 't';
        break;
    case '\n':
        escape[1] = 'n';
        break;
    case '\f':
        escape[1] = 'f';
        break;
    case '\r':
        escape[1] = 'r';
        break;
    default:
        break;
    }
    byte_buffer_append(out, escape, escape[1] == 'u' ? 6 : 2);
}

/* Text from its first byte on that needs a look: escapes, repairs. */
static void append_unclean(struct byte_buffer *out, const uint8_t *at, const uint8_t *end)
{
    const uint8_t *copied = at; /* everything before is in `out` */

    while ((at = skip_clean(at, end)) < end) {
        bool valid;

        if (*at < 0x80) {
            byte_buffer_append(out, copied, (size_t)(at - copied));
            append_escape(out, *at++);
            copied = at;
            continue;
        }
        const uint8_t *next = utf8_skip_sequence(at, end, &valid);
        if (!valid) {
            byte_buffer_append(out, copied, (size_t)(at - copied));
            byte_buffer_append(out, UTF8_REPLACEMENT, sizeof(UTF8_REPLACEMENT) - 1);
            copied = next;
        }
        at = next;
    }
    byte_buffer_append(out, copied, (size_t)(end - copied));
}

/* Copies the bytes that need no second look, up to the first word that has one that
 * does; gives how many. `to` has room for all of them. */
static size_t copy_clean(char *to, const uint8_t *from, size_t length)
{
    uint64_t word;
    size_t done = 0;

    for (; length - done >= sizeof(word); done += sizeof(word)) {
        memcpy(&word, from + done, sizeof(word));
        if (unclean_bytes(word) != 0)
            return done;
        memcpy(to + done, &word, sizeof(word));
    }
    for (; done < length && is_clean(from[done]); done++)
        to[done] = (char)from[done];
    return done;
}

void json_text_append_string(struct byte_buffer *out, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    const uint8_t *end = at + length;

    if (!byte_buffer_reserve(out, length + 2))
        return;
    out->data[out->length++] = '"';
    size_t clean = copy_clean(out->data + out->length, at, length);
    out->length += clean;
    at += clean;
    if (at < end)
        append_unclean(out, at, end);
    byte_buffer_append_char(out, '"');
}

static char *put_base64_group(char *out, uint32_t group)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    out[0] = alphabet[group >> 18 & 63];
    out[1] = alphabet[group >> 12 & 63];
    out[2] = alphabet[group >> 6 & 63];
    out[3] = alphabet[group & 63];
    return out + 4;
}

void json_text_append_base64(struct byte_buffer *out, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    size_t rest = length % 3;

    if (!byte_buffer_reserve(out, (length / 3 + 1) * 4 + 2))
        return;
    char *to = out->data + out->length;
    *to++ = '"';
    for (const uint8_t *end = at + length - rest; at < end; at += 3)
        to = put_base64_group(to, (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2]);
    if (rest == 1) {
        to = put_base64_group(to, (uint32_t)at[0] << 16);
        memcpy(to - 2, "==", 2);
    } else if (rest == 2) {
        to = put_base64_group(to, (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8);
        to[-1] = '=';
    }
    *to++ = '"';
    out->length = (size_t)(to - out->data);
}

void json_text_append_document(struct byte_buffer *out, const void *bytes, size_t length)
{
    /* Only the syntax is of interest: integers of any size are fine as reals. */
    json_t *document =
        json_loadb(bytes, length, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);

    if (document == NULL) {
        json_text_append_string(out, bytes, length);
        return;
    }
    json_decref(document);
    byte_buffer_append(out, bytes, length);
}
