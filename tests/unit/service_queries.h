/*
 * service_queries: /api/spark/queries as tests use it: JSON fetched, states waited
 * for. What goes wrong ends the test by assertion; main thread only.
 */
#ifndef TEST_SERVICE_QUERIES_H
#define TEST_SERVICE_QUERIES_H

#include <jansson.h>
#include <stdint.h>

#include "service_process.h"

#define QUERIES "/api/spark/queries"
#define QUERY_ID(n) "0000000" #n "-0b0a-4908-8706-050403020100"
#define WITH_ID(n) ",\"query_id\":\"" QUERY_ID(n) "\""
#define WITH_TAGS(...) ",\"tags\":[" __VA_ARGS__ "]"
/* More than any test waits: what runs that long was not cancelled. */
#define FOREVER "sleep 600000"
#define NO_TIMEOUT ",\"timeout_ms\":600000,\"queue_timeout_ms\":600000"

/* The JSON body of an answer of that status; the caller's to json_decref. */
json_t *fetch_json(const struct service_process *service, const char *method, const char *target,
                   int status);

/* Sends a query and checks the status of its answer. */
void run_query(const struct service_process *service, const char *sql, const char *fields,
               int status);

/* Polls until the query of that target has the state. */
void wait_query_state(const struct service_process *service, const char *target, const char *state);

/* Members that must be there and of that type. */
const char *member_text(const json_t *object, const char *key);
int64_t member_number(const json_t *object, const char *key);
void check_member_null(const json_t *object, const char *key);

#endif
