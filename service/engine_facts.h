/*
 * engine_facts: the last that was heard of the engine: how far each running
 * query is, what memory the JVM holds. Pulled about once a second on a thread
 * of its own (attached to the JVM), so that whoever asks never waits for Java.
 */
#ifndef SERVICE_ENGINE_FACTS_H
#define SERVICE_ENGINE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "../jni/spark_facts.h"
#include "error.h"

struct engine_facts;
struct spark_engine;

/* What a metrics page shows; see spark_facts.h for the fields. */
struct engine_memory {
    struct spark_memory areas[SPARK_MEMORY_AREAS];
    int64_t waiting_bytes;
    int64_t spooled_bytes;
    struct spark_reuse reuse;
};

/* Starts the thread; it pulls at once and then every interval_ms. Borrows the engine.  [vm] */
int engine_facts_start(struct spark_engine *engine, int64_t interval_ms,
                       struct engine_facts **ret_facts, struct error *err);

/* How far the query of that tag was at the last pull. False when it wasn't
 * running then, or `facts` is NULL; *ret_progress is then left alone.   [any] */
bool engine_facts_progress(struct engine_facts *facts, const char *tag,
                           struct spark_progress *ret_progress);

/* The JVM's memory at the last pull. False before the first one, or when `facts`
 * is NULL; *ret_memory is then left alone.   [any] */
bool engine_facts_memory(struct engine_facts *facts, struct engine_memory *ret_memory);

/* "heap", "nonheap", "direct", "mapped", "arrow"; static storage.   [any] */
const char *engine_facts_area_name(enum spark_memory_area area);

/* Ends the thread, waiting at most timeout_ms for a pull that hangs. False when
 * one does: it is left behind, still attached, with all that it borrows. NULL is fine.  [loop] */
bool engine_facts_stop(struct engine_facts *facts, int64_t timeout_ms);

#endif
