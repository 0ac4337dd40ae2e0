#include "engine_life.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "canary.h"
#include "canceller.h"
#include "deadline.h"
#include "engine_facts.h"
#include "log.h"
#include "reply_channel.h"
#include "settings.h"
#include "worker_pool.h"

#define FACTS_INTERVAL_MS 1000
#define CANCELS_PER_WORKER 8 /* a worker may be further than the loop knows */
#define VM_STACK_BYTES ((size_t)8 * 1024 * 1024)

#define WARM_UP_LOOK_MS 100

/* How far the start is, told to the loop. */
struct life_mail {
    struct mail mail; /* first */
    struct engine_life *life;
};

struct engine_life {
    struct engine_life_config config;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop_asked; /* under lock, as the next two */
    bool settled;    /* the vm thread makes nothing more */
    bool down_asked; /* nothing uses the engine any more */
    struct monotime begin;

    /* Written by the vm thread before the open mail, read by the loop after it. */
    bool open; /* [loop] */
    bool failed;
    struct error err;
    struct spark_engine *engine;
    struct worker_pool *pool;
    struct canceller *canceller;
    struct engine_facts *facts;
    struct life_mail up;

    /* The same with the ready mail. */
    struct canary *canary;
    bool mute; /* no canary sang: `err` says why */
    struct life_mail warm;
};

static bool is_stop_asked(struct engine_life *life)
{
    bool asked = false;

    pthread_mutex_lock(&life->lock);
    asked = life->stop_asked;
    pthread_mutex_unlock(&life->lock);
    return asked;
}

static void deliver_up(struct mail *mail)
{
    struct engine_life *life = ((struct life_mail *)mail)->life;

    if (life->failed) {
        life->config.on_failed(&life->err, life->config.user);
    } else {
        life->open = true;
        life->config.on_open(life->config.user);
    }
}

static void deliver_warm(struct mail *mail)
{
    struct engine_life *life = ((struct life_mail *)mail)->life;

    if (is_stop_asked(life))
        return;
    if (life->mute)
        life->config.on_failed(&life->err, life->config.user);
    else
        life->config.on_ready(life->config.user);
}

static void post(struct engine_life *life, struct life_mail *message,
                 void (*deliver)(struct mail *mail))
{
    message->mail.deliver = deliver;
    message->life = life;
    reply_channel_post(life->config.channel, &message->mail);
}

static void on_progress(const char *step, void *user)
{
    const struct engine_life *life = user;

    log_line(LOG_INFO, "starting", LOG_TEXT("step", step),
             LOG_NUMBER("ms", monotime_span_ms(life->begin, monotime_now())));
}

static int bring_up(struct engine_life *life, struct error *err)
{
    const struct settings *settings = life->config.settings;
    struct spark_engine_config engine_config = {
        .home = life->config.home,
        .master = settings->spark_master,
        .extra_conf = settings->spark_conf,
        .heap = settings->heap,
        .data_roots = settings->data_roots,
        .iceberg_warehouse = settings->iceberg_warehouse,
        .local_dir = life->config.local_dir,
        .spool_bytes = settings->spool_bytes / 2, /* the other half: result_spool */
        .limits =
            {
                .max_depth = settings->max_sql_depth,
                .max_nodes = settings->max_sql_nodes,
                .max_in_items = settings->max_in_items,
                .max_value_bytes = settings->max_value_bytes,
                .max_result_rows = settings->max_result_rows,
                .memory_percent = settings->memory_guard_percent,
            },
        .reuse =
            {
                .sources = settings->kept_sources,
                .source_bytes = settings->kept_source_bytes,
                .plans = settings->kept_plans,
            },
        .ui = settings->spark_ui,
        .ui_port = (int)settings->spark_ui_port,
        .task_nice = (int)settings->task_nice,
        .compiler_nice = (int)settings->compiler_nice,
        .check_jni = settings->check_jni,
        .progress = on_progress,
        .progress_user = life,
    };

    if (spark_engine_start(&engine_config, &life->engine, err) != 0)
        return -1;
    worker_pool_set_engine(life->pool, life->engine);
    if (canceller_start(life->engine, CANCELS_PER_WORKER * (size_t)settings->workers,
                        &life->canceller, err) != 0)
        return -1;
    return engine_facts_start(life->engine, FACTS_INTERVAL_MS, &life->facts, err);
}

static void warm_up(struct engine_life *life)
{
    struct monotime limit = monotime_after(monotime_now(), life->config.settings->warm_up_ms);
    int64_t left_ms = life->config.settings->warm_up_ms;
    struct error err;
    int over = 0;

    while (over == 0 && left_ms > 0 && !is_stop_asked(life)) {
        over = spark_engine_warm_up(life->engine,
                                    left_ms < WARM_UP_LOOK_MS ? left_ms : WARM_UP_LOOK_MS, &err);
        if (over < 0)
            log_line(LOG_WARN, "warm-up failed", LOG_TEXT("detail", err.detail));
        left_ms = monotime_span_ms(monotime_now(), limit);
    }
}

