#include "journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "query_syntax.h"

#define LINE_BYTES JOURNAL_ID_BYTES /* the newline stands where the NUL is */
#define PATH_BYTES 4096

static int fail(const struct journal_file *file, const char *what, struct error *err)
{
    enum error_code code =
        errno == ENOSPC || errno == EDQUOT ? ERROR_STORAGE_FULL : ERROR_ENGINE_ERROR;

    return error_set(err, code, "can't %s the journal %s: %s", what, file->path, strerror(errno));
}

static int write_whole(int fd, const char *bytes, size_t length, off_t at)
{
    while (length > 0) {
        ssize_t written = pwrite(fd, bytes, length, at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        bytes += written;
        length -= (size_t)written;
        at += written;
    }
    return 0;
}

/* The newest `count` lines, malloc'd. */
static char *read_newest(const struct journal_file *file, size_t count)
{
    char *text = malloc(count * LINE_BYTES + 1);
    off_t at = (off_t)((file->lines - count) * LINE_BYTES);
    size_t length = 0;

    while (text != NULL && length < count * LINE_BYTES) {
        ssize_t got =
            pread(file->fd, text + length, count * LINE_BYTES - length, at + (off_t)length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            free(text);
            return NULL;
        }
        length += (size_t)got;
    }
    return text;
}

/* A new name or file is there after a crash only once its folder is synced. */
static int sync_folder(const char *path)
{
    char copy[PATH_BYTES];
    int fd = -1;
    int rc = -1;

    snprintf(copy, sizeof(copy), "%s", path);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        rc = fsync(fd);
        close(fd);
    }
    return rc;
}

static int open_at(const char *path, int flags)
{
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
}

/* The newest `kept` lines under a new name, then that name for the old one. */
static int rewrite(struct journal_file *file)
{
    char new_path[PATH_BYTES + 8];
    char *text = read_newest(file, file->kept);
    size_t length = file->kept * LINE_BYTES;
    int fd = -1;

    if (text == NULL)
        return -1;
    snprintf(new_path, sizeof(new_path), "%.*s.new", PATH_BYTES, file->path);
    fd = open_at(new_path, O_TRUNC);
    if (fd < 0 || write_whole(fd, text, length, 0) != 0 || fsync(fd) != 0 ||
        rename(new_path, file->path) != 0) {
        if (fd >= 0)
            close(fd);
        (void)unlink(new_path);
        free(text);
        return -1;
    }
    free(text);
    (void)sync_folder(file->path); /* either name leads to all that counts */
    close(file->fd);
    file->fd = fd;
    file->lines = file->kept;
    return 0;
}

static void tell_ids(char *text, size_t lines, void (*on_id)(void *user, const char *id),
                     void *user)
{
    for (char *line = text; lines > 0; lines--, line += LINE_BYTES) {
        if (line[LINE_BYTES - 1] != '\n')
            continue;
        line[LINE_BYTES - 1] = '\0';
        if (query_syntax_is_uuid(line))
            on_id(user, line);
    }
}

int journal_file_open(const char *path, size_t kept, void (*on_id)(void *user, const char *id),
                      void *user, struct journal_file *ret_file, struct error *err)
{
    struct journal_file file = {.path = strdup(path), .fd = -1, .kept = kept};
    struct stat info;
    char *text = NULL;
    size_t count = 0;

    if (file.path == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    file.fd = open_at(path, 0);
    if (file.fd < 0 || fstat(file.fd, &info) != 0 || sync_folder(path) != 0)
        goto fail;
    file.lines = (size_t)info.st_size / LINE_BYTES;
    if (ftruncate(file.fd, (off_t)(file.lines * LINE_BYTES)) != 0)
        goto fail;
    count = file.lines < kept ? file.lines : kept;
    text = read_newest(&file, count);
    if (text == NULL)
        goto fail;
    tell_ids(text, count, on_id, user);
    free(text);
    *ret_file = file;
    return 0;
fail:
    error_set(err, ERROR_BAD_REQUEST, "STATE_DIR: can't use %s: %s", path, strerror(errno));
    journal_file_close(&file);
    return -1;
}

void journal_file_close(struct journal_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    free(file->path);
    *file = (struct journal_file){.fd = -1};
}

int journal_file_append(struct journal_file *file, const char (*ids)[JOURNAL_ID_BYTES],
                        size_t count, struct error *err)
{
    off_t end = (off_t)(file->lines * LINE_BYTES);
    char *text = malloc(count * LINE_BYTES);

    if (text == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    for (size_t i = 0; i < count; i++) {
        memcpy(text + i * LINE_BYTES, ids[i], LINE_BYTES - 1);
        text[(i + 1) * LINE_BYTES - 1] = '\n';
    }
    if (write_whole(file->fd, text, count * LINE_BYTES, end) != 0 || fdatasync(file->fd) != 0) {
        fail(file, "write", err);
        /* The next ones are written over what is there of these. */
        (void)!ftruncate(file->fd, end);
        free(text);
        return -1;
    }
    free(text);
    file->lines += count;
    /* Too long is no failure: the ids are there, and the next append tries again. */
    if (file->lines > 2 * file->kept && file->kept > 0)
        (void)rewrite(file);
    return 0;
}
