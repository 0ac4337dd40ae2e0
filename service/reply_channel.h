/*
 * reply_channel: how other threads reach the loop: a mailbox, a list under a
 * mutex and an eventfd, written only when the list was empty; the loop takes the
 * whole list at once and delivers each mail in order with no lock held.
 */
#ifndef SERVICE_REPLY_CHANNEL_H
#define SERVICE_REPLY_CHANNEL_H

#include "error.h"

struct event_base;
struct reply_channel;

/* Embedded in a message of the sender's. `deliver` runs on the loop and owns it. */
struct mail {
    struct mail *next;
    void (*deliver)(struct mail *mail);
};

/* On the loop's own thread. */
int reply_channel_new(struct event_base *base, struct reply_channel **ret_channel,
                      struct error *err);

/* Delivers what is left, then frees. No sender may be alive.   [loop] */
void reply_channel_free(struct reply_channel *channel);

/* Takes the mail. What the loop itself posts is delivered in the same turn, behind what it is
 * doing.   [any] */
void reply_channel_post(struct reply_channel *channel, struct mail *mail);

#endif
