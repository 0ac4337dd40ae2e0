/*
 * http_echo_server: the real http modules with toy handlers, for tests of the
 * HTTP layer alone. Prints its port, then serves until SIGTERM.
 *
 *   GET  /hello       hello (also under the service's own /livez)
 *   POST /echo        the body (also under /api/spark/query/parquet)
 *   GET  /stream?n=N  N pages of 16 KiB in chunks, at the client's pace, with a trailer
 *   GET  /broken?n=N  the same, but aborted after N pages
 *   GET  /slow        waits for POST /release
 *   POST /release     answers all that wait
 *   GET  /stats       {"waiting","gone","connections"}
 *
 * usage: http_echo_server [name=value ...], names as in struct http_server_config
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "../../service/http_reply.h"
#include "../../service/http_server.h"

#define PAGE_BYTES 16384

enum task_kind { TASK_WAIT, TASK_STREAM, TASK_BROKEN };

/* An exchange that is answered later. */
struct task {
    struct echo *echo;
    struct http_exchange *exchange;
    enum task_kind kind;
    long pages_left;
    struct task *prev, *next;
};

struct echo {
    struct event_base *base;
    struct http_server *server;
    struct task *tasks;
    long gone_count;
};

struct route {
    const char *path;
    enum http_method methods;
    const char *allow;
    void (*answer)(struct echo *echo, struct http_exchange *exchange);
};

static void task_free(struct task *task)
{
    DL_DELETE(task->echo->tasks, task);
    free(task);
}

static void on_task_gone(void *user)
{
    struct task *task = user;

    task->echo->gone_count++;
    task_free(task);
}

static void send_pages(void *user)
{
    struct task *task = user;
    const struct http_header trailers[] = {{"Result-Truncated", "false"}};

    while (task->pages_left > 0 && http_reply_unsent(task->exchange) < 4 * PAGE_BYTES) {
        char *page = malloc(PAGE_BYTES);
        if (page == NULL)
            abort();
        memset(page, 'a' + (int)(task->pages_left % 26), PAGE_BYTES);
        http_reply_write_taken(task->exchange, page, PAGE_BYTES);
        task->pages_left--;
    }
    if (task->pages_left > 0)
        return;
    if (task->kind == TASK_BROKEN)
        http_reply_abort(task->exchange);
    else
        http_reply_end(task->exchange, trailers, 1);
    task_free(task);
}

static struct task *task_new(struct echo *echo, struct http_exchange *exchange, enum task_kind kind)
{
    struct task *task = calloc(1, sizeof(*task));

    if (task == NULL)
        abort();
    task->echo = echo;
    task->exchange = exchange;
    task->kind = kind;
    DL_APPEND(echo->tasks, task);
    http_exchange_watch(exchange, on_task_gone, kind == TASK_WAIT ? NULL : send_pages, task);
    return task;
}

static void answer_hello(struct echo *echo, struct http_exchange *exchange)
{
    (void)echo;
    http_reply_send(exchange, 200, "text/plain", NULL, 0, "hello\n", 6);
}

static void answer_echo(struct echo *echo, struct http_exchange *exchange)
{
    const struct http_request *request = http_exchange_request(exchange);
    const char *type = http_exchange_header(exchange, "content-type");

    (void)echo;
    http_reply_send(exchange, 200, type == NULL ? "application/octet-stream" : type, NULL, 0,
                    request->body, request->body_length);
}

static void stream(struct echo *echo, struct http_exchange *exchange, enum task_kind kind)
{
    const char *query = http_exchange_request(exchange)->query;
    struct task *task = task_new(echo, exchange, kind);

    task->pages_left = strncmp(query, "n=", 2) == 0 ? strtol(query + 2, NULL, 10) : 1;
    http_reply_begin(exchange, 200, "text/plain", NULL, 0, "Result-Truncated");
    send_pages(task);
}

static void answer_stream(struct echo *echo, struct http_exchange *exchange)
{
    stream(echo, exchange, TASK_STREAM);
}

static void answer_broken(struct echo *echo, struct http_exchange *exchange)
{
    stream(echo, exchange, TASK_BROKEN);
}

static void answer_slow(struct echo *echo, struct http_exchange *exchange)
{
    task_new(echo, exchange, TASK_WAIT);
}

static void answer_release(struct echo *echo, struct http_exchange *exchange)
{
    struct task *task, *next;

    DL_FOREACH_SAFE(echo->tasks, task, next)
    {
        if (task->kind == TASK_WAIT) {
            http_reply_send(task->exchange, 200, "text/plain", NULL, 0, "released\n", 9);
            task_free(task);
        }
    }
    http_reply_send(exchange, 204, NULL, NULL, 0, NULL, 0);
}

