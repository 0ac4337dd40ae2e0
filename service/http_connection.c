/*
 * Long because it is one state machine: what a socket, a deadline, a client that
 * leaves and a handler may do to a connection, each in every state. What could be
 * cut off is: checks (http_guard), parsing (http_reader), answers (http_reply).
 */
#include "http_connection.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "event_memory.h"
#include "http_exchange.h"
#include "http_guard.h"
#include "http_reader.h"
#include "log.h"
#include "metrics.h"
#include "tls_server.h"

/* What a client may send ahead; more stays in the kernel. */
#define INPUT_HIGH_WATER_BYTES ((size_t)64 * 1024)

/* Given to the kernel in one turn; libevent's own 16 KiB is a turn of the loop and a
 * system call for every sixteenth of a page. */
#define WRITE_MAX_BYTES ((size_t)1024 * 1024)

/* After a last answer the rest of the request is read and dropped for a while:
 * closing over unread bytes resets the connection, and a reset can overtake the
 * answer (RFC 9112 §9.6). */
#define LINGER_MS 1000
#define LINGER_MAX_BYTES ((size_t)1024 * 1024)

/* Pipelined requests answered in one turn of the loop, so that one client
 * can't keep it for itself. */
#define REQUESTS_PER_TURN 16

/* The kernel has no room for the end of a TLS stream: looked at again. */
#define END_RETRY_MS 10

enum connection_state {
    CONNECTION_IDLE,      /* between requests */
    CONNECTION_READING,   /* a request comes in; without an exchange it is only dropped */
    CONNECTION_WAITING,   /* the handler has the exchange */
    CONNECTION_FLUSHING,  /* the last answer goes out */
    CONNECTION_LINGERING, /* our side is shut, the client's bytes are dropped */
    CONNECTION_DEAD       /* socket closed; freed by the next turn */
};

struct http_connection {
    struct http_connection *prev, *next;           /* group->connections */
    struct http_connection *turn_prev, *turn_next; /* group->turn */
    bool in_turn;
    bool read_lately;        /* not handled since */
    struct monotime read_at; /* when bytes came last */
    struct http_connection_group *group;
    enum connection_state state;
    struct bufferevent *stream;
    struct event *timer;  /* the deadline of the state */
    struct event *resume; /* zero timer: go on in the next turn, or be freed */
    struct http_exchange *exchange;
    struct http_sent_watch sent; /* of the last answer queued, until it has left */
    struct http_record record;   /* of the same */
    bool record_open;            /* not yet told */
    char client[HTTP_CLIENT_BYTES];
    struct http_reader *reader;
    size_t dropped_bytes;
    struct monotime end_limit; /* for the end of a TLS stream, once it had to wait */
    int turn_budget;
    bool head_read; /* of the request under way */
    bool continue_sent;
    bool refused; /* over the cap, only told so */
    bool must_close;
    bool peer_closed; /* FIN seen; unread bytes may stand before it */
    bool input_ended; /* FIN reached */
    bool broken;
    bool processing;
};

/* A zero timer and not event_active: active events run before the loop looks
 * at its sockets again, so that one busy client would starve the others. */
static void resume_later(struct http_connection *connection)
{
    static const struct timeval now = {0, 0};

    if (event_add(connection->resume, &now) != 0)
        event_active(connection->resume, EV_TIMEOUT, 0); /* without memory there is no timer */
}

/* Without memory the connection ends: none may be without its deadline. */
static void start_timer(struct http_connection *connection, int64_t ms)
{
    struct timeval span = span_timeval(ms);

    if (event_add(connection->timer, &span) != 0)
        http_connection_break_later(connection);
}

static struct evbuffer *connection_input(const struct http_connection *connection)
{
    return bufferevent_get_input(connection->stream);
}

struct evbuffer *http_connection_output(struct http_connection *connection)
{
    return bufferevent_get_output(connection->stream);
}

static size_t unsent_bytes(struct http_connection *connection)
{
    return evbuffer_get_length(http_connection_output(connection));
}

/* A TLS stream whose handshake isn't over. */
static bool is_shaking_hands(const struct http_connection *connection)
{
    return connection->group->config.tls != NULL && !tls_stream_is_open(connection->stream);
}

/* Says that nothing follows any more. Never for an answer that broke off: without this
 * word the client knows. False: the kernel has no room for it. */
