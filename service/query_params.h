/*
 * query_params: checks the `params` of a request.   [any]
 *
 * Each value is a number, string, boolean, null, an array of such (arrays may
 * nest), or {"type": "DECIMAL(10,2)", "value": ...}. Whether a type exists is
 * the engine's to say.
 */
#ifndef SERVICE_QUERY_PARAMS_H
#define SERVICE_QUERY_PARAMS_H

#include <jansson.h>

#include "error.h"

/* 0: *ret_json (gives) is the object as compact JSON; integers and doubles keep
 * their exact value, a double keeps its point. -1: ERROR_BAD_REQUEST naming the
 * parameter. */
int query_params_check(const json_t *params, char **ret_json, struct error *err);

#endif
