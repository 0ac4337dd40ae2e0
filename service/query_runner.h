/*
 * query_runner: one query from the queue's hands to the end of its run, on one
 * worker: check the path, open the cursor, put its batches into a result_sink,
 * close the cursor.   [worker], the loop where it is said
 */
#ifndef SERVICE_QUERY_RUNNER_H
#define SERVICE_QUERY_RUNNER_H

#include "mysql_engine.h"
#include "query.h"

struct data_roots;
struct error;
struct reply_channel;
struct spark_thread;
struct spool_store;

struct query_runner {
    int slot; /* -1: the loop is its own worker, for a cursor that is whole */
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

/* The run begins (run_started), which the loop is told. [worker], or the loop for what it is
 * the worker of */
void query_runner_begin(struct query *query, struct reply_channel *channel);

/* What of the query the direct engine has to know; borrows the query, which has begun. */
struct mysql_query query_runner_direct(struct query *query);

/* Runs it to the end, whatever the end is; done() is posted exactly once, and
 * before the answer's last word where that is said here. */
void query_runner_run(struct query_runner *runner, struct query *query);

#endif
