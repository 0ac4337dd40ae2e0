#include "kept_results.h"

#include <stdlib.h>
#include <utlist.h>

#include "delivery.h"
#include "http_reply.h"
#include "query.h"
#include "query_metrics.h"
#include "query_reply.h"
#include "result_spool.h"

struct fetch {
    struct kept_results *results;
    struct query *query;
    struct delivery *delivery;
    struct fetch *previous;
    struct fetch *next;
};

struct kept_results {
    struct kept_results_config config;
    struct fetch *fetches;
    size_t open;
};

static void end_fetch(struct fetch *fetch)
{
    struct kept_results *results = fetch->results;
    struct query *query = fetch->query;

    DL_DELETE2(results->fetches, fetch, previous, next);
    results->open--;
    delivery_free(fetch->delivery);
    free(fetch);
    results->config.on_left(results->config.user, query);
}

/* ---- news from the delivery ---- */

static void on_begin(struct delivery *delivery)
{
    const struct fetch *fetch = delivery->user;

    if (delivery->exchange != NULL)
        query_reply_begin(delivery->exchange, fetch->query, delivery);
}

/* Its last word is on its way; nobody waits for it. */
static void on_gone(struct delivery *delivery, bool stalled)
{
    (void)stalled;
    delivery_stop(delivery);
}

static void fail(struct delivery *delivery, const struct query *query)
{
    struct http_exchange *exchange = delivery_detach(delivery);

    if (delivery->streaming)
        query_reply_break_off(exchange, query, delivery, &delivery->tally.err);
    else
        query_reply_problem(exchange, query, &delivery->tally.err);
}

static void succeed(struct delivery *delivery, const struct query *query, struct result_page last)
{
    struct http_exchange *exchange = delivery_detach(delivery);

    query_metrics_fetched(delivery->tally.rows, delivery->tally.bytes);
    if (delivery->streaming)
        query_reply_end(exchange, query, delivery, last.data, last.length);
    else
        query_reply_whole(exchange, query, delivery, last.data, last.length);
}

static void on_over(struct delivery *delivery, struct result_page last)
{
    struct fetch *fetch = delivery->user;

    if (delivery->exchange != NULL && delivery->tally.err.code == ERROR_NONE) {
        succeed(delivery, fetch->query, last);
    } else {
        free(last.data);
        if (delivery->exchange != NULL)
            fail(delivery, fetch->query);
    }
    end_fetch(fetch);
}

static const struct delivery_events EVENTS = {on_begin, on_gone, on_over};

/* ---- what others call ---- */

struct kept_results *kept_results_new(const struct kept_results_config *config)
{
    struct kept_results *results = calloc(1, sizeof(*results));

    if (results != NULL)
        results->config = *config;
    return results;
}

void kept_results_free(struct kept_results *results)
{
    if (results == NULL)
        return;
    while (results->fetches != NULL)
        end_fetch(results->fetches);
    free(results);
}

static int find_batches(const struct query *query, size_t chunk, size_t *ret_first, size_t *ret_end,
                        struct error *err)
{
    if (chunk == KEPT_RESULTS_WHOLE) {
        *ret_first = 0;
        *ret_end = SIZE_MAX;
        return 0;
    }
    if (result_spool_chunk(query->kept, chunk, ret_first, ret_end))
        return 0;
    return error_set(err, ERROR_NOT_FOUND, "chunk: the result has %zu, counted from 0",
                     result_spool_look(query->kept).chunks);
}

static int open_fetch(struct kept_results *results, struct http_exchange *exchange,
                      struct query *query, const struct result_choice *choice,
                      struct fetch **ret_fetch, struct error *err)
{
    /* The rows were counted when they were kept; bytes are each answer's own. */
    const struct result_limits limits = {.rows = -1, .bytes = query->request.byte_limit};
    const struct result_options options = {.choice = *choice,
                                           .numbers_as_strings = query->request.numbers_as_strings,
                                           .query_id = query->id};
    struct fetch *fetch = calloc(1, sizeof(*fetch));

    if (fetch == NULL || delivery_new(results->config.deliveries, &EVENTS, fetch, exchange,
                                      &options, &limits, &fetch->delivery, err) != 0) {
        free(fetch);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    fetch->results = results;
    fetch->query = query;
    *ret_fetch = fetch;
    return 0;
}

void kept_results_send(struct kept_results *results, struct http_exchange *exchange,
                       struct query *query, const struct result_choice *choice, size_t chunk)
{
    struct fetch *fetch = NULL;
    size_t first = 0;
    size_t end = 0;
    struct error err;

    if (find_batches(query, chunk, &first, &end, &err) != 0 ||
        open_fetch(results, exchange, query, choice, &fetch, &err) != 0) {
        query_reply_problem(exchange, query, &err);
        return;
    }
    DL_APPEND2(results->fetches, fetch, previous, next);
    results->open++;
    results->config.on_came(results->config.user, query);
    delivery_follow(fetch->delivery, query->kept, first, end);
}

void kept_results_cut(struct kept_results *results)
{
    struct fetch *fetch = NULL;

    DL_FOREACH(results->fetches, fetch)
    {
        struct http_exchange *exchange = delivery_detach(fetch->delivery);
        if (exchange != NULL)
            http_reply_abort(exchange);
    }
}

size_t kept_results_open(const struct kept_results *results)
{
    return results->open;
}
