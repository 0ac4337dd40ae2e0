/*
 * cache_key: everything of a request that its answer's bytes depend on, as bytes
 * to compare. Tables are not in it: they are compared by source_identity. Pure.   [any]
 */
#ifndef SERVICE_CACHE_KEY_H
#define SERVICE_CACHE_KEY_H

#include "byte_buffer.h"
#include "query_request.h"

/* Appends the key; out->failed without memory. */
void cache_key_append(const struct query_request *request, struct byte_buffer *out);

#endif