static bool say_end(struct http_connection *connection)
{
    return connection->group->config.tls == NULL || tls_stream_end(connection->stream);
}

/* -- What is told of a request ---------------------------------------------- */

/* `when` unset: what is unsent won't leave any more. */
static void tell_record(struct http_connection *connection, struct http_record *record,
                        struct monotime when)
{
    const struct http_server_callbacks *callbacks = &connection->group->callbacks;
    int64_t unsent = (int64_t)unsent_bytes(connection);

    record->whole = monotime_is_set(when);
    record->end = record->whole ? when : monotime_now();
    if (!record->whole)
        record->bytes = record->bytes > unsent ? record->bytes - unsent : 0;
    if (callbacks->ended != NULL)
        callbacks->ended(record, callbacks->user);
}

/* The last answer queued has left, or never will. */
static void tell_sent(struct http_connection *connection, struct monotime when)
{
    http_sent_watch_report(&connection->sent, when);
    if (connection->record_open)
        tell_record(connection, &connection->record, when);
    connection->record_open = false;
}

/* An exchange that ends before its answer was queued whole. */
static void drop_exchange(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;

    if (exchange == NULL)
        return;
    connection->exchange = NULL;
    exchange->record.method = exchange->request.method;
    if (connection->head_read || exchange->record.status != 0)
        tell_record(connection, &exchange->record, (struct monotime){0});
    http_exchange_free(exchange);
}

/* -- A turn of the loop ------------------------------------------------------ */

/* What was read is looked at once all sockets of the turn have been read: everything
 * that is then done has happened behind each arrival, so that requests can share it
 * (result_cache). The event runs behind those that are active already. */
static void join_turn(struct http_connection *connection)
{
    struct http_connection_group *group = connection->group;

    connection->read_at = monotime_now();
    connection->read_lately = true;
    if (connection->in_turn)
        return;
    connection->in_turn = true;
    DL_APPEND2(group->turn, connection, turn_prev, turn_next);
    event_active(group->turn_event, EV_TIMEOUT, 0);
}

static void leave_turn(struct http_connection *connection)
{
    if (!connection->in_turn)
        return;
    connection->in_turn = false;
    DL_DELETE2(connection->group->turn, connection, turn_prev, turn_next);
}

/* -- The end of a connection --------------------------------------------- */

static void connection_die(struct http_connection *connection)
{
    struct http_connection_group *group = connection->group;

    if (connection->state == CONNECTION_DEAD)
        return;
    connection->state = CONNECTION_DEAD;
    leave_turn(connection);
    if (connection->refused)
        group->refused_count--;
    else
        group->serving_count--;
    tell_sent(connection, (struct monotime){0});
    drop_exchange(connection);
    event_del(connection->timer);
    epoll_ctl(group->hangup_epoll, EPOLL_CTL_DEL, bufferevent_getfd(connection->stream), NULL);
    bufferevent_free(connection->stream);
    connection->stream = NULL;
    resume_later(connection);
}

/* The client or the connection is gone. */
static void connection_lose(struct http_connection *connection)
{
    if (connection->exchange != NULL)
        http_exchange_tell_gone(connection->exchange);
    connection_die(connection);
}

static void reset_on_close(struct http_connection *connection)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    setsockopt(bufferevent_getfd(connection->stream), SOL_SOCKET, SO_LINGER, &linger,
               sizeof(linger));
}

void http_connection_abort(struct http_connection *connection)
{
    reset_on_close(connection);
    connection_die(connection);
}

void http_connection_break_later(struct http_connection *connection)
{
    connection->broken = true;
    resume_later(connection);
}

/* Reads on only while there is room. Not libevent's own high-water mark: while
 * the input stands above it, 2.1.12 runs the read callback in every turn of the
 * loop (bufferevent_inbuf_wm_check), a busy loop that a client could hold. */
static void bound_input(struct http_connection *connection)
{
    if (connection->state == CONNECTION_DEAD)
        return;
    bool has_room = evbuffer_get_length(connection_input(connection)) < INPUT_HIGH_WATER_BYTES;
    bool reads = (bufferevent_get_enabled(connection->stream) & EV_READ) != 0;
    if (has_room && !reads) {
        if (bufferevent_enable(connection->stream, EV_READ) != 0)
            http_connection_break_later(connection);
    } else if (!has_room && reads) {
        bufferevent_disable(connection->stream, EV_READ);
    }
}

