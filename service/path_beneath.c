#include "path_beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Nothing is opened for reading: a look at the name is enough. */
#define LOOK_FLAGS (O_PATH | O_CLOEXEC | O_NOFOLLOW)

static int open_root(const char *root)
{
    int fd = open(root, LOOK_FLAGS | O_DIRECTORY);

    return fd >= 0 ? fd : -errno;
}

/* Behind the slashes; `below` itself is the root when nothing follows. */
static const char *relative(const char *below)
{
    return below + strspn(below, "/");
}

/* Closes fd. 0 unless it is a link. */
static int judge(int fd)
{
    struct stat status;
    int result = fstat(fd, &status) == 0 ? 0 : -errno;

    if (result == 0 && S_ISLNK(status.st_mode))
        result = -ELOOP;
    close(fd);
    return result;
}

static int walk_at_once(int root_fd, const char *path)
{
    const struct open_how how = {
        .flags = LOOK_FLAGS,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

    return fd >= 0 ? judge((int)fd) : -errno;
}

/* The descriptor of the folder or file `name` of the folder fd, which is closed. */
static int step(int fd, const char *name, size_t length)
{
    char text[NAME_MAX + 1];
    int next = -1;
    int result = -ENAMETOOLONG;

    if (length == 2 && name[0] == '.' && name[1] == '.') {
        result = -EXDEV;
    } else if (length < sizeof(text)) {
        memcpy(text, name, length);
        text[length] = '\0';
        next = openat(fd, text, LOOK_FLAGS);
        result = next >= 0 ? next : -errno;
    }
    close(fd);
    return result;
}

static int walk_by_hand(int root_fd, const char *path)
{
    int fd = root_fd;

    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        struct stat status;

        fd = step(fd, path, length);
        if (fd < 0)
            return fd;
        path = relative(path + length);
        /* O_PATH opens a link as itself; the next step would say ENOTDIR. */
        if (fstat(fd, &status) == 0 && S_ISLNK(status.st_mode))
            break;
    }
    return judge(fd);
}

int path_beneath_check_by_hand(const char *root, const char *below)
{
    int root_fd = open_root(root);

    return root_fd < 0 ? root_fd : walk_by_hand(root_fd, relative(below));
}

int path_beneath_check(const char *root, const char *below)
{
    const char *path = relative(below);
    int root_fd = open_root(root);
    int result = 0;

    if (root_fd < 0)
        return root_fd;
    if (*path != '\0')
        result = walk_at_once(root_fd, path);
    close(root_fd);
    if (result == -ENOSYS || result == -EPERM || result == -EINVAL)
        return path_beneath_check_by_hand(root, below);
    return result;
}
