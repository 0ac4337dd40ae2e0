#include "scripted_mysql.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define ANSWERS_MAX 64
#define PACKET_MAX ((size_t)256 * 1024)
#define SAID_MAX ((size_t)64 * 1024)

#define PARAMETERS_MAX 16
#define CAPABILITIES 0xAA28Fu /* protocol 41, transactions, secure, multi results, plugin auth */
#define STATUS_AUTOCOMMIT 2

enum { COM_QUIT = 1, COM_QUERY = 3, COM_PREPARE = 0x16, COM_EXECUTE, COM_STMT_CLOSE = 0x19 };

struct client {
    struct scripted_mysql *server;
    pthread_t thread;
    int fd;
    unsigned char sequence;
    struct scripted_answer prepared;
    unsigned char packet[PACKET_MAX];
};

struct scripted_mysql {
    const char *sql_mode;
    int listener;
    int port;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool goes_on;                                /* under lock */
    struct scripted_answer answers[ANSWERS_MAX]; /* under lock */
    size_t answer_count;                         /* under lock */
    struct client *clients[CLIENTS_MAX];         /* under lock; kept until the stop */
    size_t client_count;                         /* under lock */
    size_t logins;                               /* under lock */
    char said[SAID_MAX];                         /* under lock; statements, a newline before each */
    size_t said_bytes;                           /* under lock */
    unsigned char execute[1024];                 /* under lock */
    size_t execute_bytes;                        /* under lock */
    size_t executes;                             /* under lock */
};

/* ---- packets ---- */

static bool write_all(int fd, const void *data, size_t length)
{
    const char *bytes = data;

    while (length > 0) {
        ssize_t count = send(fd, bytes, length, MSG_NOSIGNAL);

        if (count <= 0)
            return false;
        bytes += count;
        length -= (size_t)count;
    }
    return true;
}

static bool read_all(int fd, void *data, size_t length)
{
    char *bytes = data;

    while (length > 0) {
        ssize_t count = recv(fd, bytes, length, 0);

        if (count <= 0)
            return false;
        bytes += count;
        length -= (size_t)count;
    }
    return true;
}

static bool send_packet(struct client *client, const void *payload, size_t length)
{
    const unsigned char head[] = {(unsigned char)length, (unsigned char)(length >> 8),
                                  (unsigned char)(length >> 16), client->sequence++};

    return write_all(client->fd, head, sizeof(head)) && write_all(client->fd, payload, length);
}

/* Its length, -1 = the client is gone. */
static long receive_packet(struct client *client)
{
    unsigned char head[4];
    size_t length = 0;

    if (!read_all(client->fd, head, sizeof(head)))
        return -1;
    length = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
    client->sequence = (unsigned char)(head[3] + 1);
    if (length >= PACKET_MAX || !read_all(client->fd, client->packet, length))
        return -1;
    client->packet[length] = '\0';
    return (long)length;
}

/* A packet that is being put together. */
struct draft {
    unsigned char bytes[1024];
    size_t length;
};

static void put(struct draft *draft, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        draft->bytes[draft->length++] = (unsigned char)(value >> 8 * i);
}

static void put_text(struct draft *draft, const char *text)
{
    size_t length = strlen(text);

    put(draft, length, 1);
    memcpy(draft->bytes + draft->length, text, length);
    draft->length += length;
}

static bool send_draft(struct client *client, const struct draft *draft)
{
    return send_packet(client, draft->bytes, draft->length);
}

static bool send_ok(struct client *client)
{
    return send_packet(client, "\0\0\0\2\0\0\0", 7);
}

static bool send_eof(struct client *client)
{
    return send_packet(client, "\xfe\0\0\2\0", 5);
}

static bool send_error(struct client *client, unsigned number, const char *sqlstate)
{
    struct draft draft = {0};

    put(&draft, 0xFF, 1);
    put(&draft, number, 2);
    draft.length +=
        (size_t)sprintf((char *)draft.bytes + draft.length, "#%stold to fail", sqlstate);
    return send_draft(client, &draft);
}

static bool send_columns(struct client *client, const struct scripted_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct draft draft = {0};

        put_text(&draft, "def");
        for (int names = 0; names < 3; names++) /* schema, table, table's own name */
            put_text(&draft, "");
        put_text(&draft, columns[i].name);
        put_text(&draft, columns[i].name);
        put(&draft, 0x0C, 1);
        put(&draft, columns[i].charset, 2);
        put(&draft, columns[i].length, 4);
        put(&draft, columns[i].type, 1);
        put(&draft, columns[i].flags, 2);
        put(&draft, columns[i].decimals, 3);
        if (!send_draft(client, &draft))
            return false;
    }
    return count == 0 || send_eof(client);
}

/* ---- the protocol ---- */

