/*
 * settings: one table with every setting's name, type, default, range and
 * help. A setting is a flag (--data-roots), an environment variable
 * (SPARK_SERVICE_DATA_ROOTS) and a line in the file SPARK_SERVICE_CONFIG
 * (DATA_ROOTS=...); flag before environment before file before default.
 *
 * Unknown names are refused everywhere: a mistyped safety switch must stop the
 * start, not be ignored. Read once, before any thread; constant afterwards.
 */
#ifndef SERVICE_SETTINGS_H
#define SERVICE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

struct settings {
    char *config;
    char *listen;
    bool insecure;
    char *tokens_file; /* "" = nobody needs a token */
    char *tls_cert;    /* both or neither; "" = plain HTTP */
    char *tls_key;
    char *data_roots;
    char *iceberg_warehouse; /* "" = iceberg below the first root */
    int64_t workers;
    int64_t queue_length;
    int64_t query_timeout_ms;
    int64_t query_timeout_max_ms;
    int64_t queue_timeout_ms;
    int64_t drain_ms;
    int64_t max_connections;
    int64_t max_body_bytes;
    int64_t header_timeout_ms;
    int64_t body_timeout_ms;
    int64_t keep_alive_ms;
    int64_t max_sql_depth;
    int64_t max_sql_nodes;
    int64_t max_in_items;
    int64_t max_value_bytes;
    int64_t max_result_rows;
    int64_t memory_guard_percent;
    char *state_dir; /* never "": the default is worked out */
    int64_t spool_bytes;
    int64_t stream_bytes;
    int64_t stream_threads;
    int64_t stream_patience_ms;
    int64_t stream_stall_ms;
    int64_t max_coded_answers;
    int64_t history_length;
    int64_t spool_ttl_s;
    int64_t cache_bytes;
    int64_t cache_disk_bytes;
    int64_t cache_files;
    int64_t shared_queries;
    int64_t kept_sources;
    int64_t kept_source_bytes;
    int64_t kept_plans;
    int64_t small_query_ms;
    int64_t small_slots;
    int64_t max_handles;
    int64_t journal_length;
    int64_t slot_lost_ms;
    int64_t canary_interval_ms;
    int64_t canary_max_age_ms;
    char *spark_line;
    char *spark_master; /* never "" */
    char *spark_conf;
    char *heap; /* never "" */
    bool spark_ui;
    int64_t spark_ui_port;
    int64_t task_nice;
    int64_t compiler_nice;
    int64_t warm_up_ms;
    bool check_jni;
    char *mysql_hosts;
    char *sources_file; /* "" = none */
    int64_t mysql_connections;
    int64_t mysql_reuse_ms;
    int64_t mysql_statements;
    int64_t mysql_express_ms;
    int64_t mysql_express_bytes;
    int64_t mysql_idle_ms;
    int64_t mysql_connect_timeout_ms;
    int64_t mysql_kill_timeout_ms;
    char *log_level;
    int64_t log_buffer_bytes;
    bool access_log;
    bool audit_log;

    /* The source `main`, from MYSQL_*; host NULL = none. Never flags. */
    char *mysql_host;
    int64_t mysql_port;
    char *mysql_user;
    char *mysql_password;
    char *mysql_database;
};

enum settings_action {
    SETTINGS_RUN,
    SETTINGS_HELP,
    SETTINGS_CHECK_CONFIG,
    SETTINGS_PROBE_READY,
    SETTINGS_PROBE_LIVE,
    SETTINGS_VERSION
};

/* Reads everything. 0: *ret_settings is complete, *ret_action says what the
 * command line asks for. -1: ERROR_BAD_REQUEST, one clear line naming the
 * setting, its value and where it came from; exit code 2. */
int settings_load(struct settings *ret_settings, enum settings_action *ret_action, int argc,
                  char **argv, struct error *err);
void settings_done(struct settings *settings);

/* Usage and the whole table, in the form README's table is checked against. */
void settings_print_help(FILE *out);

/* name=value lines of what is in force; no password. */
void settings_print(const struct settings *settings, FILE *out);

/* True when every address of `listen` is a loopback one. */
bool settings_listen_is_loopback(const char *listen);

#endif
