#include "source_identity.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "byte_buffer.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
/* A clock that was set shows as a difference of the two clocks; this much is reading them. */
#define CLOCK_SLACK_NS (10 * NS_PER_MS)
#define XFS_MAGIC 0x58465342
#define ZFS_MAGIC 0x2fc12fc1

struct watched {
    size_t path_offset; /* in `paths` */
    dev_t device;
    ino_t inode;
    off_t size;
    int64_t modified_ns;
    int64_t changed_ns;
};

struct source_identity {
    struct watched *inodes;
    size_t count;
    struct byte_buffer paths; /* NUL-terminated, one after the other */
};

/* What is being taken. */
struct taking {
    struct source_identity *identity;
    int64_t settled_before_ns; /* an inode changed since then may change unseen */
    size_t inodes_max;
    enum source_doubt doubt; /* once something was refused */
    dev_t device;            /* whose file system was looked at last */
    bool device_known;
};

static int64_t span_ns(struct timespec time)
{
    return (int64_t)time.tv_sec * NS_PER_S + time.tv_nsec;
}

struct source_instant source_instant_now(void)
{
    struct timespec wall;
    struct timespec monotonic;

    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    return (struct source_instant){span_ns(wall), span_ns(monotonic)};
}

static bool clock_was_set_since(struct source_instant began)
{
    struct source_instant now = source_instant_now();
    int64_t moved_ns = (now.wall_ns - began.wall_ns) - (now.monotonic_ns - began.monotonic_ns);

    return moved_ns < -CLOCK_SLACK_NS || moved_ns > CLOCK_SLACK_NS;
}

/* Change times of others may be late, or another machine's clock. */
static bool is_local(const char *path)
{
    struct statfs system;

    if (statfs(path, &system) != 0)
        return false;
    switch ((unsigned long)system.f_type) {
    case EXT4_SUPER_MAGIC:
    case XFS_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case ZFS_MAGIC:
        return true;
    default:
        return false;
    }
}

static bool refuse(struct taking *taking, enum source_doubt doubt)
{
    taking->doubt = doubt;
    return false;
}

static bool is_settled(struct taking *taking, const struct stat *facts)
{
    return span_ns(facts->st_ctim) < taking->settled_before_ns ||
           refuse(taking, SOURCE_CHANGED_LATELY);
}

/* Remembers an inode, under a path that stays valid. */
static bool watch(struct taking *taking, const char *path, const struct stat *facts)
{
    struct source_identity *identity = taking->identity;

    if (identity->count >= taking->inodes_max)
        return refuse(taking, SOURCE_TOO_MANY_FILES);
    if (!is_settled(taking, facts))
        return false;
    if (!taking->device_known || taking->device != facts->st_dev) {
        if (!is_local(path))
            return refuse(taking, SOURCE_REMOTE);
        taking->device = facts->st_dev;
        taking->device_known = true;
    }
    identity->inodes[identity->count++] = (struct watched){
        .path_offset = identity->paths.length,
        .device = facts->st_dev,
        .inode = facts->st_ino,
        .size = facts->st_size,
        .modified_ns = span_ns(facts->st_mtim),
        .changed_ns = span_ns(facts->st_ctim),
    };
    byte_buffer_append(&identity->paths, path, strlen(path) + 1);
    return !identity->paths.failed;
}

static bool watch_path(struct taking *taking, const char *path)
{
    struct stat facts;

    return stat(path, &facts) == 0 && watch(taking, path, &facts);
}

/* Every folder and link on the way from the data root on has to be as old: one that was put in another's
 * place leads to files that may be older than the query. They needn't be watched,
 * because the end of the way is. */
static bool way_is_settled(struct taking *taking, const char *path, size_t root)
{
    char prefix[PATH_MAX];
    struct stat facts;
    size_t length = strlen(path);

    if (length >= sizeof(prefix) || path[0] != '/')
        return false;
    for (size_t end = root > 0 ? root : 1; end <= length; end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        memcpy(prefix, path, end);
        prefix[end] = '\0';
        if (lstat(prefix, &facts) != 0 || !is_settled(taking, &facts))
            return false;
    }
    return true;
}

