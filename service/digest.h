/*
 * digest: SHA-256 (FIPS 180-4) by OpenSSL, random bytes, and bytes as lower-case
 * hexadecimal.   [any]
 */
#ifndef SERVICE_DIGEST_H
#define SERVICE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define SHA256_BYTES 32
#define SHA256_TEXT_BYTES (2 * SHA256_BYTES + 1)

/* False without memory. */
bool digest_sha256(const void *bytes, size_t length, unsigned char ret_digest[SHA256_BYTES]);

/* True when equal; takes as long whatever differs. */
bool digest_equal(const void *a, const void *b, size_t length);

/* False when the kernel gives none. */
bool random_bytes(unsigned char *ret_bytes, size_t length);

#define RANDOM_ID_BYTES 16

/* The same for an id, without a system call each. */
bool random_id(unsigned char ret_bytes[RANDOM_ID_BYTES]);

/* Writes 2 * length characters and a NUL. */
void hex_format(const unsigned char *bytes, size_t length, char *ret_text);

/* Exactly 2 * length characters of `text`; false: another character. */
bool hex_parse(const char *text, size_t length, unsigned char *ret_bytes);

#endif
