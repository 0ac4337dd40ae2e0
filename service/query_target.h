/*
 * query_target: the fields of GET /api/spark/query/{source} -> the body that
 * POST has, so that both are read and checked by query_request. Pure.   [any]
 *
 * Text fields stand as they are; numbers are digits; `params` and `as_of` are
 * JSON. `config` and `tags` can't be given: a target is logged on its way.
 */
#ifndef SERVICE_QUERY_TARGET_H
#define SERVICE_QUERY_TARGET_H

#include "byte_buffer.h"
#include "error.h"

/* `query` is the part of the target behind '?'. 0: the JSON object is appended.
 * -1: ERROR_BAD_REQUEST, its detail names the field. */
int query_target_to_body(const char *query, struct byte_buffer *ret_body, struct error *err);

#endif
