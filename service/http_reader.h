/*
 * http_reader: bytes of a client -> one request, by llhttp behind http_guard.
 * Reads from an evbuffer exactly the bytes of its request, whole lines at a
 * time, so that its verdict never depends on how the bytes were cut on their
 * way. No socket, no clock.   [loop]
 */
#ifndef SERVICE_HTTP_READER_H
#define SERVICE_HTTP_READER_H

#include <stdbool.h>

#include "http_guard.h"
#include "http_server.h"

struct evbuffer;
struct http_exchange;
struct http_reader;

enum http_reader_event {
    READER_WAITS,  /* needs more bytes */
    READER_HEAD,   /* the headers are in the exchange; read on for the body */
    READER_WHOLE,  /* the request is in; begin again for the next */
    READER_REFUSES /* nothing that follows can be trusted; say so and close */
};

/* Borrows the limits in `config`. NULL without memory. */
struct http_reader *http_reader_new(const struct http_server_config *config);
void http_reader_free(struct http_reader *reader);

/* Starts with the first byte of a request; `exchange` is borrowed and filled. */
void http_reader_begin(struct http_reader *reader, struct http_exchange *exchange);

/* Reads as far as the next event; *ret_verdict is set for READER_REFUSES. */
enum http_reader_event http_reader_read(struct http_reader *reader, struct evbuffer *input,
                                        struct http_verdict *ret_verdict);

/* The exchange is answered and gone: what is left of the request is only
 * skipped, and refused when it is long. */
void http_reader_skip_rest(struct http_reader *reader);

/* Since READER_HEAD: a body, or more of it, is to come. */
bool http_reader_has_rest(const struct http_reader *reader);

/* Whether the rest is short enough to skip, as far as it is known. */
bool http_reader_can_skip_rest(const struct http_reader *reader);

/* The client waits for 100 Continue before it sends the body. */
bool http_reader_expects_continue(const struct http_reader *reader);

#endif
