#include "state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define WALK_DESCRIPTORS 16

struct state_dir {
    int lock_fd;
    char scratch[PATH_BYTES];
    char results[PATH_BYTES];
    char journal[PATH_BYTES];
};

/* mkdir -p */
static int make_folders(const char *path, struct error *err)
{
    char partial[PATH_BYTES];

    snprintf(partial, sizeof(partial), "%s", path);
    for (char *slash = partial + 1;; slash++) {
        char c = *slash;
        if (c != '/' && c != '\0')
            continue;
        *slash = '\0';
        if (mkdir(partial, 0700) != 0 && errno != EEXIST)
            return error_set(err, ERROR_BAD_REQUEST, "STATE_DIR: can't make %s: %s", partial,
                             strerror(errno));
        *slash = c;
        if (c == '\0')
            return 0;
    }
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    if (walk->level > 0)
        (void)remove(path);
    return 0;
}

static void empty_folder(const char *path)
{
    (void)nftw(path, remove_entry, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

int state_dir_open(const char *path, struct state_dir **ret_dir, struct error *err)
{
    struct state_dir *dir = NULL;
    char lock_path[PATH_BYTES];

    if (*path != '/')
        return error_set(err, ERROR_BAD_REQUEST, "STATE_DIR: '%s' is not an absolute path", path);
    if (strlen(path) > PATH_BYTES - 32)
        return error_set(err, ERROR_BAD_REQUEST, "STATE_DIR: a path of more than %d bytes",
                         PATH_BYTES - 32);
    dir = calloc(1, sizeof(*dir));
    if (dir == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    dir->lock_fd = -1;
    snprintf(dir->scratch, sizeof(dir->scratch), "%.*s/scratch", PATH_BYTES - 32, path);
    snprintf(dir->results, sizeof(dir->results), "%.*s/results", PATH_BYTES - 32, path);
    snprintf(dir->journal, sizeof(dir->journal), "%.*s/handles", PATH_BYTES - 32, path);
    snprintf(lock_path, sizeof(lock_path), "%.*s/lock", PATH_BYTES - 32, path);
    if (make_folders(dir->scratch, err) != 0 || make_folders(dir->results, err) != 0)
        goto fail;
    dir->lock_fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (dir->lock_fd < 0) {
        error_set(err, ERROR_BAD_REQUEST, "STATE_DIR: can't open %s: %s", lock_path,
                  strerror(errno));
        goto fail;
    }
    if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        error_set(err, ERROR_BAD_REQUEST,
                  "STATE_DIR: another spark-service uses %s; give this one its own", path);
        goto fail;
    }
    empty_folder(dir->scratch);
    empty_folder(dir->results);
    *ret_dir = dir;
    return 0;
fail:
    if (dir->lock_fd >= 0)
        close(dir->lock_fd);
    free(dir);
    return -1;
}

const char *state_dir_scratch(const struct state_dir *dir)
{
    return dir->scratch;
}

const char *state_dir_results(const struct state_dir *dir)
{
    return dir->results;
}

const char *state_dir_journal(const struct state_dir *dir)
{
    return dir->journal;
}

void state_dir_close(struct state_dir *dir)
{
    if (dir == NULL)
        return;
    empty_folder(dir->scratch);
    empty_folder(dir->results);
    close(dir->lock_fd);
    free(dir);
}
