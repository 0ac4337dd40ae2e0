#include "reload.h"

#include "callers.h"
#include "log.h"
#include "metrics.h"
#include "service.h"

/* One file's outcome in the log and the counters. */
static void tell(const char *what, int rc, const struct error *err)
{
    metrics_add(rc == 0 ? METRIC_RELOADS : METRIC_RELOAD_FAILURES, 1);
    if (rc == 0)
        log_line(LOG_INFO, "read anew", LOG_TEXT("what", what));
    else
        log_line(LOG_ERROR, "NOT read anew: what was in force before stays in force",
                 LOG_TEXT("what", what), LOG_TEXT("detail", err->detail));
}

void reload_files(struct service *service)
{
    struct error err;

    if (callers_need_tokens(service->callers))
        tell("TOKENS_FILE", callers_reload(service->callers, &err), &err);
}
