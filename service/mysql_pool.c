#include "mysql_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "mysql_connection.h"

struct idle_connection {
    struct idle_connection *next; /* the one idle for longer */
    struct mysql_connection *connection;
    struct monotime since;
};

struct mysql_source {
    struct mysql_source *next;
    struct mysql_target target;
    struct idle_connection *idle; /* latest first */
    size_t open;                  /* lent, idle or being made */
    size_t waiting;
};

struct mysql_pool {
    struct mysql_pool_config config;
    pthread_t sweeper;
    pthread_mutex_t lock;
    pthread_cond_t changed;       /* for those who wait for a connection */
    pthread_cond_t swept;         /* for the sweeper */
    struct mysql_source *sources; /* under lock, as all of them */
    bool sweeper_rests;           /* under lock; nothing was idle when it looked */
    bool stopping;                /* under lock */
};

/* ---- sources ---- */

static struct mysql_source *source_new(const struct mysql_target *target)
{
    struct mysql_source *source = calloc(1, sizeof(*source));

    if (source != NULL && mysql_target_copy(target, &source->target) != 0) {
        free(source);
        return NULL;
    }
    return source;
}

static struct mysql_source *known_source_locked(const struct mysql_pool *pool,
                                                const struct mysql_target *target)
{
    struct mysql_source *source = pool->sources;

    while (source != NULL && !mysql_target_is_same(&source->target, target))
        source = source->next;
    return source;
}

static struct mysql_source *find_source_locked(struct mysql_pool *pool,
                                               const struct mysql_target *target)
{
    struct mysql_source *source = known_source_locked(pool, target);

    if (source == NULL && (source = source_new(target)) != NULL) {
        source->next = pool->sources;
        pool->sources = source;
    }
    return source;
}

static void drop_unused_sources_locked(struct mysql_pool *pool)
{
    struct mysql_source **link = &pool->sources;

    while (*link != NULL) {
        struct mysql_source *source = *link;

        if (source->open > 0 || source->waiting > 0) {
            link = &source->next;
            continue;
        }
        *link = source->next;
        mysql_target_done(&source->target);
        free(source);
    }
}

/* ---- idle connections ---- */

/* Unlinks what is idle since before `limit`; gives the list, to be closed unlocked. */
static struct idle_connection *take_idle_locked(struct mysql_pool *pool, struct monotime limit)
{
    struct idle_connection *taken = NULL;

    for (struct mysql_source *source = pool->sources; source != NULL; source = source->next) {
        struct idle_connection **link = &source->idle;

        while (*link != NULL && (*link)->since.ns > limit.ns)
            link = &(*link)->next;
        while (*link != NULL) {
            struct idle_connection *idle = *link;

            *link = idle->next;
            idle->next = taken;
            taken = idle;
            source->open--;
        }
    }
    return taken;
}

static void close_all(struct idle_connection *idle)
{
    while (idle != NULL) {
        struct idle_connection *next = idle->next;

        mysql_connection_close(idle->connection);
        free(idle);
        idle = next;
    }
}

/* Since when the longest idle one is so; unset: none is. */
static struct monotime oldest_idle_locked(const struct mysql_pool *pool)
{
    struct monotime oldest = {0};

    for (const struct mysql_source *source = pool->sources; source != NULL; source = source->next) {
        for (const struct idle_connection *idle = source->idle; idle != NULL; idle = idle->next) {
            if (!monotime_is_set(oldest) || idle->since.ns < oldest.ns)
                oldest = idle->since;
        }
    }
    return oldest;
}

static void *sweeper_main(void *argument)
{
    struct mysql_pool *pool = argument;

    pthread_setname_np(pthread_self(), "mysql-idle");
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        struct idle_connection *taken =
            take_idle_locked(pool, monotime_after(monotime_now(), -pool->config.idle_ms));
        struct monotime oldest = oldest_idle_locked(pool);

        drop_unused_sources_locked(pool);
        if (taken != NULL) {
            pthread_cond_broadcast(&pool->changed); /* room for others */
            pthread_mutex_unlock(&pool->lock);
            close_all(taken);
            pthread_mutex_lock(&pool->lock);
        } else if (monotime_is_set(oldest)) {
            struct timespec until = monotime_timespec(monotime_after(oldest, pool->config.idle_ms));
            pthread_cond_timedwait(&pool->swept, &pool->lock, &until);
        } else {
            pool->sweeper_rests = true;
            pthread_cond_wait(&pool->swept, &pool->lock);
            pool->sweeper_rests = false;
        }
    }
    pthread_mutex_unlock(&pool->lock);
    mysql_connection_thread_end();
    return NULL;
}

