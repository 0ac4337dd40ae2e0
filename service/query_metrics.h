/*
 * query_metrics: what is counted of a query's life. query_machine.c calls it at each
 * transition.   [loop]
 */
#ifndef SERVICE_QUERY_METRICS_H
#define SERVICE_QUERY_METRICS_H

#include "error.h"
#include "metrics.h"

struct query;

/* It is in the queue. */
void query_metrics_admitted(const struct query *query);

/* It was not taken, or waited in vain: why. */
void query_metrics_refused(enum error_code code);

/* A worker has it. */
void query_metrics_started(const struct query *query);

/* It is to end before its time; once a query. */
void query_metrics_cancelled(enum metric reason);

/* Kept rows of it were sent to somebody. */
void query_metrics_fetched(int64_t rows, int64_t bytes);

/* Its state is final and its worker is back. */
void query_metrics_ended(const struct query *query);

#endif