static void drop_input(struct http_connection *connection)
{
    struct evbuffer *input = connection_input(connection);
    size_t length = evbuffer_get_length(input);

    evbuffer_drain(input, length);
    connection->dropped_bytes += length;
    if (connection->dropped_bytes > LINGER_MAX_BYTES)
        connection_die(connection);
}

/* The end of the stream has to wait for the kernel, but not longer than an answer. */
static void wait_to_end(struct http_connection *connection)
{
    struct monotime now = monotime_now();

    connection->state = CONNECTION_FLUSHING;
    if (!monotime_is_set(connection->end_limit))
        connection->end_limit = monotime_after(now, connection->group->config.write_stall_ms);
    if (monotime_reached(connection->end_limit, now))
        connection_die(connection);
    else
        start_timer(connection, END_RETRY_MS);
}

static void start_linger(struct http_connection *connection)
{
    if (!say_end(connection)) {
        wait_to_end(connection);
        return;
    }
    if (connection->input_ended) {
        connection_die(connection);
        return;
    }
    connection->state = CONNECTION_LINGERING;
    connection->dropped_bytes = 0;
    shutdown(bufferevent_getfd(connection->stream), SHUT_WR);
    start_timer(connection, LINGER_MS);
    drop_input(connection);
    bound_input(connection);
}

/* Everything that is to be said is queued. */
static void start_close(struct http_connection *connection)
{
    if (!is_shaking_hands(connection)) /* else its deadline stays */
        event_del(connection->timer);
    connection->state = CONNECTION_FLUSHING;
    if (unsent_bytes(connection) == 0)
        start_linger(connection);
}

/* -- Refusing ------------------------------------------------------------- */

/* Our own answer to a request no handler can answer any more; the last one. */
static void connection_refuse(struct http_connection *connection, struct http_verdict verdict)
{
    struct http_exchange *exchange = connection->exchange;
    struct error err;

    connection->must_close = true;
    if (exchange == NULL) {
        start_close(connection);
        return;
    }
    log_line(LOG_DEBUG, "request refused", LOG_TEXT("code", error_code_name(verdict.code)),
             LOG_TEXT("reason", verdict.reason));
    http_exchange_tell_gone(exchange);
    error_set(&err, verdict.code, "%s", verdict.reason);
    http_reply_problem(exchange, &err, NULL, -1, 1, NULL);
}

static struct http_verdict verdict_of(enum error_code code, const char *reason)
{
    return (struct http_verdict){code, reason};
}

/* -- Reading a request ------------------------------------------------------ */

static void begin_record(struct http_connection *connection)
{
    struct http_record *record = &connection->exchange->record;

    record->begin = monotime_now();
    memcpy(record->client, connection->client, sizeof(record->client));
}

static bool begin_request(struct http_connection *connection)
{
    if (evbuffer_get_length(connection_input(connection)) == 0)
        return false;
    /* A client that pipelines without reading waits for itself. */
    if (unsent_bytes(connection) >= HTTP_LOW_WATER_BYTES)
        return false;
    if (connection->turn_budget-- <= 0) {
        resume_later(connection);
        return false;
    }
    connection->exchange = http_exchange_new(connection);
    if (connection->exchange == NULL) {
        connection_die(connection);
        return false;
    }
    begin_record(connection);
    http_reader_begin(connection->reader, connection->exchange);
    connection->state = CONNECTION_READING;
    connection->head_read = false;
    connection->continue_sent = false;
    start_timer(connection, connection->group->config.header_timeout_ms);
    return true;
}

static void wait_for_request(struct http_connection *connection)
{
    if (connection->group->draining) {
        start_close(connection);
        return;
    }
    connection->state = CONNECTION_IDLE;
    start_timer(connection, connection->group->config.keep_alive_ms);
}

static void request_complete(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;

    if (exchange == NULL) {
        wait_for_request(connection);
        return;
    }
    event_del(connection->timer);
    connection->state = CONNECTION_WAITING;
    exchange->request.body = exchange->body.data == NULL ? "" : exchange->body.data;
    exchange->request.body_length = exchange->body.length;
    exchange->request.body_end = connection->read_lately ? connection->read_at : monotime_now();
    connection->group->callbacks.request(exchange, connection->group->callbacks.user);
}

