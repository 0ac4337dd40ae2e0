#include "mysql_sources.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "query_syntax.h"

#define DEFAULT_PORT 3306
#define HOSTS_MAX 64

struct host_port {
    char *host;
    int port;
};

struct mysql_sources {
    struct mysql_target main; /* host NULL = none */
    struct host_port allowed[HOSTS_MAX];
    size_t allowed_count;
};

static int copy_text(const char *text, char **ret_copy, struct error *err)
{
    char *copy = NULL;

    if (text != NULL && (copy = strdup(text)) == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    *ret_copy = copy;
    return 0;
}

/* "host:port" or "host" of `length` bytes. */
static int parse_host_port(const char *text, size_t length, struct host_port *ret,
                           struct error *err)
{
    char *host = strndup(text, length);
    char *colon = NULL;
    long port = DEFAULT_PORT;

    if (host == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    colon = strrchr(host, ':');
    if (colon != NULL) {
        char *end = NULL;
        port = strtol(colon + 1, &end, 10);
        *colon = '\0';
        if (*end != '\0' || end == colon + 1)
            port = 0;
    }
    if (!query_syntax_is_host(host) || port < 1 || port > 65535) {
        free(host);
        return error_set(err, ERROR_BAD_REQUEST, "MYSQL_HOSTS: '%.*s' is not host:port",
                         (int)length, text);
    }
    ret->host = host;
    ret->port = (int)port;
    return 0;
}

static int parse_allowed(struct mysql_sources *sources, const char *list, struct error *err)
{
    while (*list != '\0') {
        size_t length = strcspn(list, ",");

        while (length > 0 && *list == ' ') {
            list++;
            length--;
        }
        if (length > 0) {
            if (sources->allowed_count == HOSTS_MAX)
                return error_set(err, ERROR_BAD_REQUEST, "MYSQL_HOSTS: more than %d hosts",
                                 HOSTS_MAX);
            if (parse_host_port(list, length, &sources->allowed[sources->allowed_count], err) != 0)
                return -1;
            sources->allowed_count++;
        }
        list += length;
        if (*list == ',')
            list++;
    }
    return 0;
}

static int fill_main(struct mysql_target *target, const struct settings *settings,
                     struct error *err)
{
    if (settings->mysql_host == NULL)
        return 0;
    if (settings->mysql_user == NULL)
        return error_set(err, ERROR_BAD_REQUEST, "MYSQL_HOST is set but MYSQL_USER is not");
    target->port = (int)settings->mysql_port;
    if (copy_text(settings->mysql_host, &target->host, err) != 0 ||
        copy_text(settings->mysql_user, &target->user, err) != 0 ||
        copy_text(settings->mysql_password != NULL ? settings->mysql_password : "",
                  &target->password, err) != 0 ||
        copy_text(settings->mysql_database, &target->database, err) != 0)
        return -1;
    return 0;
}

int mysql_sources_new(const struct settings *settings, struct mysql_sources **ret_sources,
                      struct error *err)
{
    struct mysql_sources *sources = calloc(1, sizeof(*sources));

    if (sources == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    if (fill_main(&sources->main, settings, err) != 0 ||
        parse_allowed(sources, settings->mysql_hosts, err) != 0) {
        mysql_sources_free(sources);
        return -1;
    }
    *ret_sources = sources;
    return 0;
}

void mysql_sources_free(struct mysql_sources *sources)
{
    if (sources == NULL)
        return;
    for (size_t i = 0; i < sources->allowed_count; i++)
        free(sources->allowed[i].host);
    mysql_target_done(&sources->main);
    free(sources);
}

void mysql_target_done(struct mysql_target *target)
{
    if (target->password != NULL)
        explicit_bzero(target->password, strlen(target->password));
    free(target->host);
    free(target->user);
    free(target->password);
    free(target->database);
    memset(target, 0, sizeof(*target));
}

bool mysql_sources_has_main(const struct mysql_sources *sources)
{
    return sources->main.host != NULL;
}

static bool host_is_allowed(const struct mysql_sources *sources, const char *host, int port)
{
    if (sources->main.host != NULL && sources->main.port == port &&
        strcasecmp(sources->main.host, host) == 0)
        return true;
    for (size_t i = 0; i < sources->allowed_count; i++) {
        if (sources->allowed[i].port == port && strcasecmp(sources->allowed[i].host, host) == 0)
            return true;
    }
    return false;
}

int mysql_sources_resolve(const struct mysql_sources *sources,
                          const struct query_mysql_config *config, struct mysql_target *ret_target,
                          struct error *err)
{
    struct mysql_target target = {0};
    const struct mysql_target *main_target = &sources->main;
    bool own_host = config->host != NULL;

    if (!own_host) {
        if (config->source != NULL && strcmp(config->source, "main") != 0)
            return error_set(err, ERROR_BAD_REQUEST, "config.source: no source of that name");
        if (main_target->host == NULL)
            return error_set(err, ERROR_BAD_REQUEST,
                             "config: no MySQL source is set up; give config.host or start the "
                             "service with MYSQL_HOST");
    } else {
        target.port = config->port != 0 ? config->port : DEFAULT_PORT;
        if (!host_is_allowed(sources, config->host, target.port))
            return error_set(err, ERROR_FORBIDDEN,
                             "config.host: %s:%d is not an allowed MySQL host (MYSQL_HOSTS)",
                             config->host, target.port);
        if (config->user == NULL)
            return error_set(err, ERROR_BAD_REQUEST, "config.user: is missing");
    }
    if (!own_host)
        target.port = main_target->port;
    if (copy_text(own_host ? config->host : main_target->host, &target.host, err) != 0 ||
        copy_text(own_host ? config->user : main_target->user, &target.user, err) != 0 ||
        copy_text(own_host ? (config->password != NULL ? config->password : "")
                           : main_target->password,
                  &target.password, err) != 0 ||
        copy_text(own_host                   ? config->database
                  : config->database != NULL ? config->database
                                             : main_target->database,
                  &target.database, err) != 0) {
        mysql_target_done(&target);
        return -1;
    }
    *ret_target = target;
    return 0;
}

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

bool mysql_sources_probe_main(const struct mysql_sources *sources, int timeout_ms)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    char port[8];
    bool ok = false;

    snprintf(port, sizeof(port), "%d", sources->main.port);
    if (getaddrinfo(sources->main.host, port, &hints, &addresses) != 0)
        return false;
    for (const struct addrinfo *a = addresses; a != NULL && !ok; a = a->ai_next)
        ok = probe_address(a, timeout_ms);
    freeaddrinfo(addresses);
    return ok;
}
