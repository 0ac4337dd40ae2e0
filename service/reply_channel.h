/*
 * reply_channel: how other threads reach the loop, and what holds them back.
 *
 * Mailbox: a list under a mutex and an eventfd, written only when the list was
 * empty; the loop takes the whole list at once and delivers each mail in order
 * with no lock held.
 *
 * Page credits: a query may have K pages on their way to its client. Its
 * worker waits here for a page to leave, never on the loop.
 */
#ifndef SERVICE_REPLY_CHANNEL_H
#define SERVICE_REPLY_CHANNEL_H

#include <pthread.h>
#include <stdbool.h>

#include "error.h"

struct event_base;
struct reply_channel;

/* Embedded in a message of the sender's. `deliver` runs on the loop and owns it. */
struct mail {
    struct mail *next;
    void (*deliver)(struct mail *mail);
};

int reply_channel_new(struct event_base *base, struct reply_channel **ret_channel,
                      struct error *err);

/* Delivers what is left, then frees. No sender may be alive.   [loop] */
void reply_channel_free(struct reply_channel *channel);

/* Takes the mail.   [any] */
void reply_channel_post(struct reply_channel *channel, struct mail *mail);

struct page_credits {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    int available;
    bool stopped;
};

void page_credits_init(struct page_credits *credits, int pages);
void page_credits_done(struct page_credits *credits);

/* Takes one credit, waiting for it; false once stopped.   [worker] */
bool page_credits_take_wait(struct page_credits *credits);

/* Gives `pages` back.   [loop] */
void page_credits_return(struct page_credits *credits, int pages);

/* Wakes the waiter for good: nobody reads any more.   [loop] */
void page_credits_stop(struct page_credits *credits);

#endif
