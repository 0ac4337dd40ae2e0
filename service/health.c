#include "health.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canary.h"
#include "engine_life.h"
#include "error.h"
#include "http_reply.h"
#include "mysql_sources.h"
#include "queries.h"
#include "query_queue.h"
#include "settings.h"

#define ALL_SOURCES "mysql"

static const char *const STATUS_NAMES[] = {"starting", "healthy", "degraded", "draining"};

/* Why a service that started is not healthy; "" when it is. */
static void degraded_reason(const struct health *health, char *ret_reason, size_t size)
{
    struct queries_counts counts = queries_count(health->queries);
    int64_t age_ms = canary_age_ms(engine_life_canary(health->life));

    ret_reason[0] = '\0';
    if (age_ms > health->settings->canary_max_age_ms)
        snprintf(ret_reason, size, "the last good canary query is %lld ms ago", (long long)age_ms);
    else if (counts.lost > 0)
        snprintf(ret_reason, size, "%zu of %lld slots are lost", counts.lost,
                 (long long)health->settings->workers);
}

enum health_status health_status(const struct health *health)
{
    char reason[128];

    if (health->draining)
        return HEALTH_DRAINING;
    if (!health->engine_ready)
        return HEALTH_STARTING;
    degraded_reason(health, reason, sizeof(reason));
    return reason[0] == '\0' ? HEALTH_HEALTHY : HEALTH_DEGRADED;
}

static const struct http_header NO_STORE = {"Cache-Control", "no-store"};

static void answer_text(struct http_exchange *exchange, int status, const char *text)
{
    const struct http_header headers[] = {NO_STORE, {"Retry-After", "1"}};

    http_reply_send(exchange, status, "text/plain; charset=utf-8", headers, status == 503 ? 2 : 1,
                    text, strlen(text));
}

void health_answer_livez(const struct health *health, struct http_exchange *exchange)
{
    (void)health; /* the loop turns: that is what "live" means */
    answer_text(exchange, 200, "live\n");
}

void health_answer_startupz(const struct health *health, struct http_exchange *exchange)
{
    answer_text(exchange, health->engine_ready ? 200 : 503,
                health->engine_ready ? "started\n" : "starting\n");
}

void health_answer_readyz(const struct health *health, struct http_exchange *exchange)
{
    enum health_status status = health_status(health);
    char reason[128];
    char line[192];

    switch (status) {
    case HEALTH_HEALTHY:
        answer_text(exchange, 200, "ready\n");
        return;
    case HEALTH_STARTING:
        answer_text(exchange, 503, "starting\n");
        return;
    case HEALTH_DRAINING:
        answer_text(exchange, 503, "draining\n");
        return;
    case HEALTH_DEGRADED:
        degraded_reason(health, reason, sizeof(reason));
        snprintf(line, sizeof(line), "degraded: %s\n", reason);
        answer_text(exchange, 503, line);
        return;
    }
}

/* `mysql` is all of them together, as bad as the worst. */
struct sources_report {
    json_t *sources;
    enum mysql_source_state worst;
};

static const char *source_state_name(enum mysql_source_state state)
{
    switch (state) {
    case MYSQL_SOURCE_OK:
        return "ok";
    case MYSQL_SOURCE_UNREACHABLE:
        return "unreachable";
    case MYSQL_SOURCE_UNKNOWN:
        break;
    }
    return "unknown";
}

static int badness(enum mysql_source_state state)
{
    static const int order[] = {
        [MYSQL_SOURCE_OK] = 0, [MYSQL_SOURCE_UNKNOWN] = 1, [MYSQL_SOURCE_UNREACHABLE] = 2};

    return order[state];
}

static void describe_source(const char *name, enum mysql_source_state state, void *user)
{
    struct sources_report *report = user;

    if (badness(state) > badness(report->worst))
        report->worst = state;
    json_object_set_new(report->sources, ALL_SOURCES,
                        json_string(source_state_name(report->worst)));
    json_object_set_new(report->sources, name, json_string(source_state_name(state)));
}

static json_t *describe_sources(const struct health *health)
{
    struct sources_report report = {.sources = json_object(), .worst = MYSQL_SOURCE_OK};

    mysql_sources_each(health->mysql_sources, describe_source, &report);
    return report.sources;
}

static json_t *describe(const struct health *health)
{
    struct queries_counts counts = queries_count(health->queries);
    json_t *version = json_null();
    json_t *age = json_null();

    if (health->engine_open)
        version = json_string(engine_life_version(health->life));
    if (health->engine_ready)
        age = json_integer(canary_age_ms(engine_life_canary(health->life)));
    return json_pack("{s:s, s:o, s:I, s:{s:I, s:I}, s:{s:I, s:I, s:I}, s:o, s:o}", "status",
                     STATUS_NAMES[health_status(health)], "spark_version", version, "uptime_ms",
                     (json_int_t)monotime_span_ms(health->started, monotime_now()), "queue",
                     "length", (json_int_t)query_queue_length(health->queue), "limit",
                     (json_int_t)query_queue_limit(health->queue), "slots", "total",
                     (json_int_t)health->settings->workers, "busy", (json_int_t)counts.busy, "lost",
                     (json_int_t)counts.lost, "canary_age_ms", age, "sources",
                     describe_sources(health));
}

void health_answer(const struct health *health, struct http_exchange *exchange)
{
    json_t *body = describe(health);
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    const struct http_header headers[] = {NO_STORE, {"Retry-After", "1"}};
    bool healthy = health_status(health) == HEALTH_HEALTHY;
    struct error err;

    json_decref(body);
    if (text == NULL) {
        error_set(&err, ERROR_ENGINE_ERROR, "out of memory");
        http_reply_problem(exchange, &err, NULL, -1, 0, NULL);
        return;
    }
    http_reply_send_taken(exchange, healthy ? 200 : 503, "application/json", headers,
                          healthy ? 1 : 2, text, strlen(text));
}
