/*
 * query_cache: what the result cache is to queries: who may be answered from it,
 * whose answer is kept, and what a client is told of it (Cache-Status, RFC 9211).   [loop]
 */
#ifndef SERVICE_QUERY_CACHE_H
#define SERVICE_QUERY_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "query_request.h"
#include "result_cache.h"

struct query;

/* Why a query runs although there is a cache. */
enum cache_use {
    CACHE_USE_BYPASS,  /* such an answer is never kept, or its caller said `off` */
    CACHE_USE_MISS,    /* nothing was kept */
    CACHE_USE_STALE,   /* what was kept is of tables that have changed */
    CACHE_USE_REFRESH, /* its caller wants it anew */
    CACHE_USE_COUNT
};

/* Looks for a kept answer and counts what was found. True: *ret_answer, borrowed until
 * the cache is used again. False: *ret_use says why there is none. */
bool query_cache_find(struct result_cache *cache, const struct query_request *request,
                      const struct cached_answer **ret_answer, enum cache_use *ret_use);

/* Whether the answer should be kept if its run allows it.   [any] */
bool query_cache_wants(const struct query *query);

/* Keeps a copy of a whole answer, when the run told what it rests on. */
void query_cache_keep(struct result_cache *cache, struct query *query, const char *body,
                      size_t length);

/* The value of Cache-Status; static storage. */
const char *query_cache_status(const struct query *query);

#endif
