#include "page_credits.h"

#include "deadline.h"

void page_credits_init(struct page_credits *credits, struct page_budget *budget)
{
    *credits = (struct page_credits){.budget = budget};
    pthread_mutex_init(&credits->lock, NULL);
    monotime_cond_init(&credits->returned);
}

void page_credits_done(struct page_credits *credits)
{
    atomic_fetch_sub(&credits->budget->bytes, credits->bytes);
    pthread_cond_destroy(&credits->returned);
    pthread_mutex_destroy(&credits->lock);
}

static enum page_credit look(const struct page_credits *credits)
{
    if (credits->stopped)
        return CREDIT_STOPPED;
    if (credits->pages == 0)
        return CREDIT_THERE;
    return credits->pages < PAGES_IN_FLIGHT &&
                   atomic_load(&credits->budget->bytes) < credits->budget->bytes_max
               ? CREDIT_THERE
               : CREDIT_NOT_YET;
}

enum page_credit page_credits_look(struct page_credits *credits)
{
    enum page_credit credit = CREDIT_NOT_YET;

    pthread_mutex_lock(&credits->lock);
    credit = look(credits);
    pthread_mutex_unlock(&credits->lock);
    return credit;
}

enum page_credit page_credits_wait(struct page_credits *credits, int64_t patience_us)
{
    struct timespec until =
        monotime_timespec(monotime_after(monotime_now(), (patience_us + 999) / 1000));
    enum page_credit credit = CREDIT_NOT_YET;
    int timed_out = 0;

    pthread_mutex_lock(&credits->lock);
    while ((credit = look(credits)) == CREDIT_NOT_YET && timed_out == 0 && patience_us > 0)
        timed_out = pthread_cond_timedwait(&credits->returned, &credits->lock, &until);
    pthread_mutex_unlock(&credits->lock);
    return credit;
}

void page_credits_take(struct page_credits *credits, size_t bytes)
{
    pthread_mutex_lock(&credits->lock);
    credits->pages++;
    credits->bytes += (int64_t)bytes;
    pthread_mutex_unlock(&credits->lock);
    atomic_fetch_add(&credits->budget->bytes, (long long)bytes);
}

void page_credits_pass(struct page_credits *credits, size_t bytes)
{
    pthread_mutex_lock(&credits->lock);
    credits->bytes -= (int64_t)bytes;
    pthread_mutex_unlock(&credits->lock);
    atomic_fetch_sub(&credits->budget->bytes, (long long)bytes);
}

void page_credits_return(struct page_credits *credits, int pages)
{
    pthread_mutex_lock(&credits->lock);
    credits->pages -= pages;
    pthread_cond_signal(&credits->returned);
    pthread_mutex_unlock(&credits->lock);
}

void page_credits_stop(struct page_credits *credits)
{
    pthread_mutex_lock(&credits->lock);
    credits->stopped = true;
    pthread_cond_broadcast(&credits->returned);
    pthread_mutex_unlock(&credits->lock);
}
