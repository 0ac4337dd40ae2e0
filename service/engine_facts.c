#include "engine_facts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../jni/spark_engine.h"
#include "deadline.h"
#include "log.h"
#include "stop_signal.h"

struct engine_facts {
    struct spark_engine *engine;
    int64_t interval_ms;
    pthread_t thread;
    pthread_mutex_t lock;
    bool known;              /* under lock: `last` holds a pull's answer */
    struct spark_facts last; /* under lock; its list is ours */
    struct stop_signal stop;
};

static void keep(struct engine_facts *facts, const struct spark_facts *news)
{
    struct spark_query_progress *old = NULL;

    pthread_mutex_lock(&facts->lock);
    old = facts->last.queries;
    facts->last = *news;
    facts->known = true;
    pthread_mutex_unlock(&facts->lock);
    free(old);
}

static void *facts_main(void *argument)
{
    struct engine_facts *facts = argument;
    struct spark_thread *thread = NULL;
    struct error err;
    bool was_ok = true;

    pthread_setname_np(pthread_self(), "facts");
    if (spark_thread_attach(facts->engine, "facts", &thread, &err) != 0) {
        log_line(LOG_WARN, "no facts of the engine", LOG_TEXT("detail", err.detail));
        return NULL;
    }
    do {
        struct spark_facts news = {0};
        bool ok = spark_engine_facts(thread, &news, &err) == 0;

        if (ok)
            keep(facts, &news);
        else if (was_ok)
            log_line(LOG_WARN, "no facts of the engine", LOG_TEXT("detail", err.detail));
        was_ok = ok;
    } while (!stop_signal_pause(&facts->stop, facts->interval_ms));
    spark_thread_detach(thread);
    return NULL;
}

static void facts_free(struct engine_facts *facts)
{
    stop_signal_done(&facts->stop);
    pthread_mutex_destroy(&facts->lock);
    free(facts->last.queries);
    free(facts);
}

int engine_facts_start(struct spark_engine *engine, int64_t interval_ms,
                       struct engine_facts **ret_facts, struct error *err)
{
    struct engine_facts *facts = calloc(1, sizeof(*facts));
    int rc = 0;

    if (facts == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    facts->engine = engine;
    facts->interval_ms = interval_ms;
    pthread_mutex_init(&facts->lock, NULL);
    stop_signal_init(&facts->stop);
    rc = pthread_create(&facts->thread, NULL, facts_main, facts);
    if (rc != 0) {
        facts_free(facts);
        return error_set(err, ERROR_ENGINE_ERROR, "facts thread: %s", strerror(rc));
    }
    *ret_facts = facts;
    return 0;
}

bool engine_facts_progress(struct engine_facts *facts, const char *tag,
                           struct spark_progress *ret_progress)
{
    bool found = false;

    if (facts == NULL)
        return false;
    pthread_mutex_lock(&facts->lock);
    for (size_t i = 0; i < facts->last.query_count && !found; i++) {
        found = strcmp(facts->last.queries[i].tag, tag) == 0;
        if (found)
            *ret_progress = facts->last.queries[i].progress;
    }
    pthread_mutex_unlock(&facts->lock);
    return found;
}

bool engine_facts_memory(struct engine_facts *facts, struct engine_memory *ret_memory)
{
    bool known = false;

    if (facts == NULL)
        return false;
    pthread_mutex_lock(&facts->lock);
    known = facts->known;
    if (known) {
        memcpy(ret_memory->areas, facts->last.memory, sizeof(ret_memory->areas));
        ret_memory->waiting_bytes = facts->last.waiting_bytes;
        ret_memory->spooled_bytes = facts->last.spooled_bytes;
        ret_memory->reuse = facts->last.reuse;
    }
    pthread_mutex_unlock(&facts->lock);
    return known;
}

const char *engine_facts_area_name(enum spark_memory_area area)
{
    static const char *const NAMES[SPARK_MEMORY_AREAS] = {
        [SPARK_MEMORY_HEAP] = "heap",     [SPARK_MEMORY_NONHEAP] = "nonheap",
        [SPARK_MEMORY_DIRECT] = "direct", [SPARK_MEMORY_MAPPED] = "mapped",
        [SPARK_MEMORY_ARROW] = "arrow",
    };

    return NAMES[area];
}

bool engine_facts_stop(struct engine_facts *facts, int64_t timeout_ms)
{
    if (facts == NULL)
        return true;
    if (!stop_signal_join(&facts->stop, facts->thread, timeout_ms))
        return false;
    facts_free(facts);
    return true;
}
