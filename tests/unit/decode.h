/*
 * decode: takes gzip and zstd apart again, by the libraries' own decoders.
 */
#ifndef TESTS_DECODE_H
#define TESTS_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include "../../service/byte_buffer.h"
#include "../../service/result_format.h"

/* Appends what `length` coded bytes give so far. `ret_ended`: the stream is
 * whole, checksum and all. False: broken bytes. */
bool decode_bytes(enum content_coding coding, const char *bytes, size_t length,
                  struct byte_buffer *out, bool *ret_ended);

#endif
