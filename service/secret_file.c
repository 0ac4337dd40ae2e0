#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_FILE_MAX_BYTES 4096

static int fail_errno(const char *what, const char *path, struct error *err)
{
    return error_set(err, ERROR_BAD_REQUEST, "%s: can't read %s: %s", what, path, strerror(errno));
}

static int read_all(int fd, const char *what, const char *path, size_t max_bytes,
                    struct secret_file *file, struct error *err)
{
    file->capacity = max_bytes + 1;
    file->text = malloc(file->capacity);
    if (file->text == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    while (file->length < file->capacity) {
        ssize_t count = read(fd, file->text + file->length, file->capacity - file->length);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_errno(what, path, err);
        if (count == 0) {
            file->text[file->length] = '\0';
            return 0;
        }
        file->length += (size_t)count;
    }
    return error_set(err, ERROR_BAD_REQUEST, "%s: %s is larger than %zu bytes", what, path,
                     max_bytes);
}

int secret_file_read(const char *what, const char *path, size_t max_bytes,
                     struct secret_file *ret_file, struct error *err)
{
    struct secret_file file = {0};
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hang the start */
    int rc = -1;

    if (fd < 0)
        return fail_errno(what, path, err);
    if (fstat(fd, &status) != 0) {
        fail_errno(what, path, err);
    } else if (!S_ISREG(status.st_mode)) {
        error_set(err, ERROR_BAD_REQUEST, "%s: %s is not a regular file", what, path);
    } else {
        file.is_private = (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
        rc = read_all(fd, what, path, max_bytes, &file, err);
    }
    close(fd);
    if (rc == 0)
        *ret_file = file;
    else
        secret_file_done(&file);
    return rc;
}

void secret_file_done(struct secret_file *file)
{
    if (file->text != NULL)
        explicit_bzero(file->text, file->capacity);
    free(file->text);
    *file = (struct secret_file){0};
}

int secret_file_read_line(const char *what, const char *path, char **ret_line, struct error *err)
{
    struct secret_file file;
    int rc = 0;

    if (secret_file_read(what, path, LINE_FILE_MAX_BYTES, &file, err) != 0)
        return -1;
    file.text[strcspn(file.text, "\r\n")] = '\0';
    if (file.length == 0)
        rc = error_set(err, ERROR_BAD_REQUEST, "%s: %s is empty", what, path);
    else if ((*ret_line = strdup(file.text)) == NULL)
        rc = error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    secret_file_done(&file);
    return rc;
}

void secret_text_free(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}
