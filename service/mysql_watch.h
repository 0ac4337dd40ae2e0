/*
 * mysql_watch: looks at every MySQL source again and again, on a thread of its
 * own, so that /api/spark/health can tell which of them answers. It says
 * nothing about readiness: the files can still be asked.   [loop]
 */
#ifndef SERVICE_MYSQL_WATCH_H
#define SERVICE_MYSQL_WATCH_H

#include <stdint.h>

#include "error.h"

struct mysql_sources;
struct mysql_watch;

/* Borrows the sources until stop. */
int mysql_watch_start(struct mysql_sources *sources, int64_t interval_ms,
                      struct mysql_watch **ret_watch, struct error *err);

/* Ends the thread, waiting at most timeout_ms for a look (a name server can hang).
 * False when one does: it is left behind, with what it borrows. NULL is fine. */
bool mysql_watch_stop(struct mysql_watch *watch, int64_t timeout_ms);

#endif
