/*
 * http_server: listeners, the connection cap and every limit a client can run
 * into. Connections are http_connection's; answers are http_reply's.   [loop]
 */
#ifndef SERVICE_HTTP_SERVER_H
#define SERVICE_HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "http_reply.h"

struct event_base;
struct http_record;
struct http_server;
struct tls_server;

struct http_server_config {
    size_t max_connections;    /* further ones get 503 and are closed */
    size_t max_body_bytes;     /* 413 */
    size_t max_target_bytes;   /* 414; 16 KiB */
    size_t max_header_bytes;   /* 431; all header lines together, 16 KiB */
    int64_t header_timeout_ms; /* first byte of a request to the end of its headers, total; 408 */
    int64_t body_timeout_ms;   /* end of headers to end of body, total; 408 */
    int64_t keep_alive_ms;     /* idle between requests; closed without a word */
    int64_t write_stall_ms;    /* no byte taken by the client while some wait; reset */
    struct tls_server *tls;    /* borrowed; NULL: plain HTTP. A handshake has the headers' time */
};

/* The defaults of the HTTP contract. */
struct http_server_config http_server_config_default(void);

struct http_server_callbacks {
    /* Headers are in, the body is not yet read. Answering here (401, 404, 405,
     * 415 ...) ends the exchange before the body; else `100 Continue` is sent
     * when the client expects it and the body is read. */
    void (*headers)(struct http_exchange *exchange, void *user);
    /* The whole request is in. Answer now or keep the exchange. */
    void (*request)(struct http_exchange *exchange, void *user);
    /* NULL-able: the answer has left, or won't any more. After on_sent. */
    void (*ended)(const struct http_record *record, void *user);
    void *user;
};

/* Listens on `addresses` ("127.0.0.1:8000,[::1]:8000"; port 0 = any free one).
 * -1: ERROR_BAD_REQUEST, detail names the address and the reason. */
int http_server_new(struct event_base *base, const char *addresses,
                    const struct http_server_config *config,
                    const struct http_server_callbacks *callbacks, struct http_server **ret_server,
                    struct error *err);

/* Stops accepting; connections go on, each closes after its current answer. */
void http_server_drain(struct http_server *server);

/* Open connections now. */
size_t http_server_connection_count(const struct http_server *server);

/* Port of the first listener, for port 0. */
int http_server_port(const struct http_server *server);

/* Closes everything; on_gone runs for open exchanges. */
void http_server_free(struct http_server *server);

#endif
