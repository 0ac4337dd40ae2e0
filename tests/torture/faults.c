#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* It runs before the sanitizer is up, and inside its calls. */
#define UNSANITIZED __attribute__((no_sanitize("address", "undefined")))

extern void *__interceptor_malloc(size_t size);
extern void *__interceptor_calloc(size_t count, size_t size);
extern void *__interceptor_realloc(void *old, size_t size);
extern char *__interceptor_strdup(const char *text);
extern char *__interceptor_strndup(const char *text, size_t limit);
extern char __executable_start;

static struct faults_order nobody; /* until the tester's is mapped */
static struct faults_order *order = &nobody;
static _Thread_local bool sheltered; /* within a call that can't be let fail */

UNSANITIZED __attribute__((constructor)) static void map_order(void)
{
    const char *path = getenv("TORTURE_FILE");
    int fd = path != NULL ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    void *shared = MAP_FAILED;

    if (fd < 0)
        return;
    shared = mmap(NULL, sizeof(*order), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared != MAP_FAILED)
        order = shared;
}

/* Its caller within the program or, by name, within a library. */
UNSANITIZED static void note_first(const char *name, const void *caller)
{
    Dl_info info = {0};
    const char *within = NULL;

    if (dladdr(caller, &info) != 0 && info.dli_fbase != (const void *)&__executable_start)
        within = info.dli_sname != NULL ? info.dli_sname : info.dli_fname;
    atomic_store(&order->caller,
                 (const char *)caller -
                     (const char *)(info.dli_fbase != NULL ? info.dli_fbase : &__executable_start));
    snprintf(order->name, sizeof(order->name), "%s%s%s", name, within != NULL ? " in " : "",
             within != NULL ? within : "");
}

/* Counts a call; true: it has to fail. */
UNSANITIZED static bool fails(const char *name, const void *caller)
{
    long long count;
    long long fail_at;

    if (sheltered || atomic_load_explicit(&order->armed, memory_order_relaxed) == 0)
        return false;
    count = atomic_fetch_add(&order->count, 1) + 1;
    fail_at = atomic_load(&order->fail_at);
    if (fail_at == 0 || (atomic_load(&order->for_good) ? count < fail_at : count != fail_at))
        return false;
    if (atomic_fetch_add(&order->failed, 1) == 0)
        note_first(name, caller);
    return true;
}

#define FAILS(name) fails(name, __builtin_return_address(0))

/* ---- memory ---- */

UNSANITIZED static void *without_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

UNSANITIZED void *malloc(size_t size)
{
    return FAILS("malloc") ? without_memory() : __interceptor_malloc(size);
}

UNSANITIZED void *calloc(size_t count, size_t size)
{
    return FAILS("calloc") ? without_memory() : __interceptor_calloc(count, size);
}

UNSANITIZED void *realloc(void *old, size_t size)
{
    return FAILS("realloc") ? without_memory() : __interceptor_realloc(old, size);
}

UNSANITIZED char *strdup(const char *text)
{
    return FAILS("strdup") ? without_memory() : __interceptor_strdup(text);
}

UNSANITIZED char *strndup(const char *text, size_t limit)
{
    return FAILS("strndup") ? without_memory() : __interceptor_strndup(text, limit);
}

/* ---- sockets and files ---- */

UNSANITIZED static void *next_of(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL)
        abort();
    return found;
}

