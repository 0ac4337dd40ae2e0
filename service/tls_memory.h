/*
 * tls_memory: notices when OpenSSL gets no memory. OpenSSL 3.0 then leaves some of what
 * a context holds half made (RSA blinding, BN_BLINDING_update), and goes on to sign wrongly
 * with it; so tls_server makes a context anew when the count has changed.
 */
#ifndef SERVICE_TLS_MEMORY_H
#define SERVICE_TLS_MEMORY_H

/* Once, before OpenSSL is used and any thread is made. */
void tls_memory_watch(void);

/* Allocations of OpenSSL that failed so far; 0 when nobody watches.   [any] */
unsigned long tls_memory_failures(void);

#endif
