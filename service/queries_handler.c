#include "queries_handler.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "byte_buffer.h"
#include "callers.h"
#include "engine_life.h"
#include "http_reply.h"
#include "queries.h"
#include "query.h"
#include "query_handler.h"
#include "query_list.h"
#include "query_registry.h"
#include "query_reply.h"
#include "query_status.h"
#include "query_string.h"
#include "service.h"

#define JSON_TYPE "application/json"

/* Takes the bytes of `body`. */
static void send_json(struct http_exchange *exchange, int status, struct byte_buffer *body)
{
    struct error err;

    if (!body->failed) {
        http_reply_send_taken(exchange, status, JSON_TYPE, NULL, 0, body->data, body->length);
        return;
    }
    byte_buffer_done(body);
    error_set(&err, ERROR_ENGINE_ERROR, "out of memory");
    query_reply_refusal(exchange, &err);
}

/* Ids are kept in lower case; RFC 9562 lets a caller write upper case. One more
 * than an id is copied: a too long one must not match when cut. */
static void read_id(const char *component, char ret_id[QUERY_ID_BYTES + 1])
{
    size_t i = 0;

    for (; component[i] != '\0' && component[i] != '/' && i < QUERY_ID_BYTES; i++)
        ret_id[i] = (char)tolower((unsigned char)component[i]);
    ret_id[i] = '\0';
}

/* An id that isn't known (any more). */
static void refuse_unknown(const struct service *service, const struct caller *caller,
                           struct http_exchange *exchange, const char *id)
{
    struct error err;

    switch (queries_origin(service->queries, caller, id)) {
    case HANDLE_OF_THIS_RUN:
        error_set(&err, ERROR_GONE, "query %s is over and its results have expired", id);
        break;
    case HANDLE_OF_EARLIER_RUN:
        error_set(&err, ERROR_GONE, "query %s and its results are lost: the service was restarted",
                  id);
        break;
    case HANDLE_UNKNOWN:
        error_set(&err, ERROR_NOT_FOUND, "no query %s", id);
        break;
    }
    query_reply_refusal(exchange, &err);
}

/* ---- cancel ---- */

struct cancelled_ids {
    struct byte_buffer body;
    bool any;
};

static void on_cancelled(const char *id, void *user)
{
    struct cancelled_ids *ids = user;

    byte_buffer_append_format(&ids->body, "%s\"%s\"", ids->any ? "," : "", id);
    ids->any = true;
}

static void cancel_tagged(struct service *service, const struct caller *caller,
                          struct http_exchange *exchange)
{
    static const char *const PARAMETERS[] = {"tag", NULL};
    struct cancelled_ids ids = {0};
    struct query_string string = {0};
    const char *tag = NULL;
    struct error err;

    if (query_string_parse(http_exchange_request(exchange)->query, PARAMETERS, &string, &err) !=
        0) {
        query_reply_refusal(exchange, &err);
        return;
    }
    tag = query_string_get(&string, "tag");
    if (tag == NULL || tag[0] == '\0') {
        error_set(&err, ERROR_BAD_REQUEST, "tag: is required");
        query_reply_refusal(exchange, &err);
    } else {
        byte_buffer_append_text(&ids.body, "{\"cancelled\":[");
        queries_cancel_tagged(service->queries, caller, tag, on_cancelled, &ids);
        byte_buffer_append_text(&ids.body, "]}");
        send_json(exchange, 202, &ids.body);
    }
    query_string_done(&string);
}

static void cancel_one(struct service *service, const struct caller *caller,
                       struct http_exchange *exchange, const char *id)
{
    struct query *query = queries_find(service->queries, caller, id);
    struct byte_buffer body = {0};
    struct error err;

    if (query == NULL) {
        refuse_unknown(service, caller, exchange, id);
        return;
    }
    if (queries_cancel(service->queries, query, &err) != 0) {
        query_reply_refusal(exchange, &err);
        return;
    }
    byte_buffer_append_format(&body, "{\"cancelled\":[\"%s\"]}", id);
    send_json(exchange, 202, &body);
}

/* ---- look ---- */

static struct engine_facts *facts_of(const struct service *service)
{
    return service->health.engine_open ? engine_life_facts(service->life) : NULL;
}

static void show_list(struct service *service, const struct caller *caller,
                      struct http_exchange *exchange)
{
    struct query_list_filter filter;
    struct query_string string = {0};
    struct byte_buffer body = {0};
    struct error err;

