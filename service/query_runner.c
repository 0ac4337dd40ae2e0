#include "query_runner.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../jni/spark_engine.h"
#include "answer_basis.h"
#include "data_roots.h"
#include "delivery.h"
#include "explanation.h"
#include "mysql_engine.h"
#include "mysql_explain.h"
#include "query_queue.h"
#include "reply_channel.h"
#include "result_sink.h"
#include "spark_request.h"

/* ---- messages to the loop ---- */

/* The mails are the query's own: a run must always be able to say that it is over. */

static void deliver_started(struct mail *mail)
{
    struct query *query = (struct query *)((char *)mail - offsetof(struct query, started_mail));

    query->events->started(query);
}

static void deliver_done(struct mail *mail)
{
    struct query *query = (struct query *)((char *)mail - offsetof(struct query, done_mail));

    query->events->done(query);
}

static void post(struct reply_channel *channel, struct mail *mail, void (*deliver)(struct mail *))
{
    mail->deliver = deliver;
    reply_channel_post(channel, mail);
}

struct run {
    struct query_runner *runner;
    struct query *query;
    struct spark_cursor *spark; /* the open cursor: one of the two */
    struct mysql_cursor *direct;
    struct result_sink sink;
    struct result_end end;
    struct spark_source_facts source; /* what end points at */
};

/* ---- the steps of a run ---- */

static int resolve_path(struct run *run, char **ret_path, struct error *err)
{
    *ret_path = NULL;
    if (run->query->request.path == NULL)
        return 0;
    return data_roots_resolve(run->runner->roots, run->query->request.path, ret_path, err);
}

struct mysql_query query_runner_direct(struct query *query)
{
    return (struct mysql_query){
        .use = MYSQL_RUN,
        .target = &query->mysql,
        .sql = query->request.sql,
        .params_json = query->request.params_json,
        .cutoff = &query->cutoff,
        .timeout_ms = query_time_left_ms(query),
        .row_limit = query->request.row_limit,
    };
}

static int open_direct(struct run *run, struct error *err)
{
    const struct mysql_query mysql_query = query_runner_direct(run->query);

    if (run->direct != NULL)
        return mysql_cursor_go_on(run->direct, err);
    return mysql_cursor_open(run->runner->mysql, &mysql_query, &run->direct, err);
}

/* The worker's thread, attached from its first Spark query on. */
static int attach_spark(struct run *run, struct error *err)
{
    if (run->runner->thread != NULL)
        return 0;
    return run->runner->attach(run->runner->attach_user, &run->runner->thread, err);
}

static int open_spark(struct run *run, const char *path, struct error *err)
{
    struct spark_request request;
    int rc = -1;

    if (attach_spark(run, err) != 0 || spark_request_init(&request, run->query, path, err) != 0)
        return -1;
    rc = spark_cursor_open(run->runner->thread, &request.query, &run->spark, err);
    spark_request_done(&request);
    return rc;
}

static int explain_spark(struct run *run, const char *path, struct explanation *ret_explanation,
                         struct error *err)
{
    struct spark_request request;
    int rc = -1;

    if (attach_spark(run, err) != 0 || spark_request_init(&request, run->query, path, err) != 0)
        return -1;
    rc = spark_engine_explain(run->runner->thread, &request.query, ret_explanation, err);
    spark_request_done(&request);
    return rc;
}

/* A request for headers is answered once MySQL has prepared the statement. */
static int explain_direct(struct run *run, struct explanation *ret_explanation, struct error *err)
{
    struct mysql_query query = query_runner_direct(run->query);

    return (run->query->request.heads ? mysql_describe : mysql_explain)(run->runner->mysql, &query,
                                                                        ret_explanation, err);
}

/* Asks for the plan in place of the rows: one JSON object. */
static int explain(struct run *run, const char *path, struct error *err)
{
    struct query *query = run->query;
    struct explanation explanation = {0};
    struct byte_buffer out = {0};
    struct monotime begin = monotime_now();
    int rc = query_request_is_direct(&query->request) ? explain_direct(run, &explanation, err)
                                                      : explain_spark(run, path, &explanation, err);

    query->timing.plan_us = monotime_span_us(begin, monotime_now());
    if (rc == 0)
        rc = explanation_write(&explanation, query_source_name(query->request.source), &out, err);
    explanation_done(&explanation);
    if (rc != 0) {
        byte_buffer_done(&out);
        return -1;
    }
    result_sink_put(&run->sink, (struct result_page){out.data, out.length});
    return 0;
}

static int open_cursor(struct run *run, const char *path, struct error *err)
{
    struct query *query = run->query;
    struct monotime begin = monotime_now();
    int rc = query_request_is_direct(&query->request) ? open_direct(run, err)
                                                      : open_spark(run, path, err);

    query->timing.plan_us += monotime_span_us(begin, monotime_now());
    return rc;
}

static const struct ArrowSchema *cursor_schema(const struct run *run)
{
    return run->direct != NULL ? mysql_cursor_schema(run->direct) : spark_cursor_schema(run->spark);
}

static int cursor_next(struct run *run, struct ArrowArray *ret_batch, struct error *err)
{
    return run->direct != NULL ? mysql_cursor_next(run->direct, ret_batch, err)
                               : spark_cursor_next(run->spark, ret_batch, err);
}

static void cursor_close(struct run *run)
{
    mysql_cursor_close(run->direct);
    spark_cursor_close(run->spark);
}

