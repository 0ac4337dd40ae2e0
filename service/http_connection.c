#include "http_connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <llhttp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "http_guard.h"
#include "log.h"

/* The two limits the memory of a connection is made of, beside the body. */
#define INPUT_HIGH_WATER_BYTES ((size_t)64 * 1024)
#define REQUEST_LINE_EXTRA_BYTES 64 /* method, version, spaces, CRLF */

/* A body nobody wants is read to keep the connection only when it is small. */
#define DISCARD_MAX_BYTES ((uint64_t)64 * 1024)

/* After a last answer the rest of the request is read and dropped for a while:
 * closing over unread bytes resets the connection, and a reset can overtake the
 * answer (RFC 9112 §9.6). */
#define LINGER_MS 1000
#define LINGER_MAX_BYTES ((size_t)1024 * 1024)

/* Pipelined requests answered in one turn of the loop, so that one client
 * can't keep it for itself. */
#define REQUESTS_PER_TURN 16

/* Unsent bytes in the kernel at which the socket stops being writable: keeps
 * write progress observable and the backlog ours to bound. */
#define KERNEL_UNSENT_BYTES (128 * 1024)

/* A peer that vanished without a word is noticed after 10 + 3 * 5 s. */
#define KEEPALIVE_IDLE_S 10
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_PROBES 3

enum connection_state {
    CONNECTION_IDLE,      /* between requests */
    CONNECTION_READING,   /* a request comes in; without an exchange it is only dropped */
    CONNECTION_WAITING,   /* the handler has the exchange */
    CONNECTION_FLUSHING,  /* the last answer goes out */
    CONNECTION_LINGERING, /* our side is shut, the client's bytes are dropped */
    CONNECTION_DEAD       /* socket closed; freed by the next turn */
};

/* What the next bytes of a request are. */
enum request_part {
    PART_REQUEST_LINE,
    PART_HEADERS,
    PART_BODY,
    PART_CHUNK_SIZE,
    PART_CHUNK_DATA,
    PART_CHUNK_END,
    PART_TRAILERS,
    PART_NONE /* the request is whole */
};

struct http_connection {
    struct http_connection *prev, *next; /* group->connections */
    struct http_connection_group *group;
    enum connection_state state;
    struct bufferevent *stream;
    struct event *timer;  /* the deadline of the state */
    struct event *resume; /* zero timer: go on in the next turn, or be freed */
    struct http_exchange *exchange;
    struct http_sent_watch sent; /* of the last answer queued, until it has left */

    llhttp_t parser; /* fed with what http_guard let through, one request at a time */
    enum request_part part;
    struct http_verdict verdict; /* set by a parser callback that refuses */
    struct http_framing framing;
    size_t field_bytes;  /* header lines, then trailer lines, so far */
    uint64_t body_bytes; /* announced or read so far */
    uint64_t part_left;  /* of a body or a chunk */
    size_t dropped_bytes;
    int turn_budget;
    bool blank_seen;    /* the one empty line before a request line */
    bool continue_sent; /* 100 Continue, or not asked for */
    bool refused;       /* over the cap, only told so */
    bool must_close;
    bool peer_closed; /* FIN seen; unread bytes may stand before it */
    bool input_ended; /* FIN reached */
    bool broken;
    bool processing;
};

static void connection_process(struct http_connection *connection);

