#include "query_handler.h"

#include "byte_buffer.h"
#include "http_reply.h"
#include "mysql_sources.h"
#include "queries.h"
#include "query_reply.h"
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

void query_handler_run(struct service *service, struct http_exchange *exchange,
                       enum query_source source)
{
    const struct http_request *http = http_exchange_request(exchange);
    const struct prefer prefer = read_prefer(exchange);
    const struct query_limits limits = {
        .timeout_ms_default = service->settings.query_timeout_ms,
        .timeout_ms_max = service->settings.query_timeout_max_ms,
        .queue_timeout_ms_default = service->settings.queue_timeout_ms,
        .wait_ms_preferred = prefer_wait_ms(&prefer, QUERY_WAIT_MS_MAX),
    };
    struct query_request request = {0};
    struct mysql_target target = {0};
    struct result_choice answer;
    struct error err;

    if (query_handler_negotiate(exchange, &answer, &err) != 0 ||
        query_request_parse(source, http->body != NULL ? http->body : "", http->body_length,
                            &limits, &request, &err) != 0) {
        query_reply_refusal(exchange, &err);
        return;
    }
    if (source == QUERY_MYSQL &&
        mysql_sources_resolve(service->mysql_sources, &request.config, &target, &err) != 0) {
        query_request_done(&request);
        query_reply_refusal(exchange, &err);
        return;
    }
    request.answer = answer;
    request.prefer = prefer;
    queries_submit(service->queries, exchange, &request, &target);
}
