/*
 * utf8: well-formed UTF-8 (RFC 3629: no surrogate, no overlong form, nothing
 * above U+10FFFF). Pure.   [any]
 */
#ifndef SERVICE_UTF8_H
#define SERVICE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What stands for bytes that aren't UTF-8: U+FFFD. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* Behind the character at `at` (before `end`), or behind the maximal part of
 * one that isn't whole (Unicode §3.9), then *ret_valid is false. */
const uint8_t *utf8_skip_sequence(const uint8_t *at, const uint8_t *end, bool *ret_valid);

/* Bytes of the character that starts at `bytes` (1..4), 0 when it is not well
 * formed or ends behind `length`. */
size_t utf8_char_length(const char *bytes, size_t length);

bool utf8_is_valid(const char *bytes, size_t length);

/* Greatest n <= limit at which `bytes` can be cut without splitting a character. */
size_t utf8_cut(const char *bytes, size_t length, size_t limit);

#endif
