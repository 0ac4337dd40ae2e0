/*
 * engine_life: brings up and takes down everything that needs the JVM, on a
 * thread of its own, while the loop already answers `starting`.
 *
 *   up:   workers (at once) | engine -> canceller -> facts -> open mail
 *         -> the engine's own first statements -> canary (its first query) -> ready mail
 *   down: canary, facts -> workers -> canceller -> engine, each under a limit
 */
#ifndef SERVICE_ENGINE_LIFE_H
#define SERVICE_ENGINE_LIFE_H

#include <stdbool.h>

#include "../jni/spark_engine.h"
#include "error.h"

struct canary;
struct canceller;
struct data_roots;
struct engine_facts;
struct engine_life;
struct mysql_engine;
struct query_queue;
struct reply_channel;
struct settings;
struct spool_store;

struct engine_life_config {
    const struct settings *settings; /* all borrowed until stop */
    struct mysql_engine *mysql;
    const struct data_roots *roots;
    struct query_queue *queue;
    struct reply_channel *channel;
    struct spool_store *spools;
    const char *home;             /* lib/spark-<line> */
    const char *local_dir;        /* scratch of Spark */
    void (*on_open)(void *user);  /* queries can run   [loop] */
    void (*on_ready)(void *user); /* and are quick; after on_open   [loop] */
    void (*on_failed)(const struct error *err, void *user); /* before or after on_open   [loop] */
    void *user;
};

/* Starts the workers and the vm thread and returns at once.   [loop] */
int engine_life_start(const struct engine_life_config *config, struct engine_life **ret_life,
                      struct error *err);

/* Valid after on_open; borrowed.   [loop] */
struct canceller *engine_life_canceller(const struct engine_life *life);
struct engine_facts *engine_life_facts(const struct engine_life *life);
const char *engine_life_version(const struct engine_life *life);

/* Valid after on_ready; borrowed.   [loop] */
const struct canary *engine_life_canary(const struct engine_life *life);

/* Takes everything down; the queue is closed by then. False when something did
 * not end within limit_ms: the process must then leave without waiting.  [loop] */
bool engine_life_stop(struct engine_life *life, int64_t limit_ms);

/* Once it was stopped and its mails are delivered.   [loop] */
void engine_life_free(struct engine_life *life);

#endif
