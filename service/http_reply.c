#include "http_reply.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "byte_buffer.h"
#include "http_connection.h"
#include "http_exchange.h"
#include "problem.h"
#include "shared_bytes.h"

#define PROBLEM_HEADERS_MAX 4
/* Up to here a copy is cheaper than a reference of its own. */
#define COPIED_BYTES 4096

/* Framing is this module's alone, whatever a handler passes. */
static bool is_framing_header(const char *name)
{
    return strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0 ||
           strcasecmp(name, "Connection") == 0 || strcasecmp(name, "Trailer") == 0;
}

static bool is_header_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "!#$%&'*+-.^_`|~";

    return *name != '\0' && name[strspn(name, allowed)] == '\0';
}

/* A value can hold caller data: no byte of it may end the line (response splitting). */
static void append_header(struct byte_buffer *head, const char *name, const char *value)
{
    size_t start = 0;

    byte_buffer_append_text(head, name);
    byte_buffer_append_text(head, ": ");
    start = head->length;
    byte_buffer_append_text(head, value);
    for (size_t i = start; !head->failed && i < head->length; i++) {
        unsigned char c = (unsigned char)head->data[i];

        if ((c < ' ' && c != '\t') || c == 0x7F)
            head->data[i] = '?';
    }
    byte_buffer_append_text(head, "\r\n");
}

static void append_headers(struct byte_buffer *head, const struct http_header *headers,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_header_name(headers[i].name) && !is_framing_header(headers[i].name))
            append_header(head, headers[i].name, headers[i].value);
    }
}

static void append_connection(struct byte_buffer *head, const struct http_exchange *exchange)
{
    if (exchange->closes)
        append_header(head, "Connection", "close");
    else if (exchange->http_1_0)
        append_header(head, "Connection", "keep-alive");
}

/* Status line to the headers both kinds of answer have; no empty line yet. */
static void append_head(struct byte_buffer *head, const struct http_exchange *exchange, int status,
                        const char *content_type, const struct http_header *headers,
                        size_t header_count)
{
    byte_buffer_append_format(head, "HTTP/1.1 %d %s\r\n", status, problem_reason_phrase(status));
    if (content_type != NULL)
        append_header(head, "Content-Type", content_type);
    append_headers(head, headers, header_count);
    append_connection(head, exchange);
}

static bool has_no_body(const struct http_exchange *exchange, int status)
{
    return exchange->request.method == METHOD_HEAD || status == 204 || status == 304;
}

/* Queues a head; false without memory. */
static bool send_head(struct http_exchange *exchange, struct byte_buffer *head)
{
    byte_buffer_append_text(head, "\r\n");
    bool sent = !head->failed && evbuffer_add(http_connection_output(exchange->connection),
                                              head->data, head->length) == 0;
    byte_buffer_done(head);
    return sent;
}

static bool send_whole_head(struct http_exchange *exchange, int status, const char *content_type,
                            const struct http_header *headers, size_t header_count,
                            size_t body_length)
{
    struct byte_buffer head = {0};

    exchange->over = true;
    exchange->bodyless = has_no_body(exchange, status);
    exchange->closes = http_connection_must_close(exchange->connection, exchange);
    exchange->record.status = status;
    exchange->record.bytes = exchange->bodyless ? 0 : (int64_t)body_length;
    append_head(&head, exchange, status, content_type, headers, header_count);
    if (status != 204 && status != 304)
        byte_buffer_append_format(&head, "Content-Length: %zu\r\n", body_length);
    return send_head(exchange, &head);
}

static void free_page(const void *bytes, size_t length, void *user)
{
    atomic_llong *unsent_bytes = user;

    if (unsent_bytes != NULL)
        atomic_fetch_sub(unsent_bytes, (long long)length);
    free((void *)(uintptr_t)bytes);
}

