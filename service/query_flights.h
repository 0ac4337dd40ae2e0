/*
 * query_flights: identical queries in flight that share one run. One of them leads:
 * it has the run. The others follow: they wait, each with its own id, clock and
 * client, and are answered with what the run makes when that is proved to be as
 * good as a run of their own (query_machine.c decides that).
 *
 * Bounded in followers, all flights together; who comes then runs itself. Of a
 * statement whose last run could not be shared that is remembered, so that nobody
 * waits for such a run in vain.   [loop]
 */
#ifndef SERVICE_QUERY_FLIGHTS_H
#define SERVICE_QUERY_FLIGHTS_H

#include <stdbool.h>
#include <stddef.h>

struct query;
struct query_flights;

/* followers_max 0: nobody follows. NULL without memory. */
struct query_flights *query_flights_new(size_t followers_max);

/* The queries themselves are their owner's. NULL is fine. */
void query_flights_free(struct query_flights *flights);

/* Follows the one that leads under the same query->cache_key. False: nobody does, or
 * there are too many followers. */
bool query_flights_join(struct query_flights *flights, struct query *query);

/* It runs: from now on others may follow, unless somebody leads already under its key
 * or its run is not likely to be shared. */
void query_flights_lead(struct query_flights *flights, struct query *query);

/* Whom it follows; NULL: nobody. */
struct query *query_flights_leader(const struct query *query);

/* Who follows it longest; NULL: nobody, or it leads nothing. */
struct query *query_flights_follower(const struct query *query);

/* The next one behind that. */
struct query *query_flights_next(const struct query *follower);

/* It follows no more. */
void query_flights_leave(struct query_flights *flights, struct query *follower);

/* Who follows longest leads the others from now on. */
void query_flights_pass_on(struct query_flights *flights, struct query *leader);

/* It leads no more: nobody follows it by now. Fine on a query that never led. */
void query_flights_end(struct query_flights *flights, struct query *leader);

/* Whether the run of a statement could be shared, for the next one. Nothing without a key. */
void query_flights_note(struct query_flights *flights, const struct query *query, bool shareable);

size_t query_flights_followers(const struct query_flights *flights);

#endif
