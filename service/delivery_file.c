/*
 * What a delivery has to do with files: the copy of what it sends, and the pages of one
 * that sends a file.
 */
#include <stdlib.h>

#include "delivery.h"
#include "delivery_mail.h"
#include "kept_file.h"

/* ---- the copy [producer] ---- */

void delivery_drop_copy(struct delivery *delivery)
{
    delivery->is_not_copied = true;
    kept_file_release(delivery->copy);
    delivery->copy = NULL;
}

/* A short answer, which is its only page, has its place in memory. */
static bool is_copied(const struct delivery *delivery, bool is_last)
{
    return delivery->copies != NULL && !delivery->is_not_copied &&
           (delivery->copy != NULL || !is_last);
}

void delivery_copy_page(struct delivery *delivery, const struct result_page *page, bool is_last)
{
    if (!is_copied(delivery, is_last))
        return;
    if (delivery->copy == NULL)
        delivery->copy = kept_file_new(delivery->copies);
    if (delivery->copy == NULL || !kept_file_append(delivery->copy, page->data, page->length) ||
        (is_last && !kept_file_finish(delivery->copy)))
        delivery_drop_copy(delivery);
}

struct kept_file *delivery_take_copy(struct delivery *delivery)
{
    struct kept_file *copy = delivery->copy;

    delivery->copy = NULL;
    return copy;
}

/* ---- a file [delivery pool] ---- */

/* What was read is posted; at the end of the file, or with *err, the last word as well. */
static enum delivery_step end_playing(struct delivery *delivery, const struct error *err)
{
    if (err != NULL)
        delivery->tally.err = *err;
    delivery_feed_done(delivery);
    delivery_end_whole(delivery, (struct result_page){0});
    return STEP_OVER;
}

static int send_piece(struct delivery *delivery, struct error *err)
{
    struct delivery_mail *message = calloc(1, sizeof(*message));
    struct result_page page;

    if (message == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    if (kept_file_read(delivery->file, delivery->file_at, RESULT_PAGE_BYTES, &page.data,
                       &page.length, err) != 0) {
        free(message);
        return -1;
    }
    delivery->file_at += (int64_t)page.length;
    delivery_mail_post(delivery, message, page, false);
    return 0;
}

static enum delivery_step play_step(struct delivery_task *task)
{
    struct delivery *delivery = (struct delivery *)task;
    struct error err;

    switch (page_credits_look(&delivery->credits)) {
    case CREDIT_STOPPED:
        error_set_cancelled(&err);
        return end_playing(delivery, &err);
    case CREDIT_NOT_YET:
        return STEP_PARK;
    case CREDIT_THERE:
        break;
    }
    if (send_piece(delivery, &err) != 0)
        return end_playing(delivery, &err);
    return delivery->file_at < kept_file_length(delivery->file) ? STEP_AGAIN
                                                                : end_playing(delivery, NULL);
}

void delivery_play(struct delivery *delivery, struct kept_file *file)
{
    delivery->task.step = play_step;
    delivery->file = kept_file_hold(file);
    delivery_pool_enter(delivery->host->pool, &delivery->task);
}
