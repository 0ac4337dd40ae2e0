#include "number_text.h"

#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>

namespace
{

/* value = 0.d1d2d3... * 10^point, d1 != 0 unless the value is zero. */
struct shortest_digits {
    char digits[20];
    int count;
    int point;
    bool negative;
};

template <typename real> shortest_digits shortest_digits_of(real value)
{
    char text[NUMBER_TEXT_MAX];
    const std::to_chars_result result =
        std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific);
    shortest_digits shortest = {};
    const char *at = text;

    if (*at == '-') {
        shortest.negative = true;
        at++;
    }
    for (; at < result.ptr && *at != 'e'; at++) {
        if (*at != '.')
            shortest.digits[shortest.count++] = *at;
    }
    at++;
    if (at < result.ptr && *at == '+')
        at++;
    std::from_chars(at, result.ptr, shortest.point);
    shortest.point++;
    return shortest;
}

char *put(char *out, const char *bytes, int count)
{
    std::memcpy(out, bytes, static_cast<std::size_t>(count));
    return out + count;
}

char *put_zeros(char *out, int count)
{
    std::memset(out, '0', static_cast<std::size_t>(count));
    return out + count;
}

char *put_exponential(char *out, const shortest_digits &shortest)
{
    const int exponent = shortest.point - 1;

    *out++ = shortest.digits[0];
    if (shortest.count > 1) {
        *out++ = '.';
        out = put(out, shortest.digits + 1, shortest.count - 1);
    }
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    return std::to_chars(out, out + 4, exponent < 0 ? -exponent : exponent).ptr;
}

/* The cases of ECMA-262, Number::toString, steps 6 to 11. */
char *put_ecmascript(char *out, const shortest_digits &shortest)
{
    if (shortest.negative)
        *out++ = '-';
    if (shortest.count <= shortest.point && shortest.point <= 21) {
        out = put(out, shortest.digits, shortest.count);
        return put_zeros(out, shortest.point - shortest.count);
    }
    if (0 < shortest.point && shortest.point <= 21) {
        out = put(out, shortest.digits, shortest.point);
        *out++ = '.';
        return put(out, shortest.digits + shortest.point, shortest.count - shortest.point);
    }
    if (-6 < shortest.point && shortest.point <= 0) {
        out = put(out, "0.", 2);
        out = put_zeros(out, -shortest.point);
        return put(out, shortest.digits, shortest.count);
    }
    return put_exponential(out, shortest);
}

/* From here on every real is an integer, and std::to_chars writes all its digits. */
template <typename real>
constexpr real EXACT_INTEGERS = static_cast<real>(std::uint64_t{1}
                                                  << std::numeric_limits<real>::digits);

template <typename real> char *put_real(char *out, real value)
{
    const real magnitude = value < 0 ? -value : value;

    if (value == 0)
        return __builtin_signbit(value) ? put(out, "-0.0", 4) : put(out, "0", 1);
    /* Here the fixed form of the standard library is ECMAScript's. */
    if (static_cast<real>(1e-6) <= magnitude && magnitude < EXACT_INTEGERS<real>)
        return std::to_chars(out, out + NUMBER_TEXT_MAX, value, std::chars_format::fixed).ptr;
    return put_ecmascript(out, shortest_digits_of(value));
}

} // namespace

char *number_text_int64(char *out, int64_t value)
{
    return std::to_chars(out, out + NUMBER_TEXT_MAX, value).ptr;
}

char *number_text_uint64(char *out, uint64_t value)
{
    return std::to_chars(out, out + NUMBER_TEXT_MAX, value).ptr;
}

char *number_text_double(char *out, double value)
{
    return put_real(out, value);
}

char *number_text_float(char *out, float value)
{
    return put_real(out, value);
}
