/*
 * caller_refusals: requests without a valid token, counted, and one log line for many:
 * at once for the first, then at most one every CALLER_REFUSALS_SPAN_MS, with how many
 * came. They have no line of their own in the access log: a flood must not fill it.
 * [loop]
 */
#ifndef SERVICE_CALLER_REFUSALS_H
#define SERVICE_CALLER_REFUSALS_H

#include "error.h"

#define CALLER_REFUSALS_SPAN_MS 10000

struct caller_refusals;
struct event_base;

int caller_refusals_new(struct event_base *base, struct caller_refusals **ret_refusals,
                        struct error *err);

/* Tells what is not yet told. NULL is fine. */
void caller_refusals_free(struct caller_refusals *refusals);

/* `client` is the address of the request's connection. */
void caller_refusals_note(struct caller_refusals *refusals, const char *client);

#endif
