/*
 * json_text: bytes -> JSON text (RFC 8259).   [any]
 */
#ifndef SERVICE_JSON_TEXT_H
#define SERVICE_JSON_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "byte_buffer.h"

/* Appends a quoted string. Escapes are those of RFC 8785; each maximal subpart
 * of invalid UTF-8 becomes one U+FFFD (Unicode section 3.9, as in WHATWG Encoding). */
void json_text_append_string(struct byte_buffer *out, const void *bytes, size_t length);

/* Appends a quoted base64 string (RFC 4648 section 4). */
void json_text_append_base64(struct byte_buffer *out, const void *bytes, size_t length);

/* Appends a JSON document as it is; as a string when it isn't one, so that a
 * source's bad document can't break the answer around it. */
void json_text_append_document(struct byte_buffer *out, const void *bytes, size_t length);

#endif
