#include "http_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/deadline.h"

#define TURN_MS 5

static void on_gone(void *user)
{
    struct http_rig *rig = user;

    rig->gone_count++;
    rig->held = NULL;
}

static void on_drained(void *user)
{
    struct http_rig *rig = user;

    rig->drained_count++;
}

static void on_headers(struct http_exchange *exchange, void *user)
{
    struct http_rig *rig = user;
    struct error err;

    rig->headers_count++;
    assert_null(http_exchange_request(exchange)->body);
    if (strcmp(http_exchange_request(exchange)->path, "/stream") == 0) {
        rig->held = exchange;
        http_exchange_watch(exchange, on_gone, on_drained, rig);
        http_reply_begin(exchange, 200, "text/plain", NULL, 0, NULL);
    }
    if (strcmp(http_exchange_request(exchange)->path, "/early") != 0)
        return;
    error_set(&err, ERROR_UNAUTHENTICATED, "who are you?");
    http_reply_problem(exchange, &err, NULL, -1, 0, NULL);
}

static void on_request(struct http_exchange *exchange, void *user)
{
    struct http_rig *rig = user;
    const struct http_request *request = http_exchange_request(exchange);

    rig->request_count++;
    rig->last_body_end = request->body_end;
    rig->handled_before = rig->last_handled;
    rig->last_handled = monotime_now();
    assert_non_null(request->body);
    assert_true(monotime_is_set(request->body_end));
    if (strcmp(request->path, "/hold") == 0) {
        rig->held = exchange;
        http_exchange_watch(exchange, on_gone, on_drained, rig);
    } else if (strcmp(request->path, "/echo") == 0) {
        http_reply_send(exchange, 200, "text/plain", NULL, 0, request->body, request->body_length);
    } else {
        http_reply_send(exchange, 200, "text/plain", NULL, 0, request->query,
                        strlen(request->query));
    }
}

void http_rig_init(struct http_rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    signal(SIGPIPE, SIG_IGN);
    rig->config = http_server_config_default();
    rig->base = event_base_new();
    assert_non_null(rig->base);
}

void http_rig_start(struct http_rig *rig)
{
    const struct http_server_callbacks callbacks = {on_headers, on_request, NULL, rig};
    struct error err;

    if (http_server_new(rig->base, "127.0.0.1:0", &rig->config, &callbacks, &rig->server, &err) < 0)
        fail_msg("%s", err.detail);
}

void http_rig_stop(struct http_rig *rig)
{
    http_server_free(rig->server);
    event_base_free(rig->base);
}

static void on_tick(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    (void)user;
}

void http_rig_turn(struct http_rig *rig)
{
    const struct timeval tick = {0, TURN_MS * 1000};

    event_base_once(rig->base, -1, EV_TIMEOUT, on_tick, NULL, &tick);
    event_base_loop(rig->base, EVLOOP_ONCE);
}

void http_client_open(struct http_client *client, struct http_rig *rig)
{
    struct sockaddr_in address = {.sin_family = AF_INET};

    memset(client, 0, sizeof(*client));
    client->rig = rig;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_port = htons((uint16_t)http_server_port(rig->server));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

void http_client_close(struct http_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    byte_buffer_done(&client->received);
}

void http_client_reset(struct http_client *client)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};

    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    http_client_close(client);
}

size_t http_client_offer(struct http_client *client, const char *bytes, size_t length)
{
    ssize_t sent = send(client->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);

    return sent < 0 ? 0 : (size_t)sent;
}

void http_client_send(struct http_client *client, const char *text)
{
    assert_int_equal(http_client_offer(client, text, strlen(text)), strlen(text));
}

void http_client_read(struct http_client *client, size_t limit)
{
    char bytes[65536];

    while (limit > 0 && !client->ended && !client->reset) {
        size_t wanted = limit < sizeof(bytes) ? limit : sizeof(bytes);
        ssize_t length = recv(client->fd, bytes, wanted, MSG_DONTWAIT);
        if (length < 0 && errno == EAGAIN)
            break;
        client->ended = length == 0;
        client->reset = length < 0;
        if (length > 0) {
            byte_buffer_append(&client->received, bytes, (size_t)length);
            limit -= (size_t)length;
        }
    }
    byte_buffer_append_char(&client->received, '\0');
    client->received.length--;
}

static bool has_received(struct http_client *client, const char *text)
{
    http_client_read(client, SIZE_MAX);
    return strstr(client->received.data, text) != NULL;
}

static bool has_ended(struct http_client *client)
{
    http_client_read(client, SIZE_MAX);
    return client->ended || client->reset;
}

void http_client_await(struct http_client *client, const char *text)
{
    http_rig_wait(client->rig, has_received(client, text));
}

void http_client_await_end(struct http_client *client)
{
    http_rig_wait(client->rig, has_ended(client));
}

int http_client_count(const struct http_client *client, const char *text)
{
    int count = 0;

    for (const char *at = client->received.data; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}
