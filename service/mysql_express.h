/*
 * mysql_express: the short way of a direct query. While MySQL answers at once, waking
 * a worker and being woken by it takes longer than the statement; so the loop sends a
 * plain one itself, if the whole answer is to be expected in one round trip
 * (mysql_cursor_begin), and a worker is idle, whose slot it then holds.
 *
 * A whole small answer that comes soon is written at once, by query_runner. All else,
 * be it late, large, an error, a cancel or any doubt, goes to that worker as it is,
 * statement under way, and on from there as ever. The loop never waits.   [loop]
 */
#ifndef SERVICE_MYSQL_EXPRESS_H
#define SERVICE_MYSQL_EXPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct event_base;
struct mysql_engine;
struct mysql_express;
struct query;
struct query_queue;
struct reply_channel;
struct spool_store;

struct mysql_express_config {
    struct event_base *base; /* borrowed, as all below */
    struct mysql_engine *mysql;
    struct query_queue *queue;
    struct reply_channel *channel;
    struct spool_store *spools;
    int64_t answer_ms; /* in which an answer must have come; 0: every query takes the usual way */
    size_t bytes_max;  /* of its rows, with their columns' names */
};

int mysql_express_new(const struct mysql_express_config *config, struct mysql_express **ret_express,
                      struct error *err);

/* Cuts what is under way and hands it to the workers, which end it; begins nothing any more.
 * The queue is still open. NULL is fine. */
void mysql_express_stop(struct mysql_express *express);

/* Stopped before. NULL is fine. */
void mysql_express_free(struct mysql_express *express);

/* Lends a query that is equipped and not queued; its statement is sent at the end of this turn
 * of the loop, its news come by the channel, as a worker's do. False: it is still yours, to be queued. */
bool mysql_express_try(struct mysql_express *express, struct query *query);

#endif
