#include "http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>

#include "http_connection.h"
#include "log.h"
#include "metrics.h"

#define LISTEN_BACKLOG 1024
#define ADDRESS_MAX_BYTES 64

/* Connections over the cap that may be open at once only to hear their 503. */
#define REFUSED_MAX 64

/* Without descriptors accept fails at once, again and again: look away a while. */
#define ACCEPT_PAUSE_MS 100
#define NO_PAUSE_MS ((int64_t)24 * 3600 * 1000)
#define ACCEPT_FAILURE_LOG_MS 10000

/* Unsent bytes in the kernel at which the socket stops being writable: keeps
 * write progress observable and the backlog ours to bound. */
#define KERNEL_UNSENT_BYTES (128 * 1024)

/* A peer that vanished without a word is noticed after 10 + 3 * 5 s. */
#define KEEPALIVE_IDLE_S 10
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_PROBES 3

struct http_listener {
    struct evconnlistener *socket;
    struct http_listener *next;
};

struct http_server {
    struct http_connection_group group;
    struct http_listener *listeners;
    int port;
    struct event *accept_pause;
    struct monotime accept_failure_logged;
    /* FIN and reset are noticed by an epoll set of our own, edge-triggered,
     * beside libevent's: unread pipelined bytes in front of a FIN hide it from
     * a reader that has stopped reading, and libevent's EV_CLOSED doesn't fire
     * for a reset but leaves epoll_wait spinning (epoll.c of 2.1.12 maps
     * EPOLLERR to EV_READ|EV_WRITE only). */
    struct event *hangup;
};

struct http_server_config http_server_config_default(void)
{
    return (struct http_server_config){
        .max_connections = 1024,
        .max_body_bytes = (size_t)1024 * 1024,
        .max_target_bytes = (size_t)16 * 1024,
        .max_header_bytes = (size_t)16 * 1024,
        .header_timeout_ms = 10 * 1000,
        .body_timeout_ms = 30 * 1000,
        .keep_alive_ms = 90 * 1000,
        .write_stall_ms = 30 * 1000,
    };
}

/* -- Connections come and go ------------------------------------------------ */

static void set_socket_option(evutil_socket_t fd, int level, int name, int value)
{
    setsockopt(fd, level, name, &value, sizeof(value));
}

static void prepare_socket(evutil_socket_t fd)
{
    set_socket_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_socket_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, KERNEL_UNSENT_BYTES);
    set_socket_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_socket_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_socket_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set_socket_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int length, void *user)
{
    struct http_server *server = user;
    struct http_connection_group *group = &server->group;
    (void)listener;
    (void)length;

    bool refused = group->serving_count >= group->config.max_connections;
    metrics_add(refused ? METRIC_HTTP_CONNECTIONS_REFUSED : METRIC_HTTP_CONNECTIONS_ACCEPTED, 1);
    if (refused && group->refused_count >= REFUSED_MAX) {
        evutil_closesocket(fd);
        return;
    }
    prepare_socket(fd);
    http_connection_new(group, fd, refused, address);
}

/* False: a listener could not be enabled. */
static bool set_accepting(struct http_server *server, bool accepting)
{
    struct http_listener *listener;
    bool done = true;

    LL_FOREACH(server->listeners, listener)
    {
        if (accepting)
            done &= evconnlistener_enable(listener->socket) == 0;
        else
            evconnlistener_disable(listener->socket);
    }
    return done;
}

/* The timer is always pending, so that setting it anew takes no memory: when there
 * is none, the service must still come back to accepting. */
static bool start_pause(struct http_server *server, int64_t ms)
{
    struct timeval span = span_timeval(ms);

    return event_add(server->accept_pause, &span) == 0;
}

static void on_accept_error(struct evconnlistener *listener, void *user)
{
    struct http_server *server = user;
    int code = EVUTIL_SOCKET_ERROR();
    struct monotime now = monotime_now();
    (void)listener;

    if (!monotime_is_set(server->accept_failure_logged) ||
        monotime_span_ms(server->accept_failure_logged, now) >= ACCEPT_FAILURE_LOG_MS) {
        server->accept_failure_logged = now;
        log_line(LOG_ERROR, "cannot accept connections", LOG_TEXT("error", strerror(code)),
                 LOG_NUMBER("connections", server->group.serving_count));
    }
    metrics_add(METRIC_HTTP_ACCEPT_FAILURES, 1);
    (void)set_accepting(server, false);
    (void)start_pause(server, ACCEPT_PAUSE_MS);
}

static void on_accept_pause_over(evutil_socket_t fd, short what, void *user)
{
    struct http_server *server = user;
    (void)fd;
    (void)what;

    (void)start_pause(server, set_accepting(server, true) ? NO_PAUSE_MS : ACCEPT_PAUSE_MS);
}

/* One event a call: a hang-up may end other connections too, and those have
 * then left the set. */
static void on_hangup(evutil_socket_t fd, short what, void *user)
{
    struct epoll_event event;
    (void)what;
    (void)user;

    while (epoll_wait(fd, &event, 1, 0) == 1)
        http_connection_hang_up(event.data.ptr, (event.events & EPOLLERR) != 0);
}

static void on_turn(evutil_socket_t fd, short what, void *user)
{
    struct http_server *server = user;
    (void)fd;
    (void)what;

    http_connection_process_turn(&server->group);
}

/* -- Addresses --------------------------------------------------------------- */

