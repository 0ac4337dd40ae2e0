/*
 * settings_table: the table itself, shared by settings.c (reads into it) and
 * settings_print.c (tells it). Private to these two.
 */
#ifndef SERVICE_SETTINGS_TABLE_H
#define SERVICE_SETTINGS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "settings.h"

#define SETTINGS_ENV_PREFIX "SPARK_SERVICE_"

enum setting_type { TYPE_TEXT, TYPE_INTEGER, TYPE_BOOL };

struct setting {
    const char *name;
    enum setting_type type;
    const char *default_text; /* "" = worked out, see help */
    int64_t min;
    int64_t max;
    size_t offset;
    const char *help;
};

extern const struct setting settings_table[];
extern const size_t settings_table_length;

#endif
