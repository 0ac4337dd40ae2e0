/*
 * byte_buffer: a growing run of bytes, the one way this service builds text.
 *
 * An append that can't get memory marks the buffer failed and drops the bytes;
 * later appends do nothing. The writer checks `failed` once, at the end.
 * Not for sharing: one thread at a time.   [any]
 */
#ifndef SERVICE_BYTE_BUFFER_H
#define SERVICE_BYTE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct byte_buffer {
    char *data;
    size_t length;   /* bytes used */
    size_t capacity; /* bytes owned */
    bool failed;
};

/* Makes room for `extra` bytes behind `length`; false (and failed) without memory. */
bool byte_buffer_reserve_slow(struct byte_buffer *buffer, size_t extra);

/* As byte_buffer_append, of a secret: what the buffer outgrows is overwritten. */
void byte_buffer_append_secret(struct byte_buffer *buffer, const void *bytes, size_t length);

/* Overwrites and frees the bytes; the buffer is empty and usable again. */
void byte_buffer_wipe(struct byte_buffer *buffer);

/* Frees the bytes; the buffer is empty and usable again. */
void byte_buffer_done(struct byte_buffer *buffer);

/* Forgets the content, keeps the memory. */
static inline void byte_buffer_reset(struct byte_buffer *buffer)
{
    buffer->length = 0;
    buffer->failed = false;
}

static inline bool byte_buffer_reserve(struct byte_buffer *buffer, size_t extra)
{
    if (buffer->capacity - buffer->length >= extra)
        return true;
    return byte_buffer_reserve_slow(buffer, extra);
}

static inline void byte_buffer_append(struct byte_buffer *buffer, const void *bytes, size_t length)
{
    if (length > 0 && byte_buffer_reserve(buffer, length)) {
        memcpy(buffer->data + buffer->length, bytes, length);
        buffer->length += length;
    }
}

static inline void byte_buffer_append_char(struct byte_buffer *buffer, char c)
{
    if (byte_buffer_reserve(buffer, 1))
        buffer->data[buffer->length++] = c;
}

static inline void byte_buffer_append_text(struct byte_buffer *buffer, const char *text)
{
    byte_buffer_append(buffer, text, strlen(text));
}

/* Appends printf-formatted text. */
void byte_buffer_append_format(struct byte_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
