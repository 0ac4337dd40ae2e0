#include "query_cache.h"

#include <stdio.h>

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

/* What is told of a request that nothing is looked for. */
static bool is_bypass(const struct result_cache *cache, const struct query_request *request,
                      struct cache_search *search)
{
    search->doubt = cache_doubt_of_request(request);
    if (search->doubt == CACHE_DOUBT_NONE && !result_cache_is_on(cache))
        search->doubt = CACHE_DOUBT_OFF;
    return search->doubt != CACHE_DOUBT_NONE;
}

bool query_cache_find(struct result_cache *cache, const struct query_request *request,
                      struct monotime arrived, const struct cached_answer **ret_answer,
                      struct cache_search *ret_search)
{
    *ret_search = (struct cache_search){.use = CACHE_USE_MISS};
    if (is_bypass(cache, request, ret_search)) {
        ret_search->use = CACHE_USE_BYPASS;
        count(request, FOUND_BYPASS);
        return false;
    }
    cache_key_append(request, &ret_search->key);
    if (ret_search->key.failed) {
        byte_buffer_done(&ret_search->key);
    } else if (request->cache == CACHE_REFRESH) {
        ret_search->use = CACHE_USE_REFRESH;
    } else {
        switch (result_cache_find(cache, &ret_search->key, arrived, ret_answer)) {
        case CACHE_HIT:
            count(request, FOUND_HIT);
            return true;
        case CACHE_STALE:
            ret_search->use = CACHE_USE_STALE;
            break;
        case CACHE_MISS:
            break;
        }
    }
    count(request, FOUND_MISS);
    return false;
}

bool query_cache_wants(const struct query *query)
{
    return query->cache_use != CACHE_USE_BYPASS;
}

bool query_cache_is_current(const struct query *query)
{
    return query->identity != NULL && source_identity_holds(query->identity);
}

static void keep(struct result_cache *cache, struct query *query, struct shared_bytes *body,
                 struct kept_file *file)
{
    const struct delivery_tally *tally = &query->delivery->tally;
    struct cached_answer answer = {
        .body = body,
        .file = file,
        .content_type = result_choice_content_type(&query->delivery->options.choice),
        .coding = tally->coding,
        .tag = tally->tag,
        .rows = tally->rows,
        .truncated = tally->truncated,
    };
    struct source_identity *identity = query->identity;

    query->identity = NULL;
    if (identity == NULL)
        return;
    query->cache_stored = query->cache_key.length > 0 &&
                          result_cache_keep(cache, &query->cache_key, &answer, identity);
    if (query->cache_key.length == 0)
        source_identity_free(identity);
    if (!query->cache_stored)
        query->cache_doubt = CACHE_DOUBT_TOO_LARGE;
}

void query_cache_keep(struct result_cache *cache, struct query *query, struct shared_bytes *body)
{
    keep(cache, query, body, NULL);
}

void query_cache_keep_file(struct result_cache *cache, struct query *query, struct kept_file *copy)
{
    if (copy != NULL && query_state_is_over(query->state))
        keep(cache, query, NULL, copy);
}

/* A worker may be about to say what the rows of a long answer rest on. */
static enum cache_doubt doubt_of(const struct query *query, const struct delivery *delivery)
{
    if (!delivery->streaming || !query_cache_wants(query))
        return query->cache_doubt;
    return delivery->copies == NULL ? CACHE_DOUBT_TOO_LARGE : CACHE_DOUBT_NONE;
}

void query_cache_status(const struct query *query, const struct delivery *delivery,
                        char ret_text[CACHE_STATUS_BYTES])
{
    static const char *const FORWARDS[CACHE_USE_COUNT] = {
        [CACHE_USE_BYPASS] = "bypass",
        [CACHE_USE_MISS] = "uri-miss",
        [CACHE_USE_STALE] = "stale",
        [CACHE_USE_REFRESH] = "request",
    };
    const char *detail = query->cache_stored || query->collapsed
                             ? NULL
                             : cache_doubt_detail(doubt_of(query, delivery));

    snprintf(ret_text, CACHE_STATUS_BYTES, "spark-service; fwd=%s%s%s%s%s",
             FORWARDS[query->cache_use], query->cache_stored ? "; stored" : "",
             query->collapsed ? "; collapsed" : "", detail != NULL ? "; detail=" : "",
             detail != NULL ? detail : "");
}
