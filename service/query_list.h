/*
 * query_list: GET /api/spark/queries: which queries, how many, from where.
 * Newest first; `after` is the `next` of the page before.   [loop]
 */
#ifndef SERVICE_QUERY_LIST_H
#define SERVICE_QUERY_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define QUERY_LIST_LIMIT_MAX 500

struct byte_buffer;
struct caller;
struct engine_facts;
struct query_registry;
struct query_string;

struct query_list_filter {
    unsigned states;             /* bits 1 << enum query_state */
    const char *tag;             /* NULL: any; borrowed from the query string */
    const struct caller *caller; /* who looks; set by the handler */
    size_t limit;
    uint64_t before_generation; /* only older ones */
};

/* The names that query_list_read takes, for query_string_parse. */
extern const char *const query_list_parameters[];

/* -1: ERROR_BAD_REQUEST naming the parameter. */
int query_list_read(const struct query_string *string, struct query_list_filter *ret_filter,
                    struct error *err);

/* {"queries":[...],"next":"..."}; `next` is null on the last page. */
void query_list_append(struct byte_buffer *out, const struct query_registry *registry,
                       const struct query_list_filter *filter, struct engine_facts *facts);

#endif
