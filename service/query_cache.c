#include "query_cache.h"

#include <stdlib.h>
#include <string.h>

#include "cache_key.h"
#include "delivery.h"
#include "metrics.h"
#include "query.h"

enum found { FOUND_HIT, FOUND_MISS, FOUND_BYPASS, FOUND_COUNT };

/* metrics_table.h has the three of a source one after the other, in this order. */
static void count(const struct query_request *request, enum found found)
{
    static const enum metric FIRST[QUERY_SOURCE_COUNT] = {
        [QUERY_MYSQL] = METRIC_CACHE_HIT_MYSQL,
        [QUERY_PARQUET] = METRIC_CACHE_HIT_PARQUET,
        [QUERY_DELTA] = METRIC_CACHE_HIT_DELTA,
        [QUERY_ICEBERG] = METRIC_CACHE_HIT_ICEBERG,
    };

    metrics_add(FIRST[request->source] + found, 1);
}

static enum cache_look look(struct result_cache *cache, const struct query_request *request,
                            const struct cached_answer **ret_answer)
{
    struct byte_buffer key = {0};
    enum cache_look found = CACHE_MISS;

    cache_key_append(request, &key);
    if (!key.failed)
        found = result_cache_find(cache, &key, ret_answer);
    byte_buffer_done(&key);
    return found;
}

bool query_cache_find(struct result_cache *cache, const struct query_request *request,
                      const struct cached_answer **ret_answer, enum cache_use *ret_use)
{
    if (request->cache == CACHE_OFF || !cache_key_applies(request)) {
        count(request, FOUND_BYPASS);
        *ret_use = CACHE_USE_BYPASS;
        return false;
    }
    if (request->cache == CACHE_REFRESH) {
        count(request, FOUND_MISS);
        *ret_use = CACHE_USE_REFRESH;
        return false;
    }
    switch (look(cache, request, ret_answer)) {
    case CACHE_HIT:
        count(request, FOUND_HIT);
        return true;
    case CACHE_STALE:
        *ret_use = CACHE_USE_STALE;
        break;
    case CACHE_MISS:
        *ret_use = CACHE_USE_MISS;
        break;
    }
    count(request, FOUND_MISS);
    return false;
}

bool query_cache_wants(const struct query *query)
{
    return query->cache_use != CACHE_USE_BYPASS;
}

static struct shared_bytes *copy_bytes(const char *body, size_t length)
{
    char *copy = malloc(length + 1);
    struct shared_bytes *bytes = copy != NULL ? shared_bytes_new(copy, length) : NULL;

    if (bytes == NULL)
        free(copy);
    else if (length > 0)
        memcpy(copy, body, length);
    return bytes;
}

void query_cache_keep(struct result_cache *cache, struct query *query, const char *body,
                      size_t length)
{
    const struct delivery_tally *tally = &query->delivery->tally;
    struct cached_answer answer = {
        .content_type = result_choice_content_type(&query->delivery->options.choice),
        .coding = tally->coding,
        .tag = tally->tag,
        .rows = tally->rows,
        .truncated = tally->truncated,
    };
    struct source_identity *identity = query->identity;
    struct byte_buffer key = {0};

    query->identity = NULL;
    if (identity == NULL)
        return;
    cache_key_append(&query->request, &key);
    answer.body = copy_bytes(body, length);
    if (key.failed || answer.body == NULL)
        source_identity_free(identity);
    else
        query->cache_stored = result_cache_keep(cache, &key, &answer, identity);
    shared_bytes_release(answer.body);
    byte_buffer_done(&key);
}

const char *query_cache_status(const struct query *query)
{
    static const char *const STATUS[CACHE_USE_COUNT][2] = {
        [CACHE_USE_BYPASS] = {"spark-service; fwd=bypass", "spark-service; fwd=bypass"},
        [CACHE_USE_MISS] = {"spark-service; fwd=uri-miss", "spark-service; fwd=uri-miss; stored"},
        [CACHE_USE_STALE] = {"spark-service; fwd=stale", "spark-service; fwd=stale; stored"},
        [CACHE_USE_REFRESH] = {"spark-service; fwd=request", "spark-service; fwd=request; stored"},
    };

    return STATUS[query->cache_use][query->cache_stored];
}
