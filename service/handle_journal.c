#include "handle_journal.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "deadline.h"
#include "journal_file.h"
#include "reply_channel.h"

/* One id, first on its way to the disk, then among the known ones. */
struct handle_id {
    struct mail mail; /* first: a mail is its handle_id */
    struct handle_journal *journal;
    struct handle_id *next; /* under the lock, while it waits for the disk */
    struct error err;
    char id[JOURNAL_ID_BYTES];
};

struct known_id {
    char id[JOURNAL_ID_BYTES];
    enum handle_origin origin;
    UT_hash_handle hash_by_id;
};

struct handle_journal {
    struct journal_file file; /* the thread's once it runs */
    size_t length;
    struct reply_channel *channel;
    handle_written *on_written;
    void *user;
    struct known_id *known; /* hash, oldest first   [loop] */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct handle_id *first; /* under lock */
    struct handle_id **last; /* under lock */
    bool stopping;           /* under lock */
};

/* ---- the known ids [loop] ---- */

static void remember(struct handle_journal *journal, const char *id, enum handle_origin origin)
{
    struct known_id *known = NULL;

    HASH_FIND(hash_by_id, journal->known, id, JOURNAL_ID_BYTES - 1, known);
    if (known != NULL) {
        HASH_DELETE(hash_by_id, journal->known, known);
    } else {
        known = calloc(1, sizeof(*known));
        if (known == NULL)
            return; /* it will be told "unknown" in the end: 404 for 410 */
        memcpy(known->id, id, JOURNAL_ID_BYTES);
    }
    known->origin = origin;
    HASH_ADD(hash_by_id, journal->known, id[0], JOURNAL_ID_BYTES - 1, known);
    if (known->hash_by_id.tbl == NULL) {
        free(known);
        return; /* ditto */
    }
    while (HASH_CNT(hash_by_id, journal->known) > journal->length) {
        known = journal->known;
        HASH_DELETE(hash_by_id, journal->known, known);
        free(known);
    }
}

static void on_id_read(void *user, const char *id)
{
    remember(user, id, HANDLE_OF_EARLIER_RUN);
}

static void deliver(struct mail *mail)
{
    struct handle_id *written = (struct handle_id *)mail;
    struct handle_journal *journal = written->journal;
    bool failed = written->err.code != ERROR_NONE;

    if (!failed)
        remember(journal, written->id, HANDLE_OF_THIS_RUN);
    journal->on_written(journal->user, written->id, failed ? &written->err : NULL);
    free(written);
}

/* ---- the thread ---- */

/* All that wait; NULL once stopped and none does. */
static struct handle_id *take_wait(struct handle_journal *journal)
{
    struct handle_id *first = NULL;

    pthread_mutex_lock(&journal->lock);
    while (journal->first == NULL && !journal->stopping)
        pthread_cond_wait(&journal->changed, &journal->lock);
    first = journal->first;
    journal->first = NULL;
    journal->last = &journal->first;
    pthread_mutex_unlock(&journal->lock);
    return first;
}

static int append(struct handle_journal *journal, const struct handle_id *first, struct error *err)
{
    size_t count = 0;
    size_t i = 0;
    int rc = 0;

    for (const struct handle_id *id = first; id != NULL; id = id->next)
        count++;
    char(*ids)[JOURNAL_ID_BYTES] = calloc(count, sizeof(*ids));
    if (ids == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    for (const struct handle_id *id = first; id != NULL; id = id->next)
        memcpy(ids[i++], id->id, JOURNAL_ID_BYTES);
    rc = journal_file_append(&journal->file, (const char(*)[JOURNAL_ID_BYTES])ids, count, err);
    free(ids);
    return rc;
}

static void *run(void *argument)
{
    struct handle_journal *journal = argument;
    struct handle_id *first = NULL;

    while ((first = take_wait(journal)) != NULL) {
        struct error err = {.code = ERROR_NONE};

        (void)append(journal, first, &err);
        while (first != NULL) {
            struct handle_id *next = first->next;
            first->err = err;
            reply_channel_post(journal->channel, &first->mail);
            first = next;
        }
    }
    return NULL;
}

/* ---- what others call ---- */

int handle_journal_open(const char *path, size_t length, struct reply_channel *channel,
                        handle_written *on_written, void *user, struct handle_journal **ret_journal,
                        struct error *err)
{
    struct handle_journal *journal = calloc(1, sizeof(*journal));

    if (journal == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    journal->length = length;
    journal->channel = channel;
    journal->on_written = on_written;
    journal->user = user;
    journal->last = &journal->first;
    pthread_mutex_init(&journal->lock, NULL);
    pthread_cond_init(&journal->changed, NULL);
    journal->file.fd = -1;
    if (journal_file_open(path, length, on_id_read, journal, &journal->file, err) != 0)
        goto fail;
    if (pthread_create(&journal->thread, NULL, run, journal) != 0) {
        error_set(err, ERROR_ENGINE_ERROR, "no thread for the journal");
        goto fail;
    }
    journal->has_thread = true;
    pthread_setname_np(journal->thread, "journal");
    *ret_journal = journal;
    return 0;
fail:
    handle_journal_free(journal);
    return -1;
}

bool handle_journal_stop(struct handle_journal *journal, int64_t limit_ms)
{
    struct timespec until = wall_time_after(limit_ms);

    if (journal == NULL || !journal->has_thread)
        return true;
    pthread_mutex_lock(&journal->lock);
    journal->stopping = true;
    pthread_cond_signal(&journal->changed);
    pthread_mutex_unlock(&journal->lock);
    if (pthread_timedjoin_np(journal->thread, NULL, &until) != 0)
        return false;
    journal->has_thread = false;
    return true;
}

void handle_journal_free(struct handle_journal *journal)
{
    struct known_id *known = NULL;
    struct known_id *next = NULL;

    if (journal == NULL)
        return;
    HASH_ITER(hash_by_id, journal->known, known, next)
    {
        HASH_DELETE(hash_by_id, journal->known, known);
        free(known);
    }
    journal_file_close(&journal->file);
    pthread_cond_destroy(&journal->changed);
    pthread_mutex_destroy(&journal->lock);
    free(journal);
}

int handle_journal_write(struct handle_journal *journal, const char *id, struct error *err)
{
    struct handle_id *wanted = calloc(1, sizeof(*wanted));

    if (wanted == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    wanted->mail.deliver = deliver;
    wanted->journal = journal;
    memcpy(wanted->id, id, JOURNAL_ID_BYTES);
    pthread_mutex_lock(&journal->lock);
    *journal->last = wanted;
    journal->last = &wanted->next;
    pthread_cond_signal(&journal->changed);
    pthread_mutex_unlock(&journal->lock);
    return 0;
}

enum handle_origin handle_journal_find(const struct handle_journal *journal, const char *id)
{
    struct known_id *known = NULL;

    HASH_FIND(hash_by_id, journal->known, id, strlen(id), known);
    return known != NULL ? known->origin : HANDLE_UNKNOWN;
}

size_t handle_journal_count(const struct handle_journal *journal)
{
    return HASH_CNT(hash_by_id, journal->known);
}