static int port_of(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

/* "127.0.0.1:8000" or "[::1]:8000"; the port must be there. */
static bool parse_address(const char *text, struct sockaddr_storage *ret_address, int *ret_length)
{
    const char *colon = strrchr(text, ':');
    int length = (int)sizeof(*ret_address);
    char host[ADDRESS_MAX_BYTES];

    if (colon == NULL || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return false;
    if (text[0] == '[' ? colon[-1] != ']' : strchr(text, ':') != colon)
        return false;
    if (strcmp(colon + 1, "0") == 0) {
        /* evutil refuses port 0, but takes an address without a port. */
        snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
        text = host;
    }
    memset(ret_address, 0, sizeof(*ret_address));
    if (evutil_parse_sockaddr_port(text, (struct sockaddr *)ret_address, &length) != 0)
        return false;
    *ret_length = length;
    return true;
}

static int bound_port(struct evconnlistener *socket)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);

    if (getsockname(evconnlistener_get_fd(socket), (struct sockaddr *)&address, &length) != 0)
        return 0;
    return port_of(&address);
}

static int listen_on(struct http_server *server, const char *text, struct error *err)
{
    struct sockaddr_storage address;
    int length;

    if (!parse_address(text, &address, &length))
        return error_set(err, ERROR_BAD_REQUEST,
                         "cannot listen on '%s': not an IP address and a port", text);

    struct http_listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL)
        return error_set(err, ERROR_BAD_REQUEST, "cannot listen on '%s': out of memory", text);
    unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
    if (address.ss_family == AF_INET6)
        flags |= LEV_OPT_BIND_IPV6ONLY;
    /* Enabled apart: a new one doesn't say that it couldn't be. */
    listener->socket =
        evconnlistener_new_bind(server->group.base, on_accept, server, flags | LEV_OPT_DISABLED,
                                LISTEN_BACKLOG, (struct sockaddr *)&address, length);
    if (listener->socket == NULL || evconnlistener_enable(listener->socket) != 0) {
        if (listener->socket != NULL)
            evconnlistener_free(listener->socket);
        free(listener);
        return error_set(err, ERROR_BAD_REQUEST, "cannot listen on '%s': %s", text,
                         strerror(errno));
    }
    evconnlistener_set_error_cb(listener->socket, on_accept_error);
    if (server->listeners == NULL)
        server->port = bound_port(listener->socket);
    LL_APPEND(server->listeners, listener);
    return 0;
}

static int listen_on_all(struct http_server *server, const char *addresses, struct error *err)
{
    const char *at = addresses;

    for (;;) {
        char text[ADDRESS_MAX_BYTES];
        size_t length = strcspn(at, ",");
        if (length >= sizeof(text))
            return error_set(err, ERROR_BAD_REQUEST, "cannot listen on '%.*s': too long",
                             ADDRESS_MAX_BYTES, at);
        memcpy(text, at, length);
        text[length] = '\0';
        if (listen_on(server, text, err) < 0)
            return -1;
        if (at[length] == '\0')
            return 0;
        at += length + 1;
    }
}

static void stop_listening(struct http_server *server)
{
    struct http_listener *listener, *next;

    LL_FOREACH_SAFE(server->listeners, listener, next)
    {
        evconnlistener_free(listener->socket);
        free(listener);
    }
    server->listeners = NULL;
    if (server->accept_pause != NULL)
        event_del(server->accept_pause);
}

/* -- The server -------------------------------------------------------------- */

static int watch_hangups(struct http_server *server, struct error *err)
{
    server->group.hangup_epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->group.hangup_epoll < 0)
        return error_set(err, ERROR_BAD_REQUEST, "epoll_create1: %s", strerror(errno));
    server->hangup = event_new(server->group.base, server->group.hangup_epoll, EV_READ | EV_PERSIST,
                               on_hangup, server);
    if (server->hangup == NULL || event_add(server->hangup, NULL) != 0)
        return error_set(err, ERROR_BAD_REQUEST, "event for hang-ups: out of memory");
    return 0;
}

int http_server_new(struct event_base *base, const char *addresses,
                    const struct http_server_config *config,
                    const struct http_server_callbacks *callbacks, struct http_server **ret_server,
                    struct error *err)
{
    struct http_server *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return error_set(err, ERROR_BAD_REQUEST, "cannot listen: out of memory");
    server->group = (struct http_connection_group){
        .base = base, .config = *config, .callbacks = *callbacks, .hangup_epoll = -1};
    server->accept_pause = evtimer_new(base, on_accept_pause_over, server);
    server->group.turn_event = evtimer_new(base, on_turn, server);
    if (server->accept_pause == NULL || server->group.turn_event == NULL ||
        !start_pause(server, NO_PAUSE_MS)) {
        error_set(err, ERROR_BAD_REQUEST, "cannot listen: out of memory");
        goto out;
    }
    if (watch_hangups(server, err) < 0 || listen_on_all(server, addresses, err) < 0)
        goto out;
    *ret_server = server;
    return 0;
out:
    http_server_free(server);
    return -1;
}

void http_server_drain(struct http_server *server)
{
    server->group.draining = true;
    stop_listening(server);
    http_connection_close_idle(&server->group);
}

size_t http_server_connection_count(const struct http_server *server)
{
    return server->group.serving_count;
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    stop_listening(server);
    while (server->group.connections != NULL)
        http_connection_free(server->group.connections);
    if (server->group.turn_event != NULL)
        event_free(server->group.turn_event);
    if (server->hangup != NULL)
        event_free(server->hangup);
    if (server->group.hangup_epoll >= 0)
        close(server->group.hangup_epoll);
    if (server->accept_pause != NULL)
        event_free(server->accept_pause);
    free(server);
}
