#include "query_runner.h"

#include <stdio.h>
#include <stdlib.h>

#include "../jni/spark_engine.h"
#include "byte_buffer.h"
#include "data_roots.h"
#include "explanation.h"
#include "mysql_engine.h"
#include "mysql_explain.h"
#include "reply_channel.h"
#include "result_json.h"
#include "spark_request.h"

/* Rows formatted between two looks at the page size and the cancel flag. */
#define ROWS_PER_STEP 512

/* ---- messages to the loop ---- */

enum news { NEWS_STARTED, NEWS_PAGE, NEWS_DONE };

struct query_mail {
    struct mail mail; /* first: a mail is its query_mail */
    struct query *query;
    enum news news;
    char *bytes;
    size_t length;
};

static void deliver(struct mail *mail)
{
    struct query_mail *message = (struct query_mail *)mail;
    struct query *query = message->query;

    switch (message->news) {
    case NEWS_STARTED:
        query->events->started(query);
        break;
    case NEWS_PAGE:
        query->events->page(query, message->bytes, message->length);
        break;
    case NEWS_DONE:
        query->events->done(query, message->bytes, message->length);
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
    struct result_json *writer;
    struct byte_buffer out;
    int64_t rows;
    int64_t bytes_posted;
};

static void post(struct run *run, struct query_mail *message, enum news news, char *bytes,
                 size_t length)
{
    message->mail.deliver = deliver;
    message->query = run->query;
    message->news = news;
    message->bytes = bytes;
    message->length = length;
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

/* Borrows the query. */
static struct mysql_query direct_query(struct query *query)
{
    return (struct mysql_query){
        .use = MYSQL_RUN,
        .target = &query->mysql,
        .sql = query->request.sql,
        .params_json = query->request.params_json,
        .cutoff = &query->cutoff,
        .timeout_ms = query_time_left_ms(query),
    };
}

static int open_direct(struct run *run, struct error *err)
{
    const struct mysql_query mysql_query = direct_query(run->query);

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

/* Asks for the plan in place of the rows: one JSON object. */
static int explain(struct run *run, const char *path, struct error *err)
{
    struct query *query = run->query;
    struct mysql_query mysql_query = direct_query(query);
    struct explanation explanation = {0};
    struct monotime begin = monotime_now();
    int rc = query_request_is_direct(&query->request)
                 ? mysql_explain(run->runner->mysql, &mysql_query, &explanation, err)
                 : explain_spark(run, path, &explanation, err);

    query->timing.plan_us = monotime_span_us(begin, monotime_now());
    if (rc == 0)
        rc = explanation_write(&explanation, query_source_name(query->request.source), &run->out,
                               err);
    explanation_done(&explanation);
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

/* Hands the formatted bytes over as one page; waits for the client's credit. */
static int post_page(struct run *run, struct error *err)
{
    struct query_mail *message = NULL;

    if (!page_credits_take_wait(&run->query->credits))
        return fail_cancelled(err);
    message = calloc(1, sizeof(*message));
    if (message == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    run->bytes_posted += (int64_t)run->out.length;
    post(run, message, NEWS_PAGE, run->out.data, run->out.length);
    run->out = (struct byte_buffer){0};
    return 0;
}

static int post_full_page(struct run *run, struct error *err)
{
    size_t threshold = run->bytes_posted == 0 ? QUERY_WHOLE_ANSWER_BYTES : QUERY_PAGE_BYTES;

    if (run->out.failed)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    return run->out.length > threshold ? post_page(run, err) : 0;
}

/* One row more; 0 when the byte limit leaves no room for it. */
static int write_row_within(struct run *run, const struct ArrowArray *batch, int64_t row,
                            int64_t byte_limit, struct error *err)
{
    size_t before = run->out.length;
    int64_t total = 0;

    if (result_json_write_rows(run->writer, batch, row, 1, &run->out, err) != 0)
        return -1;
    total = run->bytes_posted + (int64_t)run->out.length + 1; /* the closing bracket */
    if (total <= byte_limit)
        return 1;
    run->out.length = before;
    return 0;
}

/* Formats `count` rows from `first`. 1: go on; 0: cut here; -1: *err. */
static int write_rows(struct run *run, const struct ArrowArray *batch, int64_t first, int64_t count,
                      struct error *err)
{
    int64_t byte_limit = run->query->request.byte_limit;

    if (byte_limit < 0) {
        if (result_json_write_rows(run->writer, batch, first, count, &run->out, err) != 0)
            return -1;
        run->rows += count;
        return 1;
    }
    for (int64_t row = first; row < first + count; row++) {
        int rc = write_row_within(run, batch, row, byte_limit, err);
        if (rc <= 0)
            return rc;
        run->rows++;
    }
    return 1;
}

/* For those who look while it runs. */
static void count_so_far(struct run *run)
{
    atomic_store_explicit(&run->query->rows_so_far, run->rows, memory_order_relaxed);
    atomic_store_explicit(&run->query->bytes_so_far, run->bytes_posted + (int64_t)run->out.length,
                          memory_order_relaxed);
}

/* 1: go on; 0: a limit cut the answer here; -1: *err. */
static int write_batch(struct run *run, const struct ArrowArray *batch, struct error *err)
{
    struct query *query = run->query;
    int64_t row_limit = query->request.row_limit;
    int64_t wanted = batch->length;
    bool cut = false;

    if (row_limit >= 0 && wanted > row_limit - run->rows) {
        wanted = row_limit - run->rows;
        cut = true;
    }
    for (int64_t row = 0; row < wanted;) {
        int64_t step = wanted - row < ROWS_PER_STEP ? wanted - row : ROWS_PER_STEP;
        struct monotime begin = monotime_now();
        int rc = write_rows(run, batch, row, step, err);

        query->timing.write_us += monotime_span_us(begin, monotime_now());
        count_so_far(run);
        if (rc < 0 || post_full_page(run, err) != 0)
            return -1;
        if (rc == 0) {
            cut = true;
            break;
        }
        if (atomic_load_explicit(&query->cancelled, memory_order_relaxed))
            return fail_cancelled(err);
        row += step;
    }
    query->outcome.truncated |= cut;
    return cut ? 0 : 1;
}

static int write_all(struct run *run, struct error *err)
{
    struct query *query = run->query;
    struct result_json_options options = {.numbers_as_strings = query->request.numbers_as_strings};

    if (result_json_new(cursor_schema(run), &options, &run->writer, err) != 0)
        return -1;
    result_json_begin(run->writer, &run->out);
    for (;;) {
        struct ArrowArray batch = {0};
        struct monotime begin = monotime_now();
        int rc = cursor_next(run, &batch, err);

        query->timing.run_us += monotime_span_us(begin, monotime_now());
        if (rc < 0)
            return -1;
        if (rc == 0)
            break;
        rc = write_batch(run, &batch, err);
        batch.release(&batch);
        if (rc < 0)
            return -1;
        if (rc == 0)
            break;
    }
    result_json_end(run->writer, &run->out);
    return run->out.failed ? error_set(err, ERROR_ENGINE_ERROR, "out of memory") : 0;
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
    if (query->request.explains) {
        rc = explain(run, path, err);
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
    result_json_free(run->writer);
    free(path);
    return rc;
}

void query_runner_run(struct query_runner *runner, struct query *query)
{
    struct run run = {.runner = runner, .query = query};

    query->slot = runner->slot;
    query->run_started = monotime_now();
    query->timing.queue_us = monotime_span_us(query->received, query->run_started);
    run.started_mail = calloc(1, sizeof(*run.started_mail));
    run.done_mail = calloc(1, sizeof(*run.done_mail));
    if (run.started_mail == NULL || run.done_mail == NULL)
        abort(); /* nobody could ever be told: see service/README.md, "Out of memory" */
    post(&run, run.started_mail, NEWS_STARTED, NULL, 0);
    if (run_steps(&run, &query->outcome.err) != 0)
        byte_buffer_done(&run.out);
    else
        error_clear(&query->outcome.err);
    count_so_far(&run);
    query->outcome.rows = run.rows;
    query->outcome.bytes = run.bytes_posted + (int64_t)run.out.length;
    post(&run, run.done_mail, NEWS_DONE, run.out.data, run.out.length);
}
