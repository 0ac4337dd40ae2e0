#include "trace_context.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "digest.h"

/* version "-" trace-id "-" parent-id "-" flags: 2, 32, 16 and 2 hex digits */
#define VERSION_AT 0
#define TRACE_ID_AT 3
#define PARENT_ID_AT 36
#define FLAGS_AT 53
#define LENGTH_00 55

/* Lower case only: the specification allows no other. */
static bool is_hex(const char *text, size_t length)
{
    return strspn(text, "0123456789abcdef") >= length;
}

static bool is_zero(const char *text, size_t length)
{
    return strspn(text, "0") >= length;
}

/* A later version may go on behind the flags, after another dash. */
static bool has_fitting_end(const char *traceparent)
{
    char after = traceparent[LENGTH_00];

    if (strncmp(traceparent + VERSION_AT, "00", 2) == 0)
        return after == '\0';
    return after == '\0' || after == '-';
}

bool trace_context_parse(const char *traceparent, struct trace_context *ret_context)
{
    if (strlen(traceparent) < LENGTH_00 || !is_hex(traceparent + VERSION_AT, 2) ||
        strncmp(traceparent + VERSION_AT, "ff", 2) == 0 || traceparent[TRACE_ID_AT - 1] != '-' ||
        traceparent[PARENT_ID_AT - 1] != '-' || traceparent[FLAGS_AT - 1] != '-')
        return false;
    if (!is_hex(traceparent + TRACE_ID_AT, TRACE_ID_BYTES - 1) ||
        is_zero(traceparent + TRACE_ID_AT, TRACE_ID_BYTES - 1) ||
        !is_hex(traceparent + PARENT_ID_AT, TRACE_PARENT_BYTES - 1) ||
        is_zero(traceparent + PARENT_ID_AT, TRACE_PARENT_BYTES - 1) ||
        !is_hex(traceparent + FLAGS_AT, 2) || !has_fitting_end(traceparent))
        return false;
    snprintf(ret_context->trace_id, sizeof(ret_context->trace_id), "%s", traceparent + TRACE_ID_AT);
    snprintf(ret_context->parent_id, sizeof(ret_context->parent_id), "%s",
             traceparent + PARENT_ID_AT);
    return true;
}

/* Without randomness (never seen since Linux 3.17) the trace has no id. */
void trace_context_begin(struct trace_context *ret_context)
{
    unsigned char bytes[RANDOM_ID_BYTES];

    *ret_context = (struct trace_context){0};
    if (!random_id(bytes))
        return;
    bytes[0] |= (unsigned char)(bytes[0] == 0); /* all zero is not an id */
    hex_format(bytes, sizeof(bytes), ret_context->trace_id);
}
