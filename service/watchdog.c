#include "watchdog.h"

#include <event2/event.h>
#include <stdlib.h>

#include "log.h"
#include "metrics.h"
#include "query.h"
#include "query_registry.h"

#define LOOK_INTERVAL_MS 500

struct watchdog {
    struct watchdog_config config;
    struct event *timer;
    size_t lost;
};

static void look_at(struct watchdog *watchdog, struct query *query, struct monotime now)
{
    if (query->state != QUERY_CANCELLING || query->lost || !monotime_is_set(query->cancel_began) ||
        monotime_span_ms(query->cancel_began, now) < watchdog->config.slot_lost_ms)
        return;
    query->lost = true;
    watchdog->lost++;
    metrics_add(METRIC_SLOT_LOSSES, 1);
    log_line(LOG_ERROR, "slot lost: its query does not end after its cancel",
             LOG_NUMBER("slot", query->slot), LOG_TEXT("query_id", query->id),
             LOG_NUMBER("lost", watchdog->lost));
}

static void on_look(evutil_socket_t fd, short what, void *user)
{
    struct watchdog *watchdog = user;
    struct monotime now = monotime_now();

    (void)fd;
    (void)what;
    for (struct query *query = query_registry_first_live(watchdog->config.registry); query != NULL;
         query = query->group_next)
        look_at(watchdog, query, now);
    if (watchdog->lost * 2 > watchdog->config.slots)
        watchdog->config.on_slots_lost(watchdog->config.user);
}

int watchdog_new(const struct watchdog_config *config, struct watchdog **ret_watchdog,
                 struct error *err)
{
    struct watchdog *watchdog = calloc(1, sizeof(*watchdog));
    struct timeval interval = {.tv_usec = LOOK_INTERVAL_MS * 1000};

    if (watchdog == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    watchdog->config = *config;
    watchdog->timer = event_new(config->base, -1, EV_PERSIST, on_look, watchdog);
    if (watchdog->timer == NULL || event_add(watchdog->timer, &interval) != 0) {
        watchdog_free(watchdog);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    *ret_watchdog = watchdog;
    return 0;
}

void watchdog_free(struct watchdog *watchdog)
{
    if (watchdog == NULL)
        return;
    if (watchdog->timer != NULL)
        event_free(watchdog->timer);
    free(watchdog);
}

void watchdog_slot_back(struct watchdog *watchdog, struct query *query)
{
    if (!query->lost)
        return;
    query->lost = false;
    watchdog->lost--;
    log_line(LOG_INFO, "lost slot is back", LOG_NUMBER("slot", query->slot),
             LOG_TEXT("query_id", query->id));
}

size_t watchdog_lost(const struct watchdog *watchdog)
{
    return watchdog->lost;
}
