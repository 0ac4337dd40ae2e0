/*
 * query_cache: what the result cache is to queries: who may be answered from it,
 * whose answer is kept, and what a client is told of it (Cache-Status, RFC 9211).   [loop]
 */
#ifndef SERVICE_QUERY_CACHE_H
#define SERVICE_QUERY_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "byte_buffer.h"
#include "cache_doubt.h"
#include "query_request.h"
#include "result_cache.h"

struct delivery;
struct query;

/* Why a query runs although there is a cache. */
enum cache_use {
    CACHE_USE_BYPASS,  /* such an answer is never kept, or its caller said `off` */
    CACHE_USE_MISS,    /* nothing was kept */
    CACHE_USE_STALE,   /* what was kept is of tables that have changed */
    CACHE_USE_REFRESH, /* its caller wants it anew */
    CACHE_USE_COUNT
};

/* What was found for a request. */
struct cache_search {
    enum cache_use use;
    enum cache_doubt doubt; /* of a bypass */
    struct byte_buffer key; /* under which its answer may be kept and shared; else empty */
};

/* The longest Cache-Status, and NUL. */
#define CACHE_STATUS_BYTES 96

/* Looks for a kept answer to a request whose last byte was read then, and counts what was found. True: *ret_answer, borrowed until
 * the cache is used again. *ret_search is the caller's to free (its key) in any case. */
bool query_cache_find(struct result_cache *cache, const struct query_request *request,
                      struct monotime arrived, const struct cached_answer **ret_answer,
                      struct cache_search *ret_search);

/* Whether the answer should be kept if its run allows it.   [any] */
bool query_cache_wants(const struct query *query);

/* Whether what the run read is still the same, each inode looked at now: its rows are as
 * good as those of a run that begins now. Once the run is over. */
bool query_cache_is_current(const struct query *query);

/* Keeps (holds) a whole answer, when the run told what it rests on. */
void query_cache_keep(struct result_cache *cache, struct query *query, struct shared_bytes *body);

/* The same of a long answer, of which this (or NULL) is the copy; not before its run is over. */
void query_cache_keep_file(struct result_cache *cache, struct query *query, struct kept_file *copy);

/* The value of Cache-Status. A streaming answer's run may not be over, and whether it is kept
 * nobody knows yet. */
void query_cache_status(const struct query *query, const struct delivery *delivery,
                        char ret_text[CACHE_STATUS_BYTES]);

#endif
