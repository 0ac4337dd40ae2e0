#include "query_handler.h"

#include "byte_buffer.h"
#include "callers.h"
#include "http_reply.h"
#include "mysql_sources.h"
#include "queries.h"
#include "query_reply.h"
#include "query_target.h"
#include "service.h"

int query_handler_negotiate(const struct http_exchange *exchange, struct result_choice *ret_choice,
                            struct error *err)
{
    struct byte_buffer accept = {0};
    struct byte_buffer accept_encoding = {0};
    bool has_accept = http_exchange_join_header(exchange, "Accept", &accept);
    bool has_encoding = http_exchange_join_header(exchange, "Accept-Encoding", &accept_encoding);
    int rc = -1;

    if (accept.failed || accept_encoding.failed)
        error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    else
        rc = result_choice_negotiate(has_accept ? accept.data : NULL,
                                     has_encoding ? accept_encoding.data : NULL, ret_choice, err);
    byte_buffer_done(&accept);
    byte_buffer_done(&accept_encoding);
    return rc;
}

/* Without memory to read it there is no preference. */
static struct prefer read_prefer(const struct http_exchange *exchange)
{
    struct byte_buffer value = {0};
    bool found = http_exchange_join_header(exchange, "Prefer", &value);
    struct prefer prefer = prefer_parse(found && !value.failed ? value.data : NULL);

    byte_buffer_done(&value);
    return prefer;
}

/* MySQL's own EXPLAIN is the only one that doesn't run the statement. */
static int check_explains(const struct query_request *request, struct error *err)
{
    if (request->source == QUERY_MYSQL && request->engine == ENGINE_SPARK)
        return error_set(err, ERROR_BAD_REQUEST,
                         "engine: MySQL itself explains its statements; auto or direct");
    return 0;
}

/* The fields of the request, from the body or, of GET and HEAD, from the target. */
static int parse(const struct service *service, const struct http_request *http,
                 const struct prefer *prefer, enum query_source source,
                 struct query_request *ret_request, struct error *err)
{
    const struct query_limits limits = {
        .timeout_ms_default = service->settings.query_timeout_ms,
        .timeout_ms_max = service->settings.query_timeout_max_ms,
        .queue_timeout_ms_default = service->settings.queue_timeout_ms,
        .wait_ms_preferred = prefer_wait_ms(prefer, QUERY_WAIT_MS_MAX),
    };
    struct byte_buffer fields = {0};
    int rc = -1;

    if (http->method == METHOD_POST)
        return query_request_parse(source, http->body != NULL ? http->body : "", http->body_length,
                                   &limits, ret_request, err);
    if (query_target_to_body(http->query, &fields, err) == 0)
        rc = query_request_parse(source, fields.data, fields.length, &limits, ret_request, err);
    byte_buffer_done(&fields);
    return rc;
}

/* What the source itself says about its queries. */
static void take_over(const struct mysql_target *target, bool only_plans,
                      struct query_request *request)
{
    if (request->engine == ENGINE_AUTO && target->engine != ENGINE_AUTO && !only_plans) {
        request->engine = target->engine;
        request->engine_reason = ENGINE_OF_SOURCE;
    }
    if (target->query_ms > 0 && request->timeout_ms > target->query_ms)
        request->timeout_ms = target->query_ms;
}

static void submit(struct service *service, struct caller *caller, struct http_exchange *exchange,
                   enum query_source source, bool explains)
{
    const struct http_request *http = http_exchange_request(exchange);
    const struct prefer prefer = read_prefer(exchange);
    bool only_plans = explains || http->method == METHOD_HEAD;
    struct query_request request = {0};
    struct mysql_target target = {0};
    struct result_choice answer = {0}; /* plain JSON, as every plan is */
    struct error err;
    int rc = explains ? 0 : query_handler_negotiate(exchange, &answer, &err);

    if (rc == 0)
        rc = parse(service, http, &prefer, source, &request, &err);
    http_exchange_forget_body(exchange);
    if (rc != 0) {
        query_reply_refusal(exchange, &err);
        return;
    }
    request.explains = only_plans;
    if (caller_check_source(caller, query_request_source(&request), &err) != 0 ||
        (only_plans && check_explains(&request, &err) != 0) ||
        (source == QUERY_MYSQL &&
         mysql_sources_resolve(service->mysql_sources, &request.config, &target, &err) != 0)) {
        queries_refuse(service->queries, caller, exchange, &request, &err);
        return;
    }
    if (source == QUERY_MYSQL)
        take_over(&target, only_plans, &request);
    if (only_plans) { /* there are no rows to come back for */
        request.wait_ms = -1;
        request.wait_preferred = false;
    }
    request.heads = http->method == METHOD_HEAD;
    request.answer = answer;
    request.prefer = prefer;
    queries_submit(service->queries, caller, exchange, &request, &target);
}

void query_handler_run(struct service *service, struct caller *caller,
                       struct http_exchange *exchange, enum query_source source)
{
    submit(service, caller, exchange, source, false);
}

void query_handler_explain(struct service *service, struct caller *caller,
                           struct http_exchange *exchange, enum query_source source)
{
    submit(service, caller, exchange, source, true);
}
