/*
 * canceller: asks the engine to cancel, again every 100 ms, until the worker is
 * back. A cancel may arrive before the engine knows the query, or between two
 * Spark jobs of it; asking once would miss both (SPARK-46021).
 *
 * The loop adds and removes tags and never waits; the asking is done on a
 * thread of its own, attached to the engine.
 */
#ifndef SERVICE_CANCELLER_H
#define SERVICE_CANCELLER_H

#include <stddef.h>

#include "error.h"

struct canceller;
struct spark_engine;

/* `capacity`: tags at once, well above the number of workers.   [vm] */
int canceller_start(struct spark_engine *engine, size_t capacity, struct canceller **ret_canceller,
                    struct error *err);
/* Both [loop], neither takes memory; adding twice is harmless, removing an unknown tag too. */
void canceller_add(struct canceller *canceller, const char *tag);
void canceller_remove(struct canceller *canceller, const char *tag);

/* Ends the thread; NULL is fine.   [loop] */
void canceller_stop(struct canceller *canceller);

#endif
