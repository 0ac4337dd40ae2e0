#include "tls_client.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_S 20

void make_certificate(const char *cert_path, const char *key_path, long serial)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    FILE *file = NULL;

    assert_non_null(key);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"127.0.0.1", -1, -1,
                               0);
    X509_set_issuer_name(cert, name);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    file = fopen(cert_path, "we");
    assert_int_equal(PEM_write_X509(file, cert), 1);
    assert_int_equal(fclose(file), 0);
    file = fopen(key_path, "we");
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
    X509_free(cert);
    EVP_PKEY_free(key);
}

void tls_client_connect(struct tls_client *client, int port, int max_version, const char *alpn)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = PATIENCE_S};

    *client = (struct tls_client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_true(client->fd >= 0);
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(client->fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    client->context = SSL_CTX_new(TLS_client_method());
    assert_non_null(client->context);
    SSL_CTX_set_security_level(client->context, 0); /* what is refused, the server refuses */
    if (max_version != 0) {
        assert_int_equal(SSL_CTX_set_min_proto_version(client->context, TLS1_VERSION), 1);
        assert_int_equal(SSL_CTX_set_max_proto_version(client->context, max_version), 1);
    }
    client->ssl = SSL_new(client->context);
    assert_non_null(client->ssl);
    if (alpn != NULL)
        assert_int_equal(
            SSL_set_alpn_protos(client->ssl, (const unsigned char *)alpn, (unsigned)strlen(alpn)),
            0);
    assert_int_equal(SSL_set_fd(client->ssl, client->fd), 1);
}

int tls_client_shake_hands(struct tls_client *client)
{
    int rc = SSL_connect(client->ssl);

    return rc == 1 ? 1 : -SSL_get_error(client->ssl, rc);
}

void tls_client_open(struct tls_client *client, int port)
{
    tls_client_connect(client, port, 0, NULL);
    assert_int_equal(tls_client_shake_hands(client), 1);
}

void tls_client_send(struct tls_client *client, const char *text)
{
    int length = (int)strlen(text);

    assert_int_equal(SSL_write(client->ssl, text, length), length);
}

void tls_client_request(struct tls_client *client, const char *method, const char *target,
                        const char *headers, const char *body)
{
    char length[96] = "";
    char *text = NULL;

    if (body != NULL)
        snprintf(length, sizeof(length),
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    assert_true(asprintf(&text, "%s %s HTTP/1.1\r\nHost: test\r\n%s%s\r\n%s", method, target,
                         headers, length, body != NULL ? body : "") > 0);
    tls_client_send(client, text);
    free(text);
}

size_t tls_client_read_until(struct tls_client *client, const char *end, char *ret_text,
                             size_t size)
{
    size_t length = 0;

    ret_text[0] = '\0';
    while (length + 1 < size && strstr(ret_text, end) == NULL) {
        int got = SSL_read(client->ssl, ret_text + length, (int)(size - 1 - length));
        if (got <= 0)
            break;
        length += (size_t)got;
        ret_text[length] = '\0';
    }
    return length;
}

size_t tls_client_drain(struct tls_client *client, char *ret_tail, size_t size, int *ret_end)
{
    static char bytes[64 * 1024];
    size_t total = 0;
    size_t kept = 0;

    for (;;) {
        int got = SSL_read(client->ssl, bytes, sizeof(bytes));
        size_t fresh = 0;

        if (got <= 0) {
            *ret_end = SSL_get_error(client->ssl, got);
            ret_tail[kept] = '\0';
            return total;
        }
        total += (size_t)got;
        fresh = (size_t)got < size - 1 ? (size_t)got : size - 1;
        if (kept > size - 1 - fresh) {
            memmove(ret_tail, ret_tail + kept - (size - 1 - fresh), size - 1 - fresh);
            kept = size - 1 - fresh;
        }
        memcpy(ret_tail + kept, bytes + got - fresh, fresh);
        kept += fresh;
    }
}

long tls_client_peer_serial(const struct tls_client *client)
{
    X509 *cert = SSL_get1_peer_certificate(client->ssl);
    long serial = 0;

    assert_non_null(cert);
    serial = ASN1_INTEGER_get(X509_get_serialNumber(cert));
    X509_free(cert);
    return serial;
}

void tls_client_drop(struct tls_client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    close(client->fd);
    *client = (struct tls_client){.fd = -1};
}

void tls_client_close(struct tls_client *client)
{
    (void)SSL_shutdown(client->ssl);
    tls_client_drop(client);
}

void tls_client_reset(struct tls_client *client)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    tls_client_drop(client);
}
