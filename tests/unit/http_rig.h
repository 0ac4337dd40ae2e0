/*
 * http_rig: a real http_server on a loopback port with scripted handlers, and
 * clients on plain sockets, all on one thread and one event base. Nothing
 * sleeps: each wait turns the loop until its condition holds, and fails the
 * test after RIG_PATIENCE_MS.
 */
#ifndef TESTS_UNIT_HTTP_RIG_H
#define TESTS_UNIT_HTTP_RIG_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "../../service/byte_buffer.h"
#include "../../service/http_server.h"

#define RIG_PATIENCE_MS 10000

/*
 * Handlers: /now and /echo answer at once, /early answers from the headers
 * callback, /stream begins a chunked answer there, /hold and /stream leave the
 * exchange in `held` for the test to go on with.
 */
struct http_rig {
    struct event_base *base;
    struct http_server *server;
    struct http_server_config config;
    struct http_exchange *held; /* the last exchange kept, NULL once it is over */
    int headers_count;
    int request_count;
    struct monotime last_body_end; /* of the last request */
    struct monotime last_handled;
    struct monotime handled_before; /* the one before it */
    int gone_count;
    int drained_count;
};

struct http_client {
    struct http_rig *rig;
    int fd;
    struct byte_buffer received; /* NUL behind it */
    bool ended;                  /* FIN read */
    bool reset;
};

/* The default limits; change rig->config before http_rig_start. */
void http_rig_init(struct http_rig *rig);
void http_rig_start(struct http_rig *rig);
void http_rig_stop(struct http_rig *rig);

/* One turn of the loop, at most some milliseconds. */
void http_rig_turn(struct http_rig *rig);

/* Turns the loop until `condition`. */
#define http_rig_wait(rig, condition)                                                              \
    do {                                                                                           \
        struct monotime rig_deadline = monotime_after(monotime_now(), RIG_PATIENCE_MS);            \
        while (!(condition)) {                                                                     \
            if (monotime_reached(rig_deadline, monotime_now()))                                    \
                fail_msg("waited in vain for " #condition);                                        \
            http_rig_turn(rig);                                                                    \
        }                                                                                          \
    } while (0)

void http_client_open(struct http_client *client, struct http_rig *rig);
void http_client_close(struct http_client *client);

/* Closes with a reset instead of a FIN. */
void http_client_reset(struct http_client *client);

/* Bytes the kernel took; 0 when it takes none now. */
size_t http_client_offer(struct http_client *client, const char *bytes, size_t length);

/* All of `text`, which has to fit the socket. */
void http_client_send(struct http_client *client, const char *text);

/* Reads what is there, at most `limit` bytes. */
void http_client_read(struct http_client *client, size_t limit);

/* Turns the loop, reading, until `text` was received, or the end of the connection. */
void http_client_await(struct http_client *client, const char *text);
void http_client_await_end(struct http_client *client);

/* How often `text` was received. */
int http_client_count(const struct http_client *client, const char *text);

#endif
