#include "result_sink.h"

#include "deadline.h"
#include "delivery.h"
#include "metrics.h"
#include "query.h"
#include "result_spool.h"

/* Nothing goes out live of what a caller may come back for. */
static bool keeps_rows(const struct query *query)
{
    return query_request_keeps_rows(&query->request);
}

void result_sink_init(struct result_sink *sink, struct query *query, struct spool_store *store,
                      int64_t patience_ms)
{
    *sink = (struct result_sink){.query = query,
                                 .delivery = keeps_rows(query) ? NULL : query->delivery,
                                 .store = store,
                                 .patience_us = patience_ms * 1000};
}

static bool is_cancelled(const struct result_sink *sink)
{
    return atomic_load_explicit(&sink->query->cancelled, memory_order_relaxed);
}

/* For those who look while it runs. */
static void count_so_far(struct result_sink *sink)
{
    int64_t bytes = sink->spool != NULL ? result_spool_look(sink->spool).bytes : 0;

    if (sink->delivery != NULL)
        bytes = result_pages_body_bytes(sink->delivery->pages);
    atomic_store_explicit(&sink->query->rows_so_far, sink->rows, memory_order_relaxed);
    atomic_store_explicit(&sink->query->bytes_so_far, bytes, memory_order_relaxed);
}

int result_sink_open(struct result_sink *sink, const struct ArrowSchema *schema, struct error *err)
{
    sink->schema = schema;
    if (sink->delivery == NULL)
        return result_spool_new(sink->store, schema, &sink->spool, err);
    return delivery_open_pages(sink->delivery, schema, err);
}

/* From here on the pool feeds the delivery. */
static int hand_over(struct result_sink *sink, struct error *err)
{
    struct delivery *delivery = sink->delivery;

    if (result_spool_new(sink->store, sink->schema, &sink->spool, err) != 0)
        return -1;
    sink->delivery = NULL;
    metrics_add(METRIC_STREAMS_SPOOLED, 1);
    delivery_follow(delivery, sink->spool, 0, SIZE_MAX);
    return 0;
}

/* Sends the ready page once there is a credit for it; without patience, the pool will. */
static int send_page(struct result_sink *sink, struct error *err)
{
    struct monotime begin = monotime_now();
    enum page_credit credit = page_credits_wait(&sink->delivery->credits, sink->patience_us);

    sink->patience_us -= monotime_span_us(begin, monotime_now());
    switch (credit) {
    case CREDIT_THERE:
        return delivery_send_page(sink->delivery, err);
    case CREDIT_NOT_YET:
        return hand_over(sink, err);
    case CREDIT_STOPPED:
        break;
    }
    return error_set_cancelled(err);
}

/* Gives the rows that went out live: all, or those up to the hand-over. -1: *err. */
static int64_t add_live(struct result_sink *sink, const struct ArrowArray *batch, struct error *err)
{
    int64_t row = 0;

    while (row < batch->length && sink->delivery != NULL && !sink->is_full) {
        struct result_pages *pages = sink->delivery->pages;
        struct monotime begin = monotime_now();
        int64_t done = result_pages_add(pages, batch, row, err);

        sink->delivery->tally.write_us += monotime_span_us(begin, monotime_now());
        if (done < 0)
            return -1;
        row += done;
        sink->rows += done;
        sink->is_full = result_pages_is_cut(pages);
        count_so_far(sink);
        if (result_pages_is_ready(pages) && send_page(sink, err) != 0)
            return -1;
        if (is_cancelled(sink))
            return error_set_cancelled(err);
    }
    return row;
}

static int add_spooled(struct result_sink *sink, const struct ArrowArray *batch, int64_t first,
                       struct error *err)
{
    int64_t row_limit = sink->query->request.row_limit;
    int64_t count = batch->length - first;

    if (is_cancelled(sink))
        return error_set_cancelled(err);
    if (row_limit >= 0 && count > row_limit - sink->rows) {
        count = row_limit - sink->rows;
        sink->is_full = true;
    }
    if (result_spool_append(sink->spool, batch, first, count, err) != 0)
        return -1;
    sink->rows += count;
    count_so_far(sink);
    return 0;
}

int result_sink_add(struct result_sink *sink, const struct ArrowArray *batch, struct error *err)
{
    int64_t row = add_live(sink, batch, err);

    if (row < 0)
        return -1;
    return sink->delivery != NULL || sink->is_full ? 0 : add_spooled(sink, batch, row, err);
}

struct result_spool *result_sink_keep(struct result_sink *sink, struct result_end *end,
                                      const struct error *err)
{
    struct result_spool *spool = sink->spool;

    if (spool == NULL || !keeps_rows(sink->query))
        return NULL;
    sink->spool = NULL;
    end->truncated = sink->is_full;
    result_spool_finish(spool, err == NULL ? end : NULL);
    if (err == NULL)
        return spool;
    result_spool_release(spool);
    return NULL;
}

void result_sink_put(struct result_sink *sink, struct result_page body)
{
    sink->body = body;
}

void result_sink_end(struct result_sink *sink, struct result_end *end, const struct error *err)
{
    end->truncated = sink->is_full;
    if (sink->body.data != NULL)
        delivery_end_whole(sink->delivery, sink->body);
    else if (sink->delivery != NULL)
        delivery_end(sink->delivery, end, err);
    if (sink->spool == NULL)
        return;
    result_spool_finish(sink->spool, err == NULL ? end : NULL);
    result_spool_release(sink->spool);
}
