#include <event2/buffer.h>
#include <llhttp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/http_exchange.h"
#include "../../service/http_reader.h"

#define RANDOM_SPLITS 20

/* What became of some bytes: everything a reply could depend on. */
struct outcome {
    enum http_reader_event event; /* the last one */
    enum error_code code;
    size_t rest; /* bytes left unread behind the request */
    struct byte_buffer story;
};

static void tell_request(struct byte_buffer *story, const struct http_exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    const char *field = exchange->text.data + exchange->fields_at;

    byte_buffer_append_format(story, "method %d path %s query %s 1.0 %d keeps %d\n",
                              (int)request->method, request->path, request->query,
                              exchange->http_1_0, exchange->client_keeps);
    while (field < exchange->text.data + exchange->text.length) {
        const char *value = field + strlen(field) + 1;
        byte_buffer_append_format(story, "[%s]=[%s]\n", field, value);
        field = value + strlen(value) + 1;
    }
}

/* Reads `bytes`, given in the pieces that `is_cut` says, as one request. */
static struct outcome read_pieces(const char *bytes, size_t length, const unsigned char *is_cut)
{
    struct http_server_config config = http_server_config_default();
    struct http_reader *reader = http_reader_new(&config);
    struct http_exchange *exchange = http_exchange_new(NULL);
    struct evbuffer *input = evbuffer_new();
    struct outcome outcome = {.event = READER_WAITS};
    struct http_verdict verdict = {ERROR_NONE, ""};

    config.max_body_bytes = 1000;
    http_reader_begin(reader, exchange);
    for (size_t from = 0, at = 1; at <= length; at++) {
        if (at < length && !is_cut[at])
            continue;
        evbuffer_add(input, bytes + from, at - from);
        from = at;
        while (outcome.event != READER_WHOLE && outcome.event != READER_REFUSES) {
            outcome.event = http_reader_read(reader, input, &verdict);
            if (outcome.event == READER_WAITS)
                break;
            if (outcome.event == READER_HEAD)
                tell_request(&outcome.story, exchange);
        }
    }
    outcome.code = verdict.code;
    outcome.rest = outcome.event == READER_WHOLE ? evbuffer_get_length(input) : 0;
    byte_buffer_append(&outcome.story, exchange->body.data, exchange->body.length);
    byte_buffer_append_text(&outcome.story, verdict.reason);
    byte_buffer_append_char(&outcome.story, '\0');
    evbuffer_free(input);
    http_exchange_free(exchange);
    http_reader_free(reader);
    return outcome;
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
    assert_int_equal(a->event, b->event);
    assert_int_equal(a->code, b->code);
    assert_int_equal(a->rest, b->rest);
    assert_string_equal(a->story.data, b->story.data);
}

/* Whole, byte by byte, cut once at every byte, and cut at random. */
static struct outcome read_invariantly(const char *bytes, size_t length)
{
    unsigned char *is_cut = calloc(length + 1, 1);
    struct outcome whole = read_pieces(bytes, length, is_cut);
    struct outcome other;

    memset(is_cut, 1, length);
    other = read_pieces(bytes, length, is_cut);
    assert_same(&whole, &other);
    byte_buffer_done(&other.story);

    memset(is_cut, 0, length);
    for (size_t at = 1; at < length && length < 1000; at++) {
        is_cut[at] = 1;
        other = read_pieces(bytes, length, is_cut);
        assert_same(&whole, &other);
        byte_buffer_done(&other.story);
        is_cut[at] = 0;
    }
    for (int round = 0; round < RANDOM_SPLITS; round++) {
        for (size_t at = 1; at < length; at++)
            is_cut[at] = rand() % 8 == 0;
        other = read_pieces(bytes, length, is_cut);
        assert_same(&whole, &other);
        byte_buffer_done(&other.story);
    }
    free(is_cut);
    return whole;
}