/* The C library's function behind ours, looked up once. */
#define NEXT(name)                                                                                 \
    static __typeof__(&name) next;                                                                 \
    if (next == NULL)                                                                              \
    next = (__typeof__(&name))next_of(#name)

/* AddressSanitizer asks for each thread's stack, and gives up when it isn't told. */
UNSANITIZED int pthread_getattr_np(pthread_t thread, pthread_attr_t *ret_attributes)
{
    int rc = 0;
    NEXT(pthread_getattr_np);

    sheltered = true;
    rc = next(thread, ret_attributes);
    sheltered = false;
    return rc;
}

/* What the kernel never fails to do isn't made to fail: an eventfd's reads and writes. */
UNSANITIZED static bool can_fail(int fd, bool *ret_is_socket)
{
    struct stat info;

    if (atomic_load_explicit(&order->armed, memory_order_relaxed) == 0 || fstat(fd, &info) != 0)
        return false;
    *ret_is_socket = S_ISSOCK(info.st_mode);
    return S_ISSOCK(info.st_mode) || S_ISREG(info.st_mode);
}

UNSANITIZED static bool fails_on(const char *name, int fd, int socket_error, int file_error,
                                 const void *caller)
{
    bool is_socket = false;

    if (!can_fail(fd, &is_socket) || !fails(name, caller))
        return false;
    errno = is_socket ? socket_error : file_error;
    return true;
}

#define FAILS_READING(name, fd) fails_on(name, fd, ECONNRESET, EIO, __builtin_return_address(0))
#define FAILS_WRITING(name, fd) fails_on(name, fd, EPIPE, ENOSPC, __builtin_return_address(0))

#define READS(name, rest, arguments)                                                               \
    UNSANITIZED ssize_t name rest                                                                  \
    {                                                                                              \
        NEXT(name);                                                                                \
        return FAILS_READING(#name, fd) ? -1 : next arguments;                                     \
    }
#define WRITES(name, rest, arguments)                                                              \
    UNSANITIZED ssize_t name rest                                                                  \
    {                                                                                              \
        NEXT(name);                                                                                \
        return FAILS_WRITING(#name, fd) ? -1 : next arguments;                                     \
    }

READS(read, (int fd, void *bytes, size_t size), (fd, bytes, size))
READS(readv, (int fd, const struct iovec *parts, int count), (fd, parts, count))
READS(pread, (int fd, void *bytes, size_t size, off_t at), (fd, bytes, size, at))
READS(recv, (int fd, void *bytes, size_t size, int flags), (fd, bytes, size, flags))
WRITES(write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
WRITES(writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
WRITES(pwrite, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at))
WRITES(send, (int fd, const void *bytes, size_t size, int flags), (fd, bytes, size, flags))

/* `code` is the error of a call that gives -1. */
#define FALLIBLE(name, rest, arguments, code)                                                      \
    UNSANITIZED int name rest                                                                      \
    {                                                                                              \
        NEXT(name);                                                                                \
        if (FAILS(#name)) {                                                                        \
            errno = code;                                                                          \
            return -1;                                                                             \
        }                                                                                          \
        return next arguments;                                                                     \
    }

FALLIBLE(accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags),
         (fd, address, length, flags), EMFILE)
FALLIBLE(socket, (int domain, int type, int protocol), (domain, type, protocol), EMFILE)
FALLIBLE(fdatasync, (int fd), (fd), EIO)
FALLIBLE(fsync, (int fd), (fd), EIO)
FALLIBLE(ftruncate, (int fd, off_t length), (fd, length), EIO)
FALLIBLE(rename, (const char *from, const char *to), (from, to), ENOSPC)
FALLIBLE(mkdir, (const char *path, mode_t mode), (path, mode), ENOSPC)

/* Only a new entry takes memory. */
UNSANITIZED int epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
    NEXT(epoll_ctl);
    if (operation == EPOLL_CTL_ADD && FAILS("epoll_ctl")) {
        errno = ENOMEM;
        return -1;
    }
    return next(set, operation, fd, event);
}

UNSANITIZED int open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode = 0;

    NEXT(open);
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    if (FAILS("open")) {
        errno = EMFILE;
        return -1;
    }
    return next(path, flags, mode);
}

UNSANITIZED int openat(int folder, const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode = 0;

    NEXT(openat);
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    if (FAILS("openat")) {
        errno = EMFILE;
        return -1;
    }
    return next(folder, path, flags, mode);
}
