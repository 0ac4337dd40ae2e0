/*
 * error: one failure as a value, and the table code -> HTTP status.
 *
 * A function that can fail returns 0 or a negative value and describes the
 * failure in a caller-owned `struct error`. It never logs: the failure is
 * logged once, where it is answered. Fixed buffers on purpose: reporting a
 * failure must not be able to fail itself.
 *
 * Codes and statuses are those of the HTTP contract (README, "Errors"); the
 * body they become is application/problem+json, RFC 9457.
 */
#ifndef SERVICE_ERROR_H
#define SERVICE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* X(enum suffix, wire code, HTTP status, retryable by default) */
#define ERROR_CODE_TABLE(X)                                                                        \
    X(NONE, "none", 200, false)                                                                    \
    X(BAD_REQUEST, "bad_request", 400, false)                                                      \
    X(UNAUTHENTICATED, "unauthenticated", 401, false)                                              \
    X(FORBIDDEN, "forbidden", 403, false)                                                          \
    X(NOT_FOUND, "not_found", 404, false)                                                          \
    X(METHOD_NOT_ALLOWED, "method_not_allowed", 405, false)                                        \
    X(NOT_ACCEPTABLE, "not_acceptable", 406, false)                                                \
    X(REQUEST_TIMEOUT, "request_timeout", 408, true)                                               \
    X(CONFLICT, "conflict", 409, false)                                                            \
    X(CANCELLED, "cancelled", 409, false)                                                          \
    X(GONE, "gone", 410, false)                                                                    \
    X(BODY_TOO_LARGE, "too_large", 413, false)                                                     \
    X(TARGET_TOO_LARGE, "too_large", 414, false)                                                   \
    X(UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", 415, false)                                \
    X(EXPECTATION_FAILED, "expectation_failed", 417, false)                                        \
    X(SQL_ERROR, "sql_error", 422, false)                                                          \
    X(RATE_LIMITED, "rate_limited", 429, true)                                                     \
    X(HEADERS_TOO_LARGE, "too_large", 431, false)                                                  \
    X(ENGINE_ERROR, "engine_error", 500, false)                                                    \
    X(NOT_IMPLEMENTED, "not_implemented", 501, false)                                              \
    X(SOURCE_ERROR, "source_error", 502, true)                                                     \
    X(STARTING, "starting", 503, true)                                                             \
    X(DRAINING, "draining", 503, true)                                                             \
    X(QUEUE_FULL, "queue_full", 503, true)                                                         \
    X(QUEUE_TIMEOUT, "queue_timeout", 503, true)                                                   \
    X(TIMEOUT, "timeout", 504, false)                                                              \
    X(HTTP_VERSION, "http_version", 505, false)                                                    \
    X(STORAGE_FULL, "storage_full", 507, true)

enum error_code {
#define X(name, wire, status, retryable) ERROR_##name,
    ERROR_CODE_TABLE(X)
#undef X
};

/* Plain data, copied freely. All text is UTF-8 and NUL-terminated; an empty
 * string or a zero means "unknown" and is left out of the reply. */
struct error {
    enum error_code code;
    bool retryable;
    int line;          /* 1-based place in the SQL text, 0 = unknown */
    int column;        /* 1-based */
    int retry_after_s; /* when to come again, as far as that is known */
    char sqlstate[6];
    char error_class[96];
    char detail[1024];
};

/* Sets code and detail, clears the rest. Detail is cut at a character border.
 * Returns -1, so that `return error_set(err, ...)` reads well. */
int error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ERROR_CANCELLED, as whoever notices the cancel says it; -1. */
int error_set_cancelled(struct error *err);

void error_clear(struct error *err);

/* Wire code of api "Errors", e.g. "bad_request"; static storage. */
const char *error_code_name(enum error_code code);

/* HTTP status, 400..599 (200 for ERROR_NONE). */
int error_status(enum error_code code);

/* The inverse of error_code_name for the codes an engine may answer with;
 * ERROR_ENGINE_ERROR for an unknown name. */
enum error_code error_code_from_name(const char *name);

#endif
