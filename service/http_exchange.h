/*
 * http_exchange: one request and the state of its answer, as the http modules
 * share it: http_reader fills it, http_reply answers it, http_connection owns
 * it. Handlers see only http_reply.h.   [loop]
 */
#ifndef SERVICE_HTTP_EXCHANGE_H
#define SERVICE_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "byte_buffer.h"
#include "http_record.h"
#include "http_reply.h"

struct http_connection;

/* Who wants to know that an answer has left; on_sent NULL: nobody. */
struct http_sent_watch {
    void (*on_sent)(void *user, struct monotime sent);
    void *user;
};

struct http_exchange {
    struct http_connection *connection;
    struct http_request request;
    struct http_record record;
    struct byte_buffer text; /* target NUL, then name NUL value NUL ... as sent */
    size_t fields_at;        /* where in `text` the headers begin, 0 = not yet there */
    struct byte_buffer body;
    void (*on_gone)(void *user);
    void (*on_drained)(void *user);
    void *user;
    struct http_sent_watch sent;
    atomic_llong *unsent_bytes; /* the handler's; NULL: nobody counts */
    bool http_1_0;
    bool client_keeps; /* the client lets the connection go on */
    bool closes;       /* this answer is the connection's last */
    bool streaming;    /* begun, not ended */
    bool chunked;      /* streaming in chunks; else until close */
    bool bodyless;     /* HEAD, 204, 304 */
    bool over;         /* no answer may follow */
    bool broken;       /* output is lost; the connection goes in a later turn */
    bool stalled;      /* the client took nothing for too long */
    bool above_low_water;
};

/* NULL without memory. */
struct http_exchange *http_exchange_new(struct http_connection *connection);

/* Reports an answer that was watched but never queued as lost. */
void http_exchange_free(struct http_exchange *exchange);

/* Tells the handler, if it watches, that the exchange is dead for it. */
void http_exchange_tell_gone(struct http_exchange *exchange);

/* Runs on_sent, once; `when` unset: the answer won't leave any more. */
void http_sent_watch_report(struct http_sent_watch *watch, struct monotime when);

#endif