static struct timeval timeval_of_ms(int64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

static void start_timer(struct http_connection *connection, int64_t ms)
{
    struct timeval span = timeval_of_ms(ms);

    event_add(connection->timer, &span);
}

/* A zero timer and not event_active: active events run before the loop looks
 * at its sockets again, so that one busy client would starve the others. */
static void resume_later(struct http_connection *connection)
{
    static const struct timeval now = {0, 0};

    event_add(connection->resume, &now);
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

/* Tells who waits for the last answer to leave; `when` unset: it won't. */
static void report_sent(struct http_sent_watch *watch, struct monotime when)
{
    struct http_sent_watch told = *watch;

    watch->on_sent = NULL;
    if (told.on_sent != NULL)
        told.on_sent(told.user, when);
}

/* -- The end of a connection --------------------------------------------- */

static void connection_die(struct http_connection *connection)
{
    struct http_connection_group *group = connection->group;

    if (connection->state == CONNECTION_DEAD)
        return;
    connection->state = CONNECTION_DEAD;
    if (connection->refused)
        group->refused_count--;
    else
        group->serving_count--;
    report_sent(&connection->sent, (struct monotime){0});
    if (connection->exchange != NULL)
        report_sent(&connection->exchange->sent, (struct monotime){0});
    http_exchange_free(connection->exchange);
    connection->exchange = NULL;
    event_del(connection->timer);
    epoll_ctl(group->hangup_epoll, EPOLL_CTL_DEL, bufferevent_getfd(connection->stream), NULL);
    bufferevent_free(connection->stream);
    connection->stream = NULL;
    resume_later(connection);
}

/* The handler hears that its exchange is dead; the connection may still use it. */
static void tell_gone(struct http_exchange *exchange)
{
    void (*on_gone)(void *user) = exchange->on_gone;
    bool was_over = exchange->over;

    exchange->on_gone = NULL;
    exchange->on_drained = NULL;
    if (on_gone == NULL)
        return;
    exchange->over = true;
    on_gone(exchange->user);
    exchange->over = was_over;
}

/* The client or the connection is gone. */
static void connection_lose(struct http_connection *connection)
{
    if (connection->exchange != NULL)
        tell_gone(connection->exchange);
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

static void drop_input(struct http_connection *connection)
{
    struct evbuffer *input = connection_input(connection);
    size_t length = evbuffer_get_length(input);

    evbuffer_drain(input, length);
    connection->dropped_bytes += length;
    if (connection->dropped_bytes > LINGER_MAX_BYTES)
        connection_die(connection);
}

static void start_linger(struct http_connection *connection)
{
    if (connection->input_ended) {
        connection_die(connection);
        return;
    }
    connection->state = CONNECTION_LINGERING;
    connection->dropped_bytes = 0;
    shutdown(bufferevent_getfd(connection->stream), SHUT_WR);
    start_timer(connection, LINGER_MS);
    drop_input(connection);
}

/* Everything that is to be said is queued. */
static void start_close(struct http_connection *connection)
{
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
    tell_gone(exchange);
    error_set(&err, verdict.code, "%s", verdict.reason);
    http_reply_problem(exchange, &err, NULL, -1, 1, NULL);
}

static struct http_verdict verdict_of(enum error_code code, const char *reason)
{
    return (struct http_verdict){code, reason};
}

/* -- llhttp callbacks: they only collect ----------------------------------- */

static int on_url(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_connection *connection = parser->data;

    byte_buffer_append(&connection->exchange->text, bytes, length);
    return 0;
}

static int on_url_complete(llhttp_t *parser)
{
    struct http_connection *connection = parser->data;

    byte_buffer_append_char(&connection->exchange->text, '\0');
    connection->exchange->fields_at = connection->exchange->text.length;
    return 0;
}

/* Trailers are read, checked and dropped: nothing here wants any. */
static bool collects_fields(const struct http_connection *connection)
{
    return connection->part == PART_HEADERS;
}

static int on_field_bytes(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_connection *connection = parser->data;

    if (collects_fields(connection))
        byte_buffer_append(&connection->exchange->text, bytes, length);
    return 0;
}

static int on_field_name_complete(llhttp_t *parser)
{
    struct http_connection *connection = parser->data;

    if (collects_fields(connection))
        byte_buffer_append_char(&connection->exchange->text, '\0');
    return 0;
}

static int on_field_value_complete(llhttp_t *parser)
{
    struct http_connection *connection = parser->data;

    if (!collects_fields(connection))
        return 0;
    struct byte_buffer *text = &connection->exchange->text;
    while (text->length > 0 &&
           (text->data[text->length - 1] == ' ' || text->data[text->length - 1] == '\t'))
        text->length--;
    byte_buffer_append_char(text, '\0');
    return 0;
}

static enum http_method method_of(const llhttp_t *parser)
{
    switch (parser->method) {
    case HTTP_GET:
        return METHOD_GET;
    case HTTP_HEAD:
        return METHOD_HEAD;
    case HTTP_POST:
        return METHOD_POST;
    case HTTP_PUT:
        return METHOD_PUT;
    case HTTP_DELETE:
        return METHOD_DELETE;
    case HTTP_PATCH:
        return METHOD_PATCH;
    case HTTP_OPTIONS:
        return METHOD_OPTIONS;
    default:
        return METHOD_OTHER;
    }
}

/* Cuts path and query out of the collected text, which doesn't grow any more. */
static void set_request_target(struct http_exchange *exchange, const char *origin)
{
    char *path = exchange->text.data + (origin - exchange->text.data);
    char *query = strchr(path, '?');

    if (query != NULL)
        *query = '\0';
    exchange->request.path = *path == '\0' ? "/" : path;
    exchange->request.query = query == NULL ? "" : query + 1;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct http_connection *connection = parser->data;
    struct http_exchange *exchange = connection->exchange;

    /* Upgrade is an offer; we don't take it, and go on in HTTP/1.1. */
    parser->upgrade = 0;
    if (exchange->text.failed) {
        connection->verdict = verdict_of(ERROR_QUEUE_FULL, "out of memory");
        return -1;
    }

    const struct http_head head = {
        .method = exchange->request.method,
        .http_1_0 = exchange->http_1_0,
        .target = exchange->text.data,
        .fields = exchange->text.data + exchange->fields_at,
        .fields_end = exchange->text.data + exchange->text.length,
        .max_body_bytes = connection->group->config.max_body_bytes,
    };
    connection->verdict = http_guard_head(&head, &connection->framing);
    if (connection->verdict.code != ERROR_NONE)
        return -1;

    exchange->client_keeps = llhttp_should_keep_alive(parser) != 0;
    set_request_target(exchange, connection->framing.origin);
    return 0;
}

static int on_body(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_connection *connection = parser->data;
    struct http_exchange *exchange = connection->exchange;

    if (exchange == NULL || (exchange->request.method & (METHOD_GET | METHOD_HEAD)) != 0)
        return 0;
    byte_buffer_append(&exchange->body, bytes, length);
    if (exchange->body.failed) {
        connection->verdict = verdict_of(ERROR_QUEUE_FULL, "out of memory");
        return -1;
    }
    return 0;
}

static int on_chunk_header(llhttp_t *parser)
{
    struct http_connection *connection = parser->data;

    connection->part_left = parser->content_length;
    return 0;
}

static const llhttp_settings_t parser_settings = {
    .on_url = on_url,
    .on_url_complete = on_url_complete,
    .on_header_field = on_field_bytes,
    .on_header_field_complete = on_field_name_complete,
    .on_header_value = on_field_bytes,
    .on_header_value_complete = on_field_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_body = on_body,
};

/* Gives bytes of the request to llhttp; false: it refused, and so did we. */
static bool feed_parser(struct http_connection *connection, const char *bytes, size_t length)
{
    connection->verdict.code = ERROR_NONE;
    llhttp_errno_t code = llhttp_execute(&connection->parser, bytes, length);
    if (code == HPE_OK)
        return true;

    if (connection->verdict.code == ERROR_NONE)
        connection->verdict =
            verdict_of(ERROR_BAD_REQUEST, llhttp_get_error_reason(&connection->parser));
    connection_refuse(connection, connection->verdict);
    return false;
}

/* -- Reading a request ------------------------------------------------------ */

static bool begin_exchange(struct http_connection *connection)
{
    struct http_exchange *exchange = calloc(1, sizeof(*exchange));

    if (exchange == NULL) {
        connection_die(connection);
        return false;
    }
    exchange->connection = connection;
    exchange->request.query = "";
    connection->exchange = exchange;
    return true;
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
    if (!begin_exchange(connection))
        return false;

    llhttp_init(&connection->parser, HTTP_REQUEST, &parser_settings);
    connection->parser.data = connection;
    /* http_guard judges the version; HTTP/1.2 and up are read as HTTP/1.1. */
    connection->parser.lenient_flags = LENIENT_VERSION;
    connection->state = CONNECTION_READING;
    connection->part = PART_REQUEST_LINE;
    connection->framing = (struct http_framing){0};
    connection->field_bytes = 0;
    connection->body_bytes = 0;
    connection->blank_seen = false;
    connection->continue_sent = false;
    start_timer(connection, connection->group->config.header_timeout_ms);
    return true;
}

static void request_complete(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;

    connection->part = PART_NONE;
    event_del(connection->timer);
    if (exchange == NULL) {
        connection->state = CONNECTION_IDLE;
        start_timer(connection, connection->group->config.keep_alive_ms);
        return;
    }
    connection->state = CONNECTION_WAITING;
    exchange->request.body = exchange->body.data == NULL ? "" : exchange->body.data;
    exchange->request.body_length = exchange->body.length;
    exchange->request.body_end = monotime_now();
    connection->group->callbacks.request(exchange, connection->group->callbacks.user);
}

static void headers_complete(struct http_connection *connection)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct http_server_callbacks *callbacks = &connection->group->callbacks;
    bool has_body = connection->framing.chunked || connection->framing.content_length > 0;

    connection->field_bytes = 0;
    connection->part_left = connection->framing.content_length;
    connection->body_bytes = connection->framing.content_length;
    if (!has_body)
        connection->part = PART_NONE;
    else
        connection->part = connection->framing.chunked ? PART_CHUNK_SIZE : PART_BODY;
    start_timer(connection, connection->group->config.body_timeout_ms);

    callbacks->headers(connection->exchange, callbacks->user);
    if (connection->state != CONNECTION_READING)
        return;
    if (connection->exchange != NULL && connection->exchange->streaming) {
        connection->state = CONNECTION_WAITING;
        event_del(connection->timer);
        return;
    }
    if (!has_body) {
        request_complete(connection);
        return;
    }
    if (connection->exchange != NULL && connection->framing.expects_continue) {
        connection->continue_sent = true;
        evbuffer_add(http_connection_output(connection), go_on, sizeof(go_on) - 1);
    }
}

static bool is_line_part(enum request_part part)
{
    return part == PART_REQUEST_LINE || part == PART_HEADERS || part == PART_CHUNK_SIZE ||
           part == PART_TRAILERS;
}

/* What can be said of a line by its first bytes; the same whether it is whole
 * or still growing, so that an answer doesn't depend on how TCP cut the bytes. */
static struct http_verdict line_start_verdict(const struct http_connection *connection,
                                              const char *start, size_t length)
{
    const struct http_server_config *config = &connection->group->config;
    unsigned char first = (unsigned char)start[0];

    switch (connection->part) {
    case PART_REQUEST_LINE:
        if (first != '\r' && (first <= ' ' || first >= 0x7F))
            return verdict_of(ERROR_BAD_REQUEST, "this isn't HTTP");
        if (length > config->max_target_bytes + REQUEST_LINE_EXTRA_BYTES)
            return verdict_of(ERROR_TARGET_TOO_LARGE, "the request target is too long");
        break;
    case PART_CHUNK_SIZE:
        if (length > config->max_header_bytes)
            return verdict_of(ERROR_BAD_REQUEST, "a chunk-size line is too long");
        break;
    default:
        if (connection->field_bytes + length > config->max_header_bytes)
            return verdict_of(ERROR_HEADERS_TOO_LARGE, "the headers are too large");
    }
    return verdict_of(ERROR_NONE, "");
}

/* `length` without the CRLF. */
static struct http_verdict line_verdict(const struct http_connection *connection, const char *line,
                                        size_t length)
{
    switch (connection->part) {
    case PART_REQUEST_LINE:
        return http_guard_request_line(line, length, connection->group->config.max_target_bytes);
    case PART_CHUNK_SIZE:
        return http_guard_chunk_line(line, length);
    case PART_TRAILERS:
        return length == 0 ? verdict_of(ERROR_NONE, "") : http_guard_trailer_line(line, length);
    default:
        return length == 0 ? verdict_of(ERROR_NONE, "") : http_guard_field_line(line, length);
    }
}

static void chunk_size_read(struct http_connection *connection)
{
    uint64_t limit = connection->exchange == NULL ? DISCARD_MAX_BYTES
                                                  : connection->group->config.max_body_bytes;

    if (connection->part_left == 0) {
        connection->part = PART_TRAILERS;
        return;
    }
    connection->part = PART_CHUNK_DATA;
    /* No overflow: http_guard keeps a chunk below 2^60. */
    connection->body_bytes += connection->part_left;
    if (connection->body_bytes > limit)
        connection_refuse(connection, verdict_of(ERROR_BODY_TOO_LARGE,
                                                 "the request body is too large"));
}

/* llhttp has read the line: what comes next? */
static void line_read(struct http_connection *connection, size_t length)
{
    struct http_exchange *exchange = connection->exchange;

    switch (connection->part) {
    case PART_REQUEST_LINE:
        exchange->request.method = method_of(&connection->parser);
        exchange->http_1_0 = connection->parser.http_minor == 0;
        connection->part = PART_HEADERS;
        break;
    case PART_CHUNK_SIZE:
        chunk_size_read(connection);
        break;
    case PART_TRAILERS:
        connection->field_bytes += length;
        if (length == 2)
            request_complete(connection);
        break;
    default:
        connection->field_bytes += length;
        if (length == 2)
            headers_complete(connection);
    }
}

static bool skips_blank_line(struct http_connection *connection, size_t length)
{
    if (connection->part != PART_REQUEST_LINE || length != 2 || connection->blank_seen)
        return false;
    connection->blank_seen = true;
    return true;
}

/* One line of the request; false: it isn't whole yet, or the request is over. */
static bool read_line(struct http_connection *connection)
{
    struct evbuffer *input = connection_input(connection);
    size_t available = evbuffer_get_length(input);
    if (available == 0)
        return false;

    struct evbuffer_ptr eol = evbuffer_search_eol(input, NULL, NULL, EVBUFFER_EOL_LF);
    size_t length = eol.pos < 0 ? available : (size_t)eol.pos + 1;
    const char *line = (const char *)evbuffer_pullup(input, eol.pos < 0 ? 1 : (ev_ssize_t)length);
    if (line == NULL) {
        connection_lose(connection);
        return false;
    }

    struct http_verdict verdict = line_start_verdict(connection, line, length);
    if (verdict.code == ERROR_NONE) {
        if (eol.pos < 0)
            return false;
        if (length < 2 || line[length - 2] != '\r')
            verdict = verdict_of(ERROR_BAD_REQUEST, "a line doesn't end in CR LF");
        else if (!skips_blank_line(connection, length))
            verdict = line_verdict(connection, line, length - 2);
        else {
            evbuffer_drain(input, length);
            return true;
        }
    }
    if (verdict.code != ERROR_NONE) {
        connection_refuse(connection, verdict);
        return false;
    }
    if (!feed_parser(connection, line, length))
        return false;
    evbuffer_drain(input, length);
    line_read(connection, length);
    return true;
}

/* Some bytes of a body or of a chunk. */
static bool read_data(struct http_connection *connection)
{
    struct evbuffer *input = connection_input(connection);
    size_t length = evbuffer_get_contiguous_space(input);

    if (length > connection->part_left)
        length = (size_t)connection->part_left;
    if (length == 0)
        return false;
    if (!feed_parser(connection, (const char *)evbuffer_pullup(input, (ev_ssize_t)length), length))
        return false;
    evbuffer_drain(input, length);
    connection->part_left -= length;
    if (connection->part_left > 0)
        return true;
    if (connection->part == PART_CHUNK_DATA)
        connection->part = PART_CHUNK_END;
    else
        request_complete(connection);
    return true;
}

static bool read_chunk_end(struct http_connection *connection)
{
    struct evbuffer *input = connection_input(connection);
    char end[2];
    ev_ssize_t length = evbuffer_copyout(input, end, sizeof(end));

    if (length <= 0)
        return false;
    if (end[0] != '\r' || (length == 2 && end[1] != '\n')) {
        connection_refuse(connection, verdict_of(ERROR_BAD_REQUEST,
                                                 "a chunk doesn't end where its size says"));
        return false;
    }
    if (length < 2 || !feed_parser(connection, end, sizeof(end)))
        return false;
    evbuffer_drain(input, sizeof(end));
    connection->part = PART_CHUNK_SIZE;
    return true;
}

static bool read_request(struct http_connection *connection)
{
    if (is_line_part(connection->part))
        return read_line(connection);
    if (connection->part == PART_CHUNK_END)
        return read_chunk_end(connection);
    return read_data(connection);
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
            tell_gone(connection->exchange);
        http_exchange_free(connection->exchange);
        connection->exchange = NULL;
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
    if (connection->input_ended)
        end_of_input(connection);
}

/* -- For http_reply --------------------------------------------------------- */

bool http_connection_must_close(const struct http_connection *connection,
                                const struct http_exchange *exchange)
{
    if (connection->must_close || connection->group->draining || !exchange->client_keeps)
        return true;
    if (connection->state != CONNECTION_READING || connection->part == PART_NONE)
        return false;
    /* Answered before its body: a client that waits for 100 Continue may send
     * the body or not, and a long body isn't worth reading. */
    if (connection->framing.expects_continue && !connection->continue_sent)
        return true;
    return exchange->streaming || connection->body_bytes > DISCARD_MAX_BYTES;
}

void http_connection_finish_exchange(struct http_connection *connection)
{
    bool closes = connection->exchange->closes;

    /* An earlier answer still here leaves with this one, at the latest now. */
    report_sent(&connection->sent, monotime_now());
    connection->sent = connection->exchange->sent;
    http_exchange_free(connection->exchange);
    connection->exchange = NULL;
    if (closes) {
        start_close(connection);
        return;
    }
    if (connection->part == PART_NONE) {
        connection->state = CONNECTION_IDLE;
        start_timer(connection, connection->group->config.keep_alive_ms);
    }
    if (!connection->processing)
        resume_later(connection);
}

/* -- Events ----------------------------------------------------------------- */

static void on_readable(struct bufferevent *stream, void *user)
{
    (void)stream;
    connection_process(user);
}

static void on_writable(struct bufferevent *stream, void *user)
{
    struct http_connection *connection = user;
    struct http_exchange *exchange = connection->exchange;
    (void)stream;

    if (unsent_bytes(connection) == 0)
        report_sent(&connection->sent, monotime_now());
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
    (void)stream;

    if ((what & BEV_EVENT_TIMEOUT) != 0) {
        log_line(LOG_DEBUG, "client stopped reading");
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

static void on_deadline(evutil_socket_t fd, short what, void *user)
{
    struct http_connection *connection = user;
    (void)fd;
    (void)what;

    if (connection->state == CONNECTION_READING)
        connection_refuse(connection, verdict_of(ERROR_REQUEST_TIMEOUT,
                                                 "the request came in too slowly"));
    else if (connection->state == CONNECTION_IDLE && unsent_bytes(connection) > 0)
        start_timer(connection, connection->group->config.keep_alive_ms);
    else
        connection_die(connection);
}

static void connection_destroy(struct http_connection *connection)
{
    DL_DELETE(connection->group->connections, connection);
    event_free(connection->timer);
    event_free(connection->resume);
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

/* Everything a connection is made of; false: some of it couldn't be had. */
static bool connection_open(struct http_connection *connection, evutil_socket_t fd)
{
    struct http_connection_group *group = connection->group;
    struct epoll_event interest = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = connection};

    connection->timer = evtimer_new(group->base, on_deadline, connection);
    connection->resume = evtimer_new(group->base, on_resume, connection);
    if (connection->timer == NULL || connection->resume == NULL)
        return false;
    connection->stream = bufferevent_socket_new(group->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (connection->stream == NULL)
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
        free(connection);
        return;
    }
    evutil_closesocket(fd);
}

void http_connection_new(struct http_connection_group *group, evutil_socket_t fd, bool refused)
{
    struct timeval write_stall = timeval_of_ms(group->config.write_stall_ms);
    struct http_connection *connection = calloc(1, sizeof(*connection));

    if (connection != NULL)
        connection->group = group;
    if (connection == NULL || !connection_open(connection, fd)) {
        connection_discard(connection, fd);
        return;
    }

    prepare_socket(fd);
    DL_APPEND(group->connections, connection);
    connection->refused = refused;
    connection->part = PART_NONE;
    if (refused)
        group->refused_count++;
    else
        group->serving_count++;
    bufferevent_setcb(connection->stream, on_readable, on_writable, on_stream_event, connection);
    bufferevent_setwatermark(connection->stream, EV_READ, 0, INPUT_HIGH_WATER_BYTES);
    bufferevent_setwatermark(connection->stream, EV_WRITE, HTTP_LOW_WATER_BYTES - 1, 0);
    bufferevent_set_timeouts(connection->stream, NULL, &write_stall);
    bufferevent_enable(connection->stream, EV_READ | EV_WRITE);

    /* A connection that says nothing at first has no longer than one that is slow. */
    start_timer(connection, group->config.header_timeout_ms);
    if (refused && begin_exchange(connection))
        connection_refuse(connection, verdict_of(ERROR_QUEUE_FULL,
                                                 "too many open connections; try again later"));
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