static void headers_complete(struct http_connection *connection)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct http_server_callbacks *callbacks = &connection->group->callbacks;

    connection->head_read = true;
    start_timer(connection, connection->group->config.body_timeout_ms);
    callbacks->headers(connection->exchange, callbacks->user);
    if (connection->state != CONNECTION_READING || connection->exchange == NULL)
        return;
    if (connection->exchange->streaming) {
        connection->state = CONNECTION_WAITING;
        event_del(connection->timer);
    } else if (http_reader_has_rest(connection->reader) &&
               http_reader_expects_continue(connection->reader)) {
        connection->continue_sent = true;
        evbuffer_add(http_connection_output(connection), go_on, sizeof(go_on) - 1);
    }
}

static bool read_request(struct http_connection *connection)
{
    struct http_verdict verdict;

    switch (http_reader_read(connection->reader, connection_input(connection), &verdict)) {
    case READER_HEAD:
        headers_complete(connection);
        return true;
    case READER_WHOLE:
        request_complete(connection);
        return true;
    case READER_REFUSES:
        connection_refuse(connection, verdict);
        break;
    case READER_WAITS:
        break;
    }
    return false;
}

/* One step; false: nothing more can be done in this turn. */
static bool connection_step(struct http_connection *connection)
{
    switch (connection->state) {
    case CONNECTION_IDLE:
        return begin_request(connection);
    case CONNECTION_READING:
        return read_request(connection);
    case CONNECTION_WAITING:
        if (connection->peer_closed)
            connection_lose(connection);
        return false;
    case CONNECTION_LINGERING:
        drop_input(connection);
        return false;
    case CONNECTION_FLUSHING:
    case CONNECTION_DEAD:
        break;
    }
    return false;
}

/* No byte will follow. What waits unread was handled, or stands behind answers
 * the client has yet to take. */
static void end_of_input(struct http_connection *connection)
{
    switch (connection->state) {
    case CONNECTION_IDLE:
        if (evbuffer_get_length(connection_input(connection)) == 0)
            start_close(connection);
        break;
    case CONNECTION_READING:
        if (connection->exchange != NULL)
            http_exchange_tell_gone(connection->exchange);
        drop_exchange(connection);
        start_close(connection);
        break;
    case CONNECTION_LINGERING:
        connection_die(connection);
        break;
    default:
        break;
    }
}

static void connection_process(struct http_connection *connection)
{
    connection->processing = true;
    connection->turn_budget = REQUESTS_PER_TURN;
    while (connection_step(connection))
        continue;
    connection->processing = false;
    connection->read_lately = false;
    if (connection->input_ended)
        end_of_input(connection);
    else
        bound_input(connection);
}

/* -- For http_reply --------------------------------------------------------- */

bool http_connection_must_close(const struct http_connection *connection,
                                const struct http_exchange *exchange)
{
    if (connection->must_close || connection->group->draining || !exchange->client_keeps)
        return true;
    if (connection->state != CONNECTION_READING || !http_reader_has_rest(connection->reader))
        return false;
    /* Answered before its body: a client that waits for 100 Continue may send
     * the body or not, and a long body isn't worth reading. */
    if (http_reader_expects_continue(connection->reader) && !connection->continue_sent)
        return true;
    return exchange->streaming || !http_reader_can_skip_rest(connection->reader);
}

void http_connection_finish_exchange(struct http_connection *connection)
{
    bool closes = connection->exchange->closes;

    /* An earlier answer still here leaves with this one, at the latest now. */
    tell_sent(connection, monotime_now());
    connection->sent = connection->exchange->sent;
    connection->exchange->sent.on_sent = NULL;
    connection->record = connection->exchange->record;
    connection->record.method = connection->exchange->request.method;
    connection->record_open = true;
    http_exchange_free(connection->exchange);
    connection->exchange = NULL;
    if (closes) {
        start_close(connection);
        return;
    }
    if (http_reader_has_rest(connection->reader))
        http_reader_skip_rest(connection->reader);
    else
        wait_for_request(connection);
    if (!connection->processing)
        resume_later(connection);
}

/* -- Events ----------------------------------------------------------------- */

