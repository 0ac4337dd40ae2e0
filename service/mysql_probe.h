/*
 * mysql_probe: whether somebody who speaks MySQL listens at an address, seen
 * by the first bytes of the greeting (MySQL client/server protocol, Initial
 * Handshake Packet). No account is used. Blocks.   [any but the loop]
 */
#ifndef SERVICE_MYSQL_PROBE_H
#define SERVICE_MYSQL_PROBE_H

#include <stdbool.h>

bool mysql_probe(const char *host, int port, int timeout_ms);

#endif
