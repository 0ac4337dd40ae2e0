/*
 * load_client: asks an HTTP/1.1 server over keep-alive connections and times each answer.
 *
 *     load_client PORT CONNECTIONS SECONDS MIN_REQUESTS MAX_REQUESTS < requests
 *
 * stdin: whole requests, each behind a line with its length; they are sent in turn, over and over.
 * No new one is sent after MAX_REQUESTS, or after SECONDS once MIN_REQUESTS are answered; answers on
 * their way are waited for. stdout: one JSON object,
 * {"seconds":…,"errors":…,"body_bytes":…,"latencies_ns":[…]}. An answer other than 200 is an error.
 * A server that closes behind an answer is connected to anew, within the next answer's time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_BYTES = 256 * 1024,
    HEAD_BYTES = 16 * 1024,
    ANSWER_LIMIT_MS = 300 * 1000 /* nobody answers for so long: the run is over */
};

struct request {
    char *bytes;
    size_t length;
};

/* Where an answer is: in its head, its body of known length, or one part of a chunked body. */
enum place { IN_HEAD, IN_BODY, IN_CHUNK_SIZE, IN_CHUNK, IN_CHUNK_END, IN_TRAILERS };

struct connection {
    int fd;
    enum place place;
    char line[HEAD_BYTES]; /* the head, or a line of the chunked coding, as far as it came */
    size_t line_length;
    uint64_t left; /* of the body or the chunk */
    bool is_ok;
    bool closes;
    int64_t sent_ns;
};

struct run {
    uint16_t port;
    struct request *requests;
    size_t request_count, next_request;
    uint64_t asked, min_requests, max_requests;
    int64_t begin_ns, end_ns, stop_ns;
    uint64_t *latencies_ns;
    uint64_t answered, errors, body_bytes, room;
    size_t busy;
};

static void fail(const char *what)
{
    fprintf(stderr, "load_client: %s: %s\n", what, errno != 0 ? strerror(errno) : "broken");
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void read_requests(struct run *run)
{
    size_t length;
    while (scanf("%zu", &length) == 1) {
        run->requests = realloc(run->requests, (run->request_count + 1) * sizeof run->requests[0]);
        char *bytes = malloc(length + 1);
        if (run->requests == NULL || bytes == NULL || getchar() != '\n' ||
            fread(bytes, 1, length, stdin) != length)
            fail("read the requests");
        run->requests[run->request_count++] = (struct request){bytes, length};
    }
    if (run->request_count == 0)
        fail("no request");
}

static void dial(const struct run *run, struct connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(run->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("connect");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    connection->closes = false;
}

static bool is_over(const struct run *run, int64_t now)
{
    return run->asked >= run->max_requests ||
           (now >= run->stop_ns && run->answered >= run->min_requests);
}

static void ask(struct run *run, struct connection *connection)
{
    const struct request *request = &run->requests[run->next_request++ % run->request_count];
    run->asked++;
    run->busy++;
    connection->place = IN_HEAD;
    connection->line_length = 0;
    connection->sent_ns = now_ns();
    for (size_t sent = 0; sent < request->length;) {
        ssize_t count =
            send(connection->fd, request->bytes + sent, request->length - sent, MSG_NOSIGNAL);
        if (count <= 0)
            fail("send");
        sent += (size_t)count;
    }
}

static void note_answer(struct run *run, struct connection *connection)
{
    run->end_ns = now_ns();
    run->busy--;
    if (!connection->is_ok)
        run->errors++;
    if (run->answered == run->room) {
        run->room = run->room == 0 ? 4096 : run->room * 2;
        run->latencies_ns = realloc(run->latencies_ns, run->room * sizeof run->latencies_ns[0]);
        if (run->latencies_ns == NULL)
            fail("memory");
    }
    run->latencies_ns[run->answered++] = (uint64_t)(run->end_ns - connection->sent_ns);
}

/* The value of a header, NULL when it isn't there; `head` is NUL-terminated. */
static const char *header(const char *head, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " ");
    }
    return NULL;
}

/* The head is whole: where the answer goes on. True when it has no body. */
static bool head_ends(struct connection *connection)
{
    connection->line[connection->line_length] = '\0';
    const char *close = header(connection->line, "connection");
    const char *length = header(connection->line, "content-length");
    const char *coding = header(connection->line, "transfer-encoding");
    connection->is_ok = strncmp(connection->line, "HTTP/1.1 200 ", 13) == 0;
    connection->closes = close != NULL && strncasecmp(close, "close", 5) == 0;
    connection->line_length = 0;
    if (coding != NULL && strncasecmp(coding, "chunked", 7) == 0) {
        connection->place = IN_CHUNK_SIZE;
        return false;
    }
    if (length == NULL)
        fail("an answer without length");
    connection->left = strtoull(length, NULL, 10);
    connection->place = IN_BODY;
    return connection->left == 0;
}

