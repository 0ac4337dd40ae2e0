/*
 * service: everything that lives on the loop, in one place, as handlers see it.
 * Made and taken down by main.c.   [loop]
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "delivery.h"
#include "health.h"
#include "settings.h"

struct caller_refusals;
struct callers;
struct console;
struct data_roots;
struct event;
struct event_base;
struct http_server;
struct kept_file_store;
struct mysql_engine;
struct mysql_sources;
struct mysql_watch;
struct queries;
struct query_queue;
struct reply_channel;
struct spool_store;
struct state_dir;
struct tls_server;

struct service {
    struct settings settings;
    struct event_base *base;
    struct state_dir *state_dir;
    struct data_roots *data_roots;
    struct callers *callers;
    struct caller_refusals *caller_refusals;
    struct console *console;
    struct mysql_sources *mysql_sources;
    struct mysql_watch *mysql_watch;
    struct mysql_engine *mysql;
    struct mysql_express *express;
    struct reply_channel *channel;
    struct spool_store *spools;
    struct kept_file_store *kept_files;
    struct delivery_host deliveries;
    struct query_queue *queue;
    struct queries *queries;
    struct tls_server *tls; /* NULL: plain HTTP */
    struct http_server *http;
    struct engine_life *life;
    struct health health;
};

#endif
