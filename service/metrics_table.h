/*
 * metrics_table: every series of metrics.h, one a line. Included with X or
 * HISTOGRAM defined; no include guard on purpose.
 *
 *   X(enum suffix, kind, name, labels, help)
 *   HISTOGRAM(enum suffix, name, labels, help)     seconds
 *
 * A new bound of the service gets a line here, with the limit beside it.
 */
#ifndef X
#define X(name, kind, text, labels, help)
#endif
#ifndef HISTOGRAM
#define HISTOGRAM(name, text, labels, help)
#endif

#define S(name) "spark_service_" name

/* clang-format off */

/* ---- HTTP (requests themselves: http_metrics) ---- */
X(HTTP_CONNECTIONS, GAUGE, S("http_connections"), "", "Open client connections.")
X(HTTP_CONNECTIONS_LIMIT, GAUGE, S("http_connections_limit"), "", "MAX_CONNECTIONS.")
X(HTTP_CONNECTIONS_ACCEPTED, COUNTER, S("http_connections_accepted_total"), "", "Connections taken, refused ones not included.")
X(HTTP_CONNECTIONS_REFUSED, COUNTER, S("http_connections_refused_total"), "", "Connections over MAX_CONNECTIONS, told 503 or closed.")
X(HTTP_ACCEPT_FAILURES, COUNTER, S("http_accept_failures_total"), "", "accept(2) that failed, as without descriptors.")
X(HTTP_TIMEOUT_HEADERS, COUNTER, S("http_client_timeouts_total"), "phase=\"headers\"", "Clients too slow, by what they were slow with.")
X(HTTP_TIMEOUT_BODY, COUNTER, S("http_client_timeouts_total"), "phase=\"body\"", "")
X(HTTP_TIMEOUT_IDLE, COUNTER, S("http_client_timeouts_total"), "phase=\"keep_alive\"", "")
X(HTTP_TIMEOUT_WRITE, COUNTER, S("http_client_timeouts_total"), "phase=\"answer\"", "")

X(TLS_HANDSHAKES, COUNTER, S("tls_handshakes_total"), "result=\"ok\"", "TLS handshakes, by how they ended.")
X(TLS_HANDSHAKE_FAILURES, COUNTER, S("tls_handshakes_total"), "result=\"failed\"", "")

/* ---- callers: no label names one, as names come and go with the file ---- */
X(TOKENS, GAUGE, S("tokens"), "", "Tokens in force.")
X(REFUSED_TOKEN, COUNTER, S("callers_refused_total"), "reason=\"token\"", "Requests refused for who asked: no valid token, a scope or source it hasn't, its rate, its queries at once.")
X(REFUSED_SCOPE, COUNTER, S("callers_refused_total"), "reason=\"scope\"", "")
X(REFUSED_SOURCE, COUNTER, S("callers_refused_total"), "reason=\"source\"", "")
X(REFUSED_RATE, COUNTER, S("callers_refused_total"), "reason=\"rate\"", "")
X(REFUSED_CONCURRENCY, COUNTER, S("callers_refused_total"), "reason=\"concurrency\"", "")
X(RELOADS, COUNTER, S("reloads_total"), "result=\"ok\"", "Files read anew on SIGHUP.")
X(RELOAD_FAILURES, COUNTER, S("reloads_total"), "result=\"failed\"", "")

