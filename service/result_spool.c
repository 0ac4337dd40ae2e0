#include "result_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "arrow_ipc_read.h"
#include "arrow_ipc_write.h"
#include "byte_buffer.h"
#include "file_bytes.h"

#define FOLDER_BYTES 4096
#define PATH_BYTES (FOLDER_BYTES + 64)

struct spool_store {
    char folder[FOLDER_BYTES];
    int64_t bytes_max;
    atomic_llong bytes;
    atomic_ullong made; /* names files */
};

/* Where a batch lies in the file. */
struct entry {
    int64_t offset;
    int64_t length;
};

struct result_spool {
    struct spool_store *store;
    uint64_t number;
    struct ArrowSchema schema; /* constant */

    struct byte_buffer message; /* the writer's; kept between batches */
    int file;                   /* the writer's; -1: not yet, or finished */
    bool has_file;              /* the writer's, then the last holder's */

    pthread_mutex_t lock; /* all below */
    int holders;
    struct byte_buffer entries; /* struct entry */
    struct byte_buffer chunks;  /* size_t: the first batch of each */
    int64_t chunk_bytes;        /* of the last one */
    int64_t bytes;
    int64_t rows;
    bool finished;
    bool complete;
    struct result_end end;
    char *source_version; /* what end points at */
    struct result_spool_watch *watches;
};

/* ---- the store ---- */

struct spool_store *spool_store_new(const char *folder, int64_t bytes_max)
{
    struct spool_store *store = calloc(1, sizeof(*store));

    if (store == NULL)
        return NULL;
    snprintf(store->folder, sizeof(store->folder), "%s", folder);
    store->bytes_max = bytes_max;
    return store;
}

void spool_store_free(struct spool_store *store)
{
    free(store);
}

int64_t spool_store_bytes(const struct spool_store *store)
{
    return atomic_load(&store->bytes);
}

static bool store_take(struct spool_store *store, int64_t bytes)
{
    if (atomic_fetch_add(&store->bytes, bytes) + bytes <= store->bytes_max)
        return true;
    atomic_fetch_sub(&store->bytes, bytes);
    return false;
}

static void spool_path(const struct result_spool *spool, char ret_path[PATH_BYTES])
{
    snprintf(ret_path, PATH_BYTES, "%s/result-%llu.spool", spool->store->folder,
             (unsigned long long)spool->number);
}

/* ---- the writer ---- */

int result_spool_new(struct spool_store *store, const struct ArrowSchema *schema,
                     struct result_spool **ret_spool, struct error *err)
{
    struct result_spool *spool = calloc(1, sizeof(*spool));

