/*
 * main: start order, signals, stop order; no logic.
 */
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "access_log.h"
#include "caller_refusals.h"
#include "callers.h"
#include "console.h"
#include "content_coding.h"
#include "data_roots.h"
#include "engine_life.h"
#include "event_memory.h"
#include "http_server.h"
#include "install_dir.h"
#include "json_memory.h"
#include "kept_file.h"
#include "log.h"
#include "log_writer.h"
#include "mysql_engine.h"
#include "mysql_express.h"
#include "mysql_sources.h"
#include "mysql_watch.h"
#include "probe.h"
#include "queries.h"
#include "query_queue.h"
#include "reload.h"
#include "reply_channel.h"
#include "result_spool.h"
#include "router.h"
#include "service.h"
#include "state_dir.h"
#include "tls_memory.h"
#include "tls_server.h"
#include "token_command.h"

/* A server that says nothing beyond the longest query is gone. */
#define MYSQL_READ_GRACE_MS 60000
#define EXIT_BAD_SETTING 2
#define EXIT_NO_JVM 70
#define EXIT_SLOTS_LOST 75
/* After the drain: for cancelled workers to come back, for answers to leave,
 * for Spark to stop. */
#define CANCEL_GRACE_MS 5000
#define FLUSH_GRACE_MS 2000
#define ENGINE_STOP_MS 10000
#define JOURNAL_STOP_MS 2000
#define WATCH_STOP_MS 3000
#define FLUSH_LOOK_MS 20
#define LOG_STOP_MS 1000

struct run {
    struct service service;
    struct event *signal_event;
    struct event *stop_timer; /* one at a time: drain limit, cancel grace, flush */
    int signal_fd;
    bool cancelling;
    struct monotime flush_limit;
    int exit_code;
};

static void run_timer(struct run *run, int64_t span_ms)
{
    struct timeval span = span_timeval(span_ms);

    (void)event_add(run->stop_timer, &span);
}

/* ---- what the parts report ---- */

static void on_engine_open(void *user)
{
    struct run *run = user;
    struct service *service = &run->service;

    service->health.engine_open = true;
    queries_engine_open(service->queries, engine_life_canceller(service->life));
    log_line(LOG_INFO, "open for queries",
             LOG_NUMBER("ms", monotime_span_ms(service->health.started, monotime_now())));
}

static void on_engine_ready(void *user)
{
    struct run *run = user;
    struct service *service = &run->service;

    service->health.engine_ready = true;
    log_line(LOG_INFO, "ready", LOG_TEXT("spark_version", engine_life_version(service->life)),
             LOG_NUMBER("ms", monotime_span_ms(service->health.started, monotime_now())));
}

static void on_engine_failed(const struct error *err, void *user)
{
    struct run *run = user;

    log_line(LOG_ERROR, "the engine did not start", LOG_TEXT("detail", err->detail));
    run->exit_code = EXIT_NO_JVM;
    event_base_loopbreak(run->service.base);
}

static void on_slots_lost(void *user)
{
    struct run *run = user;

    log_line(LOG_ERROR, "more than half of the slots are lost; leaving, to be restarted");
    run->exit_code = EXIT_SLOTS_LOST;
    event_base_loopbreak(run->service.base);
}

/* Every query is answered: let the answers leave, then end the loop. */
static void on_queries_idle(void *user)
{
    struct run *run = user;

    if (monotime_is_set(run->flush_limit))
        return;
    run->flush_limit = monotime_after(monotime_now(), FLUSH_GRACE_MS);
    http_server_drain(run->service.http);
    run_timer(run, 0);
}

/* ---- stopping ---- */

static void on_stop_timer(evutil_socket_t fd, short what, void *user)
{
    struct run *run = user;
    struct service *service = &run->service;

    (void)fd;
    (void)what;
    if (monotime_is_set(run->flush_limit)) {
        if (http_server_connection_count(service->http) == 0 ||
            monotime_reached(run->flush_limit, monotime_now()))
            event_base_loopbreak(service->base);
        else
            run_timer(run, FLUSH_LOOK_MS);
    } else if (!run->cancelling) {
        log_line(LOG_WARN, "drain time is over; cancelling what still runs");
        run->cancelling = true;
        run_timer(run, CANCEL_GRACE_MS);
        queries_cancel_all(service->queries);
    } else {
        on_queries_idle(run); /* some worker does not come back */
    }
}

