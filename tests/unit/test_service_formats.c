/* needs: unit/service_process.c unit/service_client.c unit/decode.c */
/* The forms of an answer over HTTP: what is asked for, headers, codings, ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode.h"
#include "service_client.h"
#include "service_process.h"

#define STREAM_ROWS 200000

static struct service_process *service;

static int start_service(void **state)
{
    (void)state;
    service = service_process_start_ready(SETTINGS());
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    service_process_stop_idle(&service);
    return 0;
}

/* `headers` are further header lines. */
static void ask(const char *sql, const char *fields, const char *headers, struct answer *ret_answer)
{
    char body[512];
    char all[512];

    snprintf(body, sizeof(body), "{\"sql\":\"%s\",\"path\":\"%s\"%s}", sql, service->data, fields);
    snprintf(all, sizeof(all), "Content-Type: application/json\r\n%s", headers);
    assert_true(service_client_once(service->port, "POST", "/api/spark/query/parquet", all, body,
                                    ret_answer));
}

static const struct {
    const char *accept;
    const char *content_type;
    const char *begin;
    const char *row; /* printf format of row n */
    const char *between;
    const char *end; /* "*": looked at elsewhere */
} FORMATS[] = {
    {"application/json", "application/json", "[", "{\"n\":%zu}", ",", "]"},
    {"application/x-ndjson", "application/x-ndjson", "", "{\"n\":%zu}\n", "", ""},
    {"application/x-ndjson;end=1", "application/x-ndjson;end=1", "", "{\"n\":%zu}\n", "", "*"},
    {"text/csv", "text/csv; charset=utf-8; header=present", "n\r\n", "%zu\r\n", "", ""},
};

#define FORMAT_COUNT (sizeof(FORMATS) / sizeof(FORMATS[0]))

static char *expected_body(size_t format, size_t rows, const char *truncated)
{
    char *text = malloc(rows * 40 + 128);
    size_t length = 0;

    assert_non_null(text);
    length += (size_t)sprintf(text + length, "%s", FORMATS[format].begin);
    for (size_t i = 0; i < rows; i++) {
        length += (size_t)sprintf(text + length, "%s", i > 0 ? FORMATS[format].between : "");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        length += (size_t)sprintf(text + length, FORMATS[format].row, i);
#pragma GCC diagnostic pop
    }
    if (strcmp(FORMATS[format].end, "*") == 0)
        sprintf(text + length, "[\"end\",{\"rows\":%zu,\"truncated\":%s}]\n", rows, truncated);
    else
        sprintf(text + length, "%s", FORMATS[format].end);
    return text;
}

static const struct {
    enum content_coding coding;
    const char *name;
} CODINGS[] = {{CODING_IDENTITY, NULL}, {CODING_GZIP, "gzip"}, {CODING_ZSTD, "zstd"}};

/* The body without its coding; NUL-terminated. */
static struct byte_buffer decoded(const struct answer *answer, enum content_coding coding,
                                  bool *ret_ended)
{
    struct byte_buffer out = {0};

    assert_true(decode_bytes(coding, answer->body, answer->body_length, &out, ret_ended));
    byte_buffer_append_char(&out, '\0');
    return out;
}

