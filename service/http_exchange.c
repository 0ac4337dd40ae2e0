#include "http_exchange.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void http_sent_watch_report(struct http_sent_watch *watch, struct monotime when)
{
    struct http_sent_watch told = *watch;

    watch->on_sent = NULL;
    if (told.on_sent != NULL)
        told.on_sent(told.user, when);
}

struct http_exchange *http_exchange_new(struct http_connection *connection)
{
    struct http_exchange *exchange = calloc(1, sizeof(*exchange));

    if (exchange == NULL)
        return NULL;
    exchange->connection = connection;
    exchange->request.query = "";
    exchange->record.route = HTTP_NO_ROUTE;
    return exchange;
}

void http_exchange_free(struct http_exchange *exchange)
{
    if (exchange == NULL)
        return;
    http_sent_watch_report(&exchange->sent, (struct monotime){0});
    byte_buffer_done(&exchange->text);
    byte_buffer_wipe(&exchange->body);
    free(exchange);
}

void http_exchange_tell_gone(struct http_exchange *exchange)
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

void http_exchange_forget_body(struct http_exchange *exchange)
{
    byte_buffer_wipe(&exchange->body);
    exchange->request.body = "";
    exchange->request.body_length = 0;
}

const struct http_request *http_exchange_request(const struct http_exchange *exchange)
{
    return &exchange->request;
}

struct http_record *http_exchange_record(struct http_exchange *exchange)
{
    return &exchange->record;
}

const char *http_method_name(unsigned method)
{
    switch (method) {
    case METHOD_GET:
        return "GET";
    case METHOD_HEAD:
        return "HEAD";
    case METHOD_POST:
        return "POST";
    case METHOD_PUT:
        return "PUT";
    case METHOD_DELETE:
        return "DELETE";
    case METHOD_PATCH:
        return "PATCH";
    case METHOD_OPTIONS:
        return "OPTIONS";
    default:
        return "OTHER";
    }
}

/* The next header of that name from *at on; *at moves behind it. */
static const char *next_header(const struct http_exchange *exchange, const char *name,
                               const char **at)
{
    const char *end = exchange->text.data + exchange->text.length;

    while (*at < end) {
        bool named = strcasecmp(*at, name) == 0;
        const char *value = *at + strlen(*at) + 1;

        *at = value + strlen(value) + 1;
        if (named)
            return value;
    }
    return NULL;
}

size_t http_exchange_header_count(const struct http_exchange *exchange, const char *name)
{
    const char *at = exchange->text.data + exchange->fields_at;
    size_t count = 0;

    while (next_header(exchange, name, &at) != NULL)
        count++;
    return count;
}

const char *http_exchange_header(const struct http_exchange *exchange, const char *name)
{
    const char *at = exchange->text.data + exchange->fields_at;

    return next_header(exchange, name, &at);
}

bool http_exchange_join_header(const struct http_exchange *exchange, const char *name,
                               struct byte_buffer *ret_value)
{
    const char *at = exchange->text.data + exchange->fields_at;
    const char *end = exchange->text.data + exchange->text.length;
    bool found = false;

    while (at < end) {
        const char *value = at + strlen(at) + 1;
        if (strcasecmp(at, name) == 0) {
            byte_buffer_append_text(ret_value, found ? ", " : "");
            byte_buffer_append_text(ret_value, value);
            found = true;
        }
        at = value + strlen(value) + 1;
    }
    byte_buffer_append_char(ret_value, '\0');
    return found;
}

bool http_exchange_has_stalled(const struct http_exchange *exchange)
{
    return exchange->stalled;
}

void http_exchange_watch(struct http_exchange *exchange, void (*on_gone)(void *user),
                         void (*on_drained)(void *user), void *user)
{
    exchange->on_gone = on_gone;
    exchange->on_drained = on_drained;
    exchange->user = user;
}

void http_exchange_count_unsent(struct http_exchange *exchange, atomic_llong *bytes)
{
    exchange->unsent_bytes = bytes;
}

void http_exchange_on_sent(struct http_exchange *exchange,
                           void (*on_sent)(void *user, struct monotime sent), void *user)
{
    exchange->sent = (struct http_sent_watch){on_sent, user};
}
