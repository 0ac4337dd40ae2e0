/*
 * mysql_sources: which MySQL server a request may reach. The source `main`
 * comes from MYSQL_*; a request's own host is allowed only when MYSQL_HOSTS
 * lists it (or it is main's).   [any]; constant after the start.
 */
#ifndef SERVICE_MYSQL_SOURCES_H
#define SERVICE_MYSQL_SOURCES_H

#include "error.h"
#include "query_request.h"
#include "settings.h"

struct mysql_sources;

/* Where one query goes, all fields validated and owned. */
struct mysql_target {
    char *host;
    int port;
    char *user;
    char *password;
    char *database; /* NULL = none */
};

/* -1: ERROR_BAD_REQUEST, a setting is malformed. */
int mysql_sources_new(const struct settings *settings, struct mysql_sources **ret_sources,
                      struct error *err);
void mysql_sources_free(struct mysql_sources *sources);

/* Picks the target of a request's `config`. -1: ERROR_FORBIDDEN (host not
 * allowed) or ERROR_BAD_REQUEST (no such source, user missing). */
int mysql_sources_resolve(const struct mysql_sources *sources,
                          const struct query_mysql_config *config, struct mysql_target *ret_target,
                          struct error *err);

/* Frees the contents; the password is overwritten first. */
void mysql_target_done(struct mysql_target *target);

/* True when MYSQL_HOST names a source. */
bool mysql_sources_has_main(const struct mysql_sources *sources);

/* Connects to `main` within timeout_ms and reads the first bytes of its
 * greeting (MySQL client/server protocol, Initial Handshake Packet).
 * Blocks.   [canary thread] */
bool mysql_sources_probe_main(const struct mysql_sources *sources, int timeout_ms);

#endif
