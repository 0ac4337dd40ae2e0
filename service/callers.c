#include "callers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "metrics.h"

struct caller {
    struct token_entry entry;
    struct rate_bucket bucket;
    int64_t in_flight;
    bool revoked; /* gone from the file, some queries of it are not over */
};

/* What a look-up reads of a token: one cache line each, so that all take as long. */
struct token_key {
    _Alignas(64) char id[TOKEN_ID_BYTES];
    unsigned char salt[TOKEN_SALT_BYTES];
    unsigned char sha256[SHA256_BYTES];
};
_Static_assert(sizeof(struct token_key) == 64, "one cache line");

struct callers {
    char *path;             /* "" = no tokens */
    struct token_key *keys; /* in_force of them, and one of zeros that stands in for unknown ids */
    struct caller *callers; /* those in force, then revoked ones */
    size_t count;
    size_t in_force;
    struct caller everybody; /* without tokens */
};

int callers_new(const char *path, struct callers **ret_callers, struct error *err)
{
    struct callers *callers = calloc(1, sizeof(*callers));

    if (callers != NULL)
        callers->path = strdup(path);
    if (callers == NULL || callers->path == NULL) {
        free(callers);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    callers->everybody.entry.scopes = SCOPE_ALL;
    strcpy(callers->everybody.entry.sources, "*");
    if (path[0] != '\0' && callers_reload(callers, err) != 0) {
        callers_free(callers);
        return -1;
    }
    *ret_callers = callers;
    return 0;
}

void callers_free(struct callers *callers)
{
    if (callers == NULL)
        return;
    free(callers->path);
    free(callers->callers);
    free(callers->keys);
    free(callers);
}

/* ---- the file again ---- */

/* A token that stays goes on with what it used up. */
static struct caller carry_over(const struct callers *callers, const struct token_entry *entry)
{
    struct caller caller = {.entry = *entry};

    for (size_t i = 0; i < callers->count; i++) {
        const struct caller *old = &callers->callers[i];

        if (strcmp(old->entry.id, entry->id) != 0)
            continue;
        caller.in_flight = old->in_flight;
        if (old->entry.rate.count == entry->rate.count &&
            old->entry.rate.period_s == entry->rate.period_s)
            caller.bucket = old->bucket;
    }
    return caller;
}

static bool is_listed(const struct token_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->entries[i].id, id) == 0)
            return true;
    }
    return false;
}

static struct token_key *make_keys(const struct token_list *list)
{
    const size_t bytes = (list->count + 1) * sizeof(struct token_key);
    struct token_key *keys = aligned_alloc(_Alignof(struct token_key), bytes);

    if (keys == NULL)
        return NULL;
    memset(keys, 0, bytes);
    for (size_t i = 0; i < list->count; i++) {
        memcpy(keys[i].id, list->entries[i].id, sizeof(keys[i].id));
        memcpy(keys[i].salt, list->entries[i].salt, sizeof(keys[i].salt));
        memcpy(keys[i].sha256, list->entries[i].sha256, sizeof(keys[i].sha256));
    }
    return keys;
}

