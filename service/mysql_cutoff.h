/*
 * mysql_cutoff: how the loop ends a worker's blocking call into MySQL: it shuts
 * the socket down, and the call comes back at once. The worker, which alone
 * holds the connection, then kills the statement on the server; so no kill can
 * ever hit a statement that came later on the same connection.
 */
#ifndef SERVICE_MYSQL_CUTOFF_H
#define SERVICE_MYSQL_CUTOFF_H

#include <pthread.h>
#include <stdbool.h>

struct mysql_cutoff {
    pthread_mutex_t lock;
    int fd;   /* under lock; -1 = nothing to shut down */
    bool cut; /* under lock */
};

void mysql_cutoff_init(struct mysql_cutoff *cutoff);
void mysql_cutoff_done(struct mysql_cutoff *cutoff);

/* From here on a cut shuts `fd` down (borrows). False: cut already.   [worker] */
bool mysql_cutoff_arm(struct mysql_cutoff *cutoff, int fd);

/* The descriptor may be closed or lent on afterwards. False: it was cut.   [worker] */
bool mysql_cutoff_disarm(struct mysql_cutoff *cutoff);

bool mysql_cutoff_is_cut(struct mysql_cutoff *cutoff);

/* Doesn't block; cutting twice is harmless.   [loop] */
void mysql_cutoff_cut(struct mysql_cutoff *cutoff);

#endif
