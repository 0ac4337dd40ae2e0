#include "cache_doubt.h"

enum cache_doubt cache_doubt_of_request(const struct query_request *request)
{
    if (request->cache == CACHE_OFF)
        return CACHE_DOUBT_OFF;
    if (request->source == QUERY_MYSQL)
        return CACHE_DOUBT_MYSQL;
    if (request->explains || request->heads)
        return CACHE_DOUBT_PLAN;
    if (query_request_keeps_rows(request))
        return CACHE_DOUBT_WAIT;
    return request->answer.format == RESULT_ENVELOPE ? CACHE_DOUBT_ENVELOPE : CACHE_DOUBT_NONE;
}

enum cache_doubt cache_doubt_of_source(enum source_doubt doubt)
{
    switch (doubt) {
    case SOURCE_CHANGED_LATELY:
        return CACHE_DOUBT_CHANGED_LATELY;
    case SOURCE_TOO_MANY_FILES:
        return CACHE_DOUBT_TOO_MANY_FILES;
    case SOURCE_REMOTE:
        return CACHE_DOUBT_REMOTE;
    case SOURCE_UNKNOWN:
        break;
    }
    return CACHE_DOUBT_UNKNOWN_SOURCE;
}

const char *cache_doubt_detail(enum cache_doubt doubt)
{
    static const char *const DETAILS[CACHE_DOUBT_COUNT] = {
        [CACHE_DOUBT_NONE] = NULL,
        [CACHE_DOUBT_OFF] = "cache-off",
        [CACHE_DOUBT_MYSQL] = "mysql",
        [CACHE_DOUBT_PLAN] = "no-rows",
        [CACHE_DOUBT_ENVELOPE] = "envelope",
        [CACHE_DOUBT_WAIT] = "asynchronous",
        [CACHE_DOUBT_NOT_DETERMINISTIC] = "not-deterministic",
        [CACHE_DOUBT_CHANGED_LATELY] = "source-changed-lately",
        [CACHE_DOUBT_TOO_MANY_FILES] = "too-many-files",
        [CACHE_DOUBT_REMOTE] = "remote-file-system",
        [CACHE_DOUBT_UNKNOWN_SOURCE] = "source-not-provable",
        [CACHE_DOUBT_TOO_LARGE] = "too-large",
    };

    return DETAILS[doubt];
}
