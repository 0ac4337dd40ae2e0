/*
 * delivery: one answer with rows on its way to one client, page by page.
 *
 * Its pages are made by one producer at a time: first the query's worker, live;
 * then, from delivery_follow() on, the delivery pool, out of a spool. A client
 * that doesn't read parks the delivery, not a thread; what waits for it in memory
 * is PAGES_IN_FLIGHT pages at most. The producer's last word is posted exactly
 * once and is its last touch; then the loop frees the delivery. It may copy what it
 * sends into a kept_file; of an answer that was kept, such a file is all that it sends.
 */
#ifndef SERVICE_DELIVERY_H
#define SERVICE_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arrow_c_data.h"
#include "delivery_pool.h"
#include "entity_tag.h"
#include "error.h"
#include "page_credits.h"
#include "reply_channel.h"
#include "result_pages.h"
#include "result_spool.h"

struct delivery;
struct http_exchange;
struct kept_file;
struct kept_file_store;

/* What all deliveries share. */
struct delivery_host {
    struct reply_channel *channel; /* borrowed */
    struct delivery_pool *pool;    /* borrowed */
    struct page_budget budget;     /* STREAM_BYTES */
    size_t open;                   /* deliveries alive   [loop] */
};

/* What the loop is told; all run on the loop. */
struct delivery_events {
    /* The answer is a long one: status line and headers are to be sent, unless there is
     * no exchange any more. */
    void (*begin)(struct delivery *delivery);
    /* The client has left, or took nothing for too long. */
    void (*gone)(struct delivery *delivery, bool stalled);
    /* The producer has let go, having said all in `tally`. Takes `last`, the last
     * page or the whole of a short answer; frees the delivery. */
    void (*over)(struct delivery *delivery, struct result_page last);
};

/* How it went, as far as the producer knows. */
struct delivery_tally {
    struct error err; /* ERROR_NONE: all rows were written */
    int64_t rows;
    int64_t bytes;    /* as sent, headers and chunk frames left out */
    int64_t write_us; /* batches -> bytes */
    int64_t spooled_bytes;
    bool truncated;
    enum content_coding coding; /* of the bytes; a short answer may not be coded */
    struct entity_tag tag;      /* of a short answer that wants one */
};

struct delivery {
    struct delivery_task task; /* first: a task is its delivery */

    /* Constant; but the coding is settled when the pages are opened. */
    struct delivery_host *host;
    const struct delivery_events *events;
    void *user;
    struct result_options options;
    struct result_limits limits;
    bool wants_tag;                 /* set before there is a producer, as copies */
    struct kept_file_store *copies; /* a long answer is copied to there; NULL: it isn't */

    /* Any thread. */
    struct page_credits credits;

    /* The producer's until over(), then the loop's. */
    struct delivery_tally tally;
    struct result_pages *pages;
    struct result_spool *spool;
    struct result_spool_watch watch;
    size_t next_batch; /* of the spool, and the next row in it */
    int64_t next_row;
    size_t end_batch;
    struct ArrowArray batch; /* next_batch, when it has a release */
    struct kept_file *copy;  /* of all that was sent; whole in over() */
    bool is_not_copied;      /* any more */
    struct kept_file *file;  /* what is sent, and how far it is */
    int64_t file_at;
    struct delivery_mail *over_mail;

    /* [loop] */
    struct http_exchange *exchange; /* NULL once answered or gone */
    bool streaming;                 /* the status line is out */
    int pages_unreturned;           /* what the client's reading gives back */
};

/* ---- [loop] ---- */

/* An answer for `exchange`; watches it. `options->query_id` is borrowed for its
 * life. -1: ERROR_ENGINE_ERROR, no memory. */
int delivery_new(struct delivery_host *host, const struct delivery_events *events, void *user,
                 struct http_exchange *exchange, const struct result_options *options,
                 const struct result_limits *limits, struct delivery **ret_delivery,
                 struct error *err);

/* Only in over(), or while there was no producer yet. NULL is fine. */
void delivery_free(struct delivery *delivery);

/* Takes the exchange back, to answer it otherwise or because it is gone. NULL when there
 * is none any more. The producer goes on until it is told to stop. */
struct http_exchange *delivery_detach(struct delivery *delivery);

/* Nobody wants the pages: tells the producer to stop. */
void delivery_stop(struct delivery *delivery);

/* The pool is its producer, and its pages are the bytes of a whole file (held); `tally` tells
 * of these. */
void delivery_play(struct delivery *delivery, struct kept_file *file);

/* In over(): gives the whole copy, the caller's to release; NULL: there is none. */
struct kept_file *delivery_take_copy(struct delivery *delivery);

/* ---- [producer] ---- */

/* Makes the pages of the schema's rows, unless they are there. */
int delivery_open_pages(struct delivery *delivery, const struct ArrowSchema *schema,
                        struct error *err);

/* A copy would be of no use. */
void delivery_drop_copy(struct delivery *delivery);

/* Takes the page that is ready and sends it; there is a credit for it. */
int delivery_send_page(struct delivery *delivery, struct error *err);

/* The last word: *err, or (NULL) all that is left in the pages after their end. */
void delivery_end(struct delivery *delivery, const struct result_end *end, const struct error *err);

/* The last word of an answer that isn't rows: its body (taken). */
void delivery_end_whole(struct delivery *delivery, struct result_page body);

/* From the worker or the loop to the pool: the rest of the answer is the pages'
 * content so far and batches [first, end) of the spool (held), which may still
 * grow. The caller doesn't touch the delivery any more. */
void delivery_follow(struct delivery *delivery, struct result_spool *spool, size_t first_batch,
                     size_t end_batch);

#endif
