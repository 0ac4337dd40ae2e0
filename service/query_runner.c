#include "query_runner.h"

#include <stdio.h>
#include <stdlib.h>

#include "../jni/spark_engine.h"
#include "data_roots.h"
#include "mysql_engine.h"
#include "mysql_gate.h"
#include "mysql_params.h"
#include "mysql_statement.h"
#include "reply_channel.h"
#include "result_sink.h"

/* ---- messages to the loop ---- */

enum news { NEWS_STARTED, NEWS_DONE };

struct query_mail {
    struct mail mail; /* first: a mail is its query_mail */
    struct query *query;
    enum news news;
};

static void deliver(struct mail *mail)
{
    struct query_mail *message = (struct query_mail *)mail;
    struct query *query = message->query;

    switch (message->news) {
    case NEWS_STARTED:
        query->events->started(query);
        break;
    case NEWS_DONE:
        query->events->done(query);
        break;
    }
    free(message);
}

/* Memory for the mails of one run: a run must always be able to say it is over. */
struct run {
    struct query_runner *runner;
    struct query *query;
    struct query_mail *started_mail;
    struct query_mail *done_mail;
    struct spark_cursor *spark; /* the open cursor: one of the two */
    struct mysql_cursor *direct;
    struct result_sink sink;
};

static void post(struct run *run, struct query_mail *message, enum news news)
{
    message->mail.deliver = deliver;
    message->query = run->query;
    message->news = news;
    reply_channel_post(run->runner->channel, &message->mail);
}

/* ---- the steps of a run ---- */

static int fail_cancelled(struct error *err)
{
    return error_set(err, ERROR_CANCELLED, "the query was cancelled");
}

static int resolve_path(struct run *run, char **ret_path, struct error *err)
{
    *ret_path = NULL;
    if (run->query->request.path == NULL)
        return 0;
    return data_roots_resolve(run->runner->roots, run->query->request.path, ret_path, err);
}

static int64_t time_left_ms(const struct query *query)
{
    int64_t used_ms = monotime_span_ms(query->run_started, monotime_now());

    return query->request.timeout_ms > used_ms ? query->request.timeout_ms - used_ms : 1;
}

static int open_direct(struct run *run, struct error *err)
{
    struct query *query = run->query;
    const struct mysql_query mysql_query = {
        .target = &query->mysql,
        .sql = query->request.sql,
        .params_json = query->request.params_json,
        .cutoff = &query->cutoff,
        .timeout_ms = time_left_ms(query),
    };

    return mysql_cursor_open(run->runner->mysql, &mysql_query, &run->direct, err);
}

/* What the bridge needs of a MySQL statement: `?` for each :name, and the values. */
struct bound_statement {
    struct mysql_statement statement;
    char *values_json;
};

static void bound_statement_done(struct bound_statement *bound)
{
    mysql_statement_done(&bound->statement);
    free(bound->values_json);
}

static int bind_statement(const struct query_request *request, struct bound_statement *bound,
                          struct error *err)
{
    const struct mysql_modes usual = {0};
    struct mysql_values values = {0};

    if (mysql_gate_check(request->sql, usual, err) != 0 ||
        mysql_statement_parse(request->sql, usual, &bound->statement, err) != 0 ||
        mysql_params_bind(&bound->statement, request->params_json, &values, err) != 0)
        return -1;
    bound->values_json = mysql_values_to_json(&values);
    mysql_values_done(&values);
    return bound->values_json != NULL ? 0 : error_set(err, ERROR_ENGINE_ERROR, "out of memory");
}