/* ---- queries ---- */
X(QUEUE_DEPTH_SMALL, GAUGE, S("queue_depth"), "class=\"small\"", "Queries that wait for a slot, by what is expected of their runs: up to SMALL_QUERY_MS, unknown, longer.")
X(QUEUE_DEPTH_MIDDLE, GAUGE, S("queue_depth"), "class=\"middle\"", "")
X(QUEUE_DEPTH_HEAVY, GAUGE, S("queue_depth"), "class=\"heavy\"", "")
X(QUEUE_LIMIT, GAUGE, S("queue_limit"), "", "QUEUE_LENGTH, all classes together.")
X(SMALL_SLOTS, GAUGE, S("small_slots"), "", "SMALL_SLOTS: slots that heavy queries leave to others.")
X(IN_FLIGHT_MYSQL, GAUGE, S("queries_in_flight"), "source=\"mysql\"", "Queries waiting, running or being cancelled.")
X(IN_FLIGHT_PARQUET, GAUGE, S("queries_in_flight"), "source=\"parquet\"", "")
X(IN_FLIGHT_DELTA, GAUGE, S("queries_in_flight"), "source=\"delta\"", "")
X(IN_FLIGHT_ICEBERG, GAUGE, S("queries_in_flight"), "source=\"iceberg\"", "")
X(REFUSED_STARTING, COUNTER, S("queries_refused_total"), "reason=\"starting\"", "Queries that never ran, by why.")
X(REFUSED_DRAINING, COUNTER, S("queries_refused_total"), "reason=\"draining\"", "")
X(REFUSED_QUEUE_FULL, COUNTER, S("queries_refused_total"), "reason=\"queue_full\"", "")
X(REFUSED_QUEUE_TIMEOUT, COUNTER, S("queries_refused_total"), "reason=\"queue_timeout\"", "")
X(REFUSED_CONFLICT, COUNTER, S("queries_refused_total"), "reason=\"conflict\"", "")
X(REFUSED_OTHER, COUNTER, S("queries_refused_total"), "reason=\"other\"", "")
X(RESULT_ROWS, COUNTER, S("result_rows_total"), "", "Rows written into answers.")
X(RESULT_BYTES, COUNTER, S("result_bytes_total"), "", "Bytes of answers, before compression.")
X(RESULTS_TRUNCATED, COUNTER, S("results_truncated_total"), "", "Answers cut by row_limit or byte_limit.")
X(CANCELLED_DELETE, COUNTER, S("cancellations_total"), "reason=\"delete\"", "Queries ended before their time, by what asked for it.")
X(CANCELLED_TAG, COUNTER, S("cancellations_total"), "reason=\"tag\"", "")
X(CANCELLED_CLIENT_GONE, COUNTER, S("cancellations_total"), "reason=\"client_gone\"", "")
X(CANCELLED_TIMEOUT, COUNTER, S("cancellations_total"), "reason=\"timeout\"", "")
X(CANCELLED_WAIT, COUNTER, S("cancellations_total"), "reason=\"wait\"", "")
X(CANCELLED_STALLED, COUNTER, S("cancellations_total"), "reason=\"stalled\"", "")
X(CANCELLED_DRAIN, COUNTER, S("cancellations_total"), "reason=\"drain\"", "")

X(HISTORY, GAUGE, S("history_queries"), "", "Ended queries that the list of queries still shows.")
X(HISTORY_LIMIT, GAUGE, S("history_queries_limit"), "", "HISTORY_LENGTH.")
X(JOURNAL, GAUGE, S("journal_ids"), "", "Ids of asynchronous queries that are known after their end or a restart.")
X(JOURNAL_LIMIT, GAUGE, S("journal_ids_limit"), "", "JOURNAL_LENGTH.")
X(HANDLES, GAUGE, S("handles"), "", "Asynchronous queries, those whose results are kept included.")
X(HANDLES_LIMIT, GAUGE, S("handles_limit"), "", "MAX_HANDLES.")
X(HANDLES_GIVEN, COUNTER, S("handles_given_total"), "", "Queries that went asynchronous (202).")
X(HANDLES_EXPIRED, COUNTER, S("handles_expired_total"), "", "Results removed SPOOL_TTL_S after their query.")

/* ---- what the fence and the limits of a statement turned away ---- */
X(FENCED, COUNTER, S("sql_refused_total"), "reason=\"fence\"", "Statements that ended at the fence or at a limit of MAX_SQL_DEPTH and so on, by which.")
X(LIMIT_DEPTH, COUNTER, S("sql_refused_total"), "reason=\"depth\"", "")
X(LIMIT_NODES, COUNTER, S("sql_refused_total"), "reason=\"nodes\"", "")
X(LIMIT_IN_ITEMS, COUNTER, S("sql_refused_total"), "reason=\"in_items\"", "")
X(LIMIT_VALUE_BYTES, COUNTER, S("sql_refused_total"), "reason=\"value_bytes\"", "")
X(LIMIT_RESULT_ROWS, COUNTER, S("sql_refused_total"), "reason=\"result_rows\"", "")
X(LIMIT_PATTERN, COUNTER, S("sql_refused_total"), "reason=\"pattern\"", "")
X(LIMIT_MEMORY, COUNTER, S("sql_refused_total"), "reason=\"memory\"", "")

