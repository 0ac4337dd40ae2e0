#include "input.h"

#include <string.h>

uint8_t fuzz_take_byte(struct fuzz_input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

size_t fuzz_take_below(struct fuzz_input *input, size_t limit)
{
    return fuzz_take_byte(input) % limit;
}

uint64_t fuzz_take_number(struct fuzz_input *input)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < 8; i++)
        number |= (uint64_t)fuzz_take_byte(input) << (8 * i);
    return number;
}

void fuzz_take_bytes(struct fuzz_input *input, void *ret_bytes, size_t size)
{
    size_t there = size < input->left ? size : input->left;

    if (size == 0)
        return;
    memset(ret_bytes, 0, size);
    if (there > 0)
        memcpy(ret_bytes, input->at, there);
    input->at += there;
    input->left -= there;
}

static char *copy_text(const void *bytes, size_t length)
{
    char *text = malloc(length + 1);

    fuzz_check(text != NULL);
    if (length > 0)
        memcpy(text, bytes, length);
    text[length] = '\0';
    return text;
}

char *fuzz_take_line(struct fuzz_input *input)
{
    const uint8_t *end = input->left > 0 ? memchr(input->at, '\n', input->left) : NULL;
    size_t length = end != NULL ? (size_t)(end - input->at) : input->left;
    char *text = copy_text(input->at, length);

    input->at += length + (end != NULL);
    input->left -= length + (end != NULL);
    return text;
}

char *fuzz_take_rest(struct fuzz_input *input, size_t *ret_length)
{
    char *text = copy_text(input->at, input->left);

    *ret_length = input->left;
    input->left = 0;
    return text;
}

/* FNV-1a, 64 bits. */
uint64_t fuzz_hash(const uint8_t *data, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 0x100000001b3u;
    return hash != 0 ? hash : 1;
}

/* xorshift64, Marsaglia 2003. */
uint64_t fuzz_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}