static int replace(struct callers *callers, const struct token_list *list, struct error *err)
{
    struct caller *next = calloc(list->count + callers->count + 1, sizeof(*next));
    struct token_key *keys = next != NULL ? make_keys(list) : NULL;
    size_t count = 0;

    if (keys == NULL) {
        free(next);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    for (size_t i = 0; i < list->count; i++)
        next[count++] = carry_over(callers, &list->entries[i]);
    for (size_t i = 0; i < callers->count; i++) {
        const struct caller *old = &callers->callers[i];

        if (old->in_flight == 0 || is_listed(list, old->entry.id))
            continue;
        next[count] = *old;
        next[count++].revoked = true;
    }
    free(callers->callers);
    free(callers->keys);
    callers->callers = next;
    callers->keys = keys;
    callers->count = count;
    callers->in_force = list->count;
    metrics_set(METRIC_TOKENS, (int64_t)list->count);
    return 0;
}

int callers_reload(struct callers *callers, struct error *err)
{
    struct token_list list = {0};
    struct error inner;
    int rc = -1;

    if (callers->path[0] == '\0')
        return 0;
    if (token_list_read(callers->path, &list, &inner) != 0)
        return error_set(err, inner.code, "TOKENS_FILE: %s", inner.detail);
    rc = replace(callers, &list, err);
    token_list_done(&list);
    return rc;
}

bool callers_need_tokens(const struct callers *callers)
{
    return callers->path[0] != '\0';
}

size_t callers_count(const struct callers *callers)
{
    return callers->in_force;
}

/* ---- who is it ---- */

/* Behind "Bearer" and its spaces (RFC 9110 §11.4: the scheme in any case). */
static const char *bearer_token(const char *authorization)
{
    static const char scheme[] = "Bearer ";

    if (authorization == NULL || strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
        return NULL;
    authorization += sizeof(scheme) - 1;
    return authorization + strspn(authorization, " ");
}

/* The index of that id, in_force for an unknown one; every line is looked at and the
 * index chosen without a branch, wherever it stands. */
static size_t find_key(const struct callers *callers, const char *id)
{
    size_t found = callers->in_force;

    for (size_t i = 0; i < callers->in_force; i++) {
        size_t mask = 0 - (size_t)digest_equal(callers->keys[i].id, id, TOKEN_ID_BYTES - 1);
        found = (found & ~mask) | (i & mask);
    }
    return found;
}

struct caller *callers_identify(struct callers *callers, const char *authorization,
                                struct error *err)
{
    const char *token = bearer_token(authorization);
    const char *id = NULL;
    const char *secret = NULL;
    unsigned char hash[SHA256_BYTES];
    size_t at = 0;
    bool fits = false;

    if (!callers_need_tokens(callers))
        return &callers->everybody;
    if (token == NULL || !token_text_split(token, &id, &secret)) {
        error_set(err, ERROR_UNAUTHENTICATED, "send Authorization: Bearer with a token");
        return NULL;
    }
    at = find_key(callers, id);
    if (!token_secret_hash(callers->keys[at].salt, secret, hash)) {
        error_set(err, ERROR_ENGINE_ERROR, "out of memory");
        return NULL;
    }
    fits = digest_equal(hash, callers->keys[at].sha256, sizeof(hash));
    if (!fits || at == callers->in_force) {
        error_set(err, ERROR_UNAUTHENTICATED, "the token is not valid");
        return NULL;
    }
    return &callers->callers[at];
}

struct caller *callers_find(struct callers *callers, const char *token_id, struct error *err)
{
    if (!callers_need_tokens(callers))
        return &callers->everybody;
    for (size_t i = 0; i < callers->in_force; i++) {
        if (strcmp(callers->callers[i].entry.id, token_id) == 0)
            return &callers->callers[i];
    }
    error_set(err, ERROR_UNAUTHENTICATED, "the token is not valid any more");
    return NULL;
}

/* ---- what may it ---- */

const char *caller_name(const struct caller *caller)
{
    return caller->entry.name;
}

const char *caller_token_id(const struct caller *caller)
{
    return caller->entry.id;
}

bool caller_is_admin(const struct caller *caller)
{
    return (caller->entry.scopes & SCOPE_ADMIN) != 0;
}

bool caller_may_see(const struct caller *caller, const char *owner)
{
    return caller_is_admin(caller) || strcmp(caller->entry.name, owner) == 0;
}

int caller_check_scopes(const struct caller *caller, unsigned scopes, struct error *err)
{
    char missing[64];

    if ((scopes & ~caller->entry.scopes) == 0)
        return 0;
    metrics_add(METRIC_REFUSED_SCOPE, 1);
    token_scopes_format(scopes & ~caller->entry.scopes, missing, sizeof(missing));
    return error_set(err, ERROR_FORBIDDEN, "the token has no scope %s", missing);
}

int caller_check_source(const struct caller *caller, const char *source, struct error *err)
{
    if (token_entry_may_use(&caller->entry, source))
        return 0;
    metrics_add(METRIC_REFUSED_SOURCE, 1);
    return error_set(err, ERROR_FORBIDDEN, "the token may not use the source %.64s", source);
}

/* ---- how much of it ---- */

int caller_take_request(struct caller *caller, struct monotime now, int64_t *ret_retry_ms,
                        struct error *err)
{
    char rate[RATE_TEXT_BYTES];
    int64_t retry_ms = rate_bucket_take(&caller->bucket, &caller->entry.rate, now);

    if (retry_ms == 0)
        return 0;
    *ret_retry_ms = retry_ms;
    metrics_add(METRIC_REFUSED_RATE, 1);
    rate_format(&caller->entry.rate, rate);
    return error_set(err, ERROR_RATE_LIMITED, "the token's rate is %s", rate);
}

int caller_enter(struct caller *caller, struct error *err)
{
    if (caller->entry.concurrency > 0 && caller->in_flight >= caller->entry.concurrency) {
        metrics_add(METRIC_REFUSED_CONCURRENCY, 1);
        return error_set(err, ERROR_RATE_LIMITED, "the token's %lld queries are under way already",
                         (long long)caller->entry.concurrency);
    }
    caller->in_flight++;
    return 0;
}

/* A revoked one is forgotten with its last query. */
static void forget(struct callers *callers, size_t at)
{
    callers->count--;
    callers->callers[at] = callers->callers[callers->count];
}

void callers_leave(struct callers *callers, const char *token_id)
{
    if (!callers_need_tokens(callers)) {
        callers->everybody.in_flight--;
        return;
    }
    for (size_t i = 0; i < callers->count; i++) {
        struct caller *caller = &callers->callers[i];

        if (strcmp(caller->entry.id, token_id) != 0)
            continue;
        caller->in_flight--;
        if (caller->revoked && caller->in_flight == 0)
            forget(callers, i);
        return;
    }
}
