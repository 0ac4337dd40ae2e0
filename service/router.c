#include "router.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "access_log.h"
#include "caller_refusals.h"
#include "callers.h"
#include "console.h"
#include "health.h"
#include "http_metrics.h"
#include "http_record.h"
#include "http_reply.h"
#include "media_type.h"
#include "metrics_page.h"
#include "openapi.h"
#include "queries_handler.h"
#include "query_handler.h"
#include "query_request.h"
#include "service.h"

#define JSON_TYPE "application/json"

/* A route's scope when everybody may come; 0 would be a route that nobody thought about. */
#define OPEN (SCOPE_ALL + 1)

enum route_kind {
    TAKES_JSON = 1,  /* the body of a POST must be application/json */
    ANSWERS_ROWS = 2 /* in the format that Accept and Accept-Encoding choose */
};

struct route {
    const char *pattern; /* a component "*" stands for one that isn't empty */
    unsigned methods;    /* enum http_method bits */
    unsigned kind;       /* enum route_kind bits */
    unsigned scope;      /* what the caller's token needs; OPEN: no token */
    void (*handle)(struct service *service, struct caller *caller, struct http_exchange *exchange,
                   const char *component); /* where "*" begins; ends at '/' or NUL */
};

static void handle_mysql(struct service *s, struct caller *c, struct http_exchange *x,
                         const char *last)
{
    (void)last;
    query_handler_run(s, c, x, QUERY_MYSQL);
}

static void handle_parquet(struct service *s, struct caller *c, struct http_exchange *x,
                           const char *last)
{
    (void)last;
    query_handler_run(s, c, x, QUERY_PARQUET);
}

static void handle_delta(struct service *s, struct caller *c, struct http_exchange *x,
                         const char *last)
{
    (void)last;
    query_handler_run(s, c, x, QUERY_DELTA);
}

static void handle_iceberg(struct service *s, struct caller *c, struct http_exchange *x,
                           const char *last)
{
    (void)last;
    query_handler_run(s, c, x, QUERY_ICEBERG);
}

static void explain_mysql(struct service *s, struct caller *c, struct http_exchange *x,
                          const char *last)
{
    (void)last;
    query_handler_explain(s, c, x, QUERY_MYSQL);
}

static void explain_parquet(struct service *s, struct caller *c, struct http_exchange *x,
                            const char *last)
{
    (void)last;
    query_handler_explain(s, c, x, QUERY_PARQUET);
}

static void explain_delta(struct service *s, struct caller *c, struct http_exchange *x,
                          const char *last)
{
    (void)last;
    query_handler_explain(s, c, x, QUERY_DELTA);
}

static void explain_iceberg(struct service *s, struct caller *c, struct http_exchange *x,
                            const char *last)
{
    (void)last;
    query_handler_explain(s, c, x, QUERY_ICEBERG);
}

static void handle_health(struct service *s, struct caller *c, struct http_exchange *x,
                          const char *last)
{
    (void)c;
    (void)last;
    health_answer(&s->health, x);
}

static void handle_livez(struct service *s, struct caller *c, struct http_exchange *x,
                         const char *last)
{
    (void)c;
    (void)last;
    health_answer_livez(&s->health, x);
}

static void handle_readyz(struct service *s, struct caller *c, struct http_exchange *x,
                          const char *last)
{
    (void)c;
    (void)last;
    health_answer_readyz(&s->health, x);
}

static void handle_startupz(struct service *s, struct caller *c, struct http_exchange *x,
                            const char *last)
{
    (void)c;
    (void)last;
    health_answer_startupz(&s->health, x);
}

static void handle_console(struct service *s, struct caller *c, struct http_exchange *x,
                           const char *last)
{
    (void)c;
    (void)s;
    (void)last;
    console_answer_page(x);
}

static void handle_console_style(struct service *s, struct caller *c, struct http_exchange *x,
                                 const char *last)
{
    (void)c;
    (void)s;
    (void)last;
    console_answer_style(x);
}

static void handle_console_script(struct service *s, struct caller *c, struct http_exchange *x,
                                  const char *last)
{
    (void)c;
    (void)s;
    (void)last;
    console_answer_script(x);
}

static void handle_console_facts(struct service *s, struct caller *c, struct http_exchange *x,
                                 const char *last)
{
    (void)c;
    (void)last;
    console_answer_facts(s->console, x);
}

static void handle_metrics(struct service *s, struct caller *c, struct http_exchange *x,
                           const char *last)
{
    (void)c;
    (void)last;
    metrics_page_answer(s, x);
}

static void handle_openapi(struct service *s, struct caller *c, struct http_exchange *x,
                           const char *last)
{
    (void)c;
    (void)s;
    (void)last;
    http_reply_send_static(x, 200, JSON_TYPE, NULL, 0, openapi_json(), openapi_json_length());
}

