/*
 * mysql_connection: one connection to a MySQL or MariaDB server with a session
 * that is always the same: read-only, UTC, utf8mb4, autocommit, no LOCAL
 * INFILE. Built on libmysqlclient or MariaDB Connector/C.
 *
 * A target without TLS fields takes TLS when the server offers it, unverified
 * (MySQL's own default).   [worker]; one thread at a time.
 */
#ifndef SERVICE_MYSQL_CONNECTION_H
#define SERVICE_MYSQL_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "mysql_lexer.h"
#include "mysql_shapes.h"
#include "mysql_target.h"

struct mysql_connection_limits {
    int64_t connect_ms; /* rounded up to seconds */
    int64_t read_ms;    /* one read from the server; rounded up to seconds */
    size_t shapes;      /* statements it remembers */
};

struct mysql_connection;
struct st_mysql; /* MYSQL of mysql.h */
struct st_mysql_stmt;

/* Connects and sets the session up.
 * -1: *err as mysql_errors has it. */
int mysql_connection_open(const struct mysql_target *target,
                          const struct mysql_connection_limits *limits,
                          struct mysql_connection **ret_connection, struct error *err);

/* Says good-bye and frees. NULL is fine. */
void mysql_connection_close(struct mysql_connection *connection);

/* The library's own handle; borrowed. */
struct st_mysql *mysql_connection_handle(const struct mysql_connection *connection);

/* Its socket; borrowed. */
int mysql_connection_fd(const struct mysql_connection *connection);

struct mysql_modes mysql_connection_modes(const struct mysql_connection *connection);

/* False when the server has hung up on an idle connection, or said something
 * unasked. Doesn't block.   [any] */
bool mysql_connection_is_quiet(const struct mysql_connection *connection);

/* A SELECT without a LIMIT of its own gives at most `rows` rows, -1 = all, until this is
 * said anew or the connection is renewed; sub-queries are not limited. Says it to the
 * server when it isn't so yet. */
int mysql_connection_limit_rows(struct mysql_connection *connection, int64_t rows,
                                struct error *err);

/* Whether it is so already. */
bool mysql_connection_limits_to(const struct mysql_connection *connection, int64_t rows);

/* When the session was made new. */
struct monotime mysql_connection_new_since(const struct mysql_connection *connection);

/* False where sql_mode has ORACLE: there a bare name may be a function. */
bool mysql_connection_may_be_reused(const struct mysql_connection *connection);

/* A statement is about to run, so the session isn't as new any more. */
void mysql_connection_use(struct mysql_connection *connection);

/* Makes the session as new, if it isn't: no variables, locks or statements of the
 * caller before. False: close it. */
bool mysql_connection_renew(struct mysql_connection *connection);

/* What it has learned of its statements; borrowed. */
struct mysql_shapes *mysql_connection_shapes(struct mysql_connection *connection);

/* Shuts the socket down: whatever is unread is not worth reading. */
void mysql_connection_cut(struct mysql_connection *connection);

/* Kills on the server whatever the connection runs, from a second connection.
 * The first one is cut and good for nothing but close. A server that doesn't
 * answer within timeout_ms is left alone. */
void mysql_connection_kill(struct mysql_connection *connection, const struct mysql_target *target,
                           int64_t timeout_ms);

/* The number of a statement's last error, 0 = none. Connector/C tells an error
 * among the rows on the connection only. */
unsigned mysql_connection_statement_errno(struct st_mysql_stmt *statement);

/* The last call's error as *err; 0: it had none. */
int mysql_connection_check(struct st_mysql *handle, struct error *err);

/* The same of a statement; returns -1. */
int mysql_connection_statement_fail(struct st_mysql_stmt *statement, struct error *err);

/* Before and after all use of the library, in the process and in each thread. */
int mysql_connection_library_begin(struct error *err);
void mysql_connection_library_end(void);
void mysql_connection_thread_end(void);

#endif
