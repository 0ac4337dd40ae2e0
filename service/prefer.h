/*
 * prefer: the Prefer header (RFC 7240) as far as we honour it: respond-async and
 * wait. What we don't know or can't read is ignored, as the RFC wants; of a
 * preference that is there twice the first counts. Pure.   [any]
 */
#ifndef SERVICE_PREFER_H
#define SERVICE_PREFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREFER_APPLIED_BYTES 48

struct prefer {
    bool respond_async;
    int64_t wait_s; /* -1 = not given */
};

/* `value`: all Prefer headers as one list; NULL = there is none. */
struct prefer prefer_parse(const char *value);

/* How long the caller wants to wait: `wait`, else 0 with respond-async, else -1
 * (to the end); at most maximum_ms. */
int64_t prefer_wait_ms(const struct prefer *prefer, int64_t maximum_ms);

/* The value of Preference-Applied, "" when there is none to tell. */
void prefer_format_applied(const struct prefer *prefer, char ret_text[PREFER_APPLIED_BYTES]);

#endif
