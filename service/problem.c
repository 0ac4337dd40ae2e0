#include "problem.h"

#include <string.h>

#include "json_text.h"

const char *problem_reason_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {202, "Accepted"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };

    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        if (phrases[i].status == status)
            return phrases[i].phrase;
    }
    return "";
}

static void append_text(struct byte_buffer *out, const char *key, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    byte_buffer_append_format(out, ",\"%s\":", key);
    json_text_append_string(out, text, strlen(text));
}

void problem_append(struct byte_buffer *out, const struct error *err, const char *instance,
                    const char *query_id, int64_t elapsed_ms)
{
    const char *code = error_code_name(err->code);
    int status = error_status(err->code);

    byte_buffer_append_format(out, "{\"type\":\"urn:spark-service:problem:%s\"", code);
    append_text(out, "title", problem_reason_phrase(status));
    byte_buffer_append_format(out, ",\"status\":%d", status);
    append_text(out, "detail", err->detail);
    append_text(out, "instance", instance);
    append_text(out, "code", code);
    append_text(out, "query_id", query_id);
    append_text(out, "sqlstate", err->sqlstate);
    append_text(out, "error_class", err->error_class);
    if (err->line > 0)
        byte_buffer_append_format(out, ",\"line\":%d", err->line);
    if (err->column > 0)
        byte_buffer_append_format(out, ",\"column\":%d", err->column);
    byte_buffer_append_format(out, ",\"retryable\":%s", err->retryable ? "true" : "false");
    if (elapsed_ms >= 0)
        byte_buffer_append_format(out, ",\"elapsed_ms\":%lld", (long long)elapsed_ms);
    byte_buffer_append_char(out, '}');
}
