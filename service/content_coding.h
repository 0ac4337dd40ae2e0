/*
 * content_coding: bytes -> gzip (RFC 1952) or zstd (RFC 8878), as a stream.
 *
 * After each write the bytes given so far can all be decoded (a flush), so
 * that pages stay pages. CPU work: never on the loop.   [worker]; one coder
 * per answer.
 */
#ifndef SERVICE_CONTENT_CODING_H
#define SERVICE_CONTENT_CODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byte_buffer.h"
#include "error.h"
#include "result_format.h"

struct content_coder;

/* A coder holds up to half a MiB for as long as its client takes to read, so
 * that their number is bounded: one slot for each.   [any] */
void content_coding_set_limit(int64_t slots);

/* False when all slots are taken. */
bool content_coding_take_slot(void);
void content_coding_return_slot(void);

/* Of CODING_GZIP or CODING_ZSTD. -1: ERROR_ENGINE_ERROR, no memory. */
int content_coder_new(enum content_coding coding, struct content_coder **ret_coder,
                      struct error *err);
void content_coder_free(struct content_coder *coder);

/* Appends the coded bytes; `last` ends the stream, checksum and all. A length
 * of 0 is fine. -1: ERROR_ENGINE_ERROR. */
int content_coder_write(struct content_coder *coder, const void *bytes, size_t length, bool last,
                        struct byte_buffer *out, struct error *err);

/* Appends `bytes` (at most 64 KiB - 1) so that they can follow any write that
 * wasn't the last: as one block that is stored, not compressed. Needs no
 * coder; of use only where the stream then breaks off, because the checksum
 * doesn't know of them.   [any] */
void content_coding_append_stored(enum content_coding coding, const void *bytes, size_t length,
                                  struct byte_buffer *out);

#endif
