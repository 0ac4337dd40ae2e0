/*
 * query_string: the part of a target behind '?', as application/x-www-form-urlencoded
 * (WHATWG URL): `a=1&b=x%20y`, '+' for a space. Strict: a broken escape, NUL,
 * text that isn't UTF-8 or a name that is there twice is an error. Pure.   [any]
 */
#ifndef SERVICE_QUERY_STRING_H
#define SERVICE_QUERY_STRING_H

#include <stddef.h>

#include "error.h"

#define QUERY_STRING_FIELDS_MAX 16

struct query_string {
    char *text; /* owned; names and values point into it */
    struct {
        const char *name;
        const char *value; /* "" when there is no '=' */
    } fields[QUERY_STRING_FIELDS_MAX];
    size_t count;
};

/* Names that are none of `known` (ends with NULL) are refused, so that a typo is
 * never silently ignored. 0: free with query_string_done. -1: ERROR_BAD_REQUEST. */
int query_string_parse(const char *text, const char *const *known, struct query_string *ret_string,
                       struct error *err);
void query_string_done(struct query_string *string);

/* NULL when it isn't there; borrowed. */
const char *query_string_get(const struct query_string *string, const char *name);

#endif