static void assert_reads(const char *bytes, const char *story, size_t rest)
{
    struct outcome outcome = read_invariantly(bytes, strlen(bytes));

    assert_int_equal(outcome.event, READER_WHOLE);
    assert_string_equal(outcome.story.data, story);
    assert_int_equal(outcome.rest, rest);
    byte_buffer_done(&outcome.story);
}

static void assert_refuses_bytes(const char *bytes, size_t length, enum error_code code)
{
    struct outcome outcome = read_invariantly(bytes, length);

    if (outcome.event != READER_REFUSES || outcome.code != code)
        print_error("%.200s\n", bytes);
    assert_int_equal(outcome.event, READER_REFUSES);
    assert_int_equal(outcome.code, code);
    byte_buffer_done(&outcome.story);
}

static void assert_refuses(const char *bytes, enum error_code code)
{
    assert_refuses_bytes(bytes, strlen(bytes), code);
}

static void test_reads_requests(void **state)
{
    (void)state;
    assert_reads("GET /a/b?c=d&e HTTP/1.1\r\nHost: x\r\n\r\n",
                 "method 1 path /a/b query c=d&e 1.0 0 keeps 1\n[Host]=[x]\n", 0);
    assert_reads("\r\nHEAD / HTTP/1.0\r\n\r\nNEXT", "method 2 path / query  1.0 1 keeps 0\n", 4);
    assert_reads("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET ",
                 "method 4 path / query  1.0 0 keeps 1\n[Host]=[x]\n[Content-Length]=[5]\nhello",
                 4);
    assert_reads("PUT / HTTP/1.1\r\nhost:x\r\nEmpty:\r\nA: \t b c \t \r\nConnection: close\r\n\r\n",
                 "method 8 path / query  1.0 0 keeps 0\n[host]=[x]\n[Empty]=[]\n[A]=[b c]\n"
                 "[Connection]=[close]\n",
                 0);
    assert_reads("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                 "method 1 path / query  1.0 1 keeps 1\n[Connection]=[keep-alive]\n", 0);
    assert_reads("GET / HTTP/1.7\r\nHost: [::1]:80\r\n\r\n",
                 "method 1 path / query  1.0 0 keeps 1\n[Host]=[[::1]:80]\n", 0);
    assert_reads("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
                 "method 64 path * query  1.0 0 keeps 1\n[Host]=[x]\n", 0);
}

static void test_reads_absolute_form(void **state)
{
    (void)state;
    assert_reads("GET http://X:80/a?b HTTP/1.1\r\nHost: x:80\r\n\r\n",
                 "method 1 path /a query b 1.0 0 keeps 1\n[Host]=[x:80]\n", 0);
    assert_reads("GET https://x?b HTTP/1.1\r\nHost: x\r\n\r\n",
                 "method 1 path / query b 1.0 0 keeps 1\n[Host]=[x]\n", 0);
    assert_reads("GET http://x HTTP/1.1\r\nHost: x\r\n\r\n",
                 "method 1 path / query  1.0 0 keeps 1\n[Host]=[x]\n", 0);
    assert_refuses("GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n", ERROR_BAD_REQUEST);
    assert_refuses("GET http://x/ HTTP/1.0\r\n\r\n", ERROR_BAD_REQUEST);
}

static void test_reads_chunks(void **state)
{
    (void)state;
    assert_reads("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
                 "5;a=b\r\nhello\r\n01;c;d=\"e\\\";\"\r\n \r\nA\r\n0123456789\r\n0;z\r\n"
                 "Digest: x\r\nEtag: y\r\n\r\nGET",
                 "method 4 path / query  1.0 0 keeps 1\n[Host]=[x]\n"
                 "[Transfer-Encoding]=[Chunked]\nhello 0123456789",
                 3);
    assert_refuses("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX",
                   ERROR_BAD_REQUEST);
    assert_refuses("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\rX",
                   ERROR_BAD_REQUEST);
    assert_refuses(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: y\r\n",
        ERROR_BAD_REQUEST);
    assert_refuses("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n",
                   ERROR_BODY_TOO_LARGE);
    assert_refuses(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n3E8\r\n",
        ERROR_BODY_TOO_LARGE);
}

static void test_drops_bodies_without_meaning(void **state)
{
    (void)state;
    assert_reads("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello!",
                 "method 1 path / query  1.0 0 keeps 1\n[Host]=[x]\n[Content-Length]=[5]\n", 1);
}

static void test_refuses_what_llhttp_lets_through(void **state)
{
    static const char nul_in_value[] = "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n";
    (void)state;
    /* CVE-2023-30589: CR alone taken for the end of a header line. */
    assert_refuses("GET / HTTP/1.1\r\nHost: x\r\nA: b\rContent-Length: 5\r\n\r\n",
                   ERROR_BAD_REQUEST);
    assert_refuses("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\rContent-Length: 5\r\n\r\n",
                   ERROR_BAD_REQUEST);
    /* CVE-2024-27982: a space before Content-Length. */
    assert_refuses("GET / HTTP/1.1\r\nHost: x\r\n Content-Length: 5\r\n\r\n", ERROR_BAD_REQUEST);
    assert_refuses("GET / HTTP/1.1\r\n Content-Length: 5\r\nHost: x\r\n\r\n", ERROR_BAD_REQUEST);
    assert_refuses("GET / HTTP/1.1\r\nHost: x\r\n: v\r\n\r\n", ERROR_BAD_REQUEST);
    assert_refuses("GET / HTTP/1.1\r\nHost: x\r\nA : v\r\n\r\n", ERROR_BAD_REQUEST);
    assert_refuses("GET / HTTP/1.1\r\nHost: x\nA: v\r\n\r\n", ERROR_BAD_REQUEST);
    assert_refuses("GET / HTTP/1.1\r\n\r\n", ERROR_BAD_REQUEST);
    assert_refuses("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", ERROR_BAD_REQUEST);
    assert_refuses("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\na",
                   ERROR_BAD_REQUEST);
    assert_refuses("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na", ERROR_BAD_REQUEST);
    assert_refuses("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                   "Content-Length: 1\r\n\r\n",
                   ERROR_BAD_REQUEST);
    assert_refuses("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n",
                   ERROR_BAD_REQUEST);
    assert_refuses("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                   ERROR_NOT_IMPLEMENTED);
    assert_refuses("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
                   ERROR_NOT_IMPLEMENTED);
    assert_refuses_bytes(nul_in_value, sizeof(nul_in_value) - 1, ERROR_BAD_REQUEST);
}

static void test_refuses_other_protocols(void **state)
{
    (void)state;
    assert_refuses("GET / HTTP/2.0\r\n\r\n", ERROR_HTTP_VERSION);
    assert_refuses("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ERROR_HTTP_VERSION);
    assert_refuses("GET /\r\n", ERROR_BAD_REQUEST);
    assert_refuses("FOO / HTTP/1.1\r\n", ERROR_NOT_IMPLEMENTED);
    assert_refuses("CONNECT x:80 HTTP/1.1\r\n", ERROR_NOT_IMPLEMENTED);
    assert_refuses("\x16\x03\x01", ERROR_BAD_REQUEST);
    assert_refuses("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 1\r\n\r\n", ERROR_EXPECTATION_FAILED);
}

/* Every limit: the last size that passes, and one more. */
static void test_limits(void **state)
{
    static const char *const tail = " HTTP/1.1\r\nHost: x\r\n";
    struct byte_buffer bytes = {0};
    (void)state;

    for (size_t extra = 0; extra < 2; extra++) {
        byte_buffer_reset(&bytes);
        byte_buffer_append_text(&bytes, "GET /");
        for (size_t i = 1; i < 16384 + extra; i++)
            byte_buffer_append_char(&bytes, 'a');
        byte_buffer_append_format(&bytes, "%s\r\n", tail);
        struct outcome outcome = read_invariantly(bytes.data, bytes.length);
        assert_int_equal(outcome.event, extra == 0 ? READER_WHOLE : READER_REFUSES);
        assert_int_equal(outcome.code, extra == 0 ? ERROR_NONE : ERROR_TARGET_TOO_LARGE);
        byte_buffer_done(&outcome.story);

        byte_buffer_reset(&bytes);
        byte_buffer_append_format(&bytes, "GET /%sA: ", tail);
        size_t header_bytes = strlen("Host: x\r\nA: \r\n\r\n");
        for (size_t i = header_bytes; i < 16384 + extra; i++)
            byte_buffer_append_char(&bytes, 'a');
        byte_buffer_append_text(&bytes, "\r\n\r\n");
        outcome = read_invariantly(bytes.data, bytes.length);
        assert_int_equal(outcome.event, extra == 0 ? READER_WHOLE : READER_REFUSES);
        assert_int_equal(outcome.code, extra == 0 ? ERROR_NONE : ERROR_HEADERS_TOO_LARGE);
        byte_buffer_done(&outcome.story);
    }
    assert_refuses("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n",
                   ERROR_BODY_TOO_LARGE);
    assert_refuses("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
                   ERROR_BODY_TOO_LARGE);
    byte_buffer_done(&bytes);
}

/* Bytes that could be anything: never a crash, and always the same verdict. */
static void test_random_bytes(void **state)
{
    static const char *const words[] = {"GET ",
                                        "POST ",
                                        "/",
                                        " HTTP/1.1",
                                        "\r\n",
                                        "\r",
                                        "\n",
                                        "Host",
                                        ": ",
                                        "x",
                                        "5",
                                        "0",
                                        " ",
                                        ";a=b",
                                        "\r\n\r\n",
                                        "chunked",
                                        "\t",
                                        ",",
                                        "hello",
                                        "\xff",
                                        "\x01",
                                        "Content-Length: ",
                                        "Transfer-Encoding: chunked\r\n",
                                        "Host: x\r\n"};
    (void)state;

    srand(9112);
    for (int round = 0; round < 3000; round++) {
        struct byte_buffer bytes = {0};
        if (rand() % 2 == 0)
            byte_buffer_append_text(&bytes, "POST / HTTP/1.1\r\nHost: x\r\n");
        for (int i = rand() % 20; i >= 0; i--)
            byte_buffer_append_text(&bytes,
                                    words[(size_t)rand() % (sizeof(words) / sizeof(words[0]))]);
        unsigned char *is_cut = calloc(bytes.length, 1);
        struct outcome whole = read_pieces(bytes.data, bytes.length, is_cut);
        memset(is_cut, 1, bytes.length);
        struct outcome pieces = read_pieces(bytes.data, bytes.length, is_cut);
        assert_same(&whole, &pieces);
        byte_buffer_done(&whole.story);
        byte_buffer_done(&pieces.story);
        byte_buffer_done(&bytes);
        free(is_cut);
    }
}

/* The llhttp linked here was compiled strict: a lax one takes bytes beyond
 * ASCII in a target, and more bytes behind a last request. */
static void test_llhttp_is_strict(void **state)
{
    static const char beyond_ascii[] = "GET /\xC3\xA4 HTTP/1.1\r\n";
    static const char after_last[] = "GET / HTTP/1.1\r\nConnection: close\r\n\r\nGET /";
    llhttp_settings_t settings;
    llhttp_t parser;
    (void)state;

    llhttp_settings_init(&settings);
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    assert_int_equal(llhttp_execute(&parser, beyond_ascii, sizeof(beyond_ascii) - 1),
                     HPE_INVALID_URL);
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    assert_int_equal(llhttp_execute(&parser, after_last, sizeof(after_last) - 1),
                     HPE_CLOSED_CONNECTION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_requests),
        cmocka_unit_test(test_reads_absolute_form),
        cmocka_unit_test(test_reads_chunks),
        cmocka_unit_test(test_drops_bodies_without_meaning),
        cmocka_unit_test(test_refuses_what_llhttp_lets_through),
        cmocka_unit_test(test_refuses_other_protocols),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_llhttp_is_strict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
