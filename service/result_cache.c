#include "result_cache.h"

#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

#include "metrics.h"

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
};

struct result_cache {
    size_t bytes_max;
    size_t bytes;
    struct entry *by_key;
    struct entry *by_use;
};

struct result_cache *result_cache_new(size_t bytes_max)
{
    struct result_cache *cache = calloc(1, sizeof(*cache));

    if (cache != NULL)
        cache->bytes_max = bytes_max;
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

static void drop(struct result_cache *cache, struct entry *entry)
{
    HASH_DELETE(hash, cache->by_key, entry);
    DL_DELETE(cache->by_use, entry);
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

    if (entry == NULL)
        return CACHE_MISS;
    if (!is_current(entry, arrived)) {
        drop(cache, entry);
        return CACHE_STALE;
    }
    DL_DELETE(cache->by_use, entry);
    DL_APPEND(cache->by_use, entry);
    *ret_answer = &entry->answer;
    return CACHE_HIT;
}

static void make_room(struct result_cache *cache, size_t bytes)
{
    while (cache->bytes + bytes > cache->bytes_max) {
        drop(cache, cache->by_use);
        metrics_add(METRIC_CACHE_EVICTED, 1);
    }
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
    shared_bytes_hold(answer->body);
    entry->bytes = sizeof(*entry) + sizeof(*answer->body) + key->length + answer->body->length +
                   source_identity_bytes(identity);
    if (entry->bytes > cache->bytes_max) {
        free_entry(entry);
        return false;
    }
    make_room(cache, entry->bytes);
    HASH_ADD_KEYPTR(hash, cache->by_key, entry->key, entry->key_length, entry);
    DL_APPEND(cache->by_use, entry);
    cache->bytes += entry->bytes;
    metrics_add(METRIC_CACHE_ANSWERS, 1);
    metrics_add(METRIC_CACHE_BYTES, (int64_t)entry->bytes);
    return true;
}
