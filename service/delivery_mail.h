/*
 * delivery_mail: what the two halves of a delivery share: the mails from its
 * producer to the loop, and the pool's step. Private to delivery*.c.
 */
#ifndef SERVICE_DELIVERY_MAIL_H
#define SERVICE_DELIVERY_MAIL_H

#include "delivery.h"

struct delivery_mail {
    struct mail mail; /* first: a mail is its delivery_mail */
    struct delivery *delivery;
    struct result_page page;
    bool is_last;
};

/* [loop] */
void delivery_mail_deliver(struct mail *mail);

/* Sends a page; there is a credit for it. Takes both.   [producer] */
void delivery_mail_post(struct delivery *delivery, struct delivery_mail *message,
                        struct result_page page, bool is_last);

/* Of a page about to be sent, the last one of an answer when `is_last`: into the copy, if
 * there is to be one.   [producer] */
void delivery_copy_page(struct delivery *delivery, const struct result_page *page, bool is_last);

/* [delivery pool] */
enum delivery_step delivery_feed_step(struct delivery_task *task);

/* Lets go of all that the producer had. */
void delivery_feed_done(struct delivery *delivery);

#endif
