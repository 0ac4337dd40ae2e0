/*
 * query_runner: one query from the queue's hands to its last byte, on one
 * worker: check the path, open the cursor, turn batches into bytes, post pages.
 *
 * A short answer travels whole with done(); a longer one as pages, each for a
 * page credit (result_pages.h has the sizes).   [worker]
 */
#ifndef SERVICE_QUERY_RUNNER_H
#define SERVICE_QUERY_RUNNER_H

#include "query.h"

struct data_roots;
struct error;
struct mysql_engine;
struct reply_channel;
struct spark_thread;

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
