#include "digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

#define RANDOM_STOCK 16 /* ids fetched at once: getrandom gives up to 256 bytes whole */

static const char DIGITS[] = "0123456789abcdef";

bool digest_sha256(const void *bytes, size_t length, unsigned char ret_digest[SHA256_BYTES])
{
    return EVP_Digest(bytes, length, ret_digest, NULL, EVP_sha256(), NULL) == 1;
}

bool digest_equal(const void *a, const void *b, size_t length)
{
    return CRYPTO_memcmp(a, b, length) == 0;
}

bool random_bytes(unsigned char *ret_bytes, size_t length)
{
    return getrandom(ret_bytes, length, 0) == (ssize_t)length;
}

bool random_id(unsigned char ret_bytes[RANDOM_ID_BYTES])
{
    static _Thread_local unsigned char stock[RANDOM_STOCK * RANDOM_ID_BYTES];
    static _Thread_local size_t left = 0;

    if (left == 0) {
        if (!random_bytes(stock, sizeof(stock)))
            return false;
        left = RANDOM_STOCK;
    }
    left--;
    memcpy(ret_bytes, stock + left * RANDOM_ID_BYTES, RANDOM_ID_BYTES);
    return true;
}

void hex_format(const unsigned char *bytes, size_t length, char *ret_text)
{
    for (size_t i = 0; i < length; i++) {
        ret_text[2 * i] = DIGITS[bytes[i] >> 4];
        ret_text[2 * i + 1] = DIGITS[bytes[i] & 15];
    }
    ret_text[2 * length] = '\0';
}

static int digit_value(char digit)
{
    const char *at = digit != '\0' ? strchr(DIGITS, digit) : NULL;

    return at != NULL ? (int)(at - DIGITS) : -1;
}

bool hex_parse(const char *text, size_t length, unsigned char *ret_bytes)
{
    for (size_t i = 0; i < length; i++) {
        int high = digit_value(text[2 * i]);
        int low = high >= 0 ? digit_value(text[2 * i + 1]) : -1;

        if (low < 0)
            return false;
        ret_bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}
