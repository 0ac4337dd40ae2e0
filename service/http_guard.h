/*
 * http_guard: what of RFC 9112 we refuse before llhttp sees it. Parsers that
 * disagree about where a request ends are how requests get smuggled, so each
 * line must be beyond doubt: llhttp then only has to read it.
 *
 * Pure: bytes in, verdict out. Lines are given without their CRLF, and whole.  [any]
 */
#ifndef SERVICE_HTTP_GUARD_H
#define SERVICE_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "http_reply.h"

/* code ERROR_NONE: nothing against it. `reason` is static text. */
struct http_verdict {
    enum error_code code;
    const char *reason;
};

/* method SP request-target SP HTTP-version: syntax, length (414), version
 * (505), method (501). */
struct http_verdict http_guard_request_line(const char *line, size_t length,
                                            size_t max_target_bytes);

/* One header or trailer line: name ":" value. A Content-Length must be digits only. */
struct http_verdict http_guard_field_line(const char *line, size_t length);

/* A trailer line: a header line that doesn't frame or route a message. */
struct http_verdict http_guard_trailer_line(const char *line, size_t length);

/* chunk-size [chunk-ext], RFC 9112 §7.1, without its "bad whitespace". */
struct http_verdict http_guard_chunk_line(const char *line, size_t length);

/* All headers of a request, as http_guard_head judges them. */
struct http_head {
    enum http_method method;
    bool http_1_0;
    const char *target; /* NUL-terminated */
    const char *fields; /* name NUL value NUL name NUL value NUL ... */
    const char *fields_end;
    size_t max_body_bytes;
};

/* How the message goes on. */
struct http_framing {
    bool chunked;
    uint64_t content_length; /* 0 when there is none */
    bool expects_continue;
    const char *origin; /* target without scheme and authority, "" or "/..." or "?..." or "*" */
};

/* Judges the head as a whole: Host, target form, body length, codings, Expect. */
struct http_verdict http_guard_head(const struct http_head *head, struct http_framing *ret_framing);

#endif
