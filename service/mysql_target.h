/*
 * mysql_target: where one query's MySQL is and how to talk to it. Every field
 * is checked before it gets here; all text is owned.   [any]
 */
#ifndef SERVICE_MYSQL_TARGET_H
#define SERVICE_MYSQL_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query_request.h"

/* As MySQL's --ssl-mode has them. */
enum mysql_tls_mode {
    MYSQL_TLS_PREFERRED, /* when the server offers it, unverified */
    MYSQL_TLS_DISABLED,
    MYSQL_TLS_REQUIRED,       /* unverified */
    MYSQL_TLS_VERIFY_CA,      /* the server's certificate is signed by `ca` */
    MYSQL_TLS_VERIFY_IDENTITY /* and is for this host */
};

struct mysql_tls {
    enum mysql_tls_mode mode;
    char *ca;   /* PEM file or NULL, as all three */
    char *cert; /* ours, for servers that ask for one */
    char *key;  /* PKCS #8, not encrypted */
};

struct mysql_target {
    char *name; /* of the source; NULL = a request's own host */
    char *host;
    int port;
    char *user;
    char *password;
    char *database; /* NULL = none */
    struct mysql_tls tls;
    int64_t connect_ms; /* 0 = the service's own, as all of these */
    int64_t socket_ms;
    int64_t query_ms;
    int64_t pool_size;
    enum query_engine engine; /* of a request that says `auto` */
    bool writes;              /* the session isn't made read-only */
};

/* "preferred", "verify_ca" … */
const char *mysql_tls_mode_name(enum mysql_tls_mode mode);

/* False: no such mode. */
bool mysql_tls_mode_parse(const char *name, enum mysql_tls_mode *ret_mode);

/* A deep copy; -1 without memory, then *ret_copy is empty. */
int mysql_target_copy(const struct mysql_target *target, struct mysql_target *ret_copy);

/* Whether a connection to one is as good as to the other. */
bool mysql_target_is_same(const struct mysql_target *one, const struct mysql_target *other);

/* Frees the contents; the password is overwritten first. */
void mysql_target_done(struct mysql_target *target);

#endif
