#include "query_flights.h"

#include <stdint.h>
#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

#include "query.h"

/* Statements that are remembered not to be shared; a power of two. Two of one place
 * only make the one run alone. */
#define ALONE_PLACES 1024

struct query_flight {
    struct query *leader; /* its cache_key is the key */
    struct query *followers;
    UT_hash_handle hash;
};

struct query_flights {
    size_t followers_max;
    size_t followers;
    struct query_flight *by_key;
    uint64_t alone[ALONE_PLACES]; /* hashes of keys; 0: none */
};

struct query_flights *query_flights_new(size_t followers_max)
{
    struct query_flights *flights = calloc(1, sizeof(*flights));

    if (flights != NULL)
        flights->followers_max = followers_max;
    return flights;
}

void query_flights_free(struct query_flights *flights)
{
    struct query_flight *flight = NULL;
    struct query_flight *next = NULL;

    if (flights == NULL)
        return;
    HASH_ITER(hash, flights->by_key, flight, next)
    {
        HASH_DELETE(hash, flights->by_key, flight);
        free(flight);
    }
    free(flights);
}

/* FNV-1a, 64 bits; never 0. */
static uint64_t hash_of(const struct byte_buffer *key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < key->length; i++)
        hash = (hash ^ (unsigned char)key->data[i]) * UINT64_C(0x100000001b3);
    return hash | 1;
}

/* The lowest bit is always set. */
static size_t place_of(uint64_t hash)
{
    return (size_t)(hash >> 1) & (ALONE_PLACES - 1);
}

static bool runs_alone(const struct query_flights *flights, const struct query *query)
{
    uint64_t hash = hash_of(&query->cache_key);

    return flights->alone[place_of(hash)] == hash;
}

static struct query_flight *find(const struct query_flights *flights, const struct query *query)
{
    struct query_flight *flight = NULL;

    HASH_FIND(hash, flights->by_key, query->cache_key.data, query->cache_key.length, flight);
    return flight;
}

/* Without memory it is there, but found by nobody. */
static void add(struct query_flights *flights, struct query_flight *flight)
{
    const struct byte_buffer *key = &flight->leader->cache_key;

    HASH_ADD_KEYPTR(hash, flights->by_key, key->data, key->length, flight);
}

static void take_out(struct query_flights *flights, struct query_flight *flight)
{
    if (flight->hash.tbl != NULL)
        HASH_DELETE(hash, flights->by_key, flight);
}

bool query_flights_join(struct query_flights *flights, struct query *query)
{
    struct query_flight *flight = find(flights, query);

    if (flight == NULL || flights->followers >= flights->followers_max)
        return false;
    DL_APPEND2(flight->followers, query, flight_previous, flight_next);
    query->flight = flight;
    flights->followers++;
    return true;
}

void query_flights_lead(struct query_flights *flights, struct query *query)
{
    struct query_flight *flight = NULL;

    if (flights->followers_max == 0 || runs_alone(flights, query) || find(flights, query) != NULL)
        return;
    flight = calloc(1, sizeof(*flight));
    if (flight == NULL)
        return;
    flight->leader = query;
    query->flight = flight;
    add(flights, flight);
}

struct query *query_flights_leader(const struct query *query)
{
    if (query->flight == NULL || query->flight->leader == query)
        return NULL;
    return query->flight->leader;
}

struct query *query_flights_follower(const struct query *query)
{
    if (query->flight == NULL || query->flight->leader != query)
        return NULL;
    return query->flight->followers;
}

struct query *query_flights_next(const struct query *follower)
{
    return follower->flight_next;
}

void query_flights_leave(struct query_flights *flights, struct query *follower)
{
    DL_DELETE2(follower->flight->followers, follower, flight_previous, flight_next);
    follower->flight = NULL;
    follower->flight_previous = NULL;
    follower->flight_next = NULL;
    flights->followers--;
}

void query_flights_pass_on(struct query_flights *flights, struct query *leader)
{
    struct query_flight *flight = leader->flight;
    struct query *heir = flight->followers;

    take_out(flights, flight);
    query_flights_leave(flights, heir);
    leader->flight = NULL;
    flight->leader = heir;
    heir->flight = flight;
    add(flights, flight);
}

void query_flights_end(struct query_flights *flights, struct query *leader)
{
    struct query_flight *flight = leader->flight;

    if (flight == NULL)
        return;
    take_out(flights, flight);
    leader->flight = NULL;
    free(flight);
}

void query_flights_note(struct query_flights *flights, const struct query *query, bool shareable)
{
    uint64_t hash = hash_of(&query->cache_key);
    uint64_t *place = &flights->alone[place_of(hash)];

    if (query->cache_key.length == 0)
        return;
    if (!shareable)
        *place = hash;
    else if (*place == hash)
        *place = 0;
}

size_t query_flights_followers(const struct query_flights *flights)
{
    return flights->followers;
}
