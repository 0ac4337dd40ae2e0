#include "query_runner.h"

#include <stdio.h>
#include <stdlib.h>

#include "../jni/spark_engine.h"
#include "data_roots.h"
#include "explanation.h"
#include "mysql_engine.h"
#include "mysql_explain.h"
#include "reply_channel.h"
#include "result_pages.h"
#include "spark_request.h"

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
    struct result_pages *pages;
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
        .row_limit = query->request.row_limit,
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
static int explain(struct run *run, const char *path, struct result_page *ret_page,
                   struct error *err)
{
    struct query *query = run->query;
    struct mysql_query mysql_query = direct_query(query);
    struct explanation explanation = {0};
    struct byte_buffer out = {0};
    struct monotime begin = monotime_now();
    int rc = query_request_is_direct(&query->request)
                 ? mysql_explain(run->runner->mysql, &mysql_query, &explanation, err)
                 : explain_spark(run, path, &explanation, err);

    query->timing.plan_us = monotime_span_us(begin, monotime_now());
    if (rc == 0)
        rc = explanation_write(&explanation, query_source_name(query->request.source), &out, err);
    explanation_done(&explanation);
    if (rc != 0) {
        byte_buffer_done(&out);
        return -1;
    }
    query->outcome.bytes = (int64_t)out.length;
    *ret_page = (struct result_page){out.data, out.length};
    return 0;
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

/* Hands the ready page over; waits for the client's credit. */
static int post_page(struct run *run, struct error *err)
{
    struct query_mail *message = NULL;
    struct result_page page;

    if (!page_credits_take_wait(&run->query->credits))
        return fail_cancelled(err);
    if (result_pages_take(run->pages, &page, err) != 0)
        return -1;
    message = calloc(1, sizeof(*message));
    if (message == NULL) {
        free(page.data);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    post(run, message, NEWS_PAGE, page.data, page.length);
    return 0;
}

/* For those who look while it runs. */
static void count_so_far(const struct run *run)
{
    atomic_store_explicit(&run->query->rows_so_far, result_pages_rows(run->pages),
                          memory_order_relaxed);
    atomic_store_explicit(&run->query->bytes_so_far, result_pages_body_bytes(run->pages),
                          memory_order_relaxed);
}

/* Until the batch or the answer is over. */
static int write_batch(struct run *run, const struct ArrowArray *batch, struct error *err)
{
    struct query *query = run->query;
    int64_t row = 0;

    while (row < batch->length && !result_pages_is_cut(run->pages)) {
        struct monotime begin = monotime_now();
        int64_t done = result_pages_add(run->pages, batch, row, err);

        query->timing.write_us += monotime_span_us(begin, monotime_now());
        count_so_far(run);
        if (done < 0 || (result_pages_is_ready(run->pages) && post_page(run, err) != 0))
            return -1;
        if (atomic_load_explicit(&query->cancelled, memory_order_relaxed))
            return fail_cancelled(err);
        row += done;
    }
    return 0;
}

static int start_pages(struct run *run, struct error *err)
{
    const struct query_request *request = &run->query->request;
    const struct result_options options = {.choice = request->answer,
                                           .numbers_as_strings = request->numbers_as_strings,
                                           .query_id = run->query->id};
    const struct result_limits limits = {.rows = request->row_limit, .bytes = request->byte_limit};

    return result_pages_new(cursor_schema(run), &options, &limits, &run->pages, err);
}

static void tell_source(const struct spark_source_facts *source, struct result_end *end)
{
    end->source_version = source->version[0] != '\0' ? source->version : NULL;
    end->files_read = source->files_read;
    end->files_total = source->files_total;
    end->bytes_read = source->bytes_read;
}

static int end_pages(struct run *run, struct result_page *ret_last, struct error *err)
{
    const struct query *query = run->query;
    struct monotime begin = monotime_now();
    struct result_end end = RESULT_END_UNKNOWN;
    int rc = -1;

    end.source_kind = query_source_name(query->request.source);
    end.queue_us = query->timing.queue_us;
    end.plan_us = query->timing.plan_us;
    end.run_us = query->timing.run_us;
    if (run->spark != NULL)
        tell_source(spark_cursor_source(run->spark), &end);
    if (result_pages_end(run->pages, &end, err) == 0)
        rc = result_pages_take(run->pages, ret_last, err);
    run->query->timing.write_us += monotime_span_us(begin, monotime_now());
    return rc;
}

static int write_all(struct run *run, struct result_page *ret_last, struct error *err)
{
    struct query *query = run->query;

    if (start_pages(run, err) != 0)
        return -1;
    while (!result_pages_is_cut(run->pages)) {
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
    }
    return end_pages(run, ret_last, err);
}

static int run_steps(struct run *run, struct result_page *ret_last, struct error *err)
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
        rc = explain(run, path, ret_last, err);
        goto out;
    }
    if (open_cursor(run, path, err) != 0)
        goto out;
    rc = write_all(run, ret_last, err);
out:
    begin = monotime_now();
    cursor_close(run);
    query->timing.bridge_us =
        query->timing.plan_us + query->timing.run_us + monotime_span_us(begin, monotime_now());
    free(path);
    return rc;
}

static void note_outcome(const struct run *run)
{
    struct query_outcome *outcome = &run->query->outcome;

    if (run->pages == NULL)
        return;
    count_so_far(run);
    outcome->rows = result_pages_rows(run->pages);
    outcome->bytes = result_pages_taken_bytes(run->pages);
    outcome->truncated = result_pages_is_cut(run->pages);
    outcome->coding = result_pages_coding(run->pages);
}

void query_runner_run(struct query_runner *runner, struct query *query)
{
    struct run run = {.runner = runner, .query = query};
    struct result_page last = {0};

    query->slot = runner->slot;
    query->run_started = monotime_now();
    query->timing.queue_us = monotime_span_us(query->received, query->run_started);
    run.started_mail = calloc(1, sizeof(*run.started_mail));
    run.done_mail = calloc(1, sizeof(*run.done_mail));
    if (run.started_mail == NULL || run.done_mail == NULL)
        abort(); /* nobody could ever be told: see service/README.md, "Out of memory" */
    post(&run, run.started_mail, NEWS_STARTED, NULL, 0);
    if (run_steps(&run, &last, &query->outcome.err) == 0)
        error_clear(&query->outcome.err);
    note_outcome(&run);
    result_pages_free(run.pages);
    post(&run, run.done_mail, NEWS_DONE, last.data, last.length);
}
