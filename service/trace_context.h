/*
 * trace_context: the `traceparent` header of W3C Trace Context
 * (https://www.w3.org/TR/trace-context/, level 1 and 2): which trace a request
 * belongs to. One that doesn't hold to the format is as none at all, and the
 * request begins a trace of its own.
 *
 * The service calls nobody onwards over HTTP and exports no spans: the ids go
 * into its log lines. The header is a request's only, so no answer carries it.
 */
#ifndef SERVICE_TRACE_CONTEXT_H
#define SERVICE_TRACE_CONTEXT_H

#include <stdbool.h>

#define TRACE_ID_BYTES 33
#define TRACE_PARENT_BYTES 17

struct trace_context {
    char trace_id[TRACE_ID_BYTES];      /* lower-case hex; "" = none */
    char parent_id[TRACE_PARENT_BYTES]; /* the caller's span; "" = this trace began here */
};

/* Reads the header's value. False: not valid, *ret_context untouched. Pure.   [any] */
bool trace_context_parse(const char *traceparent, struct trace_context *ret_context);

/* A new trace with a random id.   [loop] */
void trace_context_begin(struct trace_context *ret_context);

#endif
