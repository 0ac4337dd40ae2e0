/*
 * query_request: the body of POST /api/spark/query/{source} -> one checked
 * struct, or an error that names the field. Pure: no I/O, no clock, no global
 * (roots and MySQL hosts are checked by data_roots and mysql_sources).  [any]
 *
 * JSON is RFC 8259, UTF-8, parsed by jansson with JSON_REJECT_DUPLICATES.
 * Unknown fields are refused, so that a typo is never silently ignored.
 */
#ifndef SERVICE_QUERY_REQUEST_H
#define SERVICE_QUERY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "prefer.h"
#include "result_format.h"

#define QUERY_SQL_MAX_BYTES (64 * 1024)
#define QUERY_TAGS_MAX 8
#define QUERY_TAG_MAX_BYTES 64

enum query_source { QUERY_MYSQL, QUERY_PARQUET, QUERY_DELTA, QUERY_ICEBERG, QUERY_SOURCE_COUNT };

enum query_engine { ENGINE_AUTO, ENGINE_DIRECT, ENGINE_SPARK };
/* Why the engine of a MySQL query is the one it is. */
enum engine_reason {
    ENGINE_FOR_READ, /* `auto`: what the gate lets through is a plain read */
    ENGINE_ASKED,    /* by the request */
    ENGINE_OF_SOURCE /* the source's own, for requests that say auto */
};

enum query_on_wait { WAIT_CONTINUE, WAIT_CANCEL };
enum query_cache_mode { CACHE_USE, CACHE_REFRESH, CACHE_OFF };

/* `config` of a mysql request: a named source, or host+port+user+password+database. */
struct query_mysql_config {
    char *source; /* NULL when host is given; both NULL = the source of MYSQL_* */
    char *host;
    int port; /* 1..65535, 0 = not given (3306) */
    char *user;
    char *password;
    char *database;
};

/* At most one of the three is set. */
struct query_as_of {
    bool has_version;
    int64_t version; /* Delta, >= 0 */
    bool has_snapshot_id;
    int64_t snapshot_id; /* Iceberg */
    char *timestamp;     /* RFC 3339 UTC, "...Z"; NULL = not given */
};

#define QUERY_WAIT_MS_MAX 600000

struct query_limits {
    int64_t timeout_ms_default;
    int64_t timeout_ms_max;
    int64_t queue_timeout_ms_default;
    int64_t wait_ms_preferred; /* what the Prefer header asks for, -1 = nothing */
};

struct query_request {
    enum query_source source;
    char *sql;
    char *path;  /* as the caller wrote it, not yet checked; NULL = not given */
    char *table; /* NULL = not given */
    struct query_mysql_config config;
    char *params_json; /* the checked `params` object as compact JSON; NULL = none */
    struct query_as_of as_of;
    enum query_engine engine;
    enum engine_reason engine_reason;
    int64_t timeout_ms;
    int64_t queue_timeout_ms;
    int64_t wait_ms; /* for the first byte of the answer; -1 = to the end */
    enum query_on_wait on_wait;
    bool wait_preferred;  /* by the Prefer header; the field counts before it */
    struct prefer prefer; /* that header, when it counts; of the handler's */
    int64_t row_limit;    /* -1 = none */
    int64_t byte_limit;   /* -1 = none */
    char *query_id;       /* lower-case UUID; NULL = the service makes one */
    char *tags[QUERY_TAGS_MAX];
    size_t tag_count;
    enum query_cache_mode cache;
    bool numbers_as_strings;
    bool heads;                  /* only the headers of the rows are wanted; set by the handler */
    bool explains;               /* its plan is wanted, not its rows; set by the handler */
    struct result_choice answer; /* of the headers: set by the handler, not by the parser */
};

/* Parses and checks. 0: *ret_request is filled, free with query_request_done.
 * -1: *err is ERROR_BAD_REQUEST and its detail names the field; nothing to free. */
int query_request_parse(enum query_source source, const char *body, size_t length,
                        const struct query_limits *limits, struct query_request *ret_request,
                        struct error *err);

/* True when the direct engine runs it: a MySQL query whose caller didn't ask for
 * spark. What the gate lets through is a plain read, so `auto` is direct. */
bool query_request_is_direct(const struct query_request *request);

/* "plain-read" ... of a MySQL query, else NULL; static storage. */
const char *query_request_engine_reason(const struct query_request *request);

/* True when it may become asynchronous: its rows are kept from the start. */
bool query_request_keeps_rows(const struct query_request *request);

/* What a caller has to be allowed: "parquet", "delta", "iceberg"; of a mysql request the
 * name of its source, "main" when it says none, "config" for a host of its own. Borrowed. */
const char *query_request_source(const struct query_request *request);

/* Frees the contents; fine on a zeroed struct. The password is overwritten first. */
void query_request_done(struct query_request *request);

/* "mysql", "parquet", "delta", "iceberg"; static storage. */
const char *query_source_name(enum query_source source);

#endif