static int open_spark(struct run *run, const char *path, struct error *err)
{
    struct query *query = run->query;
    const struct query_request *request = &query->request;
    struct bound_statement bound = {0};
    char snapshot_id[24];
    struct spark_query engine_query = {
        .tag = query->tag,
        .source = query_source_name(request->source),
        .sql = request->sql,
        .path = path,
        .table = request->table,
        .params_json = request->params_json,
        .as_of_version = request->as_of.has_version ? request->as_of.version : -1,
        .as_of_snapshot_id = request->as_of.has_snapshot_id ? snapshot_id : NULL,
        .as_of_timestamp = request->as_of.timestamp,
        .row_limit = request->row_limit,
        .timeout_ms = time_left_ms(query),
        .mysql_host = query->mysql.host,
        .mysql_port = query->mysql.port,
        .mysql_user = query->mysql.user,
        .mysql_password = query->mysql.password,
        .mysql_database = query->mysql.database,
    };
    int rc = -1;

    snprintf(snapshot_id, sizeof(snapshot_id), "%lld", (long long)request->as_of.snapshot_id);
    if (run->runner->thread == NULL &&
        run->runner->attach(run->runner->attach_user, &run->runner->thread, err) != 0)
        return -1;
    if (request->source == QUERY_MYSQL) {
        if (bind_statement(request, &bound, err) != 0)
            goto out;
        engine_query.sql = bound.statement.text;
        engine_query.params_json = bound.values_json;
        engine_query.mysql_usual_quotes = !mysql_statement_is_same_in_all_modes(request->sql);
    }
    rc = spark_cursor_open(run->runner->thread, &engine_query, &run->spark, err);
out:
    bound_statement_done(&bound);
    return rc;
}

static int open_cursor(struct run *run, const char *path, struct error *err)
{
    struct query *query = run->query;
    struct monotime begin = monotime_now();
    int rc = query_request_is_direct(&query->request) ? open_direct(run, err)
                                                      : open_spark(run, path, err);

    query->timing.plan_us = monotime_span_us(begin, monotime_now());
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

static int run_steps(struct run *run, struct error *err)
{
    struct query *query = run->query;
    struct monotime begin;
    char *path = NULL;
    int rc = -1;

    if (resolve_path(run, &path, err) != 0)
        goto out;
    if (atomic_load(&query->cancelled)) {
        fail_cancelled(err);
        goto out;
    }
    if (open_cursor(run, path, err) != 0)
        goto out;
    rc = write_all(run, err);
out:
    begin = monotime_now();
    cursor_close(run);
    query->timing.bridge_us =
        query->timing.plan_us + query->timing.run_us + monotime_span_us(begin, monotime_now());
    free(path);
    return rc;
}

/* What an answer may tell of the run at its end. */
static struct result_end end_of(const struct query *query)
{
    struct result_end end = RESULT_END_UNKNOWN;

    end.source_kind = query_source_name(query->request.source);
    end.queue_us = query->timing.queue_us;
    end.plan_us = query->timing.plan_us;
    end.run_us = query->timing.run_us;
    return end;
}

void query_runner_run(struct query_runner *runner, struct query *query)
{
    struct run run = {.runner = runner, .query = query};
    struct result_end end;
    struct error err = {.code = ERROR_NONE};
    bool failed = false;

    query->slot = runner->slot;
    query->run_started = monotime_now();
    query->timing.queue_us = monotime_span_us(query->received, query->run_started);
    result_sink_init(&run.sink, query, runner->spools, runner->patience_ms);
    run.started_mail = calloc(1, sizeof(*run.started_mail));
    run.done_mail = calloc(1, sizeof(*run.done_mail));
    if (run.started_mail == NULL || run.done_mail == NULL)
        abort(); /* nobody could ever be told: see service/README.md, "Out of memory" */
    post(&run, run.started_mail, NEWS_STARTED);
    failed = run_steps(&run, &err) != 0;
    query->outcome.err = err;
    query->outcome.rows = run.sink.rows;
    query->outcome.truncated = run.sink.is_full;
    end = end_of(query);
    query->kept = result_sink_keep(&run.sink, &end, failed ? &err : NULL);
    post(&run, run.done_mail, NEWS_DONE);
    result_sink_end(&run.sink, &end, failed ? &err : NULL);
}
