#include "query_registry.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "query.h"

struct query_registry {
    struct query *by_key;  /* hash of all but the next */
    size_t unhashed_count; /* came when there was no memory for their place in it */
    struct query *newest;
    struct query *live;
    struct query *ended; /* the first to be forgotten first */
    struct query *pinned;
    size_t ended_count;
    size_t history;
};

struct query_registry *query_registry_new(size_t history)
{
    struct query_registry *registry = calloc(1, sizeof(*registry));

    if (registry != NULL)
        registry->history = history;
    return registry;
}

static void drop_key(struct query_registry *registry, struct query *query)
{
    if (query->hash_by_key.tbl != NULL)
        HASH_DELETE(hash_by_key, registry->by_key, query);
    else
        registry->unhashed_count--;
}

void query_registry_free(struct query_registry *registry)
{
    struct query *query = NULL;
    struct query *next = NULL;

    if (registry == NULL)
        return;
    for (query = registry->newest; query != NULL; query = next) {
        next = query->older;
        drop_key(registry, query);
        query_free(query);
    }
    free(registry);
}

static void unlink_by_age(struct query_registry *registry, struct query *query)
{
    if (query->newer != NULL)
        query->newer->older = query->older;
    else
        registry->newest = query->older;
    if (query->older != NULL)
        query->older->newer = query->newer;
}

static void forget(struct query_registry *registry, struct query *query)
{
    DL_DELETE2(registry->ended, query, group_previous, group_next);
    registry->ended_count--;
    drop_key(registry, query);
    unlink_by_age(registry, query);
    query_free(query);
}

static void remember(struct query_registry *registry, struct query *query)
{
    DL_APPEND2(registry->ended, query, group_previous, group_next);
    registry->ended_count++;
    while (registry->ended_count > registry->history)
        forget(registry, registry->ended);
}

void query_registry_add(struct query_registry *registry, struct query *query)
{
    struct query *namesake = query_registry_find(registry, query->key);

    if (namesake != NULL)
        forget(registry, namesake);
    HASH_ADD(hash_by_key, registry->by_key, key[0], (unsigned)strlen(query->key), query);
    if (query->hash_by_key.tbl == NULL)
        registry->unhashed_count++;
    query->older = registry->newest;
    query->newer = NULL;
    if (query->older != NULL)
        query->older->newer = query;
    registry->newest = query;
    DL_APPEND2(registry->live, query, group_previous, group_next);
}

struct query *query_registry_find(const struct query_registry *registry, const char *key)
{
    struct query *query = NULL;

    HASH_FIND(hash_by_key, registry->by_key, key, strlen(key), query);
    if (query != NULL || registry->unhashed_count == 0)
        return query;
    query = registry->newest;
    while (query != NULL && strcmp(query->key, key) != 0)
        query = query->older;
    return query;
}

struct query *query_registry_find_of_any(const struct query_registry *registry, const char *id)
{
    struct query *query = registry->newest;

    while (query != NULL && strcmp(query->id, id) != 0)
        query = query->older;
    return query;
}

void query_registry_end(struct query_registry *registry, struct query *query)
{
    DL_DELETE2(registry->live, query, group_previous, group_next);
    remember(registry, query);
}

void query_registry_end_pinned(struct query_registry *registry, struct query *query)
{
    DL_DELETE2(registry->live, query, group_previous, group_next);
    DL_APPEND2(registry->pinned, query, group_previous, group_next);
}

void query_registry_unpin(struct query_registry *registry, struct query *query)
{
    DL_DELETE2(registry->pinned, query, group_previous, group_next);
    remember(registry, query);
}

struct query *query_registry_newest(const struct query_registry *registry)
{
    return registry->newest;
}

struct query *query_registry_first_live(const struct query_registry *registry)
{
    return registry->live;
}

struct query *query_registry_first_pinned(const struct query_registry *registry)
{
    return registry->pinned;
}

size_t query_registry_ended(const struct query_registry *registry)
{
    return registry->ended_count;
}
