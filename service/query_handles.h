/*
 * query_handles: what lets a caller come back for a query: how many may, the
 * journal of the ids given out, and when kept rows are forgotten.
 *
 * A query that may become asynchronous has a place from its admission on. Once
 * it is over and was promised, it is pinned in the registry for the time to live;
 * one whose rows are still being read then stays until the last reader is done.
 * Changes no state itself.   [loop]
 */
#ifndef SERVICE_QUERY_HANDLES_H
#define SERVICE_QUERY_HANDLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "handle_journal.h"

struct event_base;
struct query;
struct query_handles;
struct query_registry;
struct reply_channel;

struct query_handles_config {
    struct event_base *base;       /* borrowed, as all pointers here */
    struct reply_channel *channel; /* of the journal's news */
    struct query_registry *registry;
    const char *journal_path;
    size_t journal_length;
    size_t limit; /* places */
    int64_t ttl_s;
    handle_written *on_promised;                         /* the id is on disk, or *err */
    void (*on_expired)(void *user, struct query *query); /* its time is over: drop its rows */
    void *user;                                          /* of both */
};

/* -1: ERROR_BAD_REQUEST when the journal can't be used. */
int query_handles_new(const struct query_handles_config *config, struct query_handles **ret_handles,
                      struct error *err);

/* Ends the journal's thread: to be called before the channel is freed. False: it
 * hangs, and nothing it borrows may be freed. NULL is fine. */
bool query_handles_stop(struct query_handles *handles, int64_t limit_ms);
void query_handles_free(struct query_handles *handles);

/* -1: ERROR_QUEUE_FULL, no place is left. */
int query_handles_take_place(struct query_handles *handles, struct query *query, struct error *err);
/* Fine for one that has none. */
void query_handles_leave_place(struct query_handles *handles, struct query *query);

/* Asks for the query's key to be journaled; on_promised follows. -1: it won't. */
int query_handles_promise(struct query_handles *handles, const struct query *query,
                          struct error *err);

/* The query is over: pins it, until on_expired and its last reader are done; then
 * it leaves its place and may be freed at once. */
void query_handles_keep(struct query_handles *handles, struct query *query);

void query_handles_reader_came(struct query *query);
void query_handles_reader_left(struct query_handles *handles, struct query *query);

/* Of a key that the registry doesn't know any more. */
enum handle_origin query_handles_origin(const struct query_handles *handles, const char *key);

size_t query_handles_count(const struct query_handles *handles);

/* Ids that would be told 410. */
size_t query_handles_ids(const struct query_handles *handles);

#endif
