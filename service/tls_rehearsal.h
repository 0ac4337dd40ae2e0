/*
 * tls_rehearsal: one handshake of a server's context with a client of our own, in memory
 * (RFC 8446). What OpenSSL makes once in a process's life it doesn't make later when it
 * failed the first time: better at the start than in front of the first client. And a
 * certificate that nobody could use is found before it is put in force.
 */
#ifndef SERVICE_TLS_REHEARSAL_H
#define SERVICE_TLS_REHEARSAL_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* Borrows the context. False: it failed, OpenSSL's queue of errors says why.   [any] */
bool tls_rehearsal_pass(SSL_CTX *context);

#endif