/* Queues malloc'd bytes without copying; frees them when it can't. */
static bool send_taken(const struct http_exchange *exchange, char *bytes, size_t length)
{
    struct evbuffer *output = http_connection_output(exchange->connection);
    atomic_llong *unsent_bytes = exchange->unsent_bytes;

    if (length > 0 && evbuffer_add_reference(output, bytes, length, free_page, unsent_bytes) == 0) {
        if (unsent_bytes != NULL)
            atomic_fetch_add(unsent_bytes, (long long)length);
        return true;
    }
    free(bytes);
    return length == 0;
}

static bool send_copy(const struct http_exchange *exchange, const void *body, size_t length)
{
    return evbuffer_add(http_connection_output(exchange->connection), body, length) == 0;
}

static bool send_reference(const struct http_exchange *exchange, const void *body, size_t length)
{
    return evbuffer_add_reference(http_connection_output(exchange->connection), body, length, NULL,
                                  NULL) == 0;
}

/* `body` as `send_body` takes it. */
static void send_whole(struct http_exchange *exchange, int status, const char *content_type,
                       const struct http_header *headers, size_t header_count, const void *body,
                       size_t body_length,
                       bool (*send_body)(const struct http_exchange *, const void *, size_t))
{
    if (exchange->over)
        return;
    struct http_connection *connection = exchange->connection;
    bool sent = send_whole_head(exchange, status, content_type, headers, header_count, body_length);
    if (sent && !exchange->bodyless && body_length > 0)
        sent = send_body(exchange, body, body_length);
    if (sent)
        http_connection_finish_exchange(connection);
    else
        http_connection_abort(connection);
}

void http_reply_send(struct http_exchange *exchange, int status, const char *content_type,
                     const struct http_header *headers, size_t header_count, const void *body,
                     size_t body_length)
{
    send_whole(exchange, status, content_type, headers, header_count, body, body_length, send_copy);
}

void http_reply_send_static(struct http_exchange *exchange, int status, const char *content_type,
                            const struct http_header *headers, size_t header_count,
                            const void *body, size_t body_length)
{
    send_whole(exchange, status, content_type, headers, header_count, body, body_length,
               send_reference);
}

void http_reply_send_taken(struct http_exchange *exchange, int status, const char *content_type,
                           const struct http_header *headers, size_t header_count, char *body,
                           size_t body_length)
{
    if (exchange->over) {
        free(body);
        return;
    }
    struct http_connection *connection = exchange->connection;
    bool sent = send_whole_head(exchange, status, content_type, headers, header_count, body_length);
    if (sent && !exchange->bodyless)
        sent = send_taken(exchange, body, body_length);
    else
        free(body);
    if (sent)
        http_connection_finish_exchange(connection);
    else
        http_connection_abort(connection);
}

static void release_shared(const void *bytes, size_t length, void *user)
{
    (void)bytes;
    (void)length;
    shared_bytes_release(user);
}

static bool send_shared(const struct http_exchange *exchange, const void *body, size_t length)
{
    struct shared_bytes *bytes = (struct shared_bytes *)(uintptr_t)body;

    if (length <= COPIED_BYTES)
        return send_copy(exchange, bytes->data, length);
    if (evbuffer_add_reference(http_connection_output(exchange->connection), bytes->data, length,
                               release_shared, shared_bytes_hold(bytes)) == 0)
        return true;
    shared_bytes_release(bytes);
    return false;
}

void http_reply_send_shared(struct http_exchange *exchange, int status, const char *content_type,
                            const struct http_header *headers, size_t header_count,
                            struct shared_bytes *body)
{
    send_whole(exchange, status, content_type, headers, header_count, body, body->length,
               send_shared);
}

/* Out of memory amid a stream: what follows would be misread, so nothing does. */
static void lose_output(struct http_exchange *exchange)
{
    exchange->broken = true;
    http_connection_break_later(exchange->connection);
}

