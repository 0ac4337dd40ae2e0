#include "service_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "service_process.h"

#define READ_BYTES ((size_t)64 * 1024)

/* ---- the connection ---- */

bool service_client_open_narrow(struct service_client *client, int port, int receive_bytes)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    *client = (struct service_client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (client->fd < 0)
        return false;
    if (receive_bytes > 0)
        (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
    return connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

bool service_client_open(struct service_client *client, int port)
{
    return service_client_open_narrow(client, port, 0);
}

void service_client_close(struct service_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    free(client->received);
    *client = (struct service_client){.fd = -1};
}

void service_client_reset(struct service_client *client)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    service_client_close(client);
}

void service_client_half_close(struct service_client *client)
{
    (void)shutdown(client->fd, SHUT_WR);
}

bool service_client_send(struct service_client *client, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(client->fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

bool service_client_request(struct service_client *client, const char *method, const char *target,
                            const char *headers, const char *body)
{
    char *text = NULL;
    char length[48] = "";
    bool sent = false;
    int total = 0;

    client->asked_head = strcmp(method, "HEAD") == 0;
    if (body != NULL)
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body));
    total = asprintf(&text, "%s %s HTTP/1.1\r\nHost: test\r\n%s%s\r\n%s", method, target, headers,
                     length, body != NULL ? body : "");
    if (total < 0)
        return false;
    sent = service_client_send(client, text, (size_t)total);
    free(text);
    return sent;
}

bool service_client_query(struct service_client *client, const char *path, const char *sql,
                          const char *fields)
{
    char body[1024];

    snprintf(body, sizeof(body), "{\"path\":\"%s\",\"sql\":\"%s\"%s}", path, sql, fields);
    return service_client_request(client, "POST", "/api/spark/query/parquet",
                                  "Content-Type: application/json\r\n", body);
}

/* ---- bytes in ---- */

/* False at the end of the connection or when nothing came in time. */
static bool receive_more(struct service_client *client)
{
    struct pollfd poll_fd = {.fd = client->fd, .events = POLLIN};
    ssize_t got = 0;

    if (client->capacity - client->length < READ_BYTES + 1) {
        size_t capacity = client->capacity * 2 + READ_BYTES + 1;
        char *grown = realloc(client->received, capacity);
        if (grown == NULL)
            return false;
        client->received = grown;
        client->capacity = capacity;
    }
    if (poll(&poll_fd, 1, PATIENCE_MS) != 1)
        return false;
    got = recv(client->fd, client->received + client->length, READ_BYTES, 0);
    if (got <= 0)
        return false;
    client->length += (size_t)got;
    client->received[client->length] = '\0';
    return true;
}

bool service_client_wait_bytes(struct service_client *client, size_t length)
{
    while (client->length < length) {
        if (!receive_more(client))
            return false;
    }
    return true;
}

bool service_client_at_end(struct service_client *client)
{
    struct pollfd poll_fd = {.fd = client->fd, .events = POLLIN};
    char byte = 0;

    return client->length == 0 && poll(&poll_fd, 1, PATIENCE_MS) == 1 &&
           recv(client->fd, &byte, 1, 0) <= 0;
}

/* Offset behind the next "end" at or after `from`; 0 when the connection ended first. */
static size_t receive_until(struct service_client *client, size_t from, const char *end)
{
    for (;;) {
        const char *found = client->length > from ? memmem(client->received + from,
                                                           client->length - from, end, strlen(end))
                                                  : NULL;
        if (found != NULL)
            return (size_t)(found - client->received) + strlen(end);
        if (!receive_more(client))
            return 0;
    }
}

/* ---- one answer ---- */

static const char *find_field(const char *lines, const char *name, char *buffer, size_t size)
{
    size_t length = strlen(name);

    for (const char *line = lines; line != NULL && *line != '\0';
         line = strstr(line, "\r\n") != NULL ? strstr(line, "\r\n") + 2 : NULL) {
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *value = line + length + 1 + strspn(line + length + 1, " ");
            snprintf(buffer, size, "%.*s", (int)strcspn(value, "\r"), value);
            return buffer;
        }
    }
    return NULL;
}

