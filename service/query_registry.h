/*
 * query_registry: every query that anybody may still ask about, alive or over.
 *
 * Those alive are bounded by queue, slots and followers. Of those over, the last `history`
 * are remembered; one that is pinned (its rows are kept) doesn't count and stays.
 * The registry changes no state; it frees what it forgets.   [loop]
 *
 * `add`, `end` and `unpin` may free queries that are over: whoever walks all of
 * them calls none of these. Walking the live ones, the one at hand may be ended.
 */
#ifndef SERVICE_QUERY_REGISTRY_H
#define SERVICE_QUERY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

struct query;
struct query_registry;

struct query_registry *query_registry_new(size_t history);

/* Frees the queries too. */
void query_registry_free(struct query_registry *registry);

/* Takes a live query whose key no live or pinned one has; an ended one of the
 * same key is forgotten. */
void query_registry_add(struct query_registry *registry, struct query *query);

/* Alive or over; borrowed. NULL: unknown or forgotten. */
struct query *query_registry_find(const struct query_registry *registry, const char *key);

/* The newest with that id, whoever owns it; looks at all of them. */
struct query *query_registry_find_of_any(const struct query_registry *registry, const char *id);

/* The query is over: from now on it is history, and the oldest one may be
 * forgotten: this very one when `history` is 0. */
void query_registry_end(struct query_registry *registry, struct query *query);

/* The same, but it is kept until query_registry_unpin. */
void query_registry_end_pinned(struct query_registry *registry, struct query *query);
void query_registry_unpin(struct query_registry *registry, struct query *query);

/* The newest; older ones by query->older. */
struct query *query_registry_newest(const struct query_registry *registry);

/* The longest alive; later ones by query->group_next. */
struct query *query_registry_first_live(const struct query_registry *registry);

/* The pinned one that ended first; later ones by query->group_next. */
struct query *query_registry_first_pinned(const struct query_registry *registry);

/* Queries that are history now. */
size_t query_registry_ended(const struct query_registry *registry);

#endif
