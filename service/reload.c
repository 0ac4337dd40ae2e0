#include "reload.h"

#include "callers.h"
#include "log.h"
#include "metrics.h"
#include "mysql_sources.h"
#include "service.h"
#include "tls_server.h"

/* One file's outcome. `rc` 0: *count things of it are in force. */
static void tell(const char *setting, int rc, size_t count, const struct error *err)
{
    metrics_add(rc == 0 ? METRIC_RELOADS : METRIC_RELOAD_FAILURES, 1);
    if (rc == 0)
        log_line(LOG_INFO, "file reloaded", LOG_TEXT("setting", setting),
                 LOG_NUMBER("entries", count));
    else
        log_line(LOG_ERROR, "RELOAD FAILED: what was in force stays in force",
                 LOG_TEXT("setting", setting), LOG_TEXT("detail", err->detail));
}

static void reload_sources(struct service *service)
{
    struct error err;
    int rc = 0;

    if (service->settings.sources_file[0] == '\0')
        return;
    rc = mysql_sources_reload(service->mysql_sources, &err);
    tell("SOURCES_FILE", rc, mysql_sources_count(service->mysql_sources), &err);
}

static void reload_tokens(struct service *service)
{
    struct error err;
    int rc = 0;

    if (!callers_need_tokens(service->callers))
        return;
    rc = callers_reload(service->callers, &err);
    tell("TOKENS_FILE", rc, callers_count(service->callers), &err);
}

static void reload_certificate(struct service *service)
{
    struct error err;

    if (service->tls != NULL)
        tell("TLS_CERT", tls_server_reload(service->tls, &err), 1, &err);
}

void reload_files(struct service *service)
{
    reload_sources(service);
    reload_tokens(service);
    reload_certificate(service);
}