static void on_signal(evutil_socket_t fd, short what, void *user)
{
    struct run *run = user;
    struct service *service = &run->service;
    struct signalfd_siginfo info;

    (void)what;
    if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    if (info.ssi_signo == SIGHUP) {
        reload_files(service);
        return;
    }
    if (service->health.draining) {
        log_line(LOG_WARN, "second signal: leaving now");
        log_writer_stop(LOG_STOP_MS);
        spark_engine_leave(0);
    }
    log_line(LOG_INFO, "stopping: no new queries, running ones may finish",
             LOG_NUMBER("drain_ms", service->settings.drain_ms));
    service->health.draining = true;
    run_timer(run, service->settings.drain_ms);
    queries_drain(service->queries);
}

/* Blocked in every thread made later too; only the loop reads them. */
static int open_signals(struct run *run, struct error *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (run->signal_fd < 0)
        return error_set(err, ERROR_ENGINE_ERROR, "signalfd: %s", strerror(errno));
    run->signal_event =
        event_new(run->service.base, run->signal_fd, EV_READ | EV_PERSIST, on_signal, run);
    run->stop_timer = event_new(run->service.base, -1, 0, on_stop_timer, run);
    if (run->signal_event == NULL || run->stop_timer == NULL ||
        event_add(run->signal_event, NULL) != 0)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    return 0;
}

/* ---- starting ---- */

static int open_http(struct run *run, struct error *err)
{
    struct service *service = &run->service;
    struct http_server_config config = http_server_config_default();
    const struct http_server_callbacks callbacks = {router_on_headers, router_on_request,
                                                    access_log_end, service};

    if (*service->settings.tls_cert != '\0' &&
        tls_server_new(service->settings.tls_cert, service->settings.tls_key, &service->tls, err) !=
            0)
        return -1;
    config.tls = service->tls;
    config.max_connections = (size_t)service->settings.max_connections;
    config.max_body_bytes = (size_t)service->settings.max_body_bytes;
    config.header_timeout_ms = service->settings.header_timeout_ms;
    config.body_timeout_ms = service->settings.body_timeout_ms;
    config.keep_alive_ms = service->settings.keep_alive_ms;
    config.write_stall_ms = service->settings.stream_stall_ms;
    return http_server_new(service->base, service->settings.listen, &config, &callbacks,
                           &service->http, err);
}

static int open_mysql(struct run *run, struct error *err)
{
    const struct settings *settings = &run->service.settings;
    const struct mysql_engine_config config = {
        .pool = {.limit = (size_t)settings->mysql_connections,
                 .idle_ms = settings->mysql_idle_ms,
                 .connect_timeout_ms = settings->mysql_connect_timeout_ms,
                 .read_timeout_ms = settings->query_timeout_max_ms + MYSQL_READ_GRACE_MS,
                 .shapes = (size_t)settings->mysql_statements},
        .reuse_ms = settings->mysql_reuse_ms,
        .kill_timeout_ms = settings->mysql_kill_timeout_ms,
    };

    if (mysql_engine_new(&config, &run->service.mysql, err) != 0)
        return -1;
    return mysql_watch_start(run->service.mysql_sources, settings->canary_interval_ms,
                             &run->service.mysql_watch, err);
}

static int open_express(struct run *run, struct error *err)
{
    struct service *service = &run->service;
    const struct mysql_express_config config = {
        .base = service->base,
        .mysql = service->mysql,
        .queue = service->queue,
        .channel = service->channel,
        .spools = service->spools,
        .answer_ms = service->settings.mysql_express_ms,
        .bytes_max = (size_t)service->settings.mysql_express_bytes,
    };

    return mysql_express_new(&config, &service->express, err);
}

