/*
 * mysql_greeting: a MySQL server's first packet while it comes in, as far as
 * telling whether the server offers TLS (Protocol::HandshakeV10 of the MySQL
 * client/server protocol). Pure.   [worker]
 */
#ifndef SERVICE_MYSQL_GREETING_H
#define SERVICE_MYSQL_GREETING_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed: nothing has come. */
struct mysql_greeting {
    unsigned char bytes[256]; /* the start of it is enough */
    size_t length;
};

/* Takes what came next, the packet's own header first. */
void mysql_greeting_add(struct mysql_greeting *greeting, const unsigned char *bytes, size_t length);

/* False as long as it can't be told, and of packets of another kind, as an error:
 * client libraries refuse those by themselves. */
bool mysql_greeting_lacks_tls(const struct mysql_greeting *greeting);

#endif
