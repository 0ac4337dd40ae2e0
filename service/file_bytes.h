/*
 * file_bytes: bytes of a file to the last one: what a call leaves over, or a signal
 * cuts short, is done by the next.   [any thread that may wait for a disk]
 */
#ifndef SERVICE_FILE_BYTES_H
#define SERVICE_FILE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Both false with errno. */
bool file_bytes_write(int descriptor, const char *bytes, size_t length);

/* Opens the file for this once. One that is shorter than that is EIO. */
bool file_bytes_read(const char *path, int64_t offset, char *ret_bytes, size_t length);

#endif