#define QUERY_METHODS (METHOD_POST | METHOD_GET | METHOD_HEAD)

/* Of DELETE it is SCOPE_CANCEL on every route. */
static const struct route ROUTES[] = {
    {"/api/spark/query/mysql", QUERY_METHODS, TAKES_JSON | ANSWERS_ROWS, SCOPE_QUERY, handle_mysql},
    {"/api/spark/query/parquet", QUERY_METHODS, TAKES_JSON | ANSWERS_ROWS, SCOPE_QUERY,
     handle_parquet},
    {"/api/spark/query/delta", QUERY_METHODS, TAKES_JSON | ANSWERS_ROWS, SCOPE_QUERY, handle_delta},
    {"/api/spark/query/iceberg", QUERY_METHODS, TAKES_JSON | ANSWERS_ROWS, SCOPE_QUERY,
     handle_iceberg},
    {"/api/spark/explain/mysql", METHOD_POST, TAKES_JSON, SCOPE_QUERY, explain_mysql},
    {"/api/spark/explain/parquet", METHOD_POST, TAKES_JSON, SCOPE_QUERY, explain_parquet},
    {"/api/spark/explain/delta", METHOD_POST, TAKES_JSON, SCOPE_QUERY, explain_delta},
    {"/api/spark/explain/iceberg", METHOD_POST, TAKES_JSON, SCOPE_QUERY, explain_iceberg},
    {"/api/spark/queries", METHOD_GET | METHOD_HEAD | METHOD_DELETE, 0, SCOPE_QUERY,
     queries_handler_all},
    {"/api/spark/queries/*", METHOD_GET | METHOD_HEAD | METHOD_DELETE, 0, SCOPE_QUERY,
     queries_handler_one},
    {"/api/spark/queries/*/results", METHOD_GET | METHOD_HEAD, ANSWERS_ROWS, SCOPE_QUERY,
     queries_handler_results},
    {"/api/spark/health", METHOD_GET | METHOD_HEAD, 0, OPEN, handle_health},
    {"/livez", METHOD_GET | METHOD_HEAD, 0, OPEN, handle_livez},
    {"/readyz", METHOD_GET | METHOD_HEAD, 0, OPEN, handle_readyz},
    {"/startupz", METHOD_GET | METHOD_HEAD, 0, OPEN, handle_startupz},
    {"/", METHOD_GET | METHOD_HEAD, 0, OPEN, handle_console},
    {"/console.css", METHOD_GET | METHOD_HEAD, 0, OPEN, handle_console_style},
    {"/console.js", METHOD_GET | METHOD_HEAD, 0, OPEN, handle_console_script},
    {"/console.json", METHOD_GET | METHOD_HEAD, 0, SCOPE_QUERY, handle_console_facts},
    {"/metrics", METHOD_GET | METHOD_HEAD, 0, SCOPE_METRICS, handle_metrics},
    {"/openapi.json", METHOD_GET | METHOD_HEAD, 0, OPEN, handle_openapi},
};

/* The component that "*" stands for, "" for an exact pattern; NULL: no match. */
static const char *match(const char *pattern, const char *path)
{
    const char *star = strchr(pattern, '*');
    size_t before = star != NULL ? (size_t)(star - pattern) : 0;
    const char *component = path + before;

    if (star == NULL)
        return strcmp(pattern, path) == 0 ? "" : NULL;
    if (strncmp(pattern, path, before) != 0 || *component == '\0' || *component == '/')
        return NULL;
    return strcmp(component + strcspn(component, "/"), star + 1) == 0 ? component : NULL;
}

static const struct route *find_route(const char *path, const char **ret_last)
{
    for (size_t i = 0; i < sizeof(ROUTES) / sizeof(ROUTES[0]); i++) {
        const char *last = match(ROUTES[i].pattern, path);
        if (last != NULL) {
            *ret_last = last;
            return &ROUTES[i];
        }
    }
    return NULL;
}

_Static_assert(sizeof(ROUTES) / sizeof(ROUTES[0]) <= HTTP_METRICS_ROUTES_MAX,
               "each route is counted");

int router_route_count(void)
{
    return (int)(sizeof(ROUTES) / sizeof(ROUTES[0]));
}

const char *router_route_name(int route)
{
    return route == HTTP_NO_ROUTE ? "none" : ROUTES[route].pattern;
}

unsigned router_route_methods(int route)
{
    return route == HTTP_NO_ROUTE ? 0 : ROUTES[route].methods;
}

unsigned router_route_scope(int route, unsigned method)
{
    unsigned scope = ROUTES[route].scope;

    return method == METHOD_DELETE && scope != OPEN ? SCOPE_CANCEL : scope;
}

bool router_route_is_open(int route)
{
    return ROUTES[route].scope == OPEN;
}

