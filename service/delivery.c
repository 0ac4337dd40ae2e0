/*
 * The loop's half of a delivery, and the mails between the halves; what makes
 * pages is in delivery_feed.c.
 */
#include "delivery.h"

#include <stdlib.h>

#include "delivery_mail.h"
#include "http_reply.h"
#include "kept_file.h"

/* http_reply's low-water mark: below it a client counts as having read. */
#define LOW_WATER_BYTES ((size_t)64 * 1024)

/* The pool is to look at the credits; a worker waits on them by itself. */
static void wake_producer(struct delivery *delivery)
{
    delivery_pool_wake(delivery->host->pool, &delivery->task);
}

static void on_gone(void *user)
{
    struct delivery *delivery = user;
    bool stalled = http_exchange_has_stalled(delivery->exchange);

    delivery->exchange = NULL;
    delivery->events->gone(delivery, stalled);
}

static void on_drained(void *user)
{
    struct delivery *delivery = user;

    if (delivery->pages_unreturned == 0)
        return;
    page_credits_return(&delivery->credits, delivery->pages_unreturned);
    delivery->pages_unreturned = 0;
    wake_producer(delivery);
}

static void on_page(struct delivery *delivery, struct result_page page)
{
    if (!delivery->streaming) {
        delivery->streaming = true;
        delivery->events->begin(delivery);
    }
    if (delivery->exchange == NULL) {
        free(page.data);
        return;
    }
    delivery->pages_unreturned++;
    page_credits_pass(&delivery->credits, page.length); /* http_reply counts it now */
    http_reply_write_taken(delivery->exchange, page.data, page.length);
    /* The write may have ended the client; else ask how much it left behind. */
    if (delivery->exchange != NULL && http_reply_unsent(delivery->exchange) < LOW_WATER_BYTES)
        on_drained(delivery);
}

void delivery_mail_deliver(struct mail *mail)
{
    struct delivery_mail *message = (struct delivery_mail *)mail;

    if (message->is_last)
        message->delivery->events->over(message->delivery, message->page);
    else
        on_page(message->delivery, message->page);
    free(message);
}

int delivery_new(struct delivery_host *host, const struct delivery_events *events, void *user,
                 struct http_exchange *exchange, const struct result_options *options,
                 const struct result_limits *limits, struct delivery **ret_delivery,
                 struct error *err)
{
    struct delivery *delivery = calloc(1, sizeof(*delivery));

    if (delivery == NULL ||
        (delivery->over_mail = calloc(1, sizeof(*delivery->over_mail))) == NULL) {
        free(delivery);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    delivery->task.step = delivery_feed_step;
    delivery->host = host;
    delivery->events = events;
    delivery->user = user;
    delivery->options = *options;
    delivery->limits = *limits;
    delivery->exchange = exchange;
    page_credits_init(&delivery->credits, &host->budget);
    host->open++;
    http_exchange_watch(exchange, on_gone, on_drained, delivery);
    http_exchange_count_unsent(exchange, &host->budget.bytes);
    *ret_delivery = delivery;
    return 0;
}

void delivery_free(struct delivery *delivery)
{
    if (delivery == NULL)
        return;
    delivery->host->open--;
    delivery_feed_done(delivery);
    kept_file_release(delivery->copy);
    page_credits_done(&delivery->credits);
    free(delivery->over_mail);
    free(delivery);
}

struct http_exchange *delivery_detach(struct delivery *delivery)
{
    struct http_exchange *exchange = delivery->exchange;

    if (exchange == NULL)
        return NULL;
    http_exchange_watch(exchange, NULL, NULL, NULL);
    delivery->exchange = NULL;
    return exchange;
}

void delivery_stop(struct delivery *delivery)
{
    page_credits_stop(&delivery->credits);
    wake_producer(delivery);
}
