#include "spool_disposal.h"

#include <stdlib.h>
#include <utlist.h>

#include "delivery_pool.h"
#include "kept_file.h"
#include "reply_channel.h"
#include "result_spool.h"

/* One spool on its way out: stepped once in the pool, then mailed back to be freed. */
struct leaving {
    struct delivery_task task; /* first: a task is its leaving */
    struct mail mail;
    struct spool_disposal *disposal;
    struct result_spool *spool; /* NULL once given back, both */
    struct kept_file *file;
    struct leaving *previous; /* [loop] */
    struct leaving *next;
};

struct spool_disposal {
    struct delivery_pool *pool; /* NULL once stopped */
    struct reply_channel *channel;
    struct leaving *leaving;
};

struct spool_disposal *spool_disposal_new(struct delivery_pool *pool, struct reply_channel *channel)
{
    struct spool_disposal *disposal = calloc(1, sizeof(*disposal));

    if (disposal != NULL) {
        disposal->pool = pool;
        disposal->channel = channel;
    }
    return disposal;
}

static void give_back(struct leaving *leaving)
{
    result_spool_release(leaving->spool);
    kept_file_release(leaving->file);
    leaving->spool = NULL;
    leaving->file = NULL;
}

static void forget(struct leaving *leaving)
{
    DL_DELETE2(leaving->disposal->leaving, leaving, previous, next);
    give_back(leaving);
    free(leaving);
}

static void deliver(struct mail *mail)
{
    forget((struct leaving *)((char *)mail - offsetof(struct leaving, mail)));
}

static enum delivery_step step(struct delivery_task *task)
{
    struct leaving *leaving = (struct leaving *)task;

    give_back(leaving);
    reply_channel_post(leaving->disposal->channel, &leaving->mail);
    return STEP_OVER;
}

/* One of the two. */
static void take(struct spool_disposal *disposal, struct result_spool *spool,
                 struct kept_file *file)
{
    struct leaving *leaving = NULL;

    if (disposal != NULL && disposal->pool != NULL)
        leaving = calloc(1, sizeof(*leaving));
    if (leaving == NULL) {
        result_spool_release(spool);
        kept_file_release(file);
        return;
    }
    leaving->task.step = step;
    leaving->mail.deliver = deliver;
    leaving->disposal = disposal;
    leaving->spool = spool;
    leaving->file = file;
    DL_APPEND2(disposal->leaving, leaving, previous, next);
    delivery_pool_enter(disposal->pool, &leaving->task);
}

void spool_disposal_take(struct spool_disposal *disposal, struct result_spool *spool)
{
    if (spool != NULL)
        take(disposal, spool, NULL);
}

void spool_disposal_take_file(struct spool_disposal *disposal, struct kept_file *file)
{
    if (file != NULL)
        take(disposal, NULL, file);
}

void spool_disposal_stop(struct spool_disposal *disposal)
{
    if (disposal != NULL)
        disposal->pool = NULL;
}

void spool_disposal_free(struct spool_disposal *disposal)
{
    if (disposal == NULL)
        return;
    while (disposal->leaving != NULL)
        forget(disposal->leaving);
    free(disposal);
}
