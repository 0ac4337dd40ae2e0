/*
 * query_runner: one query from the queue's hands to its last byte, on one
 * worker: check the path, open the cursor, turn batches into bytes, post pages.
 *
 * A short answer (up to 1 MiB) travels whole with done(); a longer one as pages
 * of 256 KiB behind the first, each for a page credit.   [worker]
 */
#ifndef SERVICE_QUERY_RUNNER_H
#define SERVICE_QUERY_RUNNER_H

#include "query.h"

struct data_roots;
struct error;
struct mysql_engine;
struct reply_channel;
struct spark_thread;

/* An answer up to this size has a Content-Length and is sent at once. */
#define QUERY_WHOLE_ANSWER_BYTES ((size_t)1024 * 1024)
#define QUERY_PAGE_BYTES ((size_t)256 * 1024)

struct query_runner {
    int slot;
    /* Attaches this worker's thread to the engine, for its first Spark query. */
    int (*attach)(void *user, struct spark_thread **ret_thread, struct error *err);
    void *attach_user;
    struct spark_thread *thread; /* what it gave; the caller detaches */
    struct mysql_engine *mysql;  /* borrowed, as all below */
    const struct data_roots *roots;
    struct reply_channel *channel;
};

/* Runs it to the end, whatever the end is; done() is posted exactly once. */
void query_runner_run(struct query_runner *runner, struct query *query);

#endif
