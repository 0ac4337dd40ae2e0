/*
 * csv_text: one field of a CSV record (RFC 4180).   [any]
 */
#ifndef SERVICE_CSV_TEXT_H
#define SERVICE_CSV_TEXT_H

#include <stddef.h>

#include "byte_buffer.h"

/* Appends text as a field, in quotes where it holds a quote, a comma, CR or LF,
 * and where it is empty (an empty field without quotes is NULL). Invalid UTF-8
 * becomes U+FFFD. Nothing else is changed: '=' or '+' in front stay. */
void csv_text_append_field(struct byte_buffer *out, const void *bytes, size_t length);

#endif
