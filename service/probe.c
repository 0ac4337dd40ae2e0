#include "probe.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TIMEOUT_S 2

/* "0.0.0.0:8000" is where it listens; 127.0.0.1 is where it is asked. */
static void split_address(const char *addresses, char ret_host[128], char ret_port[8])
{
    size_t length = strcspn(addresses, ",");
    const char *colon = memrchr(addresses, ':', length);
    size_t host_length = colon != NULL ? (size_t)(colon - addresses) : length;

    snprintf(ret_host, 128, "%.*s", (int)host_length, addresses);
    snprintf(ret_port, 8, "%.*s", colon != NULL ? (int)(length - host_length - 1) : 0,
             colon != NULL ? colon + 1 : "");
    if (ret_host[0] == '[' && host_length < 128) {
        memmove(ret_host, ret_host + 1, strlen(ret_host));
        ret_host[strcspn(ret_host, "]")] = '\0';
    }
    if (ret_host[0] == '\0' || strcmp(ret_host, "0.0.0.0") == 0)
        snprintf(ret_host, 128, "127.0.0.1");
    if (strcmp(ret_host, "::") == 0)
        snprintf(ret_host, 128, "::1");
}

static int connect_to(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    int fd = -1;

    if (getaddrinfo(host, port, &hints, &addresses) != 0)
        return -1;
    for (const struct addrinfo *a = addresses; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0)
            continue;
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
        if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(addresses);
    return fd;
}

/* A connection, plain or over TLS (`ssl`). */
struct line {
    int fd;
    SSL_CTX *context;
    SSL *ssl;
};

static void line_close(struct line *line)
{
    SSL_free(line->ssl);
    SSL_CTX_free(line->context);
    close(line->fd);
}

static bool line_secure(struct line *line)
{
    line->context = SSL_CTX_new(TLS_client_method());
    if (line->context == NULL)
        return false;
    SSL_CTX_set_verify(line->context, SSL_VERIFY_NONE, NULL);
    line->ssl = SSL_new(line->context);
    return line->ssl != NULL && SSL_set_fd(line->ssl, line->fd) == 1 && SSL_connect(line->ssl) == 1;
}

static bool line_send(const struct line *line, const char *text)
{
    size_t length = strlen(text);

    if (line->ssl != NULL)
        return SSL_write(line->ssl, text, (int)length) == (int)length;
    return send(line->fd, text, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* Reads to the end of the connection, at most `size` - 1 bytes. */
static void line_receive(const struct line *line, char *ret_text, size_t size)
{
    size_t length = 0;

    while (length + 1 < size) {
        ssize_t got = line->ssl != NULL
                          ? SSL_read(line->ssl, ret_text + length, (int)(size - 1 - length))
                          : recv(line->fd, ret_text + length, size - 1 - length, 0);
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    ret_text[length] = '\0';
}

int probe_run(const char *addresses, bool tls, const char *path)
{
    char host[128];
    char port[8];
    char request[256];
    char answer[4096] = "";
    const char *body = NULL;
    struct line line = {0};

    split_address(addresses, host, port);
    line.fd = connect_to(host, port);
    if (line.fd < 0) {
        printf("no answer from %s:%s: %s\n", host, port, strerror(errno));
        return 1;
    }
    snprintf(request, sizeof(request),
             "GET %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n", path, host, port);
    if ((!tls || line_secure(&line)) && line_send(&line, request))
        line_receive(&line, answer, sizeof(answer));
    line_close(&line);
    body = strstr(answer, "\r\n\r\n");
    fputs(body != NULL ? body + 4 : "no answer in time\n", stdout);
    return strncmp(answer, "HTTP/1.1 200 ", 13) == 0 ? 0 : 1;
}