static int open_deliveries(struct run *run, struct error *err)
{
    struct service *service = &run->service;
    const struct settings *settings = &service->settings;

    service->spools =
        spool_store_new(state_dir_results(service->state_dir), settings->spool_bytes / 2);
    service->kept_files =
        kept_file_store_new(state_dir_results(service->state_dir), settings->cache_disk_bytes);
    if (service->spools == NULL || service->kept_files == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    service->deliveries.channel = service->channel;
    service->deliveries.budget.bytes_max = settings->stream_bytes;
    content_coding_set_limit(settings->max_coded_answers);
    return delivery_pool_start((size_t)settings->stream_threads, &service->deliveries.pool, err);
}

static int open_queries(struct run *run, struct error *err)
{
    struct service *service = &run->service;
    const struct queries_config config = {
        .base = service->base,
        .queue = service->queue,
        .mysql = service->mysql,
        .express = service->express,
        .deliveries = &service->deliveries,
        .slots = (size_t)service->settings.workers,
        .slot_lost_ms = service->settings.slot_lost_ms,
        .history = (size_t)service->settings.history_length,
        .channel = service->channel,
        .journal_path = state_dir_journal(service->state_dir),
        .journal_length = (size_t)service->settings.journal_length,
        .handles_max = (size_t)service->settings.max_handles,
        .spool_ttl_s = service->settings.spool_ttl_s,
        .cache_bytes = (size_t)service->settings.cache_bytes,
        .kept_files = service->kept_files,
        .followers_max = (size_t)service->settings.shared_queries,
        .small_ms = service->settings.small_query_ms,
        .callers = service->callers,
        .audits = service->settings.audit_log,
        .on_slots_lost = on_slots_lost,
        .on_idle = on_queries_idle,
        .user = run,
    };

    return queries_new(&config, &service->queries, err);
}

static int start_engine(struct run *run, struct error *err)
{
    struct service *service = &run->service;
    static char home[4096];
    struct engine_life_config config = {
        .settings = &service->settings,
        .mysql = service->mysql,
        .roots = service->data_roots,
        .queue = service->queue,
        .channel = service->channel,
        .spools = service->spools,
        .home = home,
        .local_dir = state_dir_scratch(service->state_dir),
        .on_open = on_engine_open,
        .on_ready = on_engine_ready,
        .on_failed = on_engine_failed,
        .user = run,
    };

    if (install_dir_spark_home(service->settings.spark_line, home, sizeof(home), err) != 0)
        return -1;
    return engine_life_start(&config, &service->life, err);
}

/* What settings name, parsed further. */
static int open_sources(const struct settings *settings, struct data_roots **ret_roots,
                        struct mysql_sources **ret_mysql, struct error *err)
{
    if (data_roots_new(settings->data_roots, ret_roots, err) != 0)
        return -1;
    return mysql_sources_new(settings, ret_mysql, err);
}

/* In this order; each step may use what stands above it. */
static int start(struct run *run, struct error *err)
{
    struct service *service = &run->service;

    service->health = (struct health){.settings = &service->settings, .started = monotime_now()};
    if (open_sources(&service->settings, &service->data_roots, &service->mysql_sources, err) != 0 ||
        callers_new(service->settings.tokens_file, &service->callers, err) != 0 ||
        console_new(&service->settings, &service->console, err) != 0 ||
        state_dir_open(service->settings.state_dir, &service->state_dir, err) != 0)
        return -1;
    service->base = event_base_new();
    service->queue = query_queue_new(&(struct query_queue_config){
        .limit = (size_t)service->settings.queue_length,
        .workers = (size_t)service->settings.workers,
        .small_slots = (size_t)service->settings.small_slots,
    });
    if (service->base == NULL || service->queue == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    if (open_signals(run, err) != 0 ||
        caller_refusals_new(service->base, &service->caller_refusals, err) != 0 ||
        reply_channel_new(service->base, &service->channel, err) != 0 ||
        open_mysql(run, err) != 0 || open_deliveries(run, err) != 0 ||
        open_express(run, err) != 0 || open_queries(run, err) != 0)
        return -1;
    service->health.mysql_sources = service->mysql_sources;
    service->health.queries = service->queries;
    service->health.queue = service->queue;
    if (open_http(run, err) != 0 || start_engine(run, err) != 0)
        return -1;
    service->health.life = service->life;
    if (!callers_need_tokens(service->callers) &&
        !settings_listen_is_loopback(service->settings.listen))
        log_line(LOG_WARN, "INSECURE: anybody who reaches this port may query, no token asked",
                 LOG_TEXT("listen", service->settings.listen));
    if (callers_need_tokens(service->callers) && callers_count(service->callers) == 0)
        log_line(LOG_WARN, "TOKENS_FILE has no token yet: every query is refused");
    log_line(LOG_INFO, "listening", LOG_TEXT("listen", service->settings.listen),
             LOG_NUMBER("port", http_server_port(service->http)),
             LOG_TEXT("data_roots", service->settings.data_roots),
             LOG_TEXT("heap", service->settings.heap),
             LOG_TEXT("spark_master", service->settings.spark_master));
    return 0;
}

/* The reverse of start. */
static void stop(struct run *run)
{
    struct service *service = &run->service;
    bool clean = true;

    mysql_express_stop(service->express);
    if (service->queue != NULL)
        query_queue_close(service->queue);
    if (service->life != NULL && run->exit_code != EXIT_SLOTS_LOST)
        clean = engine_life_stop(service->life, run->exit_code == 0 ? ENGINE_STOP_MS : 0);
    else
        clean = service->life == NULL;
    clean = clean && queries_stop(service->queries, JOURNAL_STOP_MS) &&
            mysql_watch_stop(service->mysql_watch, WATCH_STOP_MS);
    if (clean) {
        delivery_pool_stop(service->deliveries.pool);
        reply_channel_free(service->channel);
        engine_life_free(service->life);
        queries_free(service->queries);
        spool_store_free(service->spools);
        kept_file_store_free(service->kept_files);
        http_server_free(service->http);
        tls_server_free(service->tls);
        caller_refusals_free(service->caller_refusals);
        callers_free(service->callers);
        query_queue_free(service->queue);
        if (run->signal_event != NULL)
            event_free(run->signal_event);
        if (run->stop_timer != NULL)
            event_free(run->stop_timer);
        if (run->signal_fd >= 0)
            close(run->signal_fd);
        if (service->base != NULL)
            event_base_free(service->base);
        mysql_express_free(service->express);
        mysql_engine_free(service->mysql);
        mysql_sources_free(service->mysql_sources);
        data_roots_free(service->data_roots);
        console_free(service->console);
    }
    state_dir_close(service->state_dir);
    if (clean)
        settings_done(&service->settings);
}

/* No core of a process that holds credentials. */
static void forbid_core_dumps(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
}

/* Spark's page listens on every address unless its environment names one. Set
 * before any thread is made. */
static void keep_spark_ui_on_loopback(void)
{
    (void)setenv("SPARK_LOCAL_IP", "127.0.0.1", 0);
}

static int run_service(const struct settings *settings)
{
    static struct run run; /* handlers of late threads may outlive this frame */
    enum log_level level = LOG_INFO;
    struct error err;

    run.service.settings = *settings;
    run.signal_fd = -1;
    (void)log_level_from_name(settings->log_level, &level);
    log_set_level(level);
    forbid_core_dumps();
    keep_spark_ui_on_loopback();
    if (log_writer_start((size_t)settings->log_buffer_bytes, &err) != 0)
        log_line(LOG_WARN, "the log is written by those who log", LOG_TEXT("detail", err.detail));
    if (start(&run, &err) != 0) {
        fprintf(stderr, "spark-service: %s\n", err.detail);
        run.exit_code = EXIT_BAD_SETTING;
        stop(&run);
    } else {
        (void)event_base_dispatch(run.service.base);
        stop(&run);
        log_line(LOG_INFO, "stopped", LOG_NUMBER("code", run.exit_code));
    }
    log_writer_stop(LOG_STOP_MS);
    return run.exit_code;
}

static int check_config(const struct settings *settings)
{
    struct data_roots *roots = NULL;
    struct mysql_sources *mysql = NULL;
    struct callers *callers = NULL;
    struct tls_server *tls = NULL;
    struct error err;
    int result = open_sources(settings, &roots, &mysql, &err);

    if (result == 0)
        result = callers_new(settings->tokens_file, &callers, &err);
    if (result == 0 && *settings->tls_cert != '\0')
        result = tls_server_new(settings->tls_cert, settings->tls_key, &tls, &err);
    if (result == 0)
        settings_print(settings, stdout);
    else
        fprintf(stderr, "spark-service: %s\n", err.detail);
    tls_server_free(tls);
    callers_free(callers);
    mysql_sources_free(mysql);
    data_roots_free(roots);
    return result == 0 ? 0 : EXIT_BAD_SETTING;
}

int main(int argc, char **argv)
{
    struct settings settings;
    enum settings_action action = SETTINGS_RUN;
    struct error err;
    int code = 0;

    if (argc > 1 && strcmp(argv[1], "token") == 0)
        return token_command_run(argc - 2, argv + 2);
    json_memory_wipe_on_free();
    event_memory_watch();
    tls_memory_watch();
    if (settings_load(&settings, &action, argc, argv, &err) != 0) {
        fprintf(stderr, "spark-service: %s\n", err.detail);
        return EXIT_BAD_SETTING;
    }
    switch (action) {
    case SETTINGS_HELP:
        settings_print_help(stdout);
        break;
    case SETTINGS_VERSION:
        puts("spark-service " SPARK_SERVICE_VERSION);
        break;
    case SETTINGS_CHECK_CONFIG:
        code = check_config(&settings);
        break;
    case SETTINGS_PROBE_READY:
        code = probe_run(settings.listen, *settings.tls_cert != '\0', "/readyz");
        break;
    case SETTINGS_PROBE_LIVE:
        code = probe_run(settings.listen, *settings.tls_cert != '\0', "/livez");
        break;
    case SETTINGS_RUN:
        spark_engine_leave(run_service(&settings)); /* frees the settings */
    }
    settings_done(&settings);
    return code;
}
