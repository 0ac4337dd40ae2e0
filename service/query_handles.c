#include "query_handles.h"

#include <event2/event.h>
#include <stdlib.h>

#include "metrics.h"
#include "query.h"
#include "query_registry.h"

struct query_handles {
    struct query_handles_config config;
    struct handle_journal *journal;
    struct event *expiry_timer;
    size_t count; /* places taken */
};

/* ---- places ---- */

int query_handles_take_place(struct query_handles *handles, struct query *query, struct error *err)
{
    if (handles->count >= handles->config.limit)
        return error_set(err, ERROR_QUEUE_FULL, "%zu asynchronous queries run or are kept already",
                         handles->count);
    handles->count++;
    query->has_place = true;
    return 0;
}

void query_handles_leave_place(struct query_handles *handles, struct query *query)
{
    if (query->has_place)
        handles->count--;
    query->has_place = false;
}

/* ---- the time to live ---- */

/* Rows gone and nobody at them: it is history like any other. */
static void let_go(struct query_handles *handles, struct query *query)
{
    if (monotime_is_set(query->forget_at) || query->readers > 0)
        return;
    query_handles_leave_place(handles, query);
    query_registry_unpin(handles->config.registry, query);
}

static void expire(struct query_handles *handles, struct query *query)
{
    query->forget_at = (struct monotime){0};
    metrics_add(METRIC_HANDLES_EXPIRED, 1);
    handles->config.on_expired(handles->config.user, query);
    let_go(handles, query);
}

/* For the pinned one that ended first of those not yet expired. */
static void start_timer(struct query_handles *handles)
{
    const struct query *query = query_registry_first_pinned(handles->config.registry);
    struct timeval span = {0};
    int64_t span_us = 0;

    while (query != NULL && !monotime_is_set(query->forget_at))
        query = query->group_next;
    if (query == NULL)
        return;
    span_us = monotime_span_us(monotime_now(), query->forget_at);
    if (span_us > 0)
        span = (struct timeval){.tv_sec = span_us / 1000000,
                                .tv_usec = (suseconds_t)(span_us % 1000000)};
    (void)event_add(handles->expiry_timer, &span);
}

static void on_expiry(evutil_socket_t fd, short what, void *user)
{
    struct query_handles *handles = user;
    struct monotime now = monotime_now();
    struct query *next = NULL;

    (void)fd;
    (void)what;
    for (struct query *query = query_registry_first_pinned(handles->config.registry); query != NULL;
         query = next) {
        next = query->group_next;
        if (!monotime_is_set(query->forget_at))
            continue;
        if (!monotime_reached(query->forget_at, now))
            break;
        expire(handles, query);
    }
    start_timer(handles);
}

void query_handles_keep(struct query_handles *handles, struct query *query)
{
    query->forget_at = monotime_after(monotime_now(), handles->config.ttl_s * 1000);
    query_registry_end_pinned(handles->config.registry, query);
    if (!event_pending(handles->expiry_timer, EV_TIMEOUT, NULL))
        start_timer(handles);
}

void query_handles_reader_came(struct query *query)
{
    query->readers++;
}

void query_handles_reader_left(struct query_handles *handles, struct query *query)
{
    query->readers--;
    let_go(handles, query);
}

/* ---- the journal, and the rest ---- */

int query_handles_promise(struct query_handles *handles, const struct query *query,
                          struct error *err)
{
    return handle_journal_write(handles->journal, query->key, err);
}

enum handle_origin query_handles_origin(const struct query_handles *handles, const char *key)
{
    return handle_journal_find(handles->journal, key);
}

size_t query_handles_count(const struct query_handles *handles)
{
    return handles->count;
}

size_t query_handles_ids(const struct query_handles *handles)
{
    return handle_journal_count(handles->journal);
}

int query_handles_new(const struct query_handles_config *config, struct query_handles **ret_handles,
                      struct error *err)
{
    struct query_handles *handles = calloc(1, sizeof(*handles));

    if (handles == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    handles->config = *config;
    handles->expiry_timer = event_new(config->base, -1, 0, on_expiry, handles);
    if (handles->expiry_timer == NULL) {
        error_set(err, ERROR_ENGINE_ERROR, "out of memory");
        goto fail;
    }
    if (handle_journal_open(config->journal_path, config->journal_length, config->channel,
                            config->on_promised, config->user, &handles->journal, err) != 0)
        goto fail;
    *ret_handles = handles;
    return 0;
fail:
    query_handles_free(handles);
    return -1;
}

bool query_handles_stop(struct query_handles *handles, int64_t limit_ms)
{
    return handles == NULL || handle_journal_stop(handles->journal, limit_ms);
}

void query_handles_free(struct query_handles *handles)
{
    if (handles == NULL)
        return;
    handle_journal_free(handles->journal);
    if (handles->expiry_timer != NULL)
        event_free(handles->expiry_timer);
    free(handles);
}
