/*
 * probe: `spark-service probe ready|live`, a health check without curl. Asks a
 * running service over its own LISTEN address.
 */
#ifndef SERVICE_PROBE_H
#define SERVICE_PROBE_H

/* GETs `path` ("/readyz") from the first of `addresses`, prints the line it
 * answers. 0: status 200; 1: anything else, or no answer within 2 s. */
int probe_run(const char *addresses, const char *path);

#endif
