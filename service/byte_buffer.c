#include "byte_buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CAPACITY_MIN 256

bool byte_buffer_reserve_slow(struct byte_buffer *buffer, size_t extra)
{
    if (buffer->failed)
        return false;
    if (extra > SIZE_MAX / 2 - buffer->length) {
        buffer->failed = true;
        return false;
    }

    size_t needed = buffer->length + extra;
    size_t capacity = buffer->capacity < CAPACITY_MIN ? CAPACITY_MIN : buffer->capacity;
    while (capacity < needed)
        capacity *= 2;

    char *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void byte_buffer_append_secret(struct byte_buffer *buffer, const void *bytes, size_t length)
{
    struct byte_buffer grown = {0};

    if (buffer->failed || buffer->capacity - buffer->length >= length) {
        byte_buffer_append(buffer, bytes, length);
        return;
    }
    if (length > SIZE_MAX / 2 || !byte_buffer_reserve(&grown, buffer->length + length)) {
        buffer->failed = true;
        return;
    }
    if (buffer->length > 0)
        memcpy(grown.data, buffer->data, buffer->length);
    grown.length = buffer->length;
    byte_buffer_wipe(buffer);
    *buffer = grown;
    byte_buffer_append(buffer, bytes, length);
}

void byte_buffer_wipe(struct byte_buffer *buffer)
{
    if (buffer->data != NULL)
        explicit_bzero(buffer->data, buffer->length);
    byte_buffer_done(buffer);
}

void byte_buffer_done(struct byte_buffer *buffer)
{
    free(buffer->data);
    memset(buffer, 0, sizeof(*buffer));
}

void byte_buffer_append_format(struct byte_buffer *buffer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buffer->failed = true;
        return;
    }
    /* vsnprintf writes a NUL behind the text; it needs room but isn't kept. */
    if (!byte_buffer_reserve(buffer, (size_t)length + 1))
        return;
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->length += (size_t)length;
}