void http_reply_begin(struct http_exchange *exchange, int status, const char *content_type,
                      const struct http_header *headers, size_t header_count, const char *trailers)
{
    struct byte_buffer head = {0};

    if (exchange->over)
        return;
    exchange->streaming = true;
    exchange->record.status = status;
    exchange->bodyless = has_no_body(exchange, status);
    exchange->chunked = !exchange->http_1_0 && !exchange->bodyless;
    exchange->closes = http_connection_must_close(exchange->connection, exchange) ||
                       (exchange->http_1_0 && !exchange->bodyless);
    append_head(&head, exchange, status, content_type, headers, header_count);
    if (!exchange->http_1_0) {
        byte_buffer_append_text(&head, "Transfer-Encoding: chunked\r\n");
        if (trailers != NULL)
            append_header(&head, "Trailer", trailers);
    }
    if (!send_head(exchange, &head))
        lose_output(exchange);
}

void http_reply_write_taken(struct http_exchange *exchange, char *bytes, size_t length)
{
    if (exchange->over || exchange->broken || !exchange->streaming || exchange->bodyless ||
        length == 0) {
        free(bytes);
        return;
    }

    struct evbuffer *output = http_connection_output(exchange->connection);
    bool sent = !exchange->chunked || evbuffer_add_printf(output, "%zx\r\n", length) > 0;
    exchange->record.bytes += (int64_t)length;
    if (sent)
        sent = send_taken(exchange, bytes, length);
    else
        free(bytes);
    if (sent && exchange->chunked)
        sent = evbuffer_add(output, "\r\n", 2) == 0;
    if (!sent)
        lose_output(exchange);
    if (evbuffer_get_length(output) >= HTTP_LOW_WATER_BYTES)
        exchange->above_low_water = true;
}

size_t http_reply_unsent(const struct http_exchange *exchange)
{
    return evbuffer_get_length(http_connection_output(exchange->connection));
}

void http_reply_end(struct http_exchange *exchange, const struct http_header *trailers,
                    size_t trailer_count)
{
    struct http_connection *connection = exchange->connection;
    struct byte_buffer tail = {0};

    if (exchange->over || !exchange->streaming)
        return;
    exchange->over = true;
    bool sent = !exchange->broken;
    if (sent && exchange->chunked) {
        byte_buffer_append_text(&tail, "0\r\n");
        append_headers(&tail, trailers, trailer_count);
        sent = send_head(exchange, &tail);
    }
    if (sent)
        http_connection_finish_exchange(connection);
    else
        http_connection_abort(connection);
}

void http_reply_abort(struct http_exchange *exchange)
{
    if (exchange->over)
        return;
    exchange->over = true;
    http_connection_abort(exchange->connection);
}

void http_reply_cut(struct http_exchange *exchange)
{
    if (!exchange->chunked || exchange->broken) {
        http_reply_abort(exchange);
        return;
    }
    if (exchange->over)
        return;
    exchange->over = true;
    exchange->closes = true;
    http_connection_finish_exchange(exchange->connection);
}

void http_reply_problem(struct http_exchange *exchange, const struct error *err,
                        const char *query_id, int64_t elapsed_ms, int retry_after_s,
                        const char *allow)
{
    struct http_header headers[PROBLEM_HEADERS_MAX];
    struct byte_buffer body = {0};
    char retry_after[16];
    size_t count = 0;
    int status = error_status(err->code);

    if (exchange->over)
        return;
    problem_append(&body, err, exchange->request.path, query_id, elapsed_ms);
    if (body.failed) {
        byte_buffer_done(&body);
        http_reply_abort(exchange);
        return;
    }

    if (status == 503 && retry_after_s <= 0)
        retry_after_s = 1;
    if ((status == 503 || status == 429) && retry_after_s > 0) {
        snprintf(retry_after, sizeof(retry_after), "%d", retry_after_s);
        headers[count++] = (struct http_header){"Retry-After", retry_after};
    }
    if (status == 401)
        headers[count++] = (struct http_header){"WWW-Authenticate", "Bearer"};
    if (query_id != NULL)
        headers[count++] = (struct http_header){"Query-Id", query_id};
    if (allow != NULL)
        headers[count++] = (struct http_header){"Allow", allow};
    http_reply_send_taken(exchange, status, "application/problem+json", headers, count, body.data,
                          body.length);
}
