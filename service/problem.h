/*
 * problem: a failure as the JSON object of RFC 9457, in the members and the
 * order of the HTTP contract; unknown members are left out. Pure.   [any]
 */
#ifndef SERVICE_PROBLEM_H
#define SERVICE_PROBLEM_H

#include <stdint.h>

#include "byte_buffer.h"
#include "error.h"

/* `instance` and `query_id` may be NULL; elapsed_ms -1 = unknown. */
void problem_append(struct byte_buffer *out, const struct error *err, const char *instance,
                    const char *query_id, int64_t elapsed_ms);

/* "Not Found" for 404; "" for a status that this service never sends. RFC 9110. */
const char *problem_reason_phrase(int status);

#endif
