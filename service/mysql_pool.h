/*
 * mysql_pool: the connections to each source, lent to one query at a time.
 *
 * A source is host, port, account, password and database together: a changed
 * password is another source. Each has at most `limit` connections, idle ones
 * included; at the limit a query waits for one. Idle ones are closed after
 * idle_ms by a thread of their own. No I/O under the lock.
 */
#ifndef SERVICE_MYSQL_POOL_H
#define SERVICE_MYSQL_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deadline.h"
#include "error.h"
#include "mysql_cutoff.h"
#include "mysql_target.h"

struct mysql_connection;
struct mysql_pool;
struct mysql_source;

struct mysql_pool_config {
    size_t limit;
    int64_t idle_ms;
    int64_t connect_timeout_ms;
    int64_t read_timeout_ms; /* a backstop behind every query's own deadline */
    size_t shapes;           /* statements that each connection remembers */
};

int mysql_pool_new(const struct mysql_pool_config *config, struct mysql_pool **ret_pool,
                   struct error *err);

/* Closes the idle ones; no lease may be out.   [loop] */
void mysql_pool_free(struct mysql_pool *pool);

/* A connection lent; `fresh` was made for this lease. */
struct mysql_lease {
    struct mysql_connection *connection;
    bool fresh;
    struct mysql_source *source; /* the pool's own */
};

/* Waits for a connection or makes one, until `deadline` or a cut.   [worker]
 * -1: ERROR_CANCELLED, ERROR_TIMEOUT, or why it can't connect. */
int mysql_pool_take(struct mysql_pool *pool, const struct mysql_target *target,
                    struct mysql_cutoff *cutoff, struct monotime deadline,
                    struct mysql_lease *ret_lease, struct error *err);

/* One that is idle, if nobody waits for one of the source. Doesn't wait.   [loop] */
bool mysql_pool_take_idle(struct mysql_pool *pool, const struct mysql_target *target,
                          struct mysql_lease *ret_lease);

/* Takes the connection back: kept when `usable`, else closed.
 * [worker], and the loop with a usable one */
void mysql_pool_give_back(struct mysql_pool *pool, struct mysql_lease *lease, bool usable);

/* Wakes those who wait, so that they see their cut.   [loop] */
void mysql_pool_wake(struct mysql_pool *pool);

struct mysql_pool_counts {
    size_t sources;
    size_t open; /* connections, idle ones included */
    size_t idle;
    size_t waiting;
};
struct mysql_pool_counts mysql_pool_count(struct mysql_pool *pool);

#endif
