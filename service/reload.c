#include "reload.h"

#include "log.h"
#include "mysql_sources.h"
#include "service.h"

static void reload_sources(struct service *service)
{
    struct error err;

    if (service->settings.sources_file[0] == '\0')
        return;
    if (mysql_sources_reload(service->mysql_sources, &err) != 0)
        log_line(LOG_ERROR, "reload failed, the old sources stay", LOG_TEXT("detail", err.detail));
    else
        log_line(LOG_INFO, "sources reloaded",
                 LOG_NUMBER("sources", mysql_sources_count(service->mysql_sources)));
}

void reload_files(struct service *service)
{
    reload_sources(service);
}
