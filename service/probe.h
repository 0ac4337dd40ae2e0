/*
 * probe: `spark-service probe ready|live`, a health check without curl. Asks a
 * running service over its own LISTEN address.
 */
#ifndef SERVICE_PROBE_H
#define SERVICE_PROBE_H

#include <stdbool.h>

/* GETs `path` ("/readyz") from the first of `addresses`, prints the line it
 * answers. 0: status 200; 1: anything else, or no answer within 2 s.
 *
 * `tls`: over TLS. The certificate is not checked: it is made for the name by which
 * clients know the service, and the one who is asked here is this very machine. */
int probe_run(const char *addresses, bool tls, const char *path);

#endif