/* What an answer may tell of the run at its end. */
static void note_end(struct run *run)
{
    const struct query *query = run->query;
    struct result_end *end = &run->end;

    end->source_kind = query_source_name(query->request.source);
    end->engine_reason = query_request_engine_reason(&query->request);
    end->engine = end->engine_reason != NULL ? query_engine_name(query) : NULL;
    end->queue_us = query->timing.queue_us;
    end->plan_us = query->timing.plan_us;
    end->run_us = query->timing.run_us;
    if (run->spark == NULL)
        return;
    run->source = *spark_cursor_source(run->spark);
    end->source_version = run->source.version[0] != '\0' ? run->source.version : NULL;
    end->files_read = run->source.files_read;
    end->files_total = run->source.files_total;
    end->bytes_read = run->source.bytes_read;
}

static int write_all(struct run *run, struct error *err)
{
    struct query *query = run->query;

    if (result_sink_open(&run->sink, cursor_schema(run), err) != 0)
        return -1;
    while (!run->sink.is_full) {
        struct ArrowArray batch = {0};
        struct monotime begin = monotime_now();
        int rc = cursor_next(run, &batch, err);

        query->timing.run_us += monotime_span_us(begin, monotime_now());
        if (rc <= 0)
            return rc;
        rc = result_sink_add(&run->sink, &batch, err);
        batch.release(&batch);
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* What the rows rest on, before anybody is told that they are there. `path` is where
 * the request's own was found; links on the way to it are to be watched as well. */
static void take_identity(struct run *run, const char *path)
{
    struct query *query = run->query;
    const struct answer_basis *basis = NULL;
    struct source_read *reads = NULL;
    enum source_doubt doubt;

    if (run->spark == NULL || !query_cache_wants(query))
        return;
    basis = spark_cursor_basis(run->spark);
    if (!basis->repeatable) {
        query->cache_doubt = CACHE_DOUBT_NOT_DETERMINISTIC;
        return;
    }
    reads = calloc(basis->read_count + 1, sizeof(*reads));
    if (reads == NULL) {
        query->cache_doubt = CACHE_DOUBT_UNKNOWN_SOURCE;
        return;
    }
    for (size_t i = 0; i < basis->read_count; i++) {
        reads[i] = basis->reads[i];
        if (path != NULL && strcmp(reads[i].asked, path) == 0)
            reads[i].asked = query->request.path;
        reads[i].asked_root = data_roots_prefix(run->runner->roots, reads[i].asked);
        reads[i].location_root = data_roots_prefix(run->runner->roots, reads[i].location);
    }
    query->identity = source_identity_take(reads, basis->read_count, query->began,
                                           run->runner->cache_inodes, &doubt);
    if (query->identity == NULL)
        query->cache_doubt = cache_doubt_of_source(doubt);
    free(reads);
}

static int run_steps(struct run *run, struct error *err)
{
    struct query *query = run->query;
    struct monotime begin;
    char *path = NULL;
    int rc = -1;

    run->direct = query->begun; /* closed below, whatever becomes of it */
    query->begun = NULL;
    if (resolve_path(run, &path, err) != 0)
        goto out;
    if (atomic_load(&query->cancelled)) {
        error_set_cancelled(err);
        goto out;
    }
    if (query->request.explains) {
        rc = explain(run, path, err);
        goto out;
    }
    if (open_cursor(run, path, err) != 0)
        goto out;
    if (run->spark != NULL && run->sink.delivery != NULL &&
        !spark_cursor_basis(run->spark)->repeatable)
        delivery_drop_copy(run->sink.delivery);
    rc = write_all(run, err);
    if (rc == 0)
        take_identity(run, path);
out:
    note_end(run);
    begin = monotime_now();
    cursor_close(run);
    query->timing.bridge_us =
        query->timing.plan_us + query->timing.run_us + monotime_span_us(begin, monotime_now());
    free(path);
    return rc;
}

void query_runner_begin(struct query *query, struct reply_channel *channel)
{
    query->began = source_instant_now();
    query->timing.queue_us = monotime_span_us(query->received, query->run_started);
    post(channel, &query->started_mail, deliver_started);
}

/* Who sees the slot free may ask for it at once, with no time to wait. */
static void free_slot(const struct query_runner *runner, const struct query *query)
{
    if (runner->slot >= 0)
        query_queue_announce(runner->queue, query);
    else
        query_queue_release(runner->queue);
}

void query_runner_run(struct query_runner *runner, struct query *query)
{
    struct run run = {.runner = runner, .query = query, .end = RESULT_END_UNKNOWN};
    struct error err = {.code = ERROR_NONE};
    bool failed = false;

    query->slot = runner->slot;
    if (query->begun == NULL) {
        query->run_started = monotime_now();
        query_runner_begin(query, runner->channel);
    }
    result_sink_init(&run.sink, query, runner->spools, runner->patience_ms);
    failed = run_steps(&run, &err) != 0;
    query->outcome.err = err;
    query->outcome.rows = run.sink.rows;
    query->outcome.truncated = run.sink.is_full;
    query->kept = result_sink_keep(&run.sink, &run.end, failed ? &err : NULL);
    free_slot(runner, query);
    post(runner->channel, &query->done_mail, deliver_done);
    result_sink_end(&run.sink, &run.end, failed ? &err : NULL);
}
