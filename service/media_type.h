/*
 * media_type: what the service asks of HTTP's media types.
 * Syntax: RFC 9110 §8.3.1 (Content-Type), §12.5.1 (Accept with q-values). [any]
 */
#ifndef SERVICE_MEDIA_TYPE_H
#define SERVICE_MEDIA_TYPE_H

#include <stdbool.h>
#include <stddef.h>

/* How closely a media range names a type; the highest that matches decides. */
enum { MEDIA_RANGE_NONE, MEDIA_RANGE_ALL, MEDIA_RANGE_MAJOR, MEDIA_RANGE_EXACT };

/* `range` is "type/subtype", "type/<star>" or "<star>/<star>", any case. */
int media_range_match(const char *range, size_t length, const char *type);

/* True when Content-Type names `type` ("application/json"), whatever its
 * parameters; false for NULL. */
bool media_type_is(const char *content_type, const char *type);

/* True when an Accept header lets `type` through: its most specific matching
 * range has q > 0. NULL or empty accepts everything. */
bool media_type_accepted(const char *accept, const char *type);

#endif