/* "GET, HEAD" */
static void format_allow(unsigned methods, char *ret_text, size_t size)
{
    size_t length = 0;

    ret_text[0] = '\0';
    for (unsigned method = METHOD_GET; method < METHOD_OTHER; method <<= 1) {
        if ((methods & method) != 0)
            length += (size_t)snprintf(ret_text + length, size - length, "%s%s",
                                       length > 0 ? ", " : "", http_method_name(method));
    }
}

static void refuse(struct http_exchange *exchange, const struct error *err, const char *allow)
{
    http_reply_problem(exchange, err, NULL, -1, 0, allow);
}

/* Seconds, so that a client that waits them finds room. */
static int retry_after_s(int64_t retry_ms)
{
    return (int)((retry_ms + 999) / 1000);
}

/* 401 as every one is answered: counted, told together with others. */
static void refuse_unknown_caller(const struct service *service, struct http_exchange *exchange,
                                  const struct error *err)
{
    if (err->code == ERROR_UNAUTHENTICATED)
        caller_refusals_note(service->caller_refusals, http_exchange_record(exchange)->client);
    refuse(exchange, err, NULL);
}

/* Who asks, whether it may, and whether it may now; false: answered. */
static bool admit_caller(const struct service *service, struct http_exchange *exchange, int route)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct http_record *record = http_exchange_record(exchange);
    const char *authorization = http_exchange_header_count(exchange, "Authorization") == 1
                                    ? http_exchange_header(exchange, "Authorization")
                                    : NULL;
    struct caller *caller = NULL;
    struct error err;
    int64_t retry_ms = 0;

    if (router_route_is_open(route))
        return true;
    caller = callers_identify(service->callers, authorization, &err);
    if (caller == NULL) {
        refuse_unknown_caller(service, exchange, &err);
        return false;
    }
    memcpy(record->caller, caller_name(caller), sizeof(record->caller));
    memcpy(record->token_id, caller_token_id(caller), sizeof(record->token_id));
    if (caller_take_request(caller, monotime_now(), &retry_ms, &err) != 0) {
        http_reply_problem(exchange, &err, NULL, -1, retry_after_s(retry_ms), NULL);
        return false;
    }
    if (caller_check_scopes(caller, router_route_scope(route, request->method), &err) != 0) {
        refuse(exchange, &err, NULL);
        return false;
    }
    return true;
}

/* True, with *err, when the client takes no form that the answer can have. */
static bool refuses_answer(const struct http_exchange *exchange, const struct route *route,
                           struct error *err)
{
    struct result_choice choice;

    if ((route->kind & ANSWERS_ROWS) != 0)
        return query_handler_negotiate(exchange, &choice, err) != 0;
    if ((route->kind & TAKES_JSON) == 0 ||
        media_type_accepted(http_exchange_header(exchange, "Accept"), JSON_TYPE))
        return false;
    error_set(err, ERROR_NOT_ACCEPTABLE, "answers are application/json");
    return true;
}

void router_on_headers(struct http_exchange *exchange, void *user)
{
    const struct http_request *request = http_exchange_request(exchange);
    const char *last = NULL;
    const struct route *route = find_route(request->path, &last);
    struct error err;
    char allow[64];

    access_log_begin(exchange, route != NULL ? (int)(route - ROUTES) : HTTP_NO_ROUTE);
    if (route == NULL) {
        error_set(&err, ERROR_NOT_FOUND, "no route %.200s", request->path);
        refuse(exchange, &err, NULL);
        return;
    }
    if ((route->methods & request->method) == 0) {
        format_allow(route->methods, allow, sizeof(allow));
        error_set(&err, ERROR_METHOD_NOT_ALLOWED, "%s takes %s", route->pattern, allow);
        refuse(exchange, &err, allow);
        return;
    }
    if (!admit_caller(user, exchange, (int)(route - ROUTES)))
        return;
    if ((route->kind & TAKES_JSON) != 0 && request->method == METHOD_POST &&
        !media_type_is(http_exchange_header(exchange, "Content-Type"), JSON_TYPE)) {
        error_set(&err, ERROR_UNSUPPORTED_MEDIA_TYPE,
                  "the body must be JSON: send Content-Type: application/json");
        refuse(exchange, &err, NULL);
        return;
    }
    if (refuses_answer(exchange, route, &err))
        refuse(exchange, &err, NULL);
}

void router_on_request(struct http_exchange *exchange, void *user)
{
    struct service *service = user;
    const char *last = NULL;
    const struct route *route = find_route(http_exchange_request(exchange)->path, &last);
    struct caller *caller = NULL;
    struct error err;

    /* Its body may have taken long: the token may be gone by now. */
    if (route->scope != OPEN) {
        caller = callers_find(service->callers, http_exchange_record(exchange)->token_id, &err);
        if (caller == NULL) {
            refuse_unknown_caller(service, exchange, &err);
            return;
        }
    }
    route->handle(service, caller, exchange, last);
}
