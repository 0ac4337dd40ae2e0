/*
 * tls_server: TLS (RFC 8446, RFC 5246) for the connections of http_server, by OpenSSL
 * under libevent's bufferevent_openssl: TLS 1.2 and 1.3, forward secrecy and AEAD
 * only, ALPN http/1.1 (RFC 7301), no renegotiation, no compression.
 *
 * The certificate is read anew by tls_server_reload: connections that are open keep
 * the one they began with. So it is when OpenSSL was without memory (tls_memory).   [loop]
 */
#ifndef SERVICE_TLS_SERVER_H
#define SERVICE_TLS_SERVER_H

#include <event2/util.h>
#include <stdbool.h>

#include "error.h"

struct bufferevent;
struct event_base;
struct tls_server;

/* PEM files: the certificate followed by its chain, and the key, not encrypted. -1:
 * ERROR_BAD_REQUEST, the detail names the setting and the reason. */
int tls_server_new(const char *cert_path, const char *key_path, struct tls_server **ret_server,
                   struct error *err);
void tls_server_free(struct tls_server *server);

/* Reads both files again. -1: what was in force stays. */
int tls_server_reload(struct tls_server *server, struct error *err);

/* A stream that begins with the server's side of a handshake; takes the socket on
 * success, and closes it when it is freed. NULL without memory. */
struct bufferevent *tls_server_stream(struct tls_server *server, struct event_base *base,
                                      evutil_socket_t fd);

/* The handshake of that stream is over. */
bool tls_stream_is_open(struct bufferevent *stream);

/* Says that nothing more follows (close_notify), once all output is with the kernel.
 * False: the kernel is full, say it again. */
bool tls_stream_end(struct bufferevent *stream);

#endif
