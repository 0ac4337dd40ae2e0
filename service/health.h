/*
 * health: the facts orchestrators and people ask for, and the routes that tell
 * them. Nothing here is a remembered "up" flag: readiness rests on the age of
 * the last good canary query and on the count of lost slots.   [loop]
 */
#ifndef SERVICE_HEALTH_H
#define SERVICE_HEALTH_H

#include <stdbool.h>

#include "deadline.h"

struct engine_life;
struct http_exchange;
struct mysql_sources;
struct queries;
struct query_queue;
struct settings;

enum health_status { HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_DEGRADED, HEALTH_DRAINING };

struct health {
    const struct settings *settings; /* borrowed, as all here */
    const struct engine_life *life;
    const struct queries *queries;
    struct mysql_sources *mysql_sources;
    struct query_queue *queue;
    struct monotime started;
    bool engine_open;  /* runs queries */
    bool engine_ready; /* and did its own first ones */
    bool draining;
};

enum health_status health_status(const struct health *health);

/* GET /api/spark/health, /livez, /readyz, /startupz */
void health_answer(const struct health *health, struct http_exchange *exchange);
void health_answer_livez(const struct health *health, struct http_exchange *exchange);
void health_answer_readyz(const struct health *health, struct http_exchange *exchange);
void health_answer_startupz(const struct health *health, struct http_exchange *exchange);

#endif
