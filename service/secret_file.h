/*
 * secret_file: a small file that holds a secret, read whole and overwritten in
 * memory when it is no longer needed. Blocks on the disk.   [any]
 */
#ifndef SERVICE_SECRET_FILE_H
#define SERVICE_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct secret_file {
    char *text; /* NUL-terminated; owned */
    size_t length;
    size_t capacity;
    bool is_private; /* readable by nobody but its owner */
};

/* Reads at most max_bytes. -1: ERROR_BAD_REQUEST; the detail begins with
 * `what`, names the path and never the content. */
int secret_file_read(const char *what, const char *path, size_t max_bytes,
                     struct secret_file *ret_file, struct error *err);

/* Overwrites and frees. */
void secret_file_done(struct secret_file *file);

/* The first line of a file, without its end; gives. -1 also when it is empty. */
int secret_file_read_line(const char *what, const char *path, char **ret_line, struct error *err);

/* Overwrites and frees; NULL is fine. */
void secret_text_free(char *text);

#endif