static bool greet(struct client *client)
{
    static const char salt[] = "abcdefghijklmnopqrst";
    struct draft draft = {0};

    put(&draft, 10, 1);
    memcpy(draft.bytes + draft.length, "8.0.36", 7);
    draft.length += 7;
    put(&draft, 7, 4); /* the connection's number */
    memcpy(draft.bytes + draft.length, salt, 8);
    draft.length += 9;
    put(&draft, CAPABILITIES & 0xFFFF, 2);
    put(&draft, 45, 1); /* utf8mb4_general_ci */
    put(&draft, STATUS_AUTOCOMMIT, 2);
    put(&draft, CAPABILITIES >> 16, 2);
    put(&draft, 21, 1);
    draft.length += 10;
    memcpy(draft.bytes + draft.length, salt + 8, 13);
    draft.length += 13;
    memcpy(draft.bytes + draft.length, "mysql_native_password", 22);
    draft.length += 22;
    if (!send_draft(client, &draft) || receive_packet(client) < 0)
        return false;
    pthread_mutex_lock(&client->server->lock);
    client->server->logins++;
    pthread_mutex_unlock(&client->server->lock);
    return send_ok(client);
}

static void note(struct scripted_mysql *server, const char *statement)
{
    pthread_mutex_lock(&server->lock);
    if (server->said_bytes + strlen(statement) + 2 < SAID_MAX)
        server->said_bytes += (size_t)sprintf(server->said + server->said_bytes, "\n%s", statement);
    pthread_mutex_unlock(&server->lock);
}

/* NULL: there is none. Under the lock. */
static struct scripted_answer *answer_to(struct scripted_mysql *server, const char *sql)
{
    for (size_t i = 0; i < server->answer_count; i++) {
        if (strcmp(server->answers[i].sql, sql) == 0)
            return &server->answers[i];
    }
    return NULL;
}

/* An empty one when there is none. */
static struct scripted_answer find_answer(struct scripted_mysql *server, const char *sql)
{
    struct scripted_answer copy = {.sql = ""};
    const struct scripted_answer *answer = NULL;

    pthread_mutex_lock(&server->lock);
    answer = answer_to(server, sql);
    if (answer != NULL)
        copy = *answer;
    pthread_mutex_unlock(&server->lock);
    return copy;
}

static bool answer_prepare(struct client *client, const char *sql)
{
    static const struct scripted_column parameters[PARAMETERS_MAX] = {
        [0 ... PARAMETERS_MAX - 1] = {"?", 0xFD, 0, 45, 0, 0}};
    struct draft draft = {0};

    note(client->server, sql);
    client->prepared = find_answer(client->server, sql);
    if (client->prepared.end == SCRIPTED_REFUSES)
        return send_error(client, 1146, "42S02");
    put(&draft, 0, 1);
    put(&draft, 1, 4); /* the statement's number */
    put(&draft, client->prepared.column_count, 2);
    put(&draft, client->prepared.parameters, 2);
    put(&draft, 0, 3);
    if (!send_draft(client, &draft))
        return false;
    return send_columns(client, parameters, client->prepared.parameters) &&
           send_columns(client, client->prepared.columns, client->prepared.column_count);
}

static bool be_silent(struct client *client)
{
    while (recv(client->fd, client->packet, PACKET_MAX, 0) > 0)
        ;
    return false;
}