static void check_answer(size_t format, size_t coding, size_t rows)
{
    struct answer answer;
    struct byte_buffer body = {0};
    char headers[256];
    char script[32];
    char *expected = expected_body(format, rows, "false");
    bool is_coded = CODINGS[coding].name != NULL && strlen(expected) >= 1024;
    bool ended = false;
    char value[64];

    snprintf(script, sizeof(script), "rows %zu", rows);
    snprintf(headers, sizeof(headers), "Accept: %s\r\n%s%s%s", FORMATS[format].accept,
             CODINGS[coding].name != NULL ? "Accept-Encoding: " : "",
             CODINGS[coding].name != NULL ? CODINGS[coding].name : "",
             CODINGS[coding].name != NULL ? "\r\n" : "");
    ask(script, "", headers, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(answer.complete);
    answer_check_header(&answer, "Content-Type", FORMATS[format].content_type);
    answer_check_header(&answer, "Content-Encoding", is_coded ? CODINGS[coding].name : NULL);
    answer_check_header(&answer, "Vary", "Accept, Accept-Encoding");
    assert_int_equal(answer.chunked, strlen(expected) > 1024 * 1024);
    if (answer.chunked) {
        answer_check_header(&answer, "Trailer", "Server-Timing, Result-Truncated");
        assert_non_null(answer_trailer(&answer, "Server-Timing", value, sizeof(value)));
        assert_string_equal(answer_trailer(&answer, "Result-Truncated", value, sizeof(value)),
                            "false");
    } else {
        answer_check_header(&answer, "Result-Truncated", "false");
    }
    body = decoded(&answer, is_coded ? CODINGS[coding].coding : CODING_IDENTITY, &ended);
    assert_int_equal(ended, is_coded);
    assert_int_equal(strlen(expected), body.length - 1);
    assert_memory_equal(body.data, expected, body.length);
    byte_buffer_done(&body);
    answer_done(&answer);
    free(expected);
}

static void test_formats_and_codings(void **state)
{
    static const size_t ROWS[] = {0, 3, 500, STREAM_ROWS};

    (void)state;
    for (size_t format = 0; format < FORMAT_COUNT; format++) {
        for (size_t coding = 0; coding < sizeof(CODINGS) / sizeof(CODINGS[0]); coding++) {
            for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
                check_answer(format, coding, ROWS[i]);
        }
    }
}

static void test_envelope(void **state)
{
    static const char tail[] = "\"data\":[{\"n\":0},{\"n\":1}],\"row_count\":2,\"truncated\":true,"
                               "\"source\":{\"kind\":\"parquet\"},\"stats\":{\"queue_ms\":";
    struct answer answer;
    char id[64];
    char expected[512];

    (void)state;
    ask("rows 3", ",\"row_limit\":2", "Accept: application/vnd.spark-service.result+json\r\n",
        &answer);
    assert_int_equal(answer.status, 200);
    answer_check_header(&answer, "Content-Type", "application/vnd.spark-service.result+json");
    assert_non_null(answer_header(&answer, "Query-Id", id, sizeof(id)));
    snprintf(expected, sizeof(expected),
             "{\"query_id\":\"%s\",\"schema\":[{\"name\":\"n\",\"type\":\"BIGINT\","
             "\"nullable\":false}],%s",
             id, tail);
    assert_memory_equal(answer.body, expected, strlen(expected));
    answer_done(&answer);
}

static void test_arrow(void **state)
{
    static const char mark[] = {'\xff', '\xff', '\xff', '\xff', 0, 0, 0, 0};
    struct answer answer;

    (void)state;
    ask("rows 3000", "", "Accept: application/vnd.apache.arrow.stream\r\n", &answer);
    assert_int_equal(answer.status, 200);
    answer_check_header(&answer, "Content-Type", "application/vnd.apache.arrow.stream");
    assert_true(answer.body_length > 3000 * 8);
    assert_memory_equal(answer.body, mark, 4);
    assert_memory_equal(answer.body + answer.body_length - 8, mark, 8);
    answer_done(&answer);
}

/* Two header lines are one list. */
static void test_repeated_headers(void **state)
{
    struct answer answer;

    (void)state;
    ask("rows 3", "", "Accept: application/json;q=0.1\r\naccept: text/csv\r\n", &answer);
    answer_check_header(&answer, "Content-Type", "text/csv; charset=utf-8; header=present");
    answer_done(&answer);
    ask("rows 3", "", "Accept-Encoding: br\r\nAccept-Encoding: identity;q=0, gzip\r\n", &answer);
    answer_check_header(&answer, "Content-Encoding", "gzip");
    answer_done(&answer);
}

static void test_nothing_acceptable(void **state)
{
    static const char *const HEADERS[] = {
        "Accept: text/html\r\n",
        "Accept: application/x-ndjson;end=3\r\n",
        "Accept: */*;q=0\r\n",
        "Accept-Encoding: identity;q=0\r\n",
        "Accept-Encoding: br, *;q=0\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(HEADERS) / sizeof(HEADERS[0]); i++) {
        struct answer answer;

        ask("rows 3", "", HEADERS[i], &answer);
        assert_int_equal(answer.status, 406);
        answer_check_header(&answer, "Content-Type", "application/problem+json");
        assert_non_null(strstr(answer.body, "\"code\":\"not_acceptable\""));
        answer_done(&answer);
    }
}

/* Before the first byte every format has the same problem. */
static void test_early_failures(void **state)
{
    (void)state;
    for (size_t format = 0; format < FORMAT_COUNT; format++) {
        struct answer answer;
        char headers[128];

        snprintf(headers, sizeof(headers), "Accept: %s\r\nAccept-Encoding: gzip\r\n",
                 FORMATS[format].accept);
        ask("rows 3 fail sql_error", "", headers, &answer);
        assert_int_equal(answer.status, 422);
        answer_check_header(&answer, "Content-Type", "application/problem+json");
        answer_check_header(&answer, "Content-Encoding", NULL);
        answer_done(&answer);
    }
}

static const char *const ALL_TYPES[] = {
    "application/json",
    "application/vnd.spark-service.result+json",
    "application/x-ndjson",
    "application/x-ndjson;end=1",
    "text/csv",
    "application/vnd.apache.arrow.stream",
};

/* A stream that fails has no last chunk, whatever it is. */
static void test_failures_amid_a_stream(void **state)
{
    (void)state;
    for (size_t type = 0; type < sizeof(ALL_TYPES) / sizeof(ALL_TYPES[0]); type++) {
        for (size_t coding = 0; coding < sizeof(CODINGS) / sizeof(CODINGS[0]); coding++) {
            struct answer answer;
            char headers[160];
            char value[64];
            bool ended = false;

            snprintf(headers, sizeof(headers), "Accept: %s\r\nAccept-Encoding: %s\r\n",
                     ALL_TYPES[type], CODINGS[coding].name != NULL ? CODINGS[coding].name : "");
            ask("rows 400000 fail sql_error", "", headers, &answer);
            assert_int_equal(answer.status, 200);
            assert_true(answer.chunked);
            assert_false(answer.complete);
            assert_null(answer_trailer(&answer, "Result-Truncated", value, sizeof(value)));
            struct byte_buffer body = decoded(&answer, CODINGS[coding].coding, &ended);
            assert_false(ended);
            byte_buffer_done(&body);
            answer_done(&answer);
        }
    }
}

/* The last line of the body. */
static const char *last_line(const struct byte_buffer *body)
{
    size_t at = body->length - 1; /* the NUL */

    assert_true(at > 1 && body->data[at - 1] == '\n');
    for (at -= 1; at > 0 && body->data[at - 1] != '\n';)
        at--;
    return body->data + at;
}

static void check_error_line(const char *script, const char *fields, const char *code)
{
    for (size_t coding = 0; coding < sizeof(CODINGS) / sizeof(CODINGS[0]); coding++) {
        struct answer answer;
        struct byte_buffer body = {0};
        char headers[160];
        char member[64];
        bool ended = false;

        snprintf(headers, sizeof(headers),
                 "Accept: application/x-ndjson;end=1\r\nAccept-Encoding: %s\r\n",
                 CODINGS[coding].name != NULL ? CODINGS[coding].name : "");
        ask(script, fields, headers, &answer);
        assert_int_equal(answer.status, 200);
        assert_true(answer.chunked);
        assert_false(answer.complete);
        body = decoded(&answer, CODINGS[coding].coding, &ended);
        const char *line = last_line(&body);
        assert_memory_equal(line, "[\"error\",{\"type\":", 17);
        snprintf(member, sizeof(member), "\"code\":\"%s\"", code);
        assert_non_null(strstr(line, member));
        assert_non_null(strstr(line, "\"query_id\":"));
        assert_non_null(strstr(line, "}]\n"));
        assert_memory_equal(line - strlen("}\n"), "}\n", 2); /* the row before is whole */
        byte_buffer_done(&body);
        answer_done(&answer);
    }
}

/* The worker's failure, and one that the loop decides while the worker runs. */
static void test_error_line(void **state)
{
    (void)state;
    check_error_line("rows 400000 fail sql_error", "", "sql_error");
    check_error_line("rows 400000 sleep 60000", ",\"timeout_ms\":700", "timeout");
}

static bool asked(struct service_client *client, const struct service_process *process,
                  const char *sql, const char *coding)
{
    char body[256];
    char headers[160];

    snprintf(body, sizeof(body), "{\"sql\":\"%s\",\"path\":\"%s\"}", sql, process->data);
    snprintf(headers, sizeof(headers), "Content-Type: application/json\r\nAccept-Encoding: %s\r\n",
             coding);
    return service_client_request(client, "POST", "/api/spark/query/parquet", headers, body);
}

/* One coded answer is allowed and a client that doesn't read has it: others get
 * theirs plain, or 503 when they refuse that. */
static void test_bound_of_coded_answers(void **state)
{
    struct service_process *process =
        service_process_start_ready(SETTINGS("--max-coded-answers=1"));
    struct service_client stopped;
    struct service_client client;
    struct answer answer;
    int turns = PATIENCE_MS / 20;

    (void)state;
    assert_true(service_client_open_narrow(&stopped, process->port, 4096));
    assert_true(asked(&stopped, process, "rows 3000000", "gzip"));
    assert_true(service_client_wait_bytes(&stopped, 1));
    assert_true(service_client_open(&client, process->port));
    assert_true(asked(&client, process, "rows 1000", "gzip"));
    assert_true(service_client_read(&client, &answer));
    assert_int_equal(answer.status, 200);
    answer_check_header(&answer, "Content-Encoding", NULL);
    assert_memory_equal(answer.body, "[{\"n\":0},", 9);
    answer_done(&answer);

    assert_true(asked(&client, process, "rows 1000", "gzip, identity;q=0"));
    assert_true(service_client_read(&client, &answer));
    assert_int_equal(answer.status, 503);
    answer_done(&answer);

    service_client_reset(&stopped);
    for (bool coded = false; !coded; answer_done(&answer)) {
        char value[64];

        assert_true(turns-- > 0);
        assert_true(asked(&client, process, "rows 1000", "gzip"));
        assert_true(service_client_read(&client, &answer));
        coded = answer_header(&answer, "Content-Encoding", value, sizeof(value)) != NULL;
        if (!coded)
            pause_ms(20);
    }
    service_client_close(&client);
    service_process_stop(process);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats_and_codings),
        cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_arrow),
        cmocka_unit_test(test_repeated_headers),
        cmocka_unit_test(test_nothing_acceptable),
        cmocka_unit_test(test_early_failures),
        cmocka_unit_test(test_failures_amid_a_stream),
        cmocka_unit_test(test_error_line),
        cmocka_unit_test(test_bound_of_coded_answers),
    };

    return cmocka_run_group_tests_name("service_formats", tests, start_service, stop_service);
}
