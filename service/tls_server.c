#include "tls_server.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "event_memory.h"
#include "log.h"
#include "tls_memory.h"

/* TLS 1.2; those of TLS 1.3 are all of this kind. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK"

static const unsigned char ALPN[] = "\x08http/1.1";

struct tls_server {
    char *cert_path;
    char *key_path;
    SSL_CTX *context;              /* each connection holds the one it began with */
    unsigned long memory_failures; /* when it was made */
};

/* ---- the context ---- */

static int choose_protocol(SSL *ssl, const unsigned char **ret_chosen,
                           unsigned char *ret_chosen_length, const unsigned char *offered,
                           unsigned offered_length, void *user)
{
    unsigned char *chosen = NULL;

    (void)ssl;
    (void)user;
    if (SSL_select_next_proto(&chosen, ret_chosen_length, ALPN, sizeof(ALPN) - 1, offered,
                              offered_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 §3.2 */
    *ret_chosen = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* A key that needs a pass phrase is refused, not asked for on the terminal. */
static int no_pass_phrase(char *text, int size, int writes, void *user)
{
    (void)text;
    (void)size;
    (void)writes;
    (void)user;
    return -1;
}

static int fail(const char *what, const char *path, struct error *err)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    error_set(err, ERROR_BAD_REQUEST, "%s: can't use %s: %s", what, path,
              reason != NULL ? reason : "unknown reason");
    ERR_clear_error();
    return -1;
}

static int load_files(const struct tls_server *server, SSL_CTX *context, struct error *err)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, server->cert_path) != 1)
        return fail("TLS_CERT", server->cert_path, err);
    if (SSL_CTX_use_PrivateKey_file(context, server->key_path, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return fail("TLS_KEY", server->key_path, err);
    return 0;
}

static int open_context(const struct tls_server *server, SSL_CTX **ret_context, struct error *err)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (context == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "TLS: out of memory");
    SSL_CTX_set_default_passwd_cb(context, no_pass_phrase);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* A thousand idle connections must not hold 34 KiB each. No partial writes:
     * bufferevent_openssl 2.1 would go on behind the part that wasn't written. */
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets do it */
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, CIPHERS) != 1) {
        SSL_CTX_free(context);
        return error_set(err, ERROR_ENGINE_ERROR, "TLS: no cipher of ours is there");
    }
    if (load_files(server, context, err) != 0) {
        SSL_CTX_free(context);
        return -1;
    }
    *ret_context = context;
    return 0;
}

int tls_server_new(const char *cert_path, const char *key_path, struct tls_server **ret_server,
                   struct error *err)
{
    struct tls_server *server = calloc(1, sizeof(*server));

    if (server != NULL) {
        server->cert_path = strdup(cert_path);
        server->key_path = strdup(key_path);
    }
    if (server == NULL || server->cert_path == NULL || server->key_path == NULL) {
        tls_server_free(server);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    if (tls_server_reload(server, err) != 0) {
        tls_server_free(server);
        return -1;
    }
    *ret_server = server;
    return 0;
}

int tls_server_reload(struct tls_server *server, struct error *err)
{
    SSL_CTX *context = NULL;

    server->memory_failures = tls_memory_failures();
    if (open_context(server, &context, err) != 0)
        return -1;
    SSL_CTX_free(server->context);
    server->context = context;
    return 0;
}

void tls_server_free(struct tls_server *server)
{
    if (server == NULL)
        return;
    SSL_CTX_free(server->context);
    free(server->cert_path);
    free(server->key_path);
    free(server);
}

/* ---- streams ---- */

/* A context that was there when memory ran out may sign wrongly from then on. */
static void renew_after_failures(struct tls_server *server)
{
    struct error err;

    if (tls_memory_failures() != server->memory_failures && tls_server_reload(server, &err) != 0)
        log_line(LOG_WARN, "memory ran out, and the certificate could not be read again",
                 LOG_TEXT("detail", err.detail));
}

struct bufferevent *tls_server_stream(struct tls_server *server, struct event_base *base,
                                      evutil_socket_t fd)
{
    SSL *ssl = NULL;

    renew_after_failures(server);
    ssl = SSL_new(server->context);
    /* libevent wouldn't notice that the socket couldn't be set, and never close it. */
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || !event_memory_reserve()) {
        SSL_free(ssl);
        return NULL;
    }
    /* Frees `ssl` when it fails, too. */
    return bufferevent_openssl_socket_new(base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                          BEV_OPT_CLOSE_ON_FREE);
}

bool tls_stream_is_open(struct bufferevent *stream)
{
    return SSL_is_init_finished(bufferevent_openssl_get_ssl(stream)) == 1;
}

bool tls_stream_end(struct bufferevent *stream)
{
    SSL *ssl = bufferevent_openssl_get_ssl(stream);
    int rc = 0;

    if (!tls_stream_is_open(stream) || (SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN) != 0)
        return true;
    ERR_clear_error();
    rc = SSL_shutdown(ssl);
    return rc >= 0 || SSL_get_error(ssl, rc) != SSL_ERROR_WANT_WRITE;
}
