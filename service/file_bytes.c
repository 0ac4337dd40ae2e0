#include "file_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool file_bytes_write(int descriptor, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(descriptor, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written == 0)
            errno = EIO;
        if (written <= 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

static bool read_all(int descriptor, int64_t offset, char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t got = pread(descriptor, bytes, length, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO;
        if (got <= 0)
            return false;
        bytes += got;
        offset += got;
        length -= (size_t)got;
    }
    return true;
}

bool file_bytes_read(const char *path, int64_t offset, char *ret_bytes, size_t length)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    bool done = descriptor >= 0 && read_all(descriptor, offset, ret_bytes, length);
    int failure = errno;

    if (descriptor >= 0)
        close(descriptor);
    errno = failure;
    return done;
}
