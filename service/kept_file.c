#include "kept_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file_bytes.h"
#include "metrics.h"

#define FOLDER_BYTES 4096
#define PATH_BYTES (FOLDER_BYTES + 64)

struct kept_file_store {
    char folder[FOLDER_BYTES];
    int64_t passing_max;        /* of a single file, too */
    int64_t kept_max;           /* both together: the budget */
    atomic_llong passing_bytes; /* of files that are made, or given up and still held */
    int64_t kept_bytes;         /* [loop] */
    atomic_ullong made;         /* names files */
};

struct kept_file {
    struct kept_file_store *store;
    uint64_t number;
    int descriptor; /* the maker's; -1: not yet, or no more */
    bool has_file;
    int64_t length;
    atomic_size_t holders;
    atomic_bool is_lost;
};

/* ---- the store ---- */

struct kept_file_store *kept_file_store_new(const char *folder, int64_t bytes_max)
{
    struct kept_file_store *store = calloc(1, sizeof(*store));

    if (store == NULL)
        return NULL;
    snprintf(store->folder, sizeof(store->folder), "%s", folder);
    store->passing_max = bytes_max / 4;
    store->kept_max = bytes_max - store->passing_max;
    metrics_set(METRIC_CACHE_DISK_BYTES_LIMIT, bytes_max);
    return store;
}

void kept_file_store_free(struct kept_file_store *store)
{
    free(store);
}

bool kept_file_store_is_on(const struct kept_file_store *store)
{
    return store != NULL && store->passing_max > 0;
}

static bool take(struct kept_file_store *store, int64_t bytes)
{
    if (atomic_fetch_add(&store->passing_bytes, bytes) + bytes > store->passing_max) {
        atomic_fetch_sub(&store->passing_bytes, bytes);
        return false;
    }
    metrics_add(METRIC_CACHE_DISK_BYTES, bytes);
    return true;
}

static void format_path(const struct kept_file *file, char ret_path[PATH_BYTES])
{
    snprintf(ret_path, PATH_BYTES, "%s/answer-%llu.body", file->store->folder,
             (unsigned long long)file->number);
}

/* ---- who makes it ---- */

struct kept_file *kept_file_new(struct kept_file_store *store)
{
    struct kept_file *file = calloc(1, sizeof(*file));

    if (file == NULL)
        return NULL;
    file->store = store;
    file->number = atomic_fetch_add(&store->made, 1);
    file->descriptor = -1;
    atomic_init(&file->holders, 1);
    return file;
}

static bool refuse(enum metric reason)
{
    metrics_add(reason, 1);
    return false;
}

static bool open_file(struct kept_file *file)
{
    char path[PATH_BYTES];

    if (file->descriptor >= 0)
        return true;
    format_path(file, path);
    file->descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    file->has_file = file->descriptor >= 0;
    return file->has_file;
}

bool kept_file_append(struct kept_file *file, const char *bytes, size_t length)
{
    if (file->length + (int64_t)length > file->store->passing_max)
        return refuse(METRIC_CACHE_DISK_TOO_LARGE);
    if (!take(file->store, (int64_t)length))
        return refuse(METRIC_CACHE_DISK_NO_ROOM);
    file->length += (int64_t)length;
    if (!open_file(file) || !file_bytes_write(file->descriptor, bytes, length))
        return refuse(METRIC_CACHE_DISK_FAILED);
    return true;
}

/* Some disks tell only here that they were full. */
bool kept_file_finish(struct kept_file *file)
{
    int rc = file->descriptor >= 0 ? close(file->descriptor) : -1;

    file->descriptor = -1;
    return rc == 0 || refuse(METRIC_CACHE_DISK_FAILED);
}

/* ---- whole files ---- */

int64_t kept_file_length(const struct kept_file *file)
{
    return file->length;
}

int kept_file_read(struct kept_file *file, int64_t offset, size_t length, char **ret_bytes,
                   size_t *ret_length, struct error *err)
{
    char path[PATH_BYTES];
    char *bytes = NULL;

    if ((int64_t)length > file->length - offset)
        length = (size_t)(file->length - offset);
    bytes = malloc(length);
    if (bytes == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
    format_path(file, path);
    if (!file_bytes_read(path, offset, bytes, length)) {
        error_set(err, ERROR_ENGINE_ERROR, "kept answer: %s", strerror(errno));
        atomic_store(&file->is_lost, true);
        free(bytes);
        return -1;
    }
    *ret_bytes = bytes;
    *ret_length = length;
    return 0;
}

bool kept_file_is_lost(const struct kept_file *file)
{
    return atomic_load(&file->is_lost);
}

bool kept_file_keep(struct kept_file *file)
{
    struct kept_file_store *store = file->store;

    if (store->kept_bytes + file->length > store->kept_max)
        return false;
    store->kept_bytes += file->length;
    atomic_fetch_sub(&store->passing_bytes, file->length);
    return true;
}

void kept_file_give_up(struct kept_file *file)
{
    file->store->kept_bytes -= file->length;
    atomic_fetch_add(&file->store->passing_bytes, file->length);
}

struct kept_file *kept_file_hold(struct kept_file *file)
{
    atomic_fetch_add(&file->holders, 1);
    return file;
}

void kept_file_release(struct kept_file *file)
{
    char path[PATH_BYTES];

    if (file == NULL || atomic_fetch_sub(&file->holders, 1) > 1)
        return;
    if (file->descriptor >= 0)
        close(file->descriptor);
    if (file->has_file) {
        format_path(file, path);
        (void)unlink(path);
    }
    atomic_fetch_sub(&file->store->passing_bytes, file->length);
    metrics_add(METRIC_CACHE_DISK_BYTES, -file->length);
    free(file);
}
