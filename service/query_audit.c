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

/* Of a request that is no query. */
static void write_request_line(const struct caller *caller, struct http_exchange *exchange,
                               struct audit *audit)
{
    const struct http_record *record = http_exchange_record(exchange);
    const char *sql = audit->request->sql;
    unsigned char digest[SHA256_BYTES] = {0};

    (void)digest_sha256(sql, strlen(sql), digest);
    audit->trace_id = record->trace.trace_id;
    audit->caller = caller_name(caller);
    audit->token_id = caller_token_id(caller);
    audit->sql_sha256 = digest;
    write_line(audit);
}

void query_audit_refused(const struct caller *caller, struct http_exchange *exchange,
                         const struct query_request *request, const struct error *err)
{
    struct audit audit = {
        .query_id = request->query_id, .request = request, .outcome = "REFUSED", .err = err};

    write_request_line(caller, exchange, &audit);
}

void query_audit_kept(const struct caller *caller, struct http_exchange *exchange,
                      const struct query_request *request, const struct cached_answer *answer)
{
    const struct error none = {.code = ERROR_NONE};
    struct audit audit = {
        .query_id = http_exchange_record(exchange)->query_id,
        .request = request,
        .outcome = query_state_name(QUERY_SUCCEEDED),
        .err = &none,
        .rows = answer->rows,
        .bytes = cached_answer_bytes(answer),
    };

    write_request_line(caller, exchange, &audit);
}
