/*
 * input: an input taken apart into small values, and the one way a target
 * says that something is wrong. Reads past the end give zeros: every input is
 * a whole one.
 */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's entry; the replay program calls it too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_check(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

uint8_t fuzz_take_byte(struct fuzz_input *input);

/* 0..limit-1 of one byte. */
size_t fuzz_take_below(struct fuzz_input *input, size_t limit);

/* Eight bytes, little endian. */
uint64_t fuzz_take_number(struct fuzz_input *input);

/* Exactly `size` bytes into the caller's memory. */
void fuzz_take_bytes(struct fuzz_input *input, void *ret_bytes, size_t size);

/* Up to the next newline or the end, as a string of its own size (gives). A NUL ends it early. */
char *fuzz_take_line(struct fuzz_input *input);

/* Everything left, with a NUL behind it (gives). */
char *fuzz_take_rest(struct fuzz_input *input, size_t *ret_length);

/* A seed that only the bytes decide, for choices of the target's own. */
uint64_t fuzz_hash(const uint8_t *data, size_t size);

/* The next of a row of numbers; the state mustn't be 0. */
uint64_t fuzz_next(uint64_t *state);

#endif
