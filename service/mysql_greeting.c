#include "mysql_greeting.h"

#include <string.h>

#define HEADER_BYTES 4 /* three of length, a number */
#define VERSION 10
/* Behind the server's name: the connection's number, half a salt, a zero. */
#define BEFORE_CAPABILITIES 13
#define CAPABILITY_TLS 0x0800 /* CLIENT_SSL, in the lower half */

void mysql_greeting_add(struct mysql_greeting *greeting, const unsigned char *bytes, size_t length)
{
    size_t room = sizeof(greeting->bytes) - greeting->length;

    if (length > room)
        length = room;
    memcpy(greeting->bytes + greeting->length, bytes, length);
    greeting->length += length;
}

bool mysql_greeting_lacks_tls(const struct mysql_greeting *greeting)
{
    const unsigned char *bytes = greeting->bytes;
    const unsigned char *name = bytes + HEADER_BYTES + 1;
    const unsigned char *capabilities = NULL;

    if (greeting->length <= HEADER_BYTES || bytes[HEADER_BYTES] != VERSION)
        return false;
    capabilities = memchr(name, '\0', greeting->length - HEADER_BYTES - 1);
    if (capabilities != NULL)
        capabilities += 1 + BEFORE_CAPABILITIES;
    if (capabilities == NULL || capabilities + 2 > bytes + greeting->length)
        return greeting->length == sizeof(greeting->bytes); /* no server has such a name */
    return ((capabilities[0] | capabilities[1] << 8) & CAPABILITY_TLS) == 0;
}