/* Callers are answered meanwhile, and come first: what only readiness waits for. */
static void prove_life(struct engine_life *life)
{
    warm_up(life);
    if (is_stop_asked(life))
        return;
    on_progress("first query", life);
    life->mute = canary_start(life->engine, life->config.settings->canary_interval_ms,
                              &life->canary, &life->err) != 0;
    post(life, &life->warm, deliver_warm);
}

static void *vm_main(void *argument)
{
    struct engine_life *life = argument;

    pthread_setname_np(pthread_self(), "vm");
    life->failed = bring_up(life, &life->err) != 0;
    post(life, &life->up, deliver_up);
    if (!life->failed)
        prove_life(life);

    pthread_mutex_lock(&life->lock);
    life->settled = true;
    pthread_cond_broadcast(&life->changed);
    while (!life->down_asked)
        pthread_cond_wait(&life->changed, &life->lock);
    pthread_mutex_unlock(&life->lock);
    spark_engine_stop(life->engine);
    return NULL;
}

static int start_workers(struct engine_life *life, struct error *err)
{
    const struct worker_pool_config config = {
        .workers = (size_t)life->config.settings->workers,
        .queue = life->config.queue,
        .mysql = life->config.mysql,
        .channel = life->config.channel,
        .roots = life->config.roots,
        .spools = life->config.spools,
        .patience_ms = life->config.settings->stream_patience_ms,
        .cache_inodes = (size_t)life->config.settings->cache_files,
    };

    return worker_pool_start(&config, &life->pool, err);
}

int engine_life_start(const struct engine_life_config *config, struct engine_life **ret_life,
                      struct error *err)
{
    struct engine_life *life = calloc(1, sizeof(*life));
    pthread_attr_t attributes;
    int rc = 0;

    if (life == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    life->config = *config;
    life->begin = monotime_now();
    if (start_workers(life, err) != 0)
        return -1; /* threads may hold it; the process ends */
    pthread_mutex_init(&life->lock, NULL);
    pthread_cond_init(&life->changed, NULL);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, VM_STACK_BYTES);
    rc = pthread_create(&life->thread, &attributes, vm_main, life);
    pthread_attr_destroy(&attributes);
    if (rc != 0)
        return error_set(err, ERROR_ENGINE_ERROR, "vm thread: %s", strerror(rc));
    *ret_life = life;
    return 0;
}

struct canceller *engine_life_canceller(const struct engine_life *life)
{
    return life->canceller;
}

const struct canary *engine_life_canary(const struct engine_life *life)
{
    return life->canary;
}

struct engine_facts *engine_life_facts(const struct engine_life *life)
{
    return life->facts;
}

const char *engine_life_version(const struct engine_life *life)
{
    return spark_engine_version(life->engine);
}

/* Asks the vm thread to come to an end with what it makes; false when it doesn't. */
static bool settle(struct engine_life *life, int64_t limit_ms)
{
    struct timespec until = wall_time_after(limit_ms);
    bool settled = false;

    pthread_mutex_lock(&life->lock);
    life->stop_asked = true;
    while (!life->settled && pthread_cond_timedwait(&life->changed, &life->lock, &until) == 0)
        continue;
    settled = life->settled;
    pthread_mutex_unlock(&life->lock);
    return settled;
}

bool engine_life_stop(struct engine_life *life, int64_t limit_ms)
{
    struct monotime limit = monotime_after(monotime_now(), limit_ms);
    struct timespec until;

    if (life == NULL)
        return true;
    if (!life->open) {
        /* The VM is being made, and nobody can interrupt that; it may still ask for the pool. */
        (void)worker_pool_join(life->pool, limit_ms);
        return false;
    }
    if (!settle(life, limit_ms) ||
        !canary_stop(life->canary, monotime_span_ms(monotime_now(), limit)) ||
        !engine_facts_stop(life->facts, monotime_span_ms(monotime_now(), limit)) ||
        worker_pool_stop(life->pool, monotime_span_ms(monotime_now(), limit)) > 0)
        return false; /* still attached: the engine must not be stopped under it */
    canceller_stop(life->canceller);
    pthread_mutex_lock(&life->lock);
    life->down_asked = true;
    pthread_cond_broadcast(&life->changed);
    pthread_mutex_unlock(&life->lock);
    until = wall_time_after(monotime_span_ms(monotime_now(), limit));
    return pthread_timedjoin_np(life->thread, NULL, &until) == 0;
}

void engine_life_free(struct engine_life *life)
{
    if (life == NULL)
        return;
    pthread_cond_destroy(&life->changed);
    pthread_mutex_destroy(&life->lock);
    free(life);
}