    if (spool == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the result");
    spool->store = store;
    spool->number = atomic_fetch_add(&store->made, 1);
    spool->file = -1;
    spool->holders = 1;
    spool->end = RESULT_END_UNKNOWN;
    pthread_mutex_init(&spool->lock, NULL);
    if (arrow_ipc_write_schema(schema, &spool->message, err) != 0 ||
        arrow_ipc_read_schema(spool->message.data, spool->message.length, &spool->schema, err) !=
            0) {
        result_spool_release(spool);
        return -1;
    }
    *ret_spool = spool;
    return 0;
}

static int fail_writing(struct error *err)
{
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
        return error_set(err, ERROR_STORAGE_FULL, "the disk of the result spool is full");
    return error_set(err, ERROR_ENGINE_ERROR, "result spool: %s", strerror(errno));
}

static int open_file(struct result_spool *spool, struct error *err)
{
    char path[PATH_BYTES];

    if (spool->file >= 0)
        return 0;
    spool_path(spool, path);
    spool->file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (spool->file < 0)
        return fail_writing(err);
    spool->has_file = true;
    return 0;
}

static void wake_all(struct result_spool *spool)
{
    for (struct result_spool_watch *watch = spool->watches; watch != NULL; watch = watch->next)
        watch->wake(watch->user);
}

/* The batch is in the file: readers may have it. */
static int publish(struct result_spool *spool, int64_t length, int64_t rows, struct error *err)
{
    size_t number = 0;
    struct entry entry = {.length = length};
    bool failed = false;

    pthread_mutex_lock(&spool->lock);
    entry.offset = spool->bytes;
    number = spool->entries.length / sizeof(entry);
    if (spool->chunks.length == 0 || spool->chunk_bytes >= RESULT_SPOOL_CHUNK_BYTES) {
        byte_buffer_append(&spool->chunks, &number, sizeof(number));
        spool->chunk_bytes = 0;
    }
    byte_buffer_append(&spool->entries, &entry, sizeof(entry));
    spool->chunk_bytes += length;
    spool->bytes += length;
    spool->rows += rows;
    failed = spool->entries.failed || spool->chunks.failed;
    if (!failed)
        wake_all(spool);
    pthread_mutex_unlock(&spool->lock);
    return failed ? error_set(err, ERROR_ENGINE_ERROR, "out of memory for the result") : 0;
}

int result_spool_append(struct result_spool *spool, const struct ArrowArray *batch, int64_t first,
                        int64_t count, struct error *err)
{
    int64_t length = 0;

    if (count <= 0)
        return 0;
    byte_buffer_reset(&spool->message);
    if (arrow_ipc_write_batch(&spool->schema, batch, first, count, &spool->message, err) != 0 ||
        open_file(spool, err) != 0)
        return -1;
    length = (int64_t)spool->message.length;
    if (!store_take(spool->store, length))
        return error_set(err, ERROR_STORAGE_FULL,
                         "the spool of waiting results is full (%lld bytes)",
                         (long long)spool->store->bytes_max);
    if (!file_bytes_write(spool->file, spool->message.data, spool->message.length)) {
        fail_writing(err);
        atomic_fetch_sub(&spool->store->bytes, length);
        return -1;
    }
    return publish(spool, length, count, err);
}

static void keep_end(struct result_spool *spool, const struct result_end *end)
{
    spool->complete = end != NULL;
    if (end == NULL)
        return;
    spool->end = *end;
    if (end->source_version != NULL)
        spool->source_version = strdup(end->source_version); /* without memory: unknown */
    spool->end.source_version = spool->source_version;
}

void result_spool_finish(struct result_spool *spool, const struct result_end *end)
{
    if (spool->file >= 0)
        close(spool->file);
    spool->file = -1;
    byte_buffer_done(&spool->message);
    pthread_mutex_lock(&spool->lock);
    spool->finished = true;
    keep_end(spool, end);
    wake_all(spool);
    pthread_mutex_unlock(&spool->lock);
}

/* ---- holders and readers ---- */

struct result_spool *result_spool_hold(struct result_spool *spool)
{
    pthread_mutex_lock(&spool->lock);
    spool->holders++;
    pthread_mutex_unlock(&spool->lock);
    return spool;
}

static void free_spool(struct result_spool *spool)
{
    char path[PATH_BYTES];

    if (spool->file >= 0)
        close(spool->file);
    if (spool->has_file) {
        spool_path(spool, path);
        (void)unlink(path);
    }
    atomic_fetch_sub(&spool->store->bytes, spool->bytes);
    if (spool->schema.release != NULL)
        spool->schema.release(&spool->schema);
    free(spool->source_version);
    byte_buffer_done(&spool->message);
    byte_buffer_done(&spool->entries);
    byte_buffer_done(&spool->chunks);
    pthread_mutex_destroy(&spool->lock);
    free(spool);
}

void result_spool_release(struct result_spool *spool)
{
    bool last = false;

    if (spool == NULL)
        return;
    pthread_mutex_lock(&spool->lock);
    last = --spool->holders == 0;
    pthread_mutex_unlock(&spool->lock);
    if (last)
        free_spool(spool);
}

void result_spool_watch(struct result_spool *spool, struct result_spool_watch *watch)
{
    pthread_mutex_lock(&spool->lock);
    DL_APPEND2(spool->watches, watch, previous, next);
    pthread_mutex_unlock(&spool->lock);
}

void result_spool_unwatch(struct result_spool *spool, struct result_spool_watch *watch)
{
    pthread_mutex_lock(&spool->lock);
    DL_DELETE2(spool->watches, watch, previous, next);
    pthread_mutex_unlock(&spool->lock);
}

const struct ArrowSchema *result_spool_schema(const struct result_spool *spool)
{
    return &spool->schema;
}

struct result_end result_spool_end(struct result_spool *spool)
{
    struct result_end end;

