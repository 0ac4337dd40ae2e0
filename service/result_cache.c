#include "result_cache.h"

#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

#include "metrics.h"
#include "spool_disposal.h"

struct entry {
    char *key;
    size_t key_length;
    size_t bytes;
    struct cached_answer answer;
    struct source_identity *identity;
    struct monotime looked; /* when the last look at its tables began; unset: none yet */
    UT_hash_handle hash;
    struct entry *prev; /* by last use, oldest first; utlist's names */
    struct entry *next;
    struct entry *file_prev; /* the same, of those with a file */
    struct entry *file_next;
};

struct result_cache {
    size_t bytes_max;
    size_t bytes;
    struct entry *by_key;
    struct entry *by_use;
    struct entry *files_by_use;
    struct spool_disposal *disposal;
};

int64_t cached_answer_bytes(const struct cached_answer *answer)
{
    return answer->file != NULL ? kept_file_length(answer->file) : (int64_t)answer->body->length;
}

struct result_cache *result_cache_new(size_t bytes_max, struct spool_disposal *disposal)
{
    struct result_cache *cache = calloc(1, sizeof(*cache));

    if (cache != NULL)
        *cache = (struct result_cache){.bytes_max = bytes_max, .disposal = disposal};
    return cache;
}

bool result_cache_is_on(const struct result_cache *cache)
{
    return cache->bytes_max > 0;
}

static void free_entry(struct entry *entry)
{
    source_identity_free(entry->identity);
    shared_bytes_release(entry->answer.body);
    free(entry->key);
    free(entry);
}

static void unlink_use(struct result_cache *cache, struct entry *entry)
{
    DL_DELETE(cache->by_use, entry);
    if (entry->answer.file != NULL)
        DL_DELETE2(cache->files_by_use, entry, file_prev, file_next);
}

static void link_use(struct result_cache *cache, struct entry *entry)
{
    DL_APPEND(cache->by_use, entry);
    if (entry->answer.file != NULL)
        DL_APPEND2(cache->files_by_use, entry, file_prev, file_next);
}

static void drop(struct result_cache *cache, struct entry *entry)
{
    HASH_DELETE(hash, cache->by_key, entry);
    unlink_use(cache, entry);
    if (entry->answer.file != NULL) {
        kept_file_give_up(entry->answer.file);
        spool_disposal_take_file(cache->disposal, entry->answer.file);
    }
    cache->bytes -= entry->bytes;
    metrics_add(METRIC_CACHE_ANSWERS, -1);
    metrics_add(METRIC_CACHE_BYTES, -(int64_t)entry->bytes);
    free_entry(entry);
}

void result_cache_free(struct result_cache *cache)
{
    if (cache == NULL)
        return;
    while (cache->by_use != NULL)
        drop(cache, cache->by_use);
    free(cache);
}

static struct entry *find(const struct result_cache *cache, const struct byte_buffer *key)
{
    struct entry *entry = NULL;

    HASH_FIND(hash, cache->by_key, key->data, key->length, entry);
    return entry;
}

/* A look proves something to whoever came before it. */
static bool is_current(struct entry *entry, struct monotime arrived)
{
    if (monotime_reached(arrived, entry->looked))
        return true;
    entry->looked = monotime_now();
    metrics_add(METRIC_CACHE_LOOKS, 1);
    return source_identity_holds(entry->identity);
}

enum cache_look result_cache_find(struct result_cache *cache, const struct byte_buffer *key,
                                  struct monotime arrived, const struct cached_answer **ret_answer)
{
    struct entry *entry = find(cache, key);

    if (entry != NULL && entry->answer.file != NULL && kept_file_is_lost(entry->answer.file)) {
        drop(cache, entry);
        return CACHE_MISS;
    }
    if (entry == NULL)
        return CACHE_MISS;
    if (!is_current(entry, arrived)) {
        drop(cache, entry);
        return CACHE_STALE;
    }
    unlink_use(cache, entry);
    link_use(cache, entry);
    *ret_answer = &entry->answer;
    return CACHE_HIT;
}

static void evict(struct result_cache *cache, struct entry *entry)
{
    drop(cache, entry);
    metrics_add(METRIC_CACHE_EVICTED, 1);
}

static void make_room(struct result_cache *cache, size_t bytes)
{
    while (cache->bytes + bytes > cache->bytes_max)
        evict(cache, cache->by_use);
}

/* A file is a third of what may be kept at most, so that there is room in the end. */
static void take_file(struct result_cache *cache, struct kept_file *file)
{
    while (!kept_file_keep(file))
        evict(cache, cache->files_by_use);
    kept_file_hold(file);
}

bool result_cache_keep(struct result_cache *cache, const struct byte_buffer *key,
                       const struct cached_answer *answer, struct source_identity *identity)
{
    struct entry *entry = calloc(1, sizeof(*entry));
    struct entry *older = find(cache, key);

    if (older != NULL)
        drop(cache, older);
    if (entry == NULL || (entry->key = malloc(key->length)) == NULL) {
        free(entry);
        source_identity_free(identity);
        return false;
    }
    memcpy(entry->key, key->data, key->length);
    entry->key_length = key->length;
    entry->identity = identity;
    entry->answer = *answer;
    entry->bytes = sizeof(*entry) + key->length + source_identity_bytes(identity);
    if (answer->body != NULL) {
        shared_bytes_hold(answer->body);
        entry->bytes += sizeof(*answer->body) + answer->body->length;
    }
    if (entry->bytes > cache->bytes_max) {
        free_entry(entry);
        return false;
    }
    HASH_ADD_KEYPTR(hash, cache->by_key, entry->key, entry->key_length, entry);
    if (entry->hash.tbl == NULL) {
        free_entry(entry);
        return false;
    }
    make_room(cache, entry->bytes);
    if (answer->file != NULL)
        take_file(cache, answer->file);
    link_use(cache, entry);
    cache->bytes += entry->bytes;
    metrics_add(METRIC_CACHE_ANSWERS, 1);
    metrics_add(METRIC_CACHE_BYTES, (int64_t)entry->bytes);
    return true;
}
