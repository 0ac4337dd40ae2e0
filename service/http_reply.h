/*
 * http_reply: one request and its answer, as a handler sees them.   [loop]
 *
 * A `struct http_exchange` belongs to its connection. A handler may keep the
 * pointer to answer later; it is over, and the pointer dead, after
 * http_reply_send, http_reply_end, http_reply_abort, or when on_gone ran.
 * Exactly one of these happens, once.
 *
 * HTTP/1.1 as RFC 9110 and RFC 9112 say. HEAD is answered like GET without the
 * body. An HTTP/1.0 client gets a body that ends with the connection.
 */
#ifndef SERVICE_HTTP_REPLY_H
#define SERVICE_HTTP_REPLY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byte_buffer.h"
#include "deadline.h"
#include "error.h"

struct http_exchange;
struct http_record;
struct shared_bytes;

/* Bits, so that a route can allow several. METHOD_OTHER: a method we know no name for. */
enum http_method {
    METHOD_GET = 1,
    METHOD_HEAD = 2,
    METHOD_POST = 4,
    METHOD_PUT = 8,
    METHOD_DELETE = 16,
    METHOD_PATCH = 32,
    METHOD_OPTIONS = 64,
    METHOD_OTHER = 128
};

/* Borrowed; lives as long as the exchange. */
struct http_request {
    enum http_method method;
    const char *path;  /* target up to '?', as sent (not percent-decoded), NUL-terminated */
    const char *query; /* behind '?', "" when there is none */
    const char *body;  /* NULL until the request callback */
    size_t body_length;
    /* When the last byte of the request was read; of one that waited behind an answer,
     * when its turn came. */
    struct monotime body_end;
};

struct http_header {
    const char *name;
    const char *value;
};

const struct http_request *http_exchange_request(const struct http_exchange *exchange);

/* The body is read and may hold a password: overwrites it. The request's body is "" then. */
void http_exchange_forget_body(struct http_exchange *exchange);

/* Value of the first header of that name (any case), NULL when absent; borrowed. */
const char *http_exchange_header(const struct http_exchange *exchange, const char *name);
size_t http_exchange_header_count(const struct http_exchange *exchange, const char *name);

/* What will be told of the request at its end; route, trace and query_id are the
 * handlers' to fill. Borrowed. */
struct http_record *http_exchange_record(struct http_exchange *exchange);

/* "GET" ... "OTHER"; static storage. */
const char *http_method_name(unsigned method);

/* Appends the values of all headers of that name as one list (RFC 9110 §5.3) and
 * a NUL; false when there is none. */
bool http_exchange_join_header(const struct http_exchange *exchange, const char *name,
                               struct byte_buffer *ret_value);

/* on_gone: the client closed or half-closed, or the connection broke; the
 * exchange is dead when it returns. on_drained: unsent bytes fell below the
 * low-water mark (64 KiB). Both NULL-able; borrowed `user`. */
void http_exchange_watch(struct http_exchange *exchange, void (*on_gone)(void *user),
                         void (*on_drained)(void *user), void *user);

/* Whether the client is gone because it took nothing for too long. For on_gone. */
bool http_exchange_has_stalled(const struct http_exchange *exchange);

/* on_sent runs once, after the answer ended: when its last byte went to the
 * kernel, or with an unset time when the connection broke first. The exchange
 * is over by then; asked for before the answer. */
void http_exchange_on_sent(struct http_exchange *exchange,
                           void (*on_sent)(void *user, struct monotime sent), void *user);

/* Counts in *bytes, which outlives the connection, what is taken for this exchange
 * (bodies, chunks) until the kernel has it or it is lost.   [loop], read by any */
void http_exchange_count_unsent(struct http_exchange *exchange, atomic_llong *bytes);

/* The whole answer at once; copies everything. A body of length 0 is fine. */
void http_reply_send(struct http_exchange *exchange, int status, const char *content_type,
                     const struct http_header *headers, size_t header_count, const void *body,
                     size_t body_length);

/* Same, but of bytes that outlive every connection: a thousand slow readers share them. */
void http_reply_send_static(struct http_exchange *exchange, int status, const char *content_type,
                            const struct http_header *headers, size_t header_count,
                            const void *body, size_t body_length);

/* Same, but takes `body` (malloc'd) instead of copying it. */
void http_reply_send_taken(struct http_exchange *exchange, int status, const char *content_type,
                           const struct http_header *headers, size_t header_count, char *body,
                           size_t body_length);

/* Same, but holds `body` until it is sent. */
void http_reply_send_shared(struct http_exchange *exchange, int status, const char *content_type,
                            const struct http_header *headers, size_t header_count,
                            struct shared_bytes *body);

/* Starts a chunked answer; `trailers` are the names to announce ("A, B") or NULL. */
void http_reply_begin(struct http_exchange *exchange, int status, const char *content_type,
                      const struct http_header *headers, size_t header_count, const char *trailers);

/* Sends one chunk; takes `bytes` (malloc'd). */
void http_reply_write_taken(struct http_exchange *exchange, char *bytes, size_t length);

/* Bytes accepted for this exchange and not yet given to the kernel. */
size_t http_reply_unsent(const struct http_exchange *exchange);

/* Ends a chunked answer with these trailers. */
void http_reply_end(struct http_exchange *exchange, const struct http_header *trailers,
                    size_t trailer_count);

/* Ends a chunked answer WITHOUT the last chunk and closes (reset), so that the
 * client sees the failure. */
void http_reply_abort(struct http_exchange *exchange);

/* The same, but what was written leaves first: for a client that is to read the
 * last words. Aborts where the missing last chunk couldn't be seen (HTTP/1.0). */
void http_reply_cut(struct http_exchange *exchange);

/* problem+json (RFC 9457) for `err`; `query_id` may be NULL, elapsed_ms -1 =
 * unknown. Adds Retry-After for 503 and 429 when retry_after_s > 0, Query-Id
 * when given, and `allow` (405) when not NULL. */
void http_reply_problem(struct http_exchange *exchange, const struct error *err,
                        const char *query_id, int64_t elapsed_ms, int retry_after_s,
                        const char *allow);

#endif
