/*
 * decimal_text: Arrow decimals (two's complement, native byte order, 32 to 256
 * bits) -> text with exactly `scale` digits after the point.   [any]
 */
#ifndef SERVICE_DECIMAL_TEXT_H
#define SERVICE_DECIMAL_TEXT_H

/* The scales accepted, either sign; 256 bits are at most 78 digits. */
#define DECIMAL_SCALE_MAX 128
#define DECIMAL_TEXT_MAX 256

/* `value` has `value_bytes` (4, 8, 16 or 32) bytes of any alignment. Writes at
 * `out` (DECIMAL_TEXT_MAX bytes of room) and returns the end of the text. */
char *decimal_text(char *out, const void *value, int value_bytes, int scale);

#endif
