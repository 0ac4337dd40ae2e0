#include "caller_refusals.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "deadline.h"
#include "http_record.h"
#include "log.h"
#include "metrics.h"

struct caller_refusals {
    struct event *timer; /* pending while further ones are only counted */
    int64_t untold;
    char client[HTTP_CLIENT_BYTES]; /* of the last one */
};

static void tell(struct caller_refusals *refusals)
{
    log_line(LOG_WARN, "requests without a valid token", LOG_NUMBER("count", refusals->untold),
             LOG_TEXT("last_client", refusals->client));
    refusals->untold = 0;
}

static void start_timer(struct caller_refusals *refusals)
{
    struct timeval span = span_timeval(CALLER_REFUSALS_SPAN_MS);

    (void)event_add(refusals->timer, &span);
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
    struct caller_refusals *refusals = user;

    (void)fd;
    (void)what;
    if (refusals->untold == 0)
        return;
    tell(refusals);
    start_timer(refusals);
}

int caller_refusals_new(struct event_base *base, struct caller_refusals **ret_refusals,
                        struct error *err)
{
    struct caller_refusals *refusals = calloc(1, sizeof(*refusals));

    if (refusals != NULL)
        refusals->timer = event_new(base, -1, 0, on_timer, refusals);
    if (refusals == NULL || refusals->timer == NULL) {
        free(refusals);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    *ret_refusals = refusals;
    return 0;
}

void caller_refusals_free(struct caller_refusals *refusals)
{
    if (refusals == NULL)
        return;
    if (refusals->untold > 0)
        tell(refusals);
    event_free(refusals->timer);
    free(refusals);
}

void caller_refusals_note(struct caller_refusals *refusals, const char *client)
{
    metrics_add(METRIC_REFUSED_TOKEN, 1);
    refusals->untold++;
    snprintf(refusals->client, sizeof(refusals->client), "%s", client);
    if (event_pending(refusals->timer, EV_TIMEOUT, NULL))
        return;
    tell(refusals);
    start_timer(refusals);
}