/* ---- life ---- */

int mysql_pool_new(const struct mysql_pool_config *config, struct mysql_pool **ret_pool,
                   struct error *err)
{
    struct mysql_pool *pool = calloc(1, sizeof(*pool));
    int rc = 0;

    if (pool == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    pool->config = *config;
    pthread_mutex_init(&pool->lock, NULL);
    monotime_cond_init(&pool->changed);
    monotime_cond_init(&pool->swept);
    rc = pthread_create(&pool->sweeper, NULL, sweeper_main, pool);
    if (rc != 0) {
        pthread_cond_destroy(&pool->swept);
        pthread_cond_destroy(&pool->changed);
        pthread_mutex_destroy(&pool->lock);
        free(pool);
        return error_set(err, ERROR_ENGINE_ERROR, "mysql-idle thread: %s", strerror(rc));
    }
    *ret_pool = pool;
    return 0;
}

void mysql_pool_free(struct mysql_pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_signal(&pool->swept);
    pthread_mutex_unlock(&pool->lock);
    pthread_join(pool->sweeper, NULL);
    close_all(take_idle_locked(pool, monotime_now()));
    drop_unused_sources_locked(pool);
    pthread_cond_destroy(&pool->swept);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* ---- lending ---- */

/* The latest idle one; the older ones may then grow old enough to be closed. */
static struct mysql_connection *pop_idle_locked(struct mysql_source *source)
{
    struct idle_connection *idle = source->idle;
    struct mysql_connection *connection = idle->connection;

    source->idle = idle->next;
    free(idle);
    return connection;
}

static void end_one(struct mysql_pool *pool, struct mysql_source *source)
{
    pthread_mutex_lock(&pool->lock);
    source->open--;
    pthread_cond_broadcast(&pool->changed);
    pthread_cond_signal(&pool->swept); /* maybe nobody uses the source any more */
    pthread_mutex_unlock(&pool->lock);
}

static size_t limit_of(const struct mysql_pool *pool, const struct mysql_source *source)
{
    return source->target.pool_size > 0 ? (size_t)source->target.pool_size : pool->config.limit;
}

/* Until there is an idle connection or room for a new one. */
static int wait_for_room_locked(struct mysql_pool *pool, struct mysql_source *source,
                                struct mysql_cutoff *cutoff, struct monotime deadline,
                                struct error *err)
{
    const struct timespec until = monotime_timespec(deadline);
    int rc = 0;

    source->waiting++;
    while (rc == 0 && source->idle == NULL && source->open >= limit_of(pool, source)) {
        if (mysql_cutoff_is_cut(cutoff))
            rc = error_set_cancelled(err);
        else if (pthread_cond_timedwait(&pool->changed, &pool->lock, &until) != 0 &&
                 monotime_reached(deadline, monotime_now()))
            rc = error_set(err, ERROR_TIMEOUT, "no connection to MySQL was free in time");
    }
    source->waiting--;
    return rc;
}

/* Takes a place of the source; with it, maybe, an idle connection. */
static int take_place(struct mysql_pool *pool, const struct mysql_target *target,
                      struct mysql_cutoff *cutoff, struct monotime deadline,
                      struct mysql_lease *lease, struct error *err)
{
    int rc = 0;

    pthread_mutex_lock(&pool->lock);
    lease->source = find_source_locked(pool, target);
    if (lease->source == NULL) {
        rc = error_set(err, ERROR_ENGINE_ERROR, "out of memory for a connection");
    } else if ((rc = wait_for_room_locked(pool, lease->source, cutoff, deadline, err)) == 0) {
        if (lease->source->idle != NULL)
            lease->connection = pop_idle_locked(lease->source);
        else
            lease->source->open++;
    }
    pthread_mutex_unlock(&pool->lock);
    return rc;
}

/* The source's own limits, else the pool's; never longer than the query has. */
static struct mysql_connection_limits limits_of(const struct mysql_pool *pool,
                                                const struct mysql_target *target, int64_t left_ms)
{
    struct mysql_connection_limits limits = {
        .connect_ms = target->connect_ms > 0 ? target->connect_ms : pool->config.connect_timeout_ms,
        .read_ms = target->socket_ms > 0 ? target->socket_ms : pool->config.read_timeout_ms,
        .shapes = pool->config.shapes,
    };

    if (left_ms < limits.connect_ms)
        limits.connect_ms = left_ms > 0 ? left_ms : 1;
    return limits;
}

/* Makes the connection of a place that was taken without one. */
static int fill_place(struct mysql_pool *pool, struct monotime deadline, struct mysql_lease *lease,
                      struct error *err)
{
    const struct mysql_target *target = &lease->source->target;
    const struct mysql_connection_limits limits =
        limits_of(pool, target, monotime_span_ms(monotime_now(), deadline));

    lease->fresh = true;
    if (mysql_connection_open(target, &limits, &lease->connection, err) != 0) {
        metrics_add(METRIC_MYSQL_CONNECT_FAILURES, 1);
        return -1;
    }
    metrics_add(METRIC_MYSQL_CONNECTS, 1);
    return 0;
}

int mysql_pool_take(struct mysql_pool *pool, const struct mysql_target *target,
                    struct mysql_cutoff *cutoff, struct monotime deadline,
                    struct mysql_lease *ret_lease, struct error *err)
{
    struct mysql_lease lease = {0};

    if (take_place(pool, target, cutoff, deadline, &lease, err) != 0)
        return -1;
    if (lease.connection != NULL && !mysql_connection_is_quiet(lease.connection)) {
        mysql_connection_close(lease.connection);
        lease.connection = NULL;
    }
    if (lease.connection == NULL && fill_place(pool, deadline, &lease, err) != 0) {
        end_one(pool, lease.source);
        return -1;
    }
    *ret_lease = lease;
    return 0;
}

bool mysql_pool_take_idle(struct mysql_pool *pool, const struct mysql_target *target,
                          struct mysql_lease *ret_lease)
{
    struct mysql_lease lease = {0};

    pthread_mutex_lock(&pool->lock);
    lease.source = known_source_locked(pool, target);
    if (lease.source != NULL && lease.source->idle != NULL && lease.source->waiting == 0)
        lease.connection = pop_idle_locked(lease.source);
    pthread_mutex_unlock(&pool->lock);
    if (lease.connection == NULL)
        return false;
    if (!mysql_connection_is_quiet(lease.connection)) { /* a worker will see to it */
        mysql_pool_give_back(pool, &lease, true);
        return false;
    }
    *ret_lease = lease;
    return true;
}

void mysql_pool_give_back(struct mysql_pool *pool, struct mysql_lease *lease, bool usable)
{
    struct idle_connection *idle = usable ? calloc(1, sizeof(*idle)) : NULL;

    if (idle == NULL) {
        mysql_connection_close(lease->connection);
        end_one(pool, lease->source);
    } else {
        idle->connection = lease->connection;
        idle->since = monotime_now();
        pthread_mutex_lock(&pool->lock);
        idle->next = lease->source->idle;
        lease->source->idle = idle;
        if (lease->source->waiting > 0)
            pthread_cond_broadcast(&pool->changed);
        if (pool->sweeper_rests) /* else it wakes for an older one anyway */
            pthread_cond_signal(&pool->swept);
        pthread_mutex_unlock(&pool->lock);
    }
    *lease = (struct mysql_lease){0};
}

void mysql_pool_wake(struct mysql_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

struct mysql_pool_counts mysql_pool_count(struct mysql_pool *pool)
{
    struct mysql_pool_counts counts = {0};

    pthread_mutex_lock(&pool->lock);
    for (const struct mysql_source *source = pool->sources; source != NULL; source = source->next) {
        counts.sources++;
        counts.open += source->open;
        counts.waiting += source->waiting;
        for (const struct idle_connection *idle = source->idle; idle != NULL; idle = idle->next)
            counts.idle++;
    }
    pthread_mutex_unlock(&pool->lock);
    return counts;
}
