/*
 * The producer's half of a delivery: pages out, and the pool's way from a spool
 * to pages. Knows no connection.
 */
#include <stdlib.h>

#include "deadline.h"
#include "delivery.h"
#include "delivery_mail.h"
#include "kept_file.h"

void delivery_mail_post(struct delivery *delivery, struct delivery_mail *message,
                        struct result_page page, bool is_last)
{
    message->mail.deliver = delivery_mail_deliver;
    message->delivery = delivery;
    message->page = page;
    message->is_last = is_last;
    page_credits_take(&delivery->credits, page.length);
    reply_channel_post(delivery->host->channel, &message->mail);
}

int delivery_open_pages(struct delivery *delivery, const struct ArrowSchema *schema,
                        struct error *err)
{
    if (delivery->pages != NULL)
        return 0;
    if (result_pages_new(schema, &delivery->options, &delivery->limits, &delivery->pages, err) != 0)
        return -1;
    delivery->options.choice.coding = result_pages_coding(delivery->pages);
    return 0;
}

int delivery_send_page(struct delivery *delivery, struct error *err)
{
    struct delivery_mail *message = calloc(1, sizeof(*message));
    struct monotime begin = monotime_now();
    struct result_page page;

    if (message == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    if (result_pages_take(delivery->pages, &page, err) != 0) {
        free(message);
        return -1;
    }
    delivery->tally.write_us += monotime_span_us(begin, monotime_now());
    delivery_copy_page(delivery, &page, false);
    delivery_mail_post(delivery, message, page, false);
    return 0;
}

static int end_pages(struct delivery *delivery, const struct result_end *end,
                     struct result_page *ret_last, struct error *err)
{
    struct monotime begin = monotime_now();
    bool whole = result_pages_taken_bytes(delivery->pages) == 0;

    if (result_pages_end(delivery->pages, end, err) != 0 ||
        result_pages_take(delivery->pages, ret_last, err) != 0)
        return -1;
    if (whole && delivery->wants_tag)
        delivery->tally.tag = entity_tag_of(ret_last->data, ret_last->length);
    delivery->tally.truncated = end->truncated || result_pages_is_cut(delivery->pages);
    delivery->tally.write_us += monotime_span_us(begin, monotime_now());
    return 0;
}

static void drop_batch(struct delivery *delivery)
{
    if (delivery->batch.release != NULL)
        delivery->batch.release(&delivery->batch);
}

void delivery_feed_done(struct delivery *delivery)
{
    drop_batch(delivery);
    result_pages_free(delivery->pages);
    delivery->pages = NULL;
    result_spool_release(delivery->spool);
    delivery->spool = NULL;
    kept_file_release(delivery->file);
    delivery->file = NULL;
}

static void post_last(struct delivery *delivery, struct result_page last)
{
    struct delivery_mail *message = delivery->over_mail;

    delivery->over_mail = NULL;
    delivery_mail_post(delivery, message, last, true); /* from here on it is the loop's */
}

void delivery_end_whole(struct delivery *delivery, struct result_page body)
{
    delivery->tally.bytes = (int64_t)body.length;
    post_last(delivery, body);
}

void delivery_end(struct delivery *delivery, const struct result_end *end, const struct error *err)
{
    struct delivery_tally *tally = &delivery->tally;
    struct result_page last = {0};

    if (err != NULL)
        tally->err = *err;
    else if (end_pages(delivery, end, &last, &tally->err) == 0)
        error_clear(&tally->err);
    if (tally->err.code == ERROR_NONE)
        delivery_copy_page(delivery, &last, true);
    else
        delivery_drop_copy(delivery);
    if (delivery->pages != NULL) {
        tally->rows = result_pages_rows(delivery->pages);
        tally->bytes = result_pages_taken_bytes(delivery->pages);
        tally->coding = result_pages_coding(delivery->pages);
    }
    if (delivery->spool != NULL) {
        tally->spooled_bytes = result_spool_look(delivery->spool).bytes;
        result_spool_unwatch(delivery->spool, &delivery->watch);
    }
    delivery_feed_done(delivery);
    post_last(delivery, last);
}

/* ---- out of a spool ---- */

static void on_spool_news(void *user)
{
    struct delivery *delivery = user;

    delivery_pool_wake(delivery->host->pool, &delivery->task);
}

void delivery_follow(struct delivery *delivery, struct result_spool *spool, size_t first_batch,
                     size_t end_batch)
{
    delivery->spool = result_spool_hold(spool);
    delivery->next_batch = first_batch;
    delivery->end_batch = end_batch;
    delivery->watch = (struct result_spool_watch){.wake = on_spool_news, .user = delivery};
    result_spool_watch(spool, &delivery->watch);
    delivery_pool_enter(delivery->host->pool, &delivery->task);
}

static enum delivery_step end_following(struct delivery *delivery, const struct error *err)
{
    struct result_end end = result_spool_end(delivery->spool);

    delivery_end(delivery, &end, err);
    return STEP_OVER;
}

static enum result_spool_read load_batch(struct delivery *delivery, struct error *err)
{
    if (delivery->batch.release != NULL)
        return SPOOL_BATCH;
    if (delivery->next_batch >= delivery->end_batch)
        return SPOOL_END;
    return result_spool_read(delivery->spool, delivery->next_batch, &delivery->batch, err);
}

/* Some rows more of the batch under way. */
static int add_rows(struct delivery *delivery, struct error *err)
{
    struct monotime begin = monotime_now();
    int64_t done = result_pages_add(delivery->pages, &delivery->batch, delivery->next_row, err);

    delivery->tally.write_us += monotime_span_us(begin, monotime_now());
    if (done < 0)
        return -1;
    delivery->next_row += done;
    if (delivery->next_row >= delivery->batch.length) {
        drop_batch(delivery);
        delivery->next_batch++;
        delivery->next_row = 0;
    }
    return 0;
}

enum delivery_step delivery_feed_step(struct delivery_task *task)
{
    struct delivery *delivery = (struct delivery *)task;
    struct error err = {.code = ERROR_NONE};

    switch (page_credits_look(&delivery->credits)) {
    case CREDIT_STOPPED:
        error_set(&err, ERROR_CANCELLED, "nobody reads the answer");
        return end_following(delivery, &err);
    case CREDIT_NOT_YET:
        drop_batch(delivery); /* who waits for a client holds pages only */
        return STEP_PARK;
    case CREDIT_THERE:
        break;
    }
    if (delivery_open_pages(delivery, result_spool_schema(delivery->spool), &err) != 0)
        return end_following(delivery, &err);
    while (!result_pages_is_ready(delivery->pages)) {
        enum result_spool_read got = SPOOL_BATCH;

        if (result_pages_is_cut(delivery->pages))
            return end_following(delivery, NULL);
        got = load_batch(delivery, &err);
        if (got == SPOOL_NOT_YET)
            return STEP_PARK;
        if (got == SPOOL_END)
            return end_following(delivery, NULL);
        if (got == SPOOL_FAILED || add_rows(delivery, &err) != 0)
            return end_following(delivery, &err);
    }
    return delivery_send_page(delivery, &err) == 0 ? STEP_AGAIN : end_following(delivery, &err);
}