/* All inodes below, links refused: where they lead isn't watched. */
static bool watch_tree(struct taking *taking, const char *top)
{
    char *paths[] = {(char *)top, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
    bool whole = walk != NULL;

    while (whole) {
        const FTSENT *entry = fts_read(walk);
        if (entry == NULL) {
            whole = errno == 0;
            break;
        }
        switch (entry->fts_info) {
        case FTS_D:
        case FTS_F:
            whole = watch(taking, entry->fts_path, entry->fts_statp);
            break;
        case FTS_DP:
            break;
        default:
            whole = false;
            break;
        }
    }
    if (walk != NULL)
        fts_close(walk);
    return whole;
}

/* ---- tables with a log ---- */

static bool join(char ret_path[PATH_MAX], const char *folder, const char *name)
{
    int length = snprintf(ret_path, PATH_MAX, "%s/%s", folder, name);

    return length > 0 && length < PATH_MAX;
}

/* Names in a Delta log sort as their versions do: twenty digits. */
static bool is_commit(const char *name)
{
    return strlen(name) == strlen("00000000000000000000.json") &&
           strspn(name, "0123456789") == 20 && strcmp(name + 20, ".json") == 0;
}

static bool is_iceberg_metadata(const char *name)
{
    size_t length = strlen(name);
    static const char SUFFIX[] = ".metadata.json";

    return length > strlen(SUFFIX) && strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

/* The newest file of the log: the entry changed last, of those that `counts` names. False: none,
 * or one that is not settled. */
static bool watch_newest(struct taking *taking, const char *folder, bool (*counts)(const char *))
{
    char newest[PATH_MAX] = "";
    char path[PATH_MAX];
    struct stat newest_facts = {0};
    DIR *entries = opendir(folder);
    const struct dirent *entry = NULL;
    bool settled = entries != NULL;

    while (settled && (entry = readdir(entries)) != NULL) {
        struct stat facts;
        if (!counts(entry->d_name))
            continue;
        settled = join(path, folder, entry->d_name) && stat(path, &facts) == 0 &&
                  is_settled(taking, &facts);
        if (settled &&
            (newest[0] == '\0' || span_ns(facts.st_ctim) >= span_ns(newest_facts.st_ctim))) {
            memcpy(newest, path, sizeof(newest));
            newest_facts = facts;
        }
    }
    if (entries != NULL)
        closedir(entries);
    return settled && newest[0] != '\0' && watch(taking, newest, &newest_facts);
}

/* The folder tells of each file that comes or goes; the newest file that it is still
 * the one that was written. */
static bool watch_log(struct taking *taking, const char *table, const char *name,
                      bool (*counts)(const char *))
{
    char folder[PATH_MAX];

    return join(folder, table, name) && watch_path(taking, table) && watch_path(taking, folder) &&
           watch_newest(taking, folder, counts);
}

/* A folder of a catalog says by this file which metadata count; it may be written in place. */
static bool watch_hint(struct taking *taking, const char *table)
{
    char path[PATH_MAX];
    struct stat facts;

    if (!join(path, table, "metadata/version-hint.text"))
        return false;
    if (lstat(path, &facts) != 0)
        return errno == ENOENT;
    return S_ISREG(facts.st_mode) && watch(taking, path, &facts);
}

static bool watch_table(struct taking *taking, const struct source_read *read)
{
    switch (read->layout) {
    case SOURCE_FILES:
        return watch_tree(taking, read->asked);
    case SOURCE_DELTA:
        return watch_log(taking, read->asked, "_delta_log", is_commit);
    case SOURCE_ICEBERG:
        return watch_log(taking, read->asked, "metadata", is_iceberg_metadata) &&
               watch_hint(taking, read->asked);
    }
    return false;
}

static bool leads_to(const char *asked, const char *location)
{
    char *real = realpath(asked, NULL);
    bool same = real != NULL && strcmp(real, location) == 0;

    free(real);
    return same;
}

static bool take(struct taking *taking, const struct source_read *read)
{
    if (read->location[0] != '/')
        return refuse(taking, SOURCE_REMOTE);
    return leads_to(read->asked, read->location) &&
           way_is_settled(taking, read->asked, read->asked_root) &&
           way_is_settled(taking, read->location, read->location_root) && watch_table(taking, read);
}

struct source_identity *source_identity_take(const struct source_read *reads, size_t read_count,
                                             struct source_instant began, size_t inodes_max,
                                             enum source_doubt *ret_doubt)
{
    struct source_identity *identity = calloc(1, sizeof(*identity));
    struct taking taking = {
        .identity = identity,
        .settled_before_ns = began.wall_ns - SOURCE_SETTLED_MS * NS_PER_MS,
        .inodes_max = inodes_max,
        .doubt = SOURCE_UNKNOWN,
    };
    bool whole = false;

    *ret_doubt = SOURCE_UNKNOWN;
    if (identity == NULL)
        return NULL;
    identity->inodes = calloc(inodes_max + 1, sizeof(*identity->inodes));
    whole = identity->inodes != NULL;
    for (size_t i = 0; whole && i < read_count; i++)
        whole = take(&taking, &reads[i]);
    if (whole && !clock_was_set_since(began))
        return identity;
    *ret_doubt = taking.doubt;
    source_identity_free(identity);
    return NULL;
}

static bool is_same(const struct watched *inode, const struct stat *facts)
{
    return inode->inode == facts->st_ino && inode->device == facts->st_dev &&
           inode->size == facts->st_size && inode->changed_ns == span_ns(facts->st_ctim) &&
           inode->modified_ns == span_ns(facts->st_mtim);
}

bool source_identity_holds(const struct source_identity *identity)
{
    for (size_t i = 0; i < identity->count; i++) {
        const struct watched *inode = &identity->inodes[i];
        struct stat facts;
        if (stat(identity->paths.data + inode->path_offset, &facts) != 0 || !is_same(inode, &facts))
            return false;
    }
    return true;
}

size_t source_identity_bytes(const struct source_identity *identity)
{
    return sizeof(*identity) + identity->count * sizeof(*identity->inodes) + identity->paths.length;
}

void source_identity_free(struct source_identity *identity)
{
    if (identity == NULL)
        return;
    free(identity->inodes);
    byte_buffer_done(&identity->paths);
    free(identity);
}