void http_connection_process_turn(struct http_connection_group *group)
{
    while (group->turn != NULL) {
        struct http_connection *connection = group->turn;
        leave_turn(connection);
        connection_process(connection);
    }
}

static void on_readable(struct bufferevent *stream, void *user)
{
    (void)stream;
    join_turn(user);
}

static void on_writable(struct bufferevent *stream, void *user)
{
    struct http_connection *connection = user;
    struct http_exchange *exchange = connection->exchange;
    (void)stream;

    if (unsent_bytes(connection) == 0)
        tell_sent(connection, monotime_now());
    switch (connection->state) {
    case CONNECTION_FLUSHING:
        if (unsent_bytes(connection) == 0)
            start_linger(connection);
        break;
    case CONNECTION_WAITING:
        if (exchange->above_low_water && exchange->on_drained != NULL) {
            exchange->above_low_water = false;
            exchange->on_drained(exchange->user);
        }
        break;
    case CONNECTION_IDLE:
        connection_process(connection);
        break;
    default:
        break;
    }
}

void http_connection_hang_up(struct http_connection *connection, bool broken)
{
    if (connection->state == CONNECTION_DEAD)
        return;
    connection->peer_closed = true;
    if (broken || connection->state == CONNECTION_WAITING)
        connection_lose(connection);
}

static void on_stream_event(struct bufferevent *stream, short what, void *user)
{
    struct http_connection *connection = user;

    if ((what & BEV_EVENT_CONNECTED) != 0) {
        metrics_add(METRIC_TLS_HANDSHAKES, 1);
        /* Its events were just made anew, and libevent doesn't say whether it could. */
        if (bufferevent_enable(stream, bufferevent_get_enabled(stream)) != 0)
            http_connection_break_later(connection);
        return;
    }
    if (is_shaking_hands(connection))
        metrics_add(METRIC_TLS_HANDSHAKE_FAILURES, 1);
    if ((what & BEV_EVENT_TIMEOUT) != 0) {
        log_line(LOG_INFO, "client took nothing for too long: connection reset",
                 LOG_NUMBER("unsent_bytes", evbuffer_get_length(bufferevent_get_output(stream))));
        if (connection->exchange != NULL)
            connection->exchange->stalled = true;
        metrics_add(METRIC_HTTP_TIMEOUT_WRITE, 1);
        reset_on_close(connection);
        connection_lose(connection);
        return;
    }
    if ((what & BEV_EVENT_EOF) == 0) {
        connection_lose(connection);
        return;
    }
    connection->input_ended = true;
    http_connection_hang_up(connection, false);
    connection_process(connection);
}

/* Bytes that came in this turn came in time. True: they brought the connection on. */
static bool goes_on(struct http_connection *connection)
{
    enum connection_state before = connection->state;

    if (!connection->in_turn)
        return false;
    leave_turn(connection);
    connection_process(connection);
    return connection->state != before || event_pending(connection->timer, EV_TIMEOUT, NULL) != 0;
}

static void on_deadline(evutil_socket_t fd, short what, void *user)
{
    struct http_connection *connection = user;
    (void)fd;
    (void)what;

    if (goes_on(connection))
        return;
    if (connection->state == CONNECTION_READING) {
        metrics_add(connection->head_read ? METRIC_HTTP_TIMEOUT_BODY : METRIC_HTTP_TIMEOUT_HEADERS,
                    1);
        connection_refuse(connection,
                          verdict_of(ERROR_REQUEST_TIMEOUT, "the request came in too slowly"));
    } else if (connection->state == CONNECTION_IDLE && unsent_bytes(connection) > 0) {
        start_timer(connection, connection->group->config.keep_alive_ms);
    } else if (connection->state == CONNECTION_FLUSHING && monotime_is_set(connection->end_limit)) {
        start_linger(connection);
    } else {
        if (is_shaking_hands(connection))
            metrics_add(METRIC_TLS_HANDSHAKE_FAILURES, 1);
        else if (connection->state == CONNECTION_IDLE)
            metrics_add(METRIC_HTTP_TIMEOUT_IDLE, 1);
        (void)say_end(connection);
        connection_die(connection);
    }
}

static void connection_destroy(struct http_connection *connection)
{
    DL_DELETE(connection->group->connections, connection);
    event_free(connection->timer);
    event_free(connection->resume);
    http_reader_free(connection->reader);
    free(connection);
}

