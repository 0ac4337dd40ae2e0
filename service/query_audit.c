#include "query_audit.h"

#include <string.h>

#include "callers.h"
#include "http_record.h"
#include "http_reply.h"
#include "log.h"
#include "query.h"

struct audit {
    const char *query_id;
    const char *trace_id;
    const char *caller;
    const char *token_id;
    const struct query_request *request;
    const unsigned char *sql_sha256;
    const char *outcome;
    const struct error *err;
    int64_t rows;
    int64_t bytes;
};

static void write_line(const struct audit *audit)
{
    char digest[SHA256_TEXT_BYTES];

    hex_format(audit->sql_sha256, SHA256_BYTES, digest);
    log_line(LOG_INFO, "audit", LOG_TEXT("query_id", audit->query_id),
             LOG_TEXT("trace_id", audit->trace_id), LOG_TEXT("caller", audit->caller),
             LOG_TEXT("token_id", audit->token_id),
             LOG_TEXT("endpoint", query_source_name(audit->request->source)),
             LOG_TEXT("source", query_request_source(audit->request)),
             LOG_TEXT("does", audit->request->explains ? "explain" : "query"),
             LOG_TEXT("sql_sha256", digest), LOG_TEXT("outcome", audit->outcome),
             LOG_TEXT("code", error_code_name(audit->err->code)), LOG_NUMBER("rows", audit->rows),
             LOG_NUMBER("bytes", audit->bytes));
}

void query_audit_ended(const struct query *query)
{
    write_line(&(struct audit){
        .query_id = query->id,
        .trace_id = query->trace_id,
        .caller = query->caller,
        .token_id = query->token_id,
        .request = &query->request,
        .sql_sha256 = query->sql_sha256,
        .outcome = query_state_name(query->state),
        .err = &query->problem,
        .rows = query->outcome.rows,
        .bytes = query->outcome.bytes,
    });
}

void query_audit_refused(const struct caller *caller, struct http_exchange *exchange,
                         const struct query_request *request, const struct error *err)
{
    const struct http_record *record = http_exchange_record(exchange);
    unsigned char digest[SHA256_BYTES] = {0};

    (void)digest_sha256(request->sql, strlen(request->sql), digest);
    write_line(&(struct audit){
        .query_id = request->query_id,
        .trace_id = record->trace.trace_id,
        .caller = caller_name(caller),
        .token_id = caller_token_id(caller),
        .request = request,
        .sql_sha256 = digest,
        .outcome = "REFUSED",
        .err = err,
    });
}
