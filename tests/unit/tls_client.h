/*
 * tls_client: certificates made on the spot, and a blocking TLS client. Main thread of
 * a test only: what goes wrong ends the test by assertion.
 */
#ifndef TEST_TLS_CLIENT_H
#define TEST_TLS_CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* A new key and a certificate of its own for 127.0.0.1 with that serial number, PEM. */
void make_certificate(const char *cert_path, const char *key_path, long serial);

struct tls_client {
    int fd;
    SSL_CTX *context;
    SSL *ssl;
};

/* Connects; the handshake is still to come. Versions as TLS1_2_VERSION, 0 = any;
 * ALPN in its wire form, NULL: none. */
void tls_client_connect(struct tls_client *client, int port, int max_version, const char *alpn);

/* 1: done; else SSL_get_error's. */
int tls_client_shake_hands(struct tls_client *client);

/* Both. */
void tls_client_open(struct tls_client *client, int port);

void tls_client_send(struct tls_client *client, const char *text);

/* One request on a connection that goes on; a body of that type when not NULL. */
void tls_client_request(struct tls_client *client, const char *method, const char *target,
                        const char *headers, const char *body);

/* Reads up to size - 1 bytes until `end` was read or the stream ends; their count. */
size_t tls_client_read_until(struct tls_client *client, const char *end, char *ret_text,
                             size_t size);

/* Reads all that comes, keeps the last size - 1 bytes; the count of all. *ret_end is
 * SSL_ERROR_ZERO_RETURN when the server said that it was all (close_notify). */
size_t tls_client_drain(struct tls_client *client, char *ret_tail, size_t size, int *ret_end);

long tls_client_peer_serial(const struct tls_client *client);

/* With close_notify and FIN; without a word; by reset. */
void tls_client_close(struct tls_client *client);
void tls_client_drop(struct tls_client *client);
void tls_client_reset(struct tls_client *client);

#endif
