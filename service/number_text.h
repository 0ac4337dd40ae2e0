/*
 * number_text: numbers -> text, the shortest digits that read back as the same
 * value.   [any]
 *
 * C has no shortest formatter, the C++ library has (std::to_chars, Ryu inside),
 * so this one module is C++ behind a C header; no exception can leave it.
 *
 * Each function writes at `out` (NUMBER_TEXT_MAX bytes of room, no terminator)
 * and returns the end of what it wrote.
 */
#ifndef SERVICE_NUMBER_TEXT_H
#define SERVICE_NUMBER_TEXT_H

#include <stdint.h>

#define NUMBER_TEXT_MAX 32

#ifdef __cplusplus
extern "C" {
#endif

char *number_text_int64(char *out, int64_t value);
char *number_text_uint64(char *out, uint64_t value);

/* Finite values only, as ECMAScript's Number::toString (RFC 8785 section 3.2.2.3)
 * writes them, but negative zero is "-0.0". The float one is shortest for binary32. */
char *number_text_double(char *out, double value);
char *number_text_float(char *out, float value);

#ifdef __cplusplus
}
#endif

#endif
