#include "tls_rehearsal.h"

#include <openssl/bio.h>
#include <stddef.h>

/* TLS 1.2 takes four; a certificate that doesn't fit between the two takes more. */
#define TURNS_MAX 64

static bool goes_on(const SSL *ssl, int rc)
{
    int error = rc == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl, rc);

    return error == SSL_ERROR_NONE || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static bool shake_hands(SSL *client, SSL *server)
{
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        int client_rc = SSL_do_handshake(client);
        int server_rc = SSL_do_handshake(server);
        if (client_rc == 1 && server_rc == 1)
            return true;
        if (!goes_on(client, client_rc) || !goes_on(server, server_rc))
            return false;
    }
    return false;
}

static bool join(SSL *client, SSL *server)
{
    BIO *client_end = NULL;
    BIO *server_end = NULL;

    if (BIO_new_bio_pair(&client_end, 0, &server_end, 0) != 1)
        return false;
    SSL_set_bio(client, client_end, client_end);
    SSL_set_bio(server, server_end, server_end);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    return true;
}

bool tls_rehearsal_pass(SSL_CTX *context)
{
    SSL_CTX *client_context = SSL_CTX_new(TLS_client_method());
    SSL *client = client_context != NULL ? SSL_new(client_context) : NULL;
    SSL *server = SSL_new(context);
    bool passed =
        client != NULL && server != NULL && join(client, server) && shake_hands(client, server);

    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(client_context);
    return passed;
}
