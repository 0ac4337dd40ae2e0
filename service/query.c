#include "query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "result_spool.h"
#include "utf8.h"

/* The form of RFC 9562, of that version. */
static void format_uuid(unsigned char b[16], unsigned version, char ret_text[QUERY_ID_BYTES])
{
    b[6] = (unsigned char)((b[6] & 0x0f) | version << 4);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    hex_format(b, 4, ret_text);
    hex_format(b + 4, 2, ret_text + 9);
    hex_format(b + 6, 2, ret_text + 14);
    hex_format(b + 8, 2, ret_text + 19);
    hex_format(b + 10, 6, ret_text + 24);
    ret_text[8] = ret_text[13] = ret_text[18] = ret_text[23] = '-';
}

static int make_uuid(char ret_text[QUERY_ID_BYTES])
{
    unsigned char b[RANDOM_ID_BYTES];

    if (!random_id(b))
        return -1;
    format_uuid(b, 4, ret_text);
    return 0;
}

int query_make_id(const struct query_request *request, char ret_id[QUERY_ID_BYTES],
                  struct error *err)
{
    if (request->query_id != NULL)
        snprintf(ret_id, QUERY_ID_BYTES, "%s", request->query_id);
    else if (make_uuid(ret_id) != 0)
        return error_set(err, ERROR_ENGINE_ERROR, "getrandom: %s", strerror(errno));
    return 0;
}

bool query_make_key(const char *caller, const char *id, char ret_key[QUERY_ID_BYTES])
{
    char text[CALLER_NAME_BYTES + QUERY_ID_BYTES];
    unsigned char digest[SHA256_BYTES];
    int length = 0;

    if (caller[0] == '\0') {
        memcpy(ret_key, id, strlen(id) + 1);
        return true;
    }
    length = snprintf(text, sizeof(text), "%s%c%s", caller, '\0', id);
    if (!digest_sha256(text, (size_t)length, digest))
        return false;
    format_uuid(digest, 8, ret_key);
    return true;
}

int query_new(struct query_request *request, uint64_t generation, const char *caller,
              struct query **ret_query, struct error *err)
{
    struct query *query = calloc(1, sizeof(*query));

    if (query == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    if (query_make_id(request, query->id, err) != 0) {
        free(query);
        return -1;
    }
    snprintf(query->caller, sizeof(query->caller), "%s", caller);
    if (!query_make_key(caller, query->id, query->key) ||
        !digest_sha256(request->sql, strlen(request->sql), query->sql_sha256)) {
        free(query);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    snprintf(query->tag, sizeof(query->tag), "q%llu-%s", (unsigned long long)generation, query->id);
    query->generation = generation;
    query->slot = -1;
    query->state = QUERY_QUEUED;
    mysql_cutoff_init(&query->cutoff);
    query->request = *request;
    memset(request, 0, sizeof(*request));
    *ret_query = query;
    return 0;
}

void query_free(struct query *query)
{
    if (query == NULL)
        return;
    query_request_done(&query->request);
    mysql_target_done(&query->mysql);
    mysql_cutoff_done(&query->cutoff);
    result_spool_release(query->kept);
    source_identity_free(query->identity);
    byte_buffer_done(&query->cache_key);
    free(query);
}

static char *cut_text(char *text, size_t limit)
{
    size_t length = utf8_cut(text, strlen(text), limit);
    char *shorter = text[length] != '\0' ? strndup(text, length) : NULL;

    if (shorter == NULL)
        return text;
    free(text);
    return shorter;
}

void query_shed(struct query *query)
{
    struct query_request *request = &query->request;
    struct query_request spare = *request;

    spare.sql = NULL;
    spare.tag_count = 0;
    query_request_done(&spare);
    source_identity_free(query->identity);
    query->identity = NULL;
    byte_buffer_done(&query->cache_key);
    mysql_target_done(&query->mysql);
    request->sql = cut_text(request->sql, QUERY_SQL_SHOWN_BYTES);
    request->path = NULL;
    request->table = NULL;
    request->params_json = NULL;
    request->query_id = NULL;
    request->config = (struct query_mysql_config){0};
    request->as_of = (struct query_as_of){0};
}

bool query_has_tag(const struct query *query, const char *tag)
{
    for (size_t i = 0; i < query->request.tag_count; i++) {
        if (strcmp(query->request.tags[i], tag) == 0)
            return true;
    }
    return false;
}

int64_t query_time_left_ms(const struct query *query)
{
    int64_t used_ms = monotime_span_ms(query->run_started, monotime_now());

    return query->request.timeout_ms > used_ms ? query->request.timeout_ms - used_ms : 1;
}

const char *query_engine_name(const struct query *query)
{
    return query_request_is_direct(&query->request) ? "direct" : "spark";
}

static const char *const STATE_NAMES[QUERY_STATE_COUNT] = {
    "QUEUED", "RUNNING", "CANCELLING", "SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "EXPIRED",
};

const char *query_state_name(enum query_state state)
{
    return STATE_NAMES[state];
}

bool query_state_from_name(const char *name, enum query_state *ret_state)
{
    for (int i = 0; i < QUERY_STATE_COUNT; i++) {
        if (strcmp(STATE_NAMES[i], name) == 0) {
            *ret_state = (enum query_state)i;
            return true;
        }
    }
    return false;
}

bool query_state_is_over(enum query_state state)
{
    return state >= QUERY_SUCCEEDED;
}