static void on_resume(evutil_socket_t fd, short what, void *user)
{
    struct http_connection *connection = user;
    (void)fd;
    (void)what;

    if (connection->state == CONNECTION_DEAD)
        connection_destroy(connection);
    else if (connection->broken)
        connection_lose(connection);
    else
        connection_process(connection);
}

/* -- Making and ending ------------------------------------------------------ */

/* Everything a connection is made of; false: some of it couldn't be had. */
static bool connection_open(struct http_connection *connection, evutil_socket_t fd)
{
    struct http_connection_group *group = connection->group;
    struct epoll_event interest = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = connection};
    unsigned long failures = event_memory_failures();

    connection->timer = evtimer_new(group->base, on_deadline, connection);
    connection->resume = evtimer_new(group->base, on_resume, connection);
    connection->reader = http_reader_new(&group->config);
    if (connection->timer == NULL || connection->resume == NULL || connection->reader == NULL)
        return false;
    if (group->config.tls != NULL)
        connection->stream = tls_server_stream(group->config.tls, group->base, fd);
    else
        connection->stream = bufferevent_socket_new(group->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (connection->stream == NULL || event_memory_failures() != failures)
        return false;
    return epoll_ctl(group->hangup_epoll, EPOLL_CTL_ADD, fd, &interest) == 0;
}

static void connection_discard(struct http_connection *connection, evutil_socket_t fd)
{
    if (connection != NULL) {
        if (connection->timer != NULL)
            event_free(connection->timer);
        if (connection->resume != NULL)
            event_free(connection->resume);
        if (connection->stream != NULL)
            bufferevent_free(connection->stream);
        else
            evutil_closesocket(fd);
        http_reader_free(connection->reader);
        free(connection);
        return;
    }
    evutil_closesocket(fd);
}

/* "127.0.0.1:41234", "[::1]:41234" */
static void format_address(const struct sockaddr *address, char ret_text[HTTP_CLIENT_BYTES])
{
    char host[INET6_ADDRSTRLEN] = "";

    ret_text[0] = '\0';
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        snprintf(ret_text, HTTP_CLIENT_BYTES, "%s:%d", host, ntohs(in->sin_port));
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
        snprintf(ret_text, HTTP_CLIENT_BYTES, "[%s]:%d", host, ntohs(in->sin6_port));
    }
}

void http_connection_new(struct http_connection_group *group, evutil_socket_t fd, bool refused,
                         const struct sockaddr *client)
{
    struct timeval write_stall = span_timeval(group->config.write_stall_ms);
    struct http_connection *connection = calloc(1, sizeof(*connection));

    if (connection != NULL)
        connection->group = group;
    if (connection == NULL || !connection_open(connection, fd)) {
        connection_discard(connection, fd);
        return;
    }

    format_address(client, connection->client);
    DL_APPEND(group->connections, connection);
    connection->refused = refused;
    if (refused)
        group->refused_count++;
    else
        group->serving_count++;
    bufferevent_setcb(connection->stream, on_readable, on_writable, on_stream_event, connection);
    bufferevent_setwatermark(connection->stream, EV_WRITE, HTTP_LOW_WATER_BYTES - 1, 0);
    bufferevent_set_max_single_write(connection->stream, WRITE_MAX_BYTES);
    bufferevent_set_timeouts(connection->stream, NULL, &write_stall);
    if (bufferevent_enable(connection->stream, EV_READ | EV_WRITE) != 0) {
        http_connection_break_later(connection);
        return;
    }

    /* A connection that says nothing at first has no longer than one that is slow. */
    start_timer(connection, group->config.header_timeout_ms);
    if (!refused)
        return;
    connection->exchange = http_exchange_new(connection);
    if (connection->exchange != NULL)
        begin_record(connection);
    connection_refuse(connection,
                      verdict_of(ERROR_QUEUE_FULL, "too many open connections; try again later"));
}

void http_connection_free(struct http_connection *connection)
{
    connection_lose(connection);
    connection_destroy(connection);
}

void http_connection_close_idle(struct http_connection_group *group)
{
    struct http_connection *connection;

    DL_FOREACH(group->connections, connection)
    {
        if (connection->state == CONNECTION_IDLE &&
            evbuffer_get_length(connection_input(connection)) == 0)
            start_close(connection);
    }
}
