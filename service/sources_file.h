/*
 * sources_file: the operator's named MySQL sources, from the JSON file that
 * SOURCES_FILE names:
 *
 *   {"sources": {"NAME": {
 *       "host": "db.example", "port": 3306, "user": "reader",
 *       "password_file": "/run/secrets/db", "database": "shop",
 *       "tls": {"mode": "verify_identity", "ca": "/etc/db/ca.pem",
 *               "cert": "/etc/db/client.pem", "key": "/etc/db/client.key"},
 *       "timeouts": {"connect_ms": 3000, "socket_ms": 60000, "query_ms": 30000},
 *       "pool_size": 8, "engine": "auto", "read_only": true}}}
 *
 * Only host and user are required. `password` may stand in the file itself
 * only if nobody but the owner can read it. Unknown members are refused, so
 * that a typo can't switch a protection off. Blocks on the disk.   [any]
 */
#ifndef SERVICE_SOURCES_FILE_H
#define SERVICE_SOURCES_FILE_H

#include "error.h"
#include "mysql_target.h"

#define SOURCES_FILE_SOURCES_MAX 64

/* Gives the sources in *ret_targets, for sources_file_done. -1: ERROR_BAD_REQUEST;
 * the detail says where, as in "sources.main.port: must be from 1 to 65535",
 * and repeats no value. */
int sources_file_read(const char *path, struct mysql_target **ret_targets, size_t *ret_count,
                      struct error *err);
void sources_file_done(struct mysql_target *targets, size_t count);

#endif
