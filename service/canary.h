/*
 * canary: proves every few seconds that the engine still answers, by running
 * one tiny Spark job end to end on a thread of its own. Readiness rests on how
 * long ago the last one succeeded, never on a flag that says "up".
 */
#ifndef SERVICE_CANARY_H
#define SERVICE_CANARY_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct canary;
struct spark_engine;

/* Returns after the first canary succeeded; -1 when it failed.   [vm] */
int canary_start(struct spark_engine *engine, int64_t interval_ms, struct canary **ret_canary,
                 struct error *err);

/* Milliseconds since a canary last succeeded.   [any] */
int64_t canary_age_ms(const struct canary *canary);

/* Ends the thread, waiting at most timeout_ms for a canary that hangs. False when
 * one does: it is left behind, still attached, with all that it borrows. NULL is fine.  [loop] */
bool canary_stop(struct canary *canary, int64_t timeout_ms);

#endif
