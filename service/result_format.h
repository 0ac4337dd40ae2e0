/*
 * result_format: the formats and content codings of an answer, and which of
 * them a client takes. Pure.   [any]
 *
 * Accept is RFC 9110 §12.5.1: of a type's ranges the most specific one counts;
 * the highest q wins, equal ones by our order, the order of the enums.
 * Accept-Encoding is §12.5.3: identity is fine unless it is refused.
 */
#ifndef SERVICE_RESULT_FORMAT_H
#define SERVICE_RESULT_FORMAT_H

#include <stdbool.h>

#include "error.h"

enum result_format {
    RESULT_JSON,     /* bare array of row objects */
    RESULT_ENVELOPE, /* the same within an object: schema, counts, statistics */
    RESULT_NDJSON,   /* one row object a line */
    RESULT_CSV,      /* RFC 4180 */
    RESULT_ARROW,    /* Arrow IPC stream */
    RESULT_FORMAT_COUNT
};

enum content_coding { CODING_IDENTITY, CODING_GZIP, CODING_ZSTD, CONTENT_CODING_COUNT };

struct result_choice {
    enum result_format format;
    bool end_line; /* NDJSON: a last line says how it ended */
    enum content_coding coding;
    bool identity_refused; /* so that even a short body is coded */
};

/* Both fields may be NULL (not sent). 0: *ret_choice. -1: ERROR_NOT_ACCEPTABLE. */
int result_choice_negotiate(const char *accept, const char *accept_encoding,
                            struct result_choice *ret_choice, struct error *err);

/* The Content-Type of an answer; static storage. */
const char *result_choice_content_type(const struct result_choice *choice);

/* "json", "envelope", "ndjson", "csv", "arrow": for logs and metrics; static storage. */
const char *result_format_name(enum result_format format);

/* "gzip", "zstd"; NULL for identity, which isn't named in Content-Encoding. */
const char *content_coding_name(enum content_coding coding);

#endif
