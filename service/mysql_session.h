/*
 * mysql_session: when a connection's session is made new: before a statement
 * that might read it and after one that might have changed it, so at every
 * statement but a plain one (mysql_plain) of tables that are tables. That is
 * looked up when the same shape comes again within `reuse_ms` and believed for
 * as long; no session goes on for longer than that.   [worker], the loop where
 * it is said: that asks the server nothing.
 */
#ifndef SERVICE_MYSQL_SESSION_H
#define SERVICE_MYSQL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "mysql_connection.h"
#include "mysql_plain.h"

struct mysql_session {
    struct mysql_connection *connection; /* borrowed */
    int64_t reuse_ms;
    struct mysql_plain plain;
    bool is_plain;
    bool is_proven;   /* plain, its tables are tables */
    bool as_text;     /* proven, and text carries its rows exactly */
    bool came_lately; /* plain, and its shape was met within reuse_ms */
    bool stays;       /* mysql_session_settle said so */
};

/* Before the statement; `sql` NULL for one that is never plain. -1: *err, and the
 * connection is broken. */
int mysql_session_begin(struct mysql_connection *connection, const char *sql, int64_t reuse_ms,
                        struct mysql_session *ret_session, struct error *err);

/* Before one that must not wait: true only for a proven statement that can be sent as text,
 * in a session that stays as it is for `margin_ms` more; there is nothing to end else.   [loop] */
bool mysql_session_join(struct mysql_connection *connection, const char *sql, int64_t reuse_ms,
                        int64_t margin_ms, struct mysql_session *ret_session);

/* Behind one that came to its end: true when mysql_session_end needs nothing of the server.   [loop] */
bool mysql_session_settle(struct mysql_session *session);

/* After it; `fine` when it came to its end, `exact` when text would have carried its
 * rows. False: close the connection. Frees the contents. */
bool mysql_session_end(struct mysql_session *session, bool fine, bool exact);

/* Frees the contents only; fine on a zeroed struct. */
void mysql_session_drop(struct mysql_session *session);

#endif
