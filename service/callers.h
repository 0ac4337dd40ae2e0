/*
 * callers: who may ask: the tokens in force with what each has used up of its limits.
 * Without a tokens file everybody is one caller with every scope and no limit.
 *
 * A caller is a name; it owns its queries. A token is a line of the file; scopes,
 * sources, rate and concurrency are the token's. A token that is gone from the file
 * opens nothing any more; the queries it started go on.
 *
 * How long a look-up takes depends on the number of tokens only: every line's id is
 * compared, one hash is made and compared whole, whether the id is known or not.
 * [loop]
 */
#ifndef SERVICE_CALLERS_H
#define SERVICE_CALLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deadline.h"
#include "error.h"
#include "token_file.h"

struct caller; /* borrowed from callers, until the loop's next turn */
struct callers;

/* `path` "": nobody needs a token. -1: the file can't be used; the detail says why. */
int callers_new(const char *path, struct callers **ret_callers, struct error *err);
void callers_free(struct callers *callers);

/* Reads the file anew. -1: what was in force stays. Tokens that stay keep their counts. */
int callers_reload(struct callers *callers, struct error *err);

bool callers_need_tokens(const struct callers *callers);
size_t callers_count(const struct callers *callers);

/* By the value of the Authorization header, NULL when there is none or several (RFC
 * 6750 §2.1). NULL: ERROR_UNAUTHENTICATED. */
struct caller *callers_identify(struct callers *callers, const char *authorization,
                                struct error *err);

/* One that was identified before, by its token's id ("" without tokens); NULL:
 * ERROR_UNAUTHENTICATED, it was removed meanwhile. */
struct caller *callers_find(struct callers *callers, const char *token_id, struct error *err);

const char *caller_name(const struct caller *caller);     /* "" without tokens */
const char *caller_token_id(const struct caller *caller); /* the same */

/* All bits of `scopes`. -1: ERROR_FORBIDDEN. */
int caller_check_scopes(const struct caller *caller, unsigned scopes, struct error *err);

/* "parquet", "delta", "iceberg", the name of a MySQL source, "config" for a MySQL
 * server that the request itself names. -1: ERROR_FORBIDDEN. */
int caller_check_source(const struct caller *caller, const char *source, struct error *err);

/* Sees and cancels every caller's queries. */
bool caller_is_admin(const struct caller *caller);

/* Whether it sees and cancels those of the caller with that name. */
bool caller_may_see(const struct caller *caller, const char *owner);

/* Counts one request. -1: ERROR_RATE_LIMITED, and *ret_retry_ms until there is room. */
int caller_take_request(struct caller *caller, struct monotime now, int64_t *ret_retry_ms,
                        struct error *err);

/* Counts a query from its admission until callers_leave. -1: ERROR_RATE_LIMITED. */
int caller_enter(struct caller *caller, struct error *err);
void callers_leave(struct callers *callers, const char *token_id);

#endif
