/*
 * log: logfmt lines on stderr by way of log_writer, any thread.   [any]
 *
 *   time=2024-01-31T09:57:06.123456Z level=info msg="query done" query_id=... rows=10
 *
 * Values are quoted when they need it and cut at 512 bytes; control bytes are
 * escaped, so that caller data can't forge a line. Secrets are never passed in.
 */
#ifndef SERVICE_LOG_H
#define SERVICE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* One key=value pair; `text` NULL means the number counts. */
struct log_field {
    const char *key;
    const char *text;
    int64_t number;
};

#define LOG_TEXT(key, value) ((struct log_field){(key), (value) != NULL ? (value) : "", 0})
#define LOG_NUMBER(key, value) ((struct log_field){(key), NULL, (int64_t)(value)})

void log_set_level(enum log_level level);
bool log_level_from_name(const char *name, enum log_level *ret_level);

/* log_line(LOG_INFO, "ready", LOG_TEXT("version", v), LOG_NUMBER("ms", n)); */
#define log_line(level, message, ...)                                                              \
    log_write((level), (message),                                                                  \
              (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){NULL, NULL, 0}})

/* `fields` ends with a NULL key. */
void log_write(enum log_level level, const char *message, const struct log_field *fields);

#endif
