/*
 * page_credits: what holds back the one who makes an answer's pages until its
 * client has taken some: at most PAGES_IN_FLIGHT of them on their way, and a
 * byte budget that all answers share (STREAM_BYTES).
 *
 * An answer may always have one page on its way, whatever the others hold: so
 * nobody waits for anybody but its own client, and the budget can be passed by
 * no more than one page an answer.
 */
#ifndef SERVICE_PAGE_CREDITS_H
#define SERVICE_PAGE_CREDITS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGES_IN_FLIGHT 4

/* Shared by all answers. */
struct page_budget {
    int64_t bytes_max;
    atomic_llong bytes; /* of pages on their way, until the kernel has them */
};

struct page_credits {
    struct page_budget *budget; /* borrowed */
    pthread_mutex_t lock;
    pthread_cond_t returned;
    int pages;     /* under lock, as all below: on their way */
    int64_t bytes; /* of those still counted here */
    bool stopped;
};

enum page_credit { CREDIT_THERE, CREDIT_NOT_YET, CREDIT_STOPPED };

void page_credits_init(struct page_credits *credits, struct page_budget *budget);
/* Gives back what is still counted here. */
void page_credits_done(struct page_credits *credits);

/* Whether another page may go. Only one thread at a time makes pages; what it was
 * told stays true until it takes.   [producer] */
enum page_credit page_credits_look(struct page_credits *credits);

/* The same, waiting for it for so long.   [worker] */
enum page_credit page_credits_wait(struct page_credits *credits, int64_t patience_us);

/* A page of so many bytes is on its way now.   [producer] */
void page_credits_take(struct page_credits *credits, size_t bytes);

/* A page's bytes are somebody else's to count in the budget.   [loop] */
void page_credits_pass(struct page_credits *credits, size_t bytes);

/* The client has taken so many pages.   [loop] */
void page_credits_return(struct page_credits *credits, int pages);

/* Wakes the waiter for good: nobody reads any more.   [loop] */
void page_credits_stop(struct page_credits *credits);

#endif
