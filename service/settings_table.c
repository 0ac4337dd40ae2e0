#include "settings_table.h"

#define TEXT(name, field, value, help)                                                             \
    {                                                                                              \
        name, TYPE_TEXT, value, 0, 0, offsetof(struct settings, field), help                       \
    }
#define INTEGER(name, field, value, min, max, help)                                                \
    {                                                                                              \
        name, TYPE_INTEGER, value, min, max, offsetof(struct settings, field), help                \
    }
#define BOOL(name, field, value, help)                                                             \
    {                                                                                              \
        name, TYPE_BOOL, value, 0, 1, offsetof(struct settings, field), help                       \
    }

const struct setting settings_table[] = {
    TEXT("CONFIG", config, "", "file with NAME=value lines, read before environment and flags"),
    TEXT("LISTEN", listen, "127.0.0.1:8000", "addresses to listen on, several by comma"),
    BOOL("INSECURE", insecure, "0", "allow a non-loopback LISTEN without a TOKENS_FILE"),
    TEXT("TOKENS_FILE", tokens_file, "",
         "the callers' tokens, made by `spark-service token`; default: nobody needs one"),
    TEXT("TLS_CERT", tls_cert, "", "certificate and its chain, PEM; default: plain HTTP"),
    TEXT("TLS_KEY", tls_key, "", "its key, PEM, without a pass phrase"),
    TEXT("DATA_ROOTS", data_roots, "/data",
         "folders (or s3a://bucket/prefix) whose tables may be read, several by comma"),
    TEXT("ICEBERG_WAREHOUSE", iceberg_warehouse, "",
         "warehouse of catalog `local`; default: iceberg below the first root"),
    INTEGER("WORKERS", workers, "8", 1, 256, "queries that run at once"),
    INTEGER("QUEUE_LENGTH", queue_length, "256", 0, 100000, "queries that may wait"),
    INTEGER("QUERY_TIMEOUT_MS", query_timeout_ms, "30000", 1, 86400000,
            "run time of a query that names none"),
    INTEGER("QUERY_TIMEOUT_MAX_MS", query_timeout_max_ms, "600000", 1, 86400000,
            "longest run time a query may ask for"),
    INTEGER("QUEUE_TIMEOUT_MS", queue_timeout_ms, "10000", 0, 600000,
            "waiting time of a query that names none"),
    INTEGER("DRAIN_MS", drain_ms, "20000", 0, 600000,
            "how long SIGTERM waits for running queries before it cancels them"),
    INTEGER("MAX_CONNECTIONS", max_connections, "1024", 1, 65536, "open client connections"),
    INTEGER("MAX_BODY_BYTES", max_body_bytes, "1048576", 1024, 67108864, "size of a request body"),
    INTEGER("HEADER_TIMEOUT_MS", header_timeout_ms, "10000", 100, 600000,
            "from the first byte of a request to the end of its headers"),
    INTEGER("BODY_TIMEOUT_MS", body_timeout_ms, "30000", 100, 600000,
            "from the end of a request's headers to the end of its body"),
    INTEGER("KEEP_ALIVE_MS", keep_alive_ms, "90000", 100, 3600000,
            "a connection without a request for so long is closed"),
    INTEGER("MAX_SQL_DEPTH", max_sql_depth, "500", 10, 2000,
            "levels that a statement may nest: brackets, sub-queries, terms of a sum"),
    INTEGER("MAX_SQL_NODES", max_sql_nodes, "100000", 1000, 10000000,
            "nodes of a statement, each WITH and star written out"),
    INTEGER("MAX_IN_ITEMS", max_in_items, "10000", 1, 1000000, "items of an IN list"),
    INTEGER("MAX_VALUE_BYTES", max_value_bytes, "67108864", 1024, 1073741824,
            "bytes of one value that repeat, lpad, rpad, space, array_repeat or sequence makes"),
    INTEGER("MAX_RESULT_ROWS", max_result_rows, "1000000000000", 1, INT64_MAX,
            "rows that a statement may answer by its own words, as of ranges and cross joins"),
    INTEGER("MEMORY_GUARD_PERCENT", memory_guard_percent, "85", 10, 100,
            "share of the JVM's heap in use after a full collection at which the query that fills "
            "it is ended; 100 = never"),
    TEXT("STATE_DIR", state_dir, "",
         "folder for scratch files; default: spark-service below $XDG_STATE_HOME or "
         "~/.local/state"),
    INTEGER("SPOOL_BYTES", spool_bytes, "4294967296", 1048576, INT64_MAX,
            "bytes of waiting results on disk, all queries together: half for what Spark's tasks "
            "wait with, half for what clients wait for"),
    INTEGER("STREAM_BYTES", stream_bytes, "67108864", 1048576, INT64_MAX,
            "bytes of pages on their way to clients, all answers together (one page each always)"),
    INTEGER("STREAM_THREADS", stream_threads, "2", 1, 64,
            "threads that send spooled results to clients"),
    INTEGER("STREAM_PATIENCE_MS", stream_patience_ms, "200", 0, 60000,
            "how long a client may keep its worker waiting, all in all, before its rows are "
            "spooled"),
    INTEGER("STREAM_STALL_MS", stream_stall_ms, "60000", 100, 3600000,
            "a client that takes no byte of its answer for so long is cut off"),
    INTEGER("MAX_CODED_ANSWERS", max_coded_answers, "256", 0, 100000,
            "gzip and zstd answers under way, up to 0.5 MiB each; further ones go uncompressed"),
    INTEGER("HISTORY_LENGTH", history_length, "1000", 0, 100000,
            "ended queries that GET /api/spark/queries still shows"),
    INTEGER("SPOOL_TTL_S", spool_ttl_s, "900", 1, 604800,
            "how long the results of an asynchronous query are kept"),
    INTEGER("CACHE_BYTES", cache_bytes, "67108864", 0, INT64_MAX,
            "answers that are kept in memory for as long as their tables are unchanged; 0: none"),
    INTEGER(
        "CACHE_FILES", cache_files, "64", 1, 4096,
        "files and folders that a kept answer may rest on: all are looked at before it is used"),
    INTEGER("MAX_HANDLES", max_handles, "1000", 1, 100000,
            "asynchronous queries, those whose results are kept included"),
    INTEGER("JOURNAL_LENGTH", journal_length, "10000", 1, 1000000,
            "ids of asynchronous queries that still answer 410 after their end or a restart"),
    INTEGER("SLOT_LOST_MS", slot_lost_ms, "30000", 100, 600000,
            "a worker not back that long after its cancel counts as lost"),
    INTEGER("CANARY_INTERVAL_MS", canary_interval_ms, "5000", 100, 60000,
            "pause between canary queries"),
    INTEGER("CANARY_MAX_AGE_MS", canary_max_age_ms, "30000", 1000, 600000,
            "readiness is red when the last good canary is older"),
    TEXT("SPARK_LINE", spark_line, "4.1.0", "Spark line below lib/: 4.1.0 or 3.5.7"),
    TEXT("SPARK_MASTER", spark_master, "",
         "Spark master URL; default: local[N], N = 4 x cores, at least 8"),
    TEXT("SPARK_CONF", spark_conf, "", "further Spark properties, k=v, several by comma"),
    TEXT("HEAP", heap, "", "JVM heap, as 2g or 512m; default: half the memory limit, 512m to 4g"),
    BOOL("SPARK_UI", spark_ui, "0", "Spark's own web page, on loopback"),
    INTEGER("SPARK_UI_PORT", spark_ui_port, "4040", 1, 65535, "port of the Spark UI"),
    BOOL("CHECK_JNI", check_jni, "0", "run the JVM with -Xcheck:jni (slow, for tests)"),
    TEXT("MYSQL_HOSTS", mysql_hosts, "", "host:port,... that a request's config may name"),
    TEXT("SOURCES_FILE", sources_file, "",
         "JSON file with named MySQL sources, read anew on SIGHUP"),
    INTEGER("MYSQL_CONNECTIONS", mysql_connections, "8", 1, 256,
            "connections of the direct engine to one MySQL source"),
    INTEGER("MYSQL_IDLE_MS", mysql_idle_ms, "60000", 100, 3600000,
            "an idle MySQL connection is closed after that"),
    INTEGER("MYSQL_CONNECT_TIMEOUT_MS", mysql_connect_timeout_ms, "5000", 1000, 60000,
            "longest wait for a MySQL connection, rounded up to seconds"),
    INTEGER("MYSQL_KILL_TIMEOUT_MS", mysql_kill_timeout_ms, "2000", 1000, 60000,
            "longest wait for MySQL to take a KILL QUERY, rounded up to seconds"),
    TEXT("LOG_LEVEL", log_level, "info", "debug, info, warn or error"),
    INTEGER("LOG_BUFFER_BYTES", log_buffer_bytes, "1048576", 16384, 1073741824,
            "log lines that wait for stderr; further ones are lost and counted"),
    BOOL("ACCESS_LOG", access_log, "1", "a log line for each HTTP request"),
    BOOL("AUDIT_LOG", audit_log, "1", "a log line for each query: who, which statement, outcome"),
};
const size_t settings_table_length = sizeof(settings_table) / sizeof(settings_table[0]);
