/*
 * kept_results: the kept rows of queries on their way to those who fetch them.
 * Each fetch is a delivery of its own, out of the query's spool; any number at a
 * time, as often as wanted, and the same bytes each time.   [loop]
 */
#ifndef SERVICE_KEPT_RESULTS_H
#define SERVICE_KEPT_RESULTS_H

#include <stddef.h>

#include "result_format.h"

#define KEPT_RESULTS_WHOLE SIZE_MAX /* for a chunk's number */

struct delivery_host;
struct http_exchange;
struct kept_results;
struct query;

struct kept_results_config {
    struct delivery_host *deliveries; /* borrowed */
    /* A fetch begins; it is over, whatever its end: the query may be freed then. */
    void (*on_came)(void *user, struct query *query);
    void (*on_left)(void *user, struct query *query);
    void *user;
};

/* NULL: no memory. */
struct kept_results *kept_results_new(const struct kept_results_config *config);

/* Frees fetches whose producer will say no more, too. */
void kept_results_free(struct kept_results *results);

/* Answers the exchange with rows of query->kept, all or those of one chunk; 404
 * when there is no such chunk. */
void kept_results_send(struct kept_results *results, struct http_exchange *exchange,
                       struct query *query, const struct result_choice *choice, size_t chunk);

/* Breaks off what is under way. */
void kept_results_cut(struct kept_results *results);

size_t kept_results_open(const struct kept_results *results);

#endif
