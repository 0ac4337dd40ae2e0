/*
 * http_record: what is known of one request when it is over, as plain data: the
 * access line and the counts are made from it. It outlives the exchange, as an
 * answer leaves after its exchange ended.
 *
 * Nothing of it is a caller's text but the ids, which are checked hex: neither
 * path nor query string, headers nor SQL.   [loop]
 */
#ifndef SERVICE_HTTP_RECORD_H
#define SERVICE_HTTP_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "deadline.h"
#include "token_file.h"
#include "trace_context.h"

#define HTTP_NO_ROUTE (-1)
#define HTTP_CLIENT_BYTES 56 /* "[" an IPv6 address "]:" port, and NUL */
#define HTTP_QUERY_ID_BYTES 37

struct http_record {
    unsigned method; /* enum http_method */
    int route;       /* the router's number; HTTP_NO_ROUTE */
    int status;      /* 0: no answer was begun */
    bool from_cache; /* answered without a run */
    bool whole;      /* the last byte of the answer went to the kernel */
    int64_t bytes;   /* of the body, as far as the kernel took them */
    struct monotime begin;
    struct monotime end;
    char client[HTTP_CLIENT_BYTES];
    char query_id[HTTP_QUERY_ID_BYTES]; /* "" = none */
    char caller[CALLER_NAME_BYTES];     /* "" = nobody was asked for, or it was not known */
    char token_id[TOKEN_ID_BYTES];      /* of the caller's token; "" like it */
    struct trace_context trace;
};

#endif
