/*
 * query_runner: one query from the queue's hands to the end of its run, on one
 * worker: check the path, open the cursor, put its batches into a result_sink,
 * close the cursor.   [worker]
 */
#ifndef SERVICE_QUERY_RUNNER_H
#define SERVICE_QUERY_RUNNER_H

#include "query.h"

struct data_roots;
struct error;
struct mysql_engine;
struct reply_channel;
struct spark_thread;
struct spool_store;

struct query_runner {
    int slot;
    /* Attaches this worker's thread to the engine, for its first Spark query. */
    int (*attach)(void *user, struct spark_thread **ret_thread, struct error *err);
    void *attach_user;
    struct spark_thread *thread; /* what it gave; the caller detaches */
    struct mysql_engine *mysql;  /* borrowed, as all below */
    const struct data_roots *roots;
    struct reply_channel *channel;
    struct spool_store *spools;
    struct query_queue *queue; /* told before done() that the worker is about to be back */
    int64_t patience_ms;       /* how long a reader may keep this worker waiting, all in all */
    size_t cache_inodes;       /* an answer is kept only when it rests on no more */
};

/* Runs it to the end, whatever the end is; done() is posted exactly once, and
 * before the answer's last word where that is said here. */
void query_runner_run(struct query_runner *runner, struct query *query);

#endif
