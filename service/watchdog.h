/*
 * watchdog: counts lost slots: workers that did not come back SLOT_LOST_MS
 * after their query's cancel. More than half lost: says so, once a look.   [loop]
 */
#ifndef SERVICE_WATCHDOG_H
#define SERVICE_WATCHDOG_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct event_base;
struct query;
struct query_registry;
struct watchdog;

struct watchdog_config {
    struct event_base *base;               /* borrowed */
    const struct query_registry *registry; /* borrowed */
    size_t slots;
    int64_t slot_lost_ms;
    void (*on_slots_lost)(void *user);
    void *user;
};

int watchdog_new(const struct watchdog_config *config, struct watchdog **ret_watchdog,
                 struct error *err);
void watchdog_free(struct watchdog *watchdog);

/* The worker of this query is back: no lost slot any more, if it was one. */
void watchdog_slot_back(struct watchdog *watchdog, struct query *query);

size_t watchdog_lost(const struct watchdog *watchdog);

#endif
