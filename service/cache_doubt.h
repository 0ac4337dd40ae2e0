/*
 * cache_doubt: why an answer is not kept, and how Cache-Status says it (the `detail`
 * of RFC 9211 §2.8, a token). Pure.   [any]
 */
#ifndef SERVICE_CACHE_DOUBT_H
#define SERVICE_CACHE_DOUBT_H

#include "query_request.h"
#include "source_identity.h"

enum cache_doubt {
    CACHE_DOUBT_NONE,
    /* The request decides; nothing is looked for. */
    CACHE_DOUBT_OFF,      /* its caller wants none, or CACHE_BYTES is 0 */
    CACHE_DOUBT_MYSQL,    /* nobody tells when a table of MySQL changes */
    CACHE_DOUBT_PLAN,     /* explain and HEAD: no rows */
    CACHE_DOUBT_ENVELOPE, /* tells of its own run */
    CACHE_DOUBT_WAIT,     /* rows that may be asked for later are kept elsewhere */
    /* The run showed it. */
    CACHE_DOUBT_NOT_DETERMINISTIC,
    CACHE_DOUBT_CHANGED_LATELY,
    CACHE_DOUBT_TOO_MANY_FILES,
    CACHE_DOUBT_REMOTE,
    CACHE_DOUBT_UNKNOWN_SOURCE,
    CACHE_DOUBT_TOO_LARGE,
    CACHE_DOUBT_COUNT
};

/* NONE: an answer to such a request can be kept: rows from files, wanted at once, in a
 * format whose body tells nothing of the run that made it. */
enum cache_doubt cache_doubt_of_request(const struct query_request *request);

enum cache_doubt cache_doubt_of_source(enum source_doubt doubt);

/* "not-deterministic" ...; NULL for NONE. Static storage. */
const char *cache_doubt_detail(enum cache_doubt doubt);

#endif