    if (query_string_parse(http_exchange_request(exchange)->query, query_list_parameters, &string,
                           &err) != 0 ||
        query_list_read(&string, &filter, &err) != 0) {
        query_reply_refusal(exchange, &err);
    } else {
        filter.caller = caller;
        query_list_append(&body, queries_known(service->queries), &filter, facts_of(service));
        send_json(exchange, 200, &body);
    }
    query_string_done(&string);
}

static void show_one(struct service *service, const struct caller *caller,
                     struct http_exchange *exchange, const char *id)
{
    const struct query *query = queries_find(service->queries, caller, id);
    struct byte_buffer body = {0};

    if (query == NULL) {
        refuse_unknown(service, caller, exchange, id);
        return;
    }
    query_status_append(&body, query, facts_of(service));
    send_json(exchange, 200, &body);
}

/* ---- kept rows ---- */

static int read_chunk(struct http_exchange *exchange, size_t *ret_chunk, struct error *err)
{
    static const char *const PARAMETERS[] = {"chunk", NULL};
    struct query_string string = {0};
    const char *text = NULL;
    char *end = NULL;
    unsigned long chunk = 0;
    int rc = 0;

    if (query_string_parse(http_exchange_request(exchange)->query, PARAMETERS, &string, err) != 0)
        return -1;
    text = query_string_get(&string, "chunk");
    if (text == NULL) {
        *ret_chunk = KEPT_RESULTS_WHOLE;
    } else {
        errno = 0;
        chunk = strtoul(text, &end, 10);
        if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 ||
            chunk == KEPT_RESULTS_WHOLE)
            rc = error_set(err, ERROR_BAD_REQUEST, "chunk: '%.64s' is not a number", text);
        *ret_chunk = chunk;
    }
    query_string_done(&string);
    return rc;
}

/* Of a query that is over and has no rows to give: why. */
static void refuse_rows(struct http_exchange *exchange, const struct query *query)
{
    struct error err = query->problem;

    if (query->state == QUERY_EXPIRED)
        error_set(&err, ERROR_GONE, "the results of query %s have expired", query->id);
    else if (query->problem.code == ERROR_NONE)
        error_set(&err, ERROR_GONE, "the rows of query %s went to the client that asked",
                  query->id);
    query_reply_problem(exchange, query, &err);
}

static void send_results(struct service *service, struct http_exchange *exchange,
                         struct query *query)
{
    struct result_choice choice;
    size_t chunk = 0;
    struct error err;

    if (read_chunk(exchange, &chunk, &err) != 0 ||
        query_handler_negotiate(exchange, &choice, &err) != 0) {
        query_reply_refusal(exchange, &err);
    } else if (!query_state_is_over(query->state) && !query_request_keeps_rows(&query->request)) {
        error_set(&err, ERROR_CONFLICT,
                  "the rows of query %s go to the client that asked; wait_ms keeps them",
                  query->id);
        query_reply_problem(exchange, query, &err);
    } else if (!query_state_is_over(query->state)) {
        query_reply_accepted(exchange, query, facts_of(service));
    } else if (query->kept == NULL) {
        refuse_rows(exchange, query);
    } else {
        queries_send_kept(service->queries, exchange, query, &choice, chunk);
    }
}

/* ---- the routes ---- */

void queries_handler_all(struct service *service, struct caller *caller,
                         struct http_exchange *exchange, const char *component)
{
    (void)component;
    if (http_exchange_request(exchange)->method == METHOD_DELETE)
        cancel_tagged(service, caller, exchange);
    else
        show_list(service, caller, exchange);
}

void queries_handler_results(struct service *service, struct caller *caller,
                             struct http_exchange *exchange, const char *component)
{
    struct query *query = NULL;
    char id[QUERY_ID_BYTES + 1];

    read_id(component, id);
    query = queries_find(service->queries, caller, id);
    if (query == NULL)
        refuse_unknown(service, caller, exchange, id);
    else
        send_results(service, exchange, query);
}

void queries_handler_one(struct service *service, struct caller *caller,
                         struct http_exchange *exchange, const char *component)
{
    char id[QUERY_ID_BYTES + 1];

    read_id(component, id);
    if (http_exchange_request(exchange)->method == METHOD_DELETE)
        cancel_one(service, caller, exchange, id);
    else
        show_one(service, caller, exchange, id);
}