const char *answer_header(const struct answer *answer, const char *name, char *buffer, size_t size)
{
    return find_field(answer->head, name, buffer, size);
}

const char *answer_trailer(const struct answer *answer, const char *name, char *buffer, size_t size)
{
    return find_field(answer->trailers, name, buffer, size);
}

/* Returns the offset behind the body, 0 when the connection ended inside it;
 * the body itself is moved together at the front of answer->body. */
static size_t read_chunks(struct service_client *client, size_t at, struct answer *answer)
{
    for (;;) {
        size_t data = receive_until(client, at, "\r\n");
        size_t size = 0;
        char *grown = NULL;

        if (data == 0)
            return 0;
        size = strtoul(client->received + at, NULL, 16);
        if (size == 0) {
            size_t end = receive_until(client, data - 2, "\r\n\r\n");
            if (end == 0)
                return 0;
            answer->trailers = strndup(client->received + data, end - data - 2);
            return end;
        }
        if (!service_client_wait_bytes(client, data + size + 2))
            return 0;
        grown = realloc(answer->body, answer->body_length + size + 1);
        if (grown == NULL)
            return 0;
        answer->body = grown;
        memcpy(answer->body + answer->body_length, client->received + data, size);
        answer->body_length += size;
        answer->body[answer->body_length] = '\0';
        at = data + size + 2;
    }
}

static size_t read_sized(struct service_client *client, size_t at, size_t length,
                         struct answer *answer)
{
    if (!service_client_wait_bytes(client, at + length))
        return 0;
    answer->body = malloc(length + 1);
    if (answer->body == NULL)
        return 0;
    memcpy(answer->body, client->received + at, length);
    answer->body[length] = '\0';
    answer->body_length = length;
    return at + length;
}

bool service_client_read(struct service_client *client, struct answer *ret_answer)
{
    char value[64];
    const char *length = NULL;
    size_t head_end = receive_until(client, 0, "\r\n\r\n");
    size_t end = 0;

    *ret_answer = (struct answer){0};
    if (head_end == 0)
        return false;
    ret_answer->head = strndup(client->received, head_end - 2);
    ret_answer->status = atoi(ret_answer->head + strlen("HTTP/1.1 "));
    ret_answer->chunked = answer_header(ret_answer, "Transfer-Encoding", value, sizeof(value)) &&
                          strcmp(value, "chunked") == 0;
    if (client->asked_head) {
        end = head_end;
    } else if (ret_answer->chunked) {
        end = read_chunks(client, head_end, ret_answer);
    } else {
        length = answer_header(ret_answer, "Content-Length", value, sizeof(value));
        end = read_sized(client, head_end, length != NULL ? strtoul(length, NULL, 10) : 0,
                         ret_answer);
    }
    ret_answer->complete = end != 0;
    if (ret_answer->body == NULL)
        ret_answer->body = strdup("");
    if (ret_answer->trailers == NULL)
        ret_answer->trailers = strdup("");
    if (end == 0)
        end = client->length;
    client->length -= end;
    memmove(client->received, client->received + end, client->length + 1);
    return true;
}

void answer_done(struct answer *answer)
{
    free(answer->head);
    free(answer->body);
    free(answer->trailers);
    *answer = (struct answer){0};
}

bool service_client_once(int port, const char *method, const char *target, const char *headers,
                         const char *body, struct answer *ret_answer)
{
    struct service_client client;
    bool answered = false;

    *ret_answer = (struct answer){0};
    answered = service_client_open(&client, port) &&
               service_client_request(&client, method, target, headers, body) &&
               service_client_read(&client, ret_answer);
    service_client_close(&client);
    return answered;
}

bool service_client_query_once(int port, const char *path, const char *sql, const char *fields,
                               struct answer *ret_answer)
{
    struct service_client client;
    bool answered = false;

    *ret_answer = (struct answer){0};
    answered = service_client_open(&client, port) &&
               service_client_query(&client, path, sql, fields) &&
               service_client_read(&client, ret_answer);
    service_client_close(&client);
    return answered;
}