/* A line of the chunked coding is whole. True when it ends the answer. */
static bool line_ends(struct connection *connection)
{
    connection->line[connection->line_length] = '\0';
    bool is_empty = connection->line_length == 2;
    connection->line_length = 0;
    if (connection->place == IN_TRAILERS)
        return is_empty;
    if (connection->place == IN_CHUNK_END) {
        connection->place = IN_CHUNK_SIZE;
        return false;
    }
    connection->left = strtoull(connection->line, NULL, 16);
    connection->place = connection->left == 0 ? IN_TRAILERS : IN_CHUNK;
    return false;
}

/* Takes what came; true when the answer is whole. */
static bool take(struct run *run, struct connection *connection, const char *bytes, size_t length)
{
    while (length > 0) {
        if (connection->place == IN_BODY || connection->place == IN_CHUNK) {
            size_t part = length < connection->left ? length : (size_t)connection->left;
            run->body_bytes += part;
            connection->left -= part;
            bytes += part;
            length -= part;
            if (connection->left > 0)
                continue;
            if (connection->place == IN_BODY)
                return true;
            connection->place = IN_CHUNK_END;
            continue;
        }
        const char *newline = memchr(bytes, '\n', length);
        size_t part = newline != NULL ? (size_t)(newline - bytes) + 1 : length;
        if (connection->line_length + part >= HEAD_BYTES)
            fail("too long a line");
        memcpy(connection->line + connection->line_length, bytes, part);
        connection->line_length += part;
        bytes += part;
        length -= part;
        if (newline == NULL)
            return false;
        bool is_whole = false;
        if (connection->place != IN_HEAD)
            is_whole = line_ends(connection);
        else if (connection->line_length >= 4 &&
                 memcmp(connection->line + connection->line_length - 4, "\r\n\r\n", 4) == 0)
            is_whole = head_ends(connection);
        if (is_whole)
            return true;
    }
    return false;
}

static void watch(int poll, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        fail("epoll_ctl");
}

static void read_answer(struct run *run, int poll, struct connection *connection)
{
    static char buffer[READ_BYTES];
    ssize_t count = recv(connection->fd, buffer, sizeof buffer, 0);
    if (count <= 0)
        fail("the server closed within an answer");
    if (!take(run, connection, buffer, (size_t)count))
        return;
    note_answer(run, connection);
    if (is_over(run, run->end_ns))
        return;
    if (connection->closes) {
        close(connection->fd);
        dial(run, connection);
        watch(poll, connection);
    }
    ask(run, connection);
}

static void print_run(const struct run *run)
{
    printf("{\"seconds\":%.6f,\"errors\":%" PRIu64 ",\"body_bytes\":%" PRIu64 ",\"latencies_ns\":[",
           (double)(run->end_ns - run->begin_ns) / 1e9, run->errors, run->body_bytes);
    for (uint64_t i = 0; i < run->answered; i++)
        printf("%s%" PRIu64, i == 0 ? "" : ",", run->latencies_ns[i]);
    printf("]}\n");
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: load_client PORT CONNECTIONS SECONDS MIN_REQUESTS MAX_REQUESTS\n");
        return 2;
    }
    struct run run = {.port = (uint16_t)atoi(argv[1])};
    size_t count = (size_t)atoi(argv[2]);
    run.min_requests = strtoull(argv[4], NULL, 10);
    run.max_requests = strtoull(argv[5], NULL, 10);
    read_requests(&run);
    struct connection *connections = calloc(count, sizeof connections[0]);
    int poll = epoll_create1(0);
    if (connections == NULL || poll < 0)
        fail("start");
    for (size_t i = 0; i < count; i++) {
        dial(&run, &connections[i]);
        watch(poll, &connections[i]);
    }
    run.begin_ns = now_ns();
    run.stop_ns = run.begin_ns + (int64_t)(atof(argv[3]) * 1e9);
    for (size_t i = 0; i < count && run.asked < run.max_requests; i++)
        ask(&run, &connections[i]);
    while (run.busy > 0) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll, events, 64, ANSWER_LIMIT_MS);
        if (ready <= 0)
            fail("wait for answers");
        for (int i = 0; i < ready; i++)
            read_answer(&run, poll, events[i].data.ptr);
    }
    print_run(&run);
    return 0;
}
