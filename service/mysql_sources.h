/*
 * mysql_sources: which MySQL servers requests may reach. Named sources come
 * from SOURCES_FILE, and `main` from MYSQL_*; a request's own host is allowed
 * only when MYSQL_HOSTS lists it (or it is that of MYSQL_*).
 *
 * A request takes a copy of its source, so a reload changes no query that was
 * accepted before it. All under one lock, held for copies only.   [any]
 */
#ifndef SERVICE_MYSQL_SOURCES_H
#define SERVICE_MYSQL_SOURCES_H

#include "error.h"
#include "mysql_target.h"
#include "query_request.h"
#include "settings.h"

struct mysql_sources;

enum mysql_source_state { MYSQL_SOURCE_UNKNOWN, MYSQL_SOURCE_OK, MYSQL_SOURCE_UNREACHABLE };

/* -1: ERROR_BAD_REQUEST, a setting or the file is malformed. */
int mysql_sources_new(const struct settings *settings, struct mysql_sources **ret_sources,
                      struct error *err);
void mysql_sources_free(struct mysql_sources *sources);

/* Reads SOURCES_FILE again. -1: ERROR_BAD_REQUEST, and all stays as it was. */
int mysql_sources_reload(struct mysql_sources *sources, struct error *err);

/* The name of the source that a request asks for, "main" when it says none;
 * NULL for a host of its own. Borrowed; there need not be such a source. */
const char *mysql_sources_name_of(const struct query_mysql_config *config);

/* Picks the target of a request's `config`. -1: ERROR_FORBIDDEN (host not
 * allowed) or ERROR_BAD_REQUEST (no such source, user missing). */
int mysql_sources_resolve(struct mysql_sources *sources, const struct query_mysql_config *config,
                          struct mysql_target *ret_target, struct error *err);

size_t mysql_sources_count(struct mysql_sources *sources);

/* Calls back for each source, under the lock, in the order of the file. */
void mysql_sources_each(struct mysql_sources *sources,
                        void (*each)(const char *name, enum mysql_source_state state, void *user),
                        void *user);

/* Connects to the index-th source within timeout_ms, reads the first bytes of
 * its greeting (MySQL client/server protocol, Initial Handshake Packet) and
 * notes its state. False: there is none of that index. Blocks.   [watch thread] */
bool mysql_sources_probe(struct mysql_sources *sources, size_t index, int timeout_ms);

#endif
