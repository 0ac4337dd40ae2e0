#include "mysql_probe.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Waits for `events` on a socket; false on timeout or error. */
static bool wait_for(int fd, short events, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};

    return poll(&poll_fd, 1, timeout_ms) == 1 && (poll_fd.revents & events) != 0;
}

static bool probe_address(const struct addrinfo *address, int timeout_ms)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int so_error = 0;
    socklen_t length = sizeof(so_error);
    char first[5]; /* 3 bytes length, sequence number, protocol version */
    bool ok = false;

    if (fd < 0)
        return false;
    if ((connect(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS) &&
        wait_for(fd, POLLOUT, timeout_ms) &&
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &so_error, &length) == 0 && so_error == 0 &&
        wait_for(fd, POLLIN, timeout_ms))
        ok = recv(fd, first, sizeof(first), 0) == (ssize_t)sizeof(first) && first[4] == 10;
    close(fd);
    return ok;
}

bool mysql_probe(const char *host, int port, int timeout_ms)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    char service[8];
    bool ok = false;

    snprintf(service, sizeof(service), "%d", port);
    if (getaddrinfo(host, service, &hints, &addresses) != 0)
        return false;
    for (const struct addrinfo *a = addresses; a != NULL && !ok; a = a->ai_next)
        ok = probe_address(a, timeout_ms);
    freeaddrinfo(addresses);
    return ok;
}
