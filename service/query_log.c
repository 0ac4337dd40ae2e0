#include "query_log.h"

#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "delivery.h"
#include "http_reply.h"
#include "log.h"
#include "query.h"
#include "result_spool.h"

/* What the line needs after the query itself is gone. */
struct sent_record {
    char id[QUERY_ID_BYTES];
    char trace_id[TRACE_ID_BYTES];
    enum query_source source;
    const char *engine;
    struct monotime received;
    struct query_timing timing;
    struct delivery_tally tally;
    int slot;
};

static void on_sent(void *user, struct monotime sent)
{
    struct sent_record *record = user;
    bool whole = monotime_is_set(sent);
    int64_t total_us = whole ? monotime_span_us(record->received, sent) : -1;

    log_line(LOG_INFO, whole ? "query done" : "query done, client left while reading",
             LOG_TEXT("query_id", record->id), LOG_TEXT("trace_id", record->trace_id),
             LOG_TEXT("source", query_source_name(record->source)),
             LOG_TEXT("engine", record->engine), LOG_NUMBER("slot", record->slot),
             LOG_NUMBER("rows", record->tally.rows), LOG_NUMBER("bytes", record->tally.bytes),
             LOG_NUMBER("total_us", total_us), LOG_NUMBER("queue_us", record->timing.queue_us),
             LOG_NUMBER("plan_us", record->timing.plan_us),
             LOG_NUMBER("run_us", record->timing.run_us),
             LOG_NUMBER("write_us", record->tally.write_us),
             LOG_NUMBER("spooled_bytes", record->tally.spooled_bytes),
             LOG_NUMBER("overhead_us", whole ? total_us - record->timing.bridge_us : -1));
    free(record);
}

void query_log_when_sent(struct http_exchange *exchange, const struct query *query,
                         const struct delivery *delivery)
{
    struct sent_record *record = calloc(1, sizeof(*record));

    if (record == NULL)
        return;
    memcpy(record->id, query->id, sizeof(record->id));
    memcpy(record->trace_id, query->trace_id, sizeof(record->trace_id));
    record->source = query->request.source;
    record->engine = query_engine_name(query);
    record->received = query->received;
    record->timing = query->timing;
    record->tally = delivery->tally;
    record->slot = query->slot;
    http_exchange_on_sent(exchange, on_sent, record);
}

void query_log_ended(const struct query *query, const struct error *err)
{
    bool defect = err->code == ERROR_ENGINE_ERROR;

    log_line(defect ? LOG_ERROR : LOG_INFO, "query ended", LOG_TEXT("query_id", query->id),
             LOG_TEXT("trace_id", query->trace_id),
             LOG_TEXT("source", query_source_name(query->request.source)),
             LOG_TEXT("engine", query_engine_name(query)),
             LOG_TEXT("state", query_state_name(query->state)), LOG_NUMBER("slot", query->slot),
             LOG_NUMBER("elapsed_us", monotime_span_us(query->received, monotime_now())),
             LOG_TEXT("code", error_code_name(err->code)), LOG_TEXT("detail", err->detail));
}

void query_log_kept(const struct query *query)
{
    log_line(LOG_INFO, "query done, rows kept", LOG_TEXT("query_id", query->id),
             LOG_TEXT("source", query_source_name(query->request.source)),
             LOG_TEXT("engine", query_engine_name(query)), LOG_NUMBER("slot", query->slot),
             LOG_NUMBER("rows", query->outcome.rows),
             LOG_NUMBER("spooled_bytes", result_spool_look(query->kept).bytes),
             LOG_NUMBER("total_us", monotime_span_us(query->received, query->ended)),
             LOG_NUMBER("queue_us", query->timing.queue_us),
             LOG_NUMBER("plan_us", query->timing.plan_us),
             LOG_NUMBER("run_us", query->timing.run_us));
}