static void wait_to_go_on(struct scripted_mysql *server)
{
    pthread_mutex_lock(&server->lock);
    while (!server->goes_on)
        pthread_cond_wait(&server->told, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

static bool send_rows(struct client *client, const struct scripted_answer *answer, bool as_text)
{
    for (size_t i = 0; i < answer->row_count; i++) {
        bool sent = false;

        client->packet[0] = '\0';
        if (!as_text)
            memcpy(client->packet + 1, answer->row, answer->row_bytes);
        sent = as_text ? send_packet(client, answer->text, answer->text_bytes)
                       : send_packet(client, client->packet, answer->row_bytes + 1);
        if (!sent)
            return false;
    }
    return true;
}

static bool send_result(struct client *client, const struct scripted_answer *answer, bool as_text)
{
    struct draft count = {0};

    if (answer->end == SCRIPTED_REFUSES_TO_RUN)
        return send_error(client, 1792, "25006");
    if (answer->end == SCRIPTED_WAITS_FIRST)
        wait_to_go_on(client->server);
    put(&count, answer->column_count, 1);
    if (!send_draft(client, &count) ||
        !send_columns(client, answer->columns, answer->column_count) ||
        !send_rows(client, answer, as_text))
        return false;
    if (answer->end == SCRIPTED_HANGS)
        return be_silent(client);
    if (answer->end == SCRIPTED_LEAVES)
        return false;
    if (answer->end == SCRIPTED_WAITS)
        wait_to_go_on(client->server);
    return answer->end == SCRIPTED_FAILS ? send_error(client, 1205, "HY000") : send_eof(client);
}

static bool answer_execute(struct client *client, size_t length)
{
    struct scripted_mysql *server = client->server;

    pthread_mutex_lock(&server->lock);
    server->executes++;
    server->execute_bytes = length < sizeof(server->execute) ? length : sizeof(server->execute);
    memcpy(server->execute, client->packet, server->execute_bytes);
    pthread_mutex_unlock(&server->lock);
    return send_result(client, &client->prepared, false);
}

static bool answer_query(struct client *client, const char *sql)
{
    static const struct scripted_column column = {"v", 0xFD, 0, 45, 1024, 0};
    const struct scripted_answer answer = find_answer(client->server, sql);
    struct draft row = {0};

    note(client->server, sql);
    if (answer.text != NULL)
        return send_result(client, &answer, true);
    if (strstr(sql, "SELECT @@") != sql)
        return send_ok(client);
    put_text(&row, client->server->sql_mode);
    return send_packet(client, "\1", 1) && send_columns(client, &column, 1) &&
           send_draft(client, &row) && send_eof(client);
}

static bool answer_command(struct client *client, size_t length)
{
    switch (client->packet[0]) {
    case COM_QUIT:
        return false;
    case COM_QUERY:
        return answer_query(client, (const char *)client->packet + 1);
    case COM_PREPARE:
        return answer_prepare(client, (const char *)client->packet + 1);
    case COM_EXECUTE:
        return answer_execute(client, length);
    case COM_STMT_CLOSE: /* the only one without an answer */
        return true;
    default:
        return send_ok(client);
    }
}

static void *serve(void *argument)
{
    struct client *client = argument;
    long length = 0;

    if (greet(client)) {
        while ((length = receive_packet(client)) > 0 && answer_command(client, (size_t)length))
            ;
    }
    (void)shutdown(client->fd, SHUT_RDWR);
    return NULL;
}

static void *accept_all(void *argument)
{
    struct scripted_mysql *server = argument;
    int fd = -1;

    while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
        struct client *client = calloc(1, sizeof(*client));

        if (client == NULL)
            abort();
        /* An answer is several small packets. */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        client->server = server;
        client->fd = fd;
        pthread_mutex_lock(&server->lock);
        if (server->client_count == CLIENTS_MAX ||
            pthread_create(&client->thread, NULL, serve, client) != 0)
            abort();
        server->clients[server->client_count++] = client;
        pthread_mutex_unlock(&server->lock);
    }
    return NULL;
}

/* ---- for the test ---- */

struct scripted_mysql *scripted_mysql_start(const struct scripted_answer *answers,
                                            const char *sql_mode)
{
    struct scripted_mysql *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    if (server == NULL)
        abort();
    for (; answers->sql != NULL; answers++) {
        if (server->answer_count == ANSWERS_MAX)
            abort();
        server->answers[server->answer_count++] = *answers;
    }
    server->sql_mode = sql_mode;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->told, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(server->listener, 16) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &length) != 0 ||
        pthread_create(&server->thread, NULL, accept_all, server) != 0)
        abort();
    server->port = ntohs(address.sin_port);
    return server;
}

void scripted_mysql_change(struct scripted_mysql *server, const struct scripted_answer *answer)
{
    pthread_mutex_lock(&server->lock);
    *answer_to(server, answer->sql) = *answer;
    pthread_mutex_unlock(&server->lock);
}

void scripted_mysql_go_on(struct scripted_mysql *server)
{
    pthread_mutex_lock(&server->lock);
    server->goes_on = true;
    pthread_cond_broadcast(&server->told);
    pthread_mutex_unlock(&server->lock);
}

int scripted_mysql_port(const struct scripted_mysql *server)
{
    return server->port;
}

void scripted_mysql_hang_up(struct scripted_mysql *server)
{
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->client_count; i++)
        (void)shutdown(server->clients[i]->fd, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
}

static size_t read_count(struct scripted_mysql *server, const size_t *count)
{
    size_t copy = 0;

    pthread_mutex_lock(&server->lock);
    copy = *count;
    pthread_mutex_unlock(&server->lock);
    return copy;
}

size_t scripted_mysql_connections(struct scripted_mysql *server)
{
    return read_count(server, &server->client_count);
}

size_t scripted_mysql_logins(struct scripted_mysql *server)
{
    return read_count(server, &server->logins);
}

size_t scripted_mysql_count(struct scripted_mysql *server, const char *text)
{
    char wanted[256];
    size_t count = 0;

    snprintf(wanted, sizeof(wanted), "\n%s", text);
    pthread_mutex_lock(&server->lock);
    for (const char *at = server->said; (at = strstr(at, wanted)) != NULL; at++)
        count++;
    pthread_mutex_unlock(&server->lock);
    return count;
}

size_t scripted_mysql_executes(struct scripted_mysql *server)
{
    return read_count(server, &server->executes);
}

size_t scripted_mysql_last_execute(struct scripted_mysql *server, unsigned char *ret, size_t size)
{
    size_t length = 0;

    pthread_mutex_lock(&server->lock);
    length = server->execute_bytes < size ? server->execute_bytes : size;
    memcpy(ret, server->execute, length);
    pthread_mutex_unlock(&server->lock);
    return length;
}

void scripted_mysql_stop(struct scripted_mysql *server)
{
    (void)shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    scripted_mysql_hang_up(server);
    scripted_mysql_go_on(server);
    for (size_t i = 0; i < server->client_count; i++) {
        pthread_join(server->clients[i]->thread, NULL);
        close(server->clients[i]->fd);
        free(server->clients[i]);
    }
    close(server->listener);
    pthread_cond_destroy(&server->told);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