    pthread_mutex_lock(&spool->lock);
    end = spool->end;
    pthread_mutex_unlock(&spool->lock);
    return end;
}

/* A result without rows has one chunk all the same. */
static size_t chunk_count(const struct result_spool *spool)
{
    size_t count = spool->chunks.length / sizeof(size_t);

    return count > 0 ? count : 1;
}

struct result_spool_facts result_spool_look(struct result_spool *spool)
{
    struct result_spool_facts facts = {0};

    pthread_mutex_lock(&spool->lock);
    facts = (struct result_spool_facts){
        .batches = spool->entries.length / sizeof(struct entry),
        .chunks = spool->finished ? chunk_count(spool) : 0,
        .rows = spool->rows,
        .bytes = spool->bytes,
        .finished = spool->finished,
        .complete = spool->complete,
    };
    pthread_mutex_unlock(&spool->lock);
    return facts;
}

bool result_spool_chunk(struct result_spool *spool, size_t chunk, size_t *ret_first,
                        size_t *ret_end)
{
    bool found = false;

    pthread_mutex_lock(&spool->lock);
    if (spool->finished && chunk < chunk_count(spool)) {
        const size_t *firsts = (const void *)spool->chunks.data;
        size_t batches = spool->entries.length / sizeof(struct entry);

        *ret_first = batches > 0 ? firsts[chunk] : 0;
        *ret_end = chunk + 1 < chunk_count(spool) ? firsts[chunk + 1] : batches;
        found = true;
    }
    pthread_mutex_unlock(&spool->lock);
    return found;
}

static enum result_spool_read find_entry(struct result_spool *spool, size_t number,
                                         struct entry *ret_entry, struct error *err)
{
    enum result_spool_read found = SPOOL_NOT_YET;

    pthread_mutex_lock(&spool->lock);
    if (spool->finished && !spool->complete) {
        error_set(err, ERROR_CANCELLED, "the query did not end well");
        found = SPOOL_FAILED;
    } else if (number < spool->entries.length / sizeof(*ret_entry)) {
        memcpy(ret_entry, spool->entries.data + number * sizeof(*ret_entry), sizeof(*ret_entry));
        found = SPOOL_BATCH;
    } else if (spool->finished) {
        found = SPOOL_END;
    }
    pthread_mutex_unlock(&spool->lock);
    return found;
}

/* A file that is open only while it is read costs no descriptor per kept result. */
static int read_message(const struct result_spool *spool, struct entry entry, char **ret_bytes,
                        struct error *err)
{
    char path[PATH_BYTES];
    char *bytes = malloc((size_t)entry.length);

    if (bytes == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the result");
    spool_path(spool, path);
    if (!file_bytes_read(path, entry.offset, bytes, (size_t)entry.length)) {
        error_set(err, ERROR_ENGINE_ERROR, "result spool: %s", strerror(errno));
        free(bytes);
        return -1;
    }
    *ret_bytes = bytes;
    return 0;
}

enum result_spool_read result_spool_read(struct result_spool *spool, size_t number,
                                         struct ArrowArray *ret_batch, struct error *err)
{
    struct entry entry = {0};
    enum result_spool_read found = find_entry(spool, number, &entry, err);
    char *bytes = NULL;

    if (found != SPOOL_BATCH)
        return found;
    if (read_message(spool, entry, &bytes, err) != 0)
        return SPOOL_FAILED;
    if (arrow_ipc_read_batch(&spool->schema, bytes, (size_t)entry.length, ret_batch, err) != 0) {
        free(bytes);
        return SPOOL_FAILED;
    }
    return SPOOL_BATCH;
}
