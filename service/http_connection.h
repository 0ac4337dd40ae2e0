/*
 * http_connection: one client on one socket, from accept to close. Private to
 * the http modules: http_server makes connections, http_reply answers through
 * them, handlers see neither.   [loop]
 *
 * One request at a time. What a client pipelines behind it stays unread: in
 * the input buffer up to its high-water mark, then in the kernel.
 *
 * Nothing is freed under a caller's feet: a connection that ends becomes
 * CONNECTION_DEAD at once (socket closed) and is freed by a later turn of the
 * loop, so that a handler may answer, or abort, from inside any callback.
 */
#ifndef SERVICE_HTTP_CONNECTION_H
#define SERVICE_HTTP_CONNECTION_H

#include <event2/util.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_reply.h"
#include "http_server.h"

/* Unsent bytes at which a stream or a pipelining client has to wait. */
#define HTTP_LOW_WATER_BYTES ((size_t)64 * 1024)

struct evbuffer;
struct event;
struct event_base;
struct http_connection;
struct http_exchange;
struct sockaddr;

/* What all connections of one server share; the server owns it. */
struct http_connection_group {
    struct event_base *base;
    struct http_server_config config;
    struct http_server_callbacks callbacks;
    struct http_connection *connections; /* list, dead ones until they are freed */
    size_t serving_count;                /* open and admitted */
    size_t refused_count;                /* open, only to be told 503 */
    struct http_connection *turn;        /* list: bytes came for them in this turn of the loop */
    struct event *turn_event;            /* runs http_connection_process_turn */
    bool draining;
    int hangup_epoll; /* edge-triggered; data.ptr is the connection */
};

/* Takes the socket. Refused: says 503 and closes. Without memory the socket is
 * just closed. */
void http_connection_new(struct http_connection_group *group, evutil_socket_t fd, bool refused,
                         const struct sockaddr *client);

/* Tells the exchange (on_gone), closes and frees; not from inside a callback. */
void http_connection_free(struct http_connection *connection);

/* The peer closed its side, or (broken) the connection is no more. */
void http_connection_hang_up(struct http_connection *connection, bool broken);

/* Goes on with all that bytes have come for, once those of the turn are all read. */
void http_connection_process_turn(struct http_connection_group *group);

/* Closes connections that wait between two requests. */
void http_connection_close_idle(struct http_connection_group *group);

/* For http_reply. Where an answer goes; nobody else writes there. */
struct evbuffer *http_connection_output(struct http_connection *connection);

/* Whether the connection has to close behind the answer of `exchange`. */
bool http_connection_must_close(const struct http_connection *connection,
                                const struct http_exchange *exchange);

/* The answer is queued whole: frees the exchange, goes on or closes. */
void http_connection_finish_exchange(struct http_connection *connection);

/* Resets the socket; the exchange is freed without on_gone. */
void http_connection_abort(struct http_connection *connection);

/* Out of memory for output: the exchange will hear on_gone in a later turn. */
void http_connection_break_later(struct http_connection *connection);

#endif
