/*
 * console: the page for people at GET /, its parts as linked into the program
 * (service/console/), and the facts that fill its fields in.
 *
 * The page asks only this service, runs only its own script and shows what the
 * service says as text; its Content-Security-Policy allows no more.
 */
#ifndef SERVICE_CONSOLE_H
#define SERVICE_CONSOLE_H

#include "error.h"

struct console;
struct http_exchange;
struct settings;

/* Looks once below the local roots for tables to offer, so not on the loop: before
 * it turns.   [main] */
int console_new(const struct settings *settings, struct console **ret_console, struct error *err);
void console_free(struct console *console);

/* GET / and its parts.   [loop] */
void console_answer_page(struct http_exchange *exchange);
void console_answer_style(struct http_exchange *exchange);
void console_answer_script(struct http_exchange *exchange);

/* {"version":"0.1.0","spark_line":"4.1.0","roots":["/data"],"mysql":true,
 *  "samples":{"parquet":"/data/parquet/users"}}: what is there, at the start.   [loop] */
void console_answer_facts(const struct console *console, struct http_exchange *exchange);

#endif