static void answer_stats(struct echo *echo, struct http_exchange *exchange)
{
    char text[128];
    struct task *task;
    long waiting = 0;

    DL_FOREACH(echo->tasks, task)
    {
        waiting++;
    }
    int length = snprintf(text, sizeof(text), "{\"waiting\":%ld,\"gone\":%ld,\"connections\":%zu}",
                          waiting, echo->gone_count, http_server_connection_count(echo->server));
    http_reply_send(exchange, 200, "application/json", NULL, 0, text, (size_t)length);
}

static const struct route routes[] = {
    {"/hello", METHOD_GET | METHOD_HEAD, "GET, HEAD", answer_hello},
    {"/livez", METHOD_GET | METHOD_HEAD, "GET, HEAD", answer_hello},
    {"/api/spark/query/parquet", METHOD_POST, "POST", answer_echo},
    {"/echo", METHOD_POST | METHOD_PUT, "POST, PUT", answer_echo},
    {"/stream", METHOD_GET | METHOD_HEAD, "GET, HEAD", answer_stream},
    {"/broken", METHOD_GET, "GET", answer_broken},
    {"/slow", METHOD_GET | METHOD_POST, "GET, POST", answer_slow},
    {"/release", METHOD_POST, "POST", answer_release},
    {"/stats", METHOD_GET, "GET", answer_stats},
};

static const struct route *find_route(const char *path)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    }
    return NULL;
}

static void on_headers(struct http_exchange *exchange, void *user)
{
    const struct http_request *request = http_exchange_request(exchange);
    const struct route *route = find_route(request->path);
    struct error err;
    (void)user;

    if (route == NULL) {
        error_set(&err, ERROR_NOT_FOUND, "no route %s", request->path);
        http_reply_problem(exchange, &err, NULL, -1, 0, NULL);
    } else if ((route->methods & request->method) == 0) {
        error_set(&err, ERROR_METHOD_NOT_ALLOWED, "%s knows %s", route->path, route->allow);
        http_reply_problem(exchange, &err, NULL, -1, 0, route->allow);
    }
}

static void on_request(struct http_exchange *exchange, void *user)
{
    find_route(http_exchange_request(exchange)->path)->answer(user, exchange);
}

static void on_terminate(evutil_socket_t fd, short what, void *user)
{
    struct echo *echo = user;
    (void)fd;
    (void)what;

    event_base_loopbreak(echo->base);
}

static int set_option(struct http_server_config *config, const char *option)
{
    char name[32];
    long value;

    if (sscanf(option, "%31[a-z_]=%ld", name, &value) != 2)
        return -1;
    if (strcmp(name, "max_connections") == 0)
        config->max_connections = (size_t)value;
    else if (strcmp(name, "max_body_bytes") == 0)
        config->max_body_bytes = (size_t)value;
    else if (strcmp(name, "header_timeout_ms") == 0)
        config->header_timeout_ms = value;
    else if (strcmp(name, "body_timeout_ms") == 0)
        config->body_timeout_ms = value;
    else if (strcmp(name, "keep_alive_ms") == 0)
        config->keep_alive_ms = value;
    else if (strcmp(name, "write_stall_ms") == 0)
        config->write_stall_ms = value;
    else
        return -1;
    return 0;
}

int main(int argc, char **argv)
{
    struct http_server_config config = http_server_config_default();
    struct echo echo = {.base = event_base_new()};
    const struct http_server_callbacks callbacks = {on_headers, on_request, &echo};
    struct error err;

    for (int i = 1; i < argc; i++) {
        if (set_option(&config, argv[i]) < 0) {
            fprintf(stderr, "unknown option %s\n", argv[i]);
            return 2;
        }
    }
    signal(SIGPIPE, SIG_IGN);
    if (echo.base == NULL ||
        http_server_new(echo.base, "127.0.0.1:0", &config, &callbacks, &echo.server, &err) < 0)
        return 1;
    struct event *terminate = evsignal_new(echo.base, SIGTERM, on_terminate, &echo);
    event_add(terminate, NULL);

    printf("%d\n", http_server_port(echo.server));
    fflush(stdout);
    event_base_dispatch(echo.base);

    http_server_free(echo.server);
    event_free(terminate);
    event_base_free(echo.base);
    libevent_global_shutdown();
    return 0;
}
