/*
 * service_client: HTTP/1.1 over a raw socket, so that tests see what is on the
 * wire: chunks, trailers, the missing last chunk. Never asserts: usable from
 * any thread, one client per thread.
 */
#ifndef TEST_SERVICE_CLIENT_H
#define TEST_SERVICE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct service_client {
    int fd;
    char *received; /* not yet taken by an answer */
    size_t length;
    size_t capacity;
    bool asked_head; /* the answer to the last request has no body */
};

struct answer {
    int status; /* 0: no answer came */
    char *head; /* status line and headers */
    char *body; /* NUL-terminated, without chunk framing */
    size_t body_length;
    char *trailers; /* "" when there are none */
    bool chunked;
    bool complete; /* the framing says that this was all */
};

bool service_client_open(struct service_client *client, int port);
/* The same with a receive buffer of about that size. */
bool service_client_open_narrow(struct service_client *client, int port, int receive_bytes);

/* Orderly (FIN), by reset, and only the sending half. */
void service_client_close(struct service_client *client);
void service_client_reset(struct service_client *client);
void service_client_half_close(struct service_client *client);

bool service_client_send(struct service_client *client, const char *bytes, size_t length);
bool service_client_request(struct service_client *client, const char *method, const char *target,
                            const char *headers, const char *body);

/* POST to the parquet endpoint; `fields` is further JSON (",\"row_limit\":1") or "". */
bool service_client_query(struct service_client *client, const char *path, const char *sql,
                          const char *fields);

/* Reads one answer to its end or to the end of the connection. False when
 * nothing came in time; answer_done afterwards in any case. */
bool service_client_read(struct service_client *client, struct answer *ret_answer);

/* Waits until at least `length` bytes came. */
bool service_client_wait_bytes(struct service_client *client, size_t length);

/* True when the server closed and nothing more came. */
bool service_client_at_end(struct service_client *client);

void answer_done(struct answer *answer);

/* Value of a header or trailer (any case) in a buffer of the caller; NULL when absent. */
const char *answer_header(const struct answer *answer, const char *name, char *buffer, size_t size);
const char *answer_trailer(const struct answer *answer, const char *name, char *buffer,
                           size_t size);

/* open, request, read, close. */
bool service_client_once(int port, const char *method, const char *target, const char *headers,
                         const char *body, struct answer *ret_answer);
bool service_client_query_once(int port, const char *path, const char *sql, const char *fields,
                               struct answer *ret_answer);

#endif
