#include "utf8.h"

#include <stdbool.h>

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Length by the first byte, and the range its second byte may have (RFC 3629 §4). */
static size_t expected_length(unsigned char first, unsigned char *ret_low, unsigned char *ret_high)
{
    *ret_low = 0x80;
    *ret_high = 0xBF;
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (first >= 0xE0 && first <= 0xEF) {
        if (first == 0xE0)
            *ret_low = 0xA0;
        if (first == 0xED)
            *ret_high = 0x9F;
        return 3;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        if (first == 0xF0)
            *ret_low = 0x90;
        if (first == 0xF4)
            *ret_high = 0x8F;
        return 4;
    }
    return 0;
}

size_t utf8_char_length(const char *bytes, size_t length)
{
    const unsigned char *text = (const unsigned char *)bytes;
    unsigned char low, high;

    if (length == 0)
        return 0;
    size_t expected = expected_length(text[0], &low, &high);
    if (expected == 0 || expected > length)
        return 0;
    if (expected > 1 && (text[1] < low || text[1] > high))
        return 0;
    for (size_t i = 2; i < expected; i++) {
        if (!is_continuation(text[i]))
            return 0;
    }
    return expected;
}

bool utf8_is_valid(const char *bytes, size_t length)
{
    size_t step = 0;

    for (size_t at = 0; at < length; at += step) {
        step = utf8_char_length(bytes + at, length - at);
        if (step == 0)
            return false;
    }
    return true;
}

size_t utf8_cut(const char *bytes, size_t length, size_t limit)
{
    if (length <= limit)
        return length;

    /* A character has at most three continuation bytes. */
    size_t cut = limit;
    for (int i = 0; i < 3 && cut > 0 && is_continuation((unsigned char)bytes[cut]); i++)
        cut--;
    return is_continuation((unsigned char)bytes[cut]) ? limit : cut;
}

const uint8_t *utf8_skip_sequence(const uint8_t *at, const uint8_t *end, bool *ret_valid)
{
    unsigned char low;
    unsigned char high;
    size_t length = expected_length(*at, &low, &high);

    at++;
    for (size_t i = 1; i < length; i++, at++) {
        if (at == end || *at < low || *at > high) {
            *ret_valid = false;
            return at;
        }
        low = 0x80;
        high = 0xBF;
    }
    *ret_valid = length > 0;
    return at;
}