/* ---- cache ---- */
#define CACHE(name, source, help) \
    X(CACHE_HIT_##name, COUNTER, S("cache_requests_total"), "source=\"" source "\",result=\"hit\"", help) \
    X(CACHE_MISS_##name, COUNTER, S("cache_requests_total"), "source=\"" source "\",result=\"miss\"", "") \
    X(CACHE_BYPASS_##name, COUNTER, S("cache_requests_total"), "source=\"" source "\",result=\"bypass\"", "")
CACHE(MYSQL, "mysql", "Queries by what the result cache had for them.")
CACHE(PARQUET, "parquet", "")
CACHE(DELTA, "delta", "")
CACHE(ICEBERG, "iceberg", "")
#undef CACHE
X(CACHE_ANSWERS, GAUGE, S("cache_answers"), "", "Answers kept, in memory and on disk.")
X(CACHE_BYTES, GAUGE, S("cache_bytes"), "", "What they take in memory, keys and identities included.")
X(CACHE_BYTES_LIMIT, GAUGE, S("cache_bytes_limit"), "", "CACHE_BYTES.")
X(CACHE_DISK_BYTES, GAUGE, S("cache_disk_bytes"), "", "What they take on disk, those included that are being written or still read.")
X(CACHE_DISK_BYTES_LIMIT, GAUGE, S("cache_disk_bytes_limit"), "", "CACHE_DISK_BYTES.")
X(CACHE_DISK_TOO_LARGE, COUNTER, S("cache_disk_refused_total"), "reason=\"too_large\"", "Long answers that were not kept: over a quarter of CACHE_DISK_BYTES, no room beside others, or the disk failed.")
X(CACHE_DISK_NO_ROOM, COUNTER, S("cache_disk_refused_total"), "reason=\"no_room\"", "")
X(CACHE_DISK_FAILED, COUNTER, S("cache_disk_refused_total"), "reason=\"failed\"", "")
X(CACHE_LOOKS, COUNTER, S("cache_looks_total"), "", "Looks at all inodes that a kept answer rests on; those who came before a look share it.")
X(CACHE_EVICTED, COUNTER, S("cache_evicted_total"), "", "Kept answers that made room for newer ones.")

X(SHARED_WAITING, GAUGE, S("shared_waiting"), "", "Queries that wait for the run of an identical one.")
X(SHARED_LIMIT, GAUGE, S("shared_waiting_limit"), "", "SHARED_QUERIES.")
X(SHARED_ANSWERS, COUNTER, S("shared_runs_total"), "result=\"answered\"", "Queries that waited for the run of an identical one, by whether its rows were proved to be as good as their own.")
X(SHARED_IN_VAIN, COUNTER, S("shared_runs_total"), "result=\"in_vain\"", "")

/* ---- slots and proof of life ---- */
X(SLOTS, GAUGE, S("slots"), "", "WORKERS: queries that can run at once.")
X(SLOTS_BUSY, GAUGE, S("slots_busy"), "", "Slots with a query, lost ones included.")
X(SLOTS_LOST, GAUGE, S("slots_lost"), "", "Slots whose query did not end SLOT_LOST_MS after its cancel.")
X(SLOT_LOSSES, COUNTER, S("slot_losses_total"), "", "Slots ever lost, those that came back included.")
X(CANARY_AGE, GAUGE_MS, S("canary_age_seconds"), "", "Time since the last good canary query; 0 until the first.")
X(CANARY_MAX_AGE, GAUGE_MS, S("canary_age_limit_seconds"), "", "CANARY_MAX_AGE_MS.")
X(CANARY_FAILURES, COUNTER, S("canary_failures_total"), "", "Canary queries that failed.")
X(HEALTHY, GAUGE, S("healthy"), "", "1 when /readyz says 200.")

/* ---- MySQL, direct engine ---- */
X(MYSQL_IN_USE, GAUGE, S("mysql_connections"), "state=\"in_use\"", "Connections of the direct engine, all sources together.")
X(MYSQL_IDLE, GAUGE, S("mysql_connections"), "state=\"idle\"", "")
X(MYSQL_LIMIT, GAUGE, S("mysql_connections_limit"), "", "MYSQL_CONNECTIONS, for each source.")
X(MYSQL_WAITING, GAUGE, S("mysql_waiting"), "", "Queries that wait for a MySQL connection.")
X(MYSQL_CONNECTS, COUNTER, S("mysql_connects_total"), "result=\"ok\"", "Connections made to MySQL.")
X(MYSQL_CONNECT_FAILURES, COUNTER, S("mysql_connects_total"), "result=\"failed\"", "")
X(MYSQL_KILLS, COUNTER, S("mysql_kills_total"), "result=\"ok\"", "KILL QUERY sent for cancelled queries.")
X(MYSQL_KILL_FAILURES, COUNTER, S("mysql_kills_total"), "result=\"failed\"", "")
X(MYSQL_SESSIONS_KEPT, COUNTER, S("mysql_sessions_total"), "result=\"kept\"", "Sessions after a statement: kept, because it can't have changed them, or made new (before one, too).")
X(MYSQL_SESSIONS_RENEWED, COUNTER, S("mysql_sessions_total"), "result=\"renewed\"", "")
X(MYSQL_STATEMENTS_TEXT, COUNTER, S("mysql_statements_total"), "protocol=\"text\"", "Statements sent to MySQL: at once as text, or prepared first.")
X(MYSQL_STATEMENTS_PREPARED, COUNTER, S("mysql_statements_total"), "protocol=\"prepared\"", "")
X(MYSQL_EXPRESS_ANSWERED, COUNTER, S("mysql_express_total"), "result=\"answered\"", "Direct queries by the short way: answered on it, handed to a worker under way because of what, or not begun on it.")
X(MYSQL_EXPRESS_SLOW, COUNTER, S("mysql_express_total"), "result=\"slow\"", "")
X(MYSQL_EXPRESS_LARGE, COUNTER, S("mysql_express_total"), "result=\"large\"", "")
X(MYSQL_EXPRESS_FAILED, COUNTER, S("mysql_express_total"), "result=\"failed\"", "")
X(MYSQL_EXPRESS_CANCELLED, COUNTER, S("mysql_express_total"), "result=\"cancelled\"", "")
X(MYSQL_EXPRESS_UNFIT, COUNTER, S("mysql_express_total"), "result=\"unfit\"", "")
X(MYSQL_EXPRESS_NO_SLOT, COUNTER, S("mysql_express_total"), "result=\"no_slot\"", "")

/* ---- results on disk and streams ---- */
X(SPOOL_BYTES, GAUGE, S("spool_bytes"), "", "Bytes of results on disk that wait for clients; at most half of the limit.")
X(STREAMS_OPEN, GAUGE, S("streams_open"), "", "Answers with rows that are asked for, made or on their way.")
X(STREAM_BYTES, GAUGE, S("stream_bytes"), "", "Bytes of pages on their way to clients.")
X(STREAM_LIMIT, GAUGE, S("stream_limit_bytes"), "", "STREAM_BYTES; each answer may have one page beyond it.")
X(STREAMS_SPOOLED, COUNTER, S("streams_spooled_total"), "", "Answers whose client was too slow for its worker.")
X(CODED_ANSWERS, GAUGE, S("coded_answers"), "", "Answers under way whose client asked for gzip or zstd.")
X(CODED_ANSWERS_LIMIT, GAUGE, S("coded_answers_limit"), "", "MAX_CODED_ANSWERS.")
X(ANSWERS_NOT_CODED, COUNTER, S("answers_not_coded_total"), "", "Answers that went uncompressed, or got 503, over MAX_CODED_ANSWERS.")
X(SPOOL_LIMIT, GAUGE, S("spool_limit_bytes"), "", "SPOOL_BYTES.")

X(BRIDGE_WAITING, GAUGE, S("engine_waiting_bytes"), "", "Batches in the JVM that no worker has taken yet; part of its heap.")
X(BRIDGE_SPOOLED, GAUGE, S("engine_spooled_bytes"), "", "Batches that the JVM put on disk, as nobody took them in time.")

/* ---- what the engine keeps between queries ---- */
X(KEPT_SOURCES, GAUGE, S("engine_kept_sources"), "", "Tables known to the planner as they are; at most KEPT_SOURCES.")
X(KEPT_SOURCE_BYTES, GAUGE, S("engine_kept_source_bytes"), "", "Rows of small tables in the JVM's heap; at most KEPT_SOURCE_BYTES.")
X(SOURCE_HITS, COUNTER, S("engine_sources_total"), "result=\"kept\"", "Tables of statements: known as they are, or read anew.")
X(SOURCE_MISSES, COUNTER, S("engine_sources_total"), "result=\"read\"", "")
X(KEPT_PLANS, GAUGE, S("engine_kept_plans"), "", "Planned statements; at most KEPT_PLANS.")
X(PLAN_HITS, COUNTER, S("engine_plans_total"), "result=\"kept\"", "Statements: planned before over the same tables, or planned anew.")
X(PLAN_MISSES, COUNTER, S("engine_plans_total"), "result=\"planned\"", "")

/* ---- log ---- */
X(LOG_LINES_LOST, COUNTER, S("log_lines_lost_total"), "", "Log lines that stderr did not take whole, or not in time.")
X(LOG_BYTES, GAUGE, S("log_buffered_bytes"), "", "Log lines that wait for stderr.")
X(LOG_BYTES_LIMIT, GAUGE, S("log_buffer_limit_bytes"), "", "LOG_BUFFER_BYTES; lines beyond it are lost.")

/* ---- spans ---- */
#define OUTCOMES(name, source, engine, help) \
    HISTOGRAM(name##_SUCCEEDED, S("query_duration_seconds"), \
              "source=\"" source "\",engine=\"" engine "\",outcome=\"succeeded\"", help) \
    HISTOGRAM(name##_FAILED, S("query_duration_seconds"), \
              "source=\"" source "\",engine=\"" engine "\",outcome=\"failed\"", "") \
    HISTOGRAM(name##_CANCELLED, S("query_duration_seconds"), \
              "source=\"" source "\",engine=\"" engine "\",outcome=\"cancelled\"", "") \
    HISTOGRAM(name##_TIMED_OUT, S("query_duration_seconds"), \
              "source=\"" source "\",engine=\"" engine "\",outcome=\"timed_out\"", "")
OUTCOMES(DURATION_MYSQL_DIRECT, "mysql", "direct", "From the request's last byte to the query's end.")
OUTCOMES(DURATION_MYSQL_SPARK, "mysql", "spark", "")
OUTCOMES(DURATION_PARQUET, "parquet", "spark", "")
OUTCOMES(DURATION_DELTA, "delta", "spark", "")
OUTCOMES(DURATION_ICEBERG, "iceberg", "spark", "")
#undef OUTCOMES
HISTOGRAM(QUEUE_WAIT_SMALL, S("queue_wait_seconds"), "class=\"small\"", "From the request's last byte to a slot, by what was expected of the run.")
HISTOGRAM(QUEUE_WAIT_MIDDLE, S("queue_wait_seconds"), "class=\"middle\"", "")
HISTOGRAM(QUEUE_WAIT_HEAVY, S("queue_wait_seconds"), "class=\"heavy\"", "")
HISTOGRAM(CANCEL_LATENCY, S("cancel_latency_seconds"), "", "From a cancel to the free slot.")

/* clang-format on */

#undef S
#undef X
#undef HISTOGRAM
