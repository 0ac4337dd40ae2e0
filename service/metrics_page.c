#include "metrics_page.h"

#include <inttypes.h>

#include "canary.h"
#include "engine_facts.h"
#include "engine_life.h"
#include "http_metrics.h"
#include "http_reply.h"
#include "http_server.h"
#include "log_writer.h"
#include "metrics.h"
#include "mysql_engine.h"
#include "process_metrics.h"
#include "queries.h"
#include "query_queue.h"
#include "result_spool.h"
#include "service.h"

#define PAGE_TYPE "text/plain; version=0.0.4; charset=utf-8"

static void set_size(enum metric metric, size_t value)
{
    metrics_set(metric, (int64_t)value);
}

/* The limits, so that a rule can say "90 % of". */
static void look_at_limits(const struct settings *settings)
{
    metrics_set(METRIC_HTTP_CONNECTIONS_LIMIT, settings->max_connections);
    metrics_set(METRIC_QUEUE_LIMIT, settings->queue_length);
    metrics_set(METRIC_HANDLES_LIMIT, settings->max_handles);
    metrics_set(METRIC_HISTORY_LIMIT, settings->history_length);
    metrics_set(METRIC_JOURNAL_LIMIT, settings->journal_length);
    metrics_set(METRIC_LOG_BYTES_LIMIT, settings->log_buffer_bytes);
    metrics_set(METRIC_SLOTS, settings->workers);
    metrics_set(METRIC_SMALL_SLOTS, settings->small_slots);
    metrics_set(METRIC_SHARED_LIMIT, settings->shared_queries);
    metrics_set(METRIC_CANARY_MAX_AGE, settings->canary_max_age_ms);
    metrics_set(METRIC_MYSQL_LIMIT, settings->mysql_connections);
    metrics_set(METRIC_SPOOL_LIMIT, settings->spool_bytes);
    metrics_set(METRIC_STREAM_LIMIT, settings->stream_bytes);
    metrics_set(METRIC_CODED_ANSWERS_LIMIT, settings->max_coded_answers);
}

static void look_at_engine(const struct service *service, struct engine_memory *memory)
{
    const struct health *health = &service->health;

    metrics_set(METRIC_HEALTHY, health_status(health) == HEALTH_HEALTHY);
    if (health->engine_ready)
        metrics_set(METRIC_CANARY_AGE, canary_age_ms(engine_life_canary(service->life)));
    if (!health->engine_open)
        return;
    (void)engine_facts_memory(engine_life_facts(service->life), memory);
    metrics_set(METRIC_BRIDGE_WAITING, memory->waiting_bytes);
    metrics_set(METRIC_BRIDGE_SPOOLED, memory->spooled_bytes);
    metrics_set(METRIC_KEPT_SOURCES, memory->reuse.sources);
    metrics_set(METRIC_KEPT_SOURCE_BYTES, memory->reuse.source_bytes);
    metrics_set(METRIC_SOURCE_HITS, memory->reuse.source_hits);
    metrics_set(METRIC_SOURCE_MISSES, memory->reuse.source_misses);
    metrics_set(METRIC_KEPT_PLANS, memory->reuse.plans);
    metrics_set(METRIC_PLAN_HITS, memory->reuse.plan_hits);
    metrics_set(METRIC_PLAN_MISSES, memory->reuse.plan_misses);
}

static void look_at_queries(const struct service *service)
{
    struct queries_counts counts = queries_count(service->queries);

    for (int size = 0; size < RUN_SIZE_COUNT; size++)
        set_size(METRIC_QUEUE_DEPTH_SMALL + (enum metric)size,
                 query_queue_length_of(service->queue, (enum run_size)size));
    set_size(METRIC_SLOTS_BUSY, counts.busy);
    set_size(METRIC_SHARED_WAITING, counts.following);
    set_size(METRIC_SLOTS_LOST, counts.lost);
    set_size(METRIC_HANDLES, counts.handles);
    set_size(METRIC_HISTORY, counts.ended);
    set_size(METRIC_JOURNAL, counts.journal_ids);
}

static void look_at_streams(const struct service *service)
{
    set_size(METRIC_STREAMS_OPEN, service->deliveries.open);
    metrics_set(METRIC_STREAM_BYTES, atomic_load(&service->deliveries.budget.bytes));
    metrics_set(METRIC_SPOOL_BYTES, spool_store_bytes(service->spools));
}

static void look_at_log(void)
{
    set_size(METRIC_LOG_BYTES, log_writer_bytes());
}

static void look_at_mysql(const struct service *service)
{
    struct mysql_pool_counts counts = mysql_engine_count(service->mysql);

    set_size(METRIC_MYSQL_IN_USE, counts.open - counts.idle);
    set_size(METRIC_MYSQL_IDLE, counts.idle);
    set_size(METRIC_MYSQL_WAITING, counts.waiting);
}

/* A figure that an area doesn't have is left out; before the JVM is up all are 0. */
static void write_memory_kind(struct byte_buffer *out, enum spark_memory_area area,
                              const char *kind, int64_t bytes)
{
    if (bytes >= 0)
        byte_buffer_append_format(
            out, "spark_service_jvm_memory_bytes{area=\"%s\",kind=\"%s\"} %" PRId64 "\n",
            engine_facts_area_name(area), kind, bytes);
}

static void write_jvm_memory(const struct engine_memory *memory, struct byte_buffer *out)
{
    metrics_write_head(out, "spark_service_jvm_memory_bytes", "gauge",
                       "Memory of the JVM, about a second old.");
    for (int i = 0; i < SPARK_MEMORY_AREAS; i++) {
        const struct spark_memory *area = &memory->areas[i];

        write_memory_kind(out, (enum spark_memory_area)i, "used", area->used_bytes);
        write_memory_kind(out, (enum spark_memory_area)i, "committed", area->committed_bytes);
        write_memory_kind(out, (enum spark_memory_area)i, "max", area->max_bytes);
    }
}

static void write_build_info(const struct service *service, struct byte_buffer *out)
{
    const char *name = "spark_service_build_info";

    metrics_write_head(out, name, "gauge", "1, with the versions as labels.");
    byte_buffer_append_format(out, "%s{version=", name);
    metrics_write_label_value(out, SPARK_SERVICE_VERSION);
    byte_buffer_append_text(out, ",spark_line=");
    metrics_write_label_value(out, service->settings.spark_line);
    byte_buffer_append_text(out, "} 1\n");
}

void metrics_page_answer(const struct service *service, struct http_exchange *exchange)
{
    const struct http_header headers[] = {{"Cache-Control", "no-store"}};
    struct engine_memory memory = {0};
    struct byte_buffer page = {0};
    struct error err;

    set_size(METRIC_HTTP_CONNECTIONS, http_server_connection_count(service->http));
    look_at_limits(&service->settings);
    look_at_engine(service, &memory);
    look_at_streams(service);
    look_at_queries(service);
    look_at_mysql(service);
    look_at_log();
    write_build_info(service, &page);
    http_metrics_write(&page);
    metrics_write(&page);
    write_jvm_memory(&memory, &page);
    process_metrics_write(&page);
    if (page.failed) {
        byte_buffer_done(&page);
        error_set(&err, ERROR_ENGINE_ERROR, "out of memory");
        http_reply_problem(exchange, &err, NULL, -1, 0, NULL);
        return;
    }
    http_reply_send_taken(exchange, 200, PAGE_TYPE, headers, 1, page.data, page.length);
}
