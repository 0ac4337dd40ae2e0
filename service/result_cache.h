/*
 * result_cache: finished answers, each for as long as the tables that it rests on
 * are the same. No time to live: an answer is found only after each inode of its
 * tables was looked at, later than the request for it arrived. Requests that arrived
 * before a look share it.
 *
 * Bodies are in memory or, long ones, on disk. Bounded in bytes of each, keys and
 * identities counted; who was asked for longest ago goes first.   [loop]
 */
#ifndef SERVICE_RESULT_CACHE_H
#define SERVICE_RESULT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byte_buffer.h"
#include "deadline.h"
#include "entity_tag.h"
#include "kept_file.h"
#include "result_format.h"
#include "shared_bytes.h"
#include "source_identity.h"

struct cached_answer {
    struct shared_bytes *body; /* one of the two, the other is NULL */
    struct kept_file *file;
    const char *content_type;   /* static storage */
    enum content_coding coding; /* of the body */
    struct entity_tag tag;
    int64_t rows;
    bool truncated;
};

/* Of its body. */
int64_t cached_answer_bytes(const struct cached_answer *answer);

enum cache_look {
    CACHE_HIT,
    CACHE_MISS,
    CACHE_STALE, /* there was one, of tables that have changed since */
};

struct result_cache;
struct spool_disposal;

/* bytes_max (of memory) 0: keeps nothing. Files go by way of the disposal (borrowed; NULL:
 * here and now). NULL without memory. */
struct result_cache *result_cache_new(size_t bytes_max, struct spool_disposal *disposal);
void result_cache_free(struct result_cache *cache);

/* False: bytes_max is 0. */
bool result_cache_is_on(const struct result_cache *cache);

/* `arrived`: when the request's last byte was read. CACHE_HIT: *ret_answer, borrowed
 * until the cache is used again. */
enum cache_look result_cache_find(struct result_cache *cache, const struct byte_buffer *key,
                                  struct monotime arrived, const struct cached_answer **ret_answer);

/* Keeps an answer under a copy of the key, in the place of an older one; holds the
 * body or file. Takes the identity either way. False: it is too large, or no memory. */
bool result_cache_keep(struct result_cache *cache, const struct byte_buffer *key,
                       const struct cached_answer *answer, struct source_identity *identity);

#endif
