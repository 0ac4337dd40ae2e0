/*
 * utf8: well-formed UTF-8 (RFC 3629: no surrogate, no overlong form, nothing
 * above U+10FFFF). Pure.   [any]
 */
#ifndef SERVICE_UTF8_H
#define SERVICE_UTF8_H

#include <stddef.h>

/* Bytes of the character that starts at `bytes` (1..4), 0 when it is not well
 * formed or ends behind `length`. */
size_t utf8_char_length(const char *bytes, size_t length);

/* Greatest n <= limit at which `bytes` can be cut without splitting a character. */
size_t utf8_cut(const char *bytes, size_t length, size_t limit);

#endif
