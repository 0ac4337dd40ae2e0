/* The tokens file on disk: what token_file.h says of reading and writing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "byte_buffer.h"
#include "file_bytes.h"
#include "token_file.h"

#define FILE_MAX_BYTES ((off_t)4 * 1024 * 1024)

/* ---- reading ---- */

static int read_all(int fd, const char *path, struct byte_buffer *ret_text, struct error *err)
{
    struct stat info;
    ssize_t got = 0;

    if (fstat(fd, &info) != 0)
        return error_set(err, ERROR_BAD_REQUEST, "can't read %s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode) || info.st_size > FILE_MAX_BYTES)
        return error_set(err, ERROR_BAD_REQUEST, "%s is not a file of at most 4 MiB", path);
    if ((info.st_mode & S_IWOTH) != 0)
        return error_set(err, ERROR_BAD_REQUEST, "%s can be written by anybody; chmod o-w it",
                         path);
    do {
        if (!byte_buffer_reserve(ret_text, 4096))
            return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
        got = read(fd, ret_text->data + ret_text->length, 4096);
        if (got > 0)
            ret_text->length += (size_t)got;
    } while (got > 0 && ret_text->length <= (size_t)FILE_MAX_BYTES);
    if (got != 0)
        return error_set(err, ERROR_BAD_REQUEST, "can't read %s: %s", path,
                         got < 0 ? strerror(errno) : "too long");
    return 0;
}

int token_list_read(const char *path, struct token_list *ret_list, struct error *err)
{
    struct byte_buffer text = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int rc = -1;

    if (fd < 0)
        return error_set(err, ERROR_BAD_REQUEST, "can't read %s: %s", path, strerror(errno));
    if (read_all(fd, path, &text, err) == 0)
        rc = token_list_parse(text.data, text.length, path, ret_list, err);
    byte_buffer_done(&text);
    close(fd);
    return rc;
}

/* ---- writing ---- */

static void append_entry(struct byte_buffer *out, const struct token_entry *entry)
{
    char scopes[64];
    char rate[RATE_TEXT_BYTES];
    char salt[2 * TOKEN_SALT_BYTES + 1];
    char hash[SHA256_TEXT_BYTES];

    token_scopes_format(entry->scopes, scopes, sizeof(scopes));
    rate_format(&entry->rate, rate);
    hex_format(entry->salt, sizeof(entry->salt), salt);
    hex_format(entry->sha256, sizeof(entry->sha256), hash);
    byte_buffer_append_format(out, "name=%s id=%s scope=%s source=%s rate=%s", entry->name,
                              entry->id, scopes, entry->sources, rate);
    if (entry->concurrency > 0)
        byte_buffer_append_format(out, " concurrency=%lld", (long long)entry->concurrency);
    else
        byte_buffer_append_text(out, " concurrency=-");
    byte_buffer_append_format(out, " added=%s salt=%s sha256=%s\n", entry->added, salt, hash);
}

static bool sync_folder(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    int fd = -1;
    bool synced = false;

    snprintf(folder, sizeof(folder), "%.*s", slash != NULL ? (int)(slash - path + 1) : 1,
             slash != NULL ? path : ".");
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    synced = fsync(fd) == 0;
    close(fd);
    return synced;
}

/* Whoever runs the command, the service can still read the file. */
static bool keep_owner(int fd, const char *path)
{
    struct stat before;
    struct stat now;

    if (stat(path, &before) != 0)
        return errno == ENOENT;
    return fstat(fd, &now) == 0 && ((now.st_uid == before.st_uid && now.st_gid == before.st_gid) ||
                                    fchown(fd, before.st_uid, before.st_gid) == 0);
}

int token_list_write(const char *path, const struct token_list *list, struct error *err)
{
    struct byte_buffer text = {0};
    char aside[4096];
    int fd = -1;
    bool written = false;

    if (snprintf(aside, sizeof(aside), "%s.XXXXXX", path) >= (int)sizeof(aside))
        return error_set(err, ERROR_BAD_REQUEST, "the path of the tokens file is too long");
    byte_buffer_append_text(&text, "# Tokens of spark-service; made by `spark-service token`.\n");
    for (size_t i = 0; i < list->count; i++)
        append_entry(&text, &list->entries[i]);
    if (text.failed) {
        byte_buffer_done(&text);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    fd = mkostemp(aside, O_CLOEXEC); /* mode 0600 */
    if (fd < 0) {
        error_set(err, ERROR_BAD_REQUEST, "can't write %s: %s", aside, strerror(errno));
        byte_buffer_done(&text);
        return -1;
    }
    written =
        keep_owner(fd, path) && file_bytes_write(fd, text.data, text.length) && fsync(fd) == 0;
    written = close(fd) == 0 && written;
    written = written && rename(aside, path) == 0 && sync_folder(path);
    if (!written) {
        error_set(err, ERROR_BAD_REQUEST, "can't write %s: %s", path, strerror(errno));
        (void)unlink(aside);
    }
    byte_buffer_done(&text);
    return written ? 0 : -1;
}
