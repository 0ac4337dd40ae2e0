#include "decimal_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "number_text.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "limbs are read in little-endian order"
#endif

#define LIMBS_MAX 4
#define CHUNK_DIGITS 19
#define CHUNK_BASE UINT64_C(10000000000000000000)
#define DIGITS_MAX (LIMBS_MAX * CHUNK_DIGITS + NUMBER_TEXT_MAX)

/* Least significant limb first. */
struct magnitude {
    uint64_t limbs[LIMBS_MAX];
    int count; /* limbs up to the highest one that isn't zero, at least 1 */
};

/* Returns true when the value is negative. */
static bool magnitude_read(struct magnitude *ret_magnitude, const void *value, int value_bytes)
{
    struct magnitude magnitude;
    uint8_t top = ((const uint8_t *)value)[value_bytes - 1];
    bool negative = (top & 0x80) != 0;
    uint64_t carry = 1;

    memset(magnitude.limbs, negative ? 0xff : 0, sizeof(magnitude.limbs));
    memcpy(magnitude.limbs, value, (size_t)value_bytes);
    for (int i = 0; negative && i < LIMBS_MAX; i++) {
        magnitude.limbs[i] = ~magnitude.limbs[i] + carry;
        carry = carry != 0 && magnitude.limbs[i] == 0;
    }
    magnitude.count = LIMBS_MAX;
    while (magnitude.count > 1 && magnitude.limbs[magnitude.count - 1] == 0)
        magnitude.count--;
    *ret_magnitude = magnitude;
    return negative;
}

/* Divides in place and returns the remainder, the next CHUNK_DIGITS digits from the right. */
static uint64_t magnitude_divide(struct magnitude *magnitude)
{
    unsigned __int128 rest = 0;

    for (int i = magnitude->count - 1; i >= 0; i--) {
        rest = rest << 64 | magnitude->limbs[i];
        magnitude->limbs[i] = (uint64_t)(rest / CHUNK_BASE);
        rest %= CHUNK_BASE;
    }
    while (magnitude->count > 1 && magnitude->limbs[magnitude->count - 1] == 0)
        magnitude->count--;
    return (uint64_t)rest;
}

/* Writes the digits right-aligned before `end`, returns where they start. */
static char *magnitude_digits(struct magnitude *magnitude, char *end)
{
    char text[NUMBER_TEXT_MAX];
    size_t length;

    while (magnitude->count > 1) {
        length = (size_t)(number_text_uint64(text, magnitude_divide(magnitude)) - text);
        end -= CHUNK_DIGITS;
        memset(end, '0', CHUNK_DIGITS - length);
        memcpy(end + CHUNK_DIGITS - length, text, length);
    }
    length = (size_t)(number_text_uint64(text, magnitude->limbs[0]) - text);
    end -= length;
    memcpy(end, text, length);
    return end;
}

static char *put(char *out, const char *bytes, size_t count)
{
    memcpy(out, bytes, count);
    return out + count;
}

static char *put_zeros(char *out, size_t count)
{
    memset(out, '0', count);
    return out + count;
}

static char *put_scaled(char *out, const char *digits, size_t count, int scale)
{
    size_t fraction = scale > 0 ? (size_t)scale : 0;

    if (count > fraction)
        out = put(out, digits, count - fraction);
    else
        *out++ = '0';
    if (scale < 0 && count > 0)
        return put_zeros(out, (size_t)-scale);
    if (fraction == 0)
        return out;
    *out++ = '.';
    if (count >= fraction)
        return put(out, digits + count - fraction, fraction);
    out = put_zeros(out, fraction - count);
    return put(out, digits, count);
}

/* A 128-bit value that fits 64 bits, as nearly all do; gives false for the others. */
static bool read_small(const void *value, int value_bytes, int64_t *ret_small)
{
    int64_t limbs[2];

    if (value_bytes != sizeof(limbs))
        return false;
    memcpy(limbs, value, sizeof(limbs));
    *ret_small = limbs[0];
    return limbs[1] == (limbs[0] < 0 ? -1 : 0);
}

char *decimal_text(char *out, const void *value, int value_bytes, int scale)
{
    char digits[DIGITS_MAX];
    char *end = digits + sizeof(digits);
    struct magnitude magnitude;
    int64_t small;

    if (read_small(value, value_bytes, &small)) {
        uint64_t absolute = small < 0 ? -(uint64_t)small : (uint64_t)small;

        if (small < 0)
            *out++ = '-';
        end = absolute != 0 ? number_text_uint64(digits, absolute) : digits;
        return put_scaled(out, digits, (size_t)(end - digits), scale);
    }
    if (magnitude_read(&magnitude, value, value_bytes))
        *out++ = '-';
    char *start = magnitude_digits(&magnitude, end);
    while (start < end && *start == '0')
        start++;
    return put_scaled(out, start, (size_t)(end - start), scale);
}
