/* needs: unit/http_rig.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/deadline.h"
#include "http_rig.h"

#define NOW "GET /now?x HTTP/1.1\r\nHost: x\r\n\r\n"
#define HOLD "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST_HEAD "POST /echo HTTP/1.1\r\nHost: x\r\n"
#define FLOOD_BYTES ((size_t)64 * 1024 * 1024)

static struct http_rig rig;
static struct http_client client;

static int set_up(void **state)
{
    (void)state;
    http_rig_init(&rig);
    client.fd = -1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_client_close(&client);
    http_rig_stop(&rig);
    return 0;
}

static void start(void)
{
    http_rig_start(&rig);
    http_client_open(&client, &rig);
}

/* -- Reading requests -------------------------------------------------------- */

static void test_keeps_the_connection(void **state)
{
    (void)state;
    start();
    for (int i = 1; i <= 3; i++) {
        http_client_send(&client, NOW);
        http_rig_wait(&rig, (http_client_read(&client, SIZE_MAX),
                             http_client_count(&client, "\r\n\r\nx") == i));
    }
    assert_int_equal(http_client_count(&client, "HTTP/1.1 200 OK\r\n"), 3);
    assert_int_equal(http_client_count(&client, "Content-Length: 1\r\n"), 3);
    assert_int_equal(http_client_count(&client, "Connection:"), 0);
    assert_int_equal(http_server_connection_count(rig.server), 1);
}

static void test_closes_when_asked(void **state)
{
    (void)state;
    start();
    http_client_send(&client, "GET /now HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    http_client_await_end(&client);
    assert_true(client.ended);
    assert_int_equal(http_client_count(&client, "Connection: close\r\n"), 1);
    http_client_close(&client);
    http_rig_wait(&rig, http_server_connection_count(rig.server) == 0);
}

static void test_http_1_0(void **state)
{
    (void)state;
    start();
    http_client_send(&client, "GET /now?x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    http_client_await(&client, "Connection: keep-alive\r\n");
    http_client_send(&client, "GET /hold HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    http_rig_wait(&rig, rig.held != NULL);
    http_reply_begin(rig.held, 200, "text/plain", NULL, 0, "Trailer-Name");
    http_reply_write_taken(rig.held, strdup("until the end"), 13);
    http_reply_end(rig.held, NULL, 0);
    http_client_await_end(&client);
    assert_non_null(strstr(client.received.data, "Connection: close\r\n\r\nuntil the end"));
    assert_int_equal(http_client_count(&client, "chunked"), 0);
}

static void test_head(void **state)
{
    (void)state;
    start();
    http_client_send(&client, "HEAD /now?xyz HTTP/1.1\r\nHost: x\r\n\r\n");
    http_client_send(&client, "HEAD /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    http_rig_wait(&rig, rig.held != NULL);
    http_reply_begin(rig.held, 200, "text/plain", NULL, 0, NULL);
    http_reply_write_taken(rig.held, strdup("hidden"), 6);
    http_reply_end(rig.held, NULL, 0);
    http_client_send(&client, NOW);
    http_client_await(&client, "\r\n\r\nx");
    assert_int_equal(http_client_count(&client, "Content-Length: 3\r\n\r\nHTTP/1.1 200"), 1);
    assert_int_equal(http_client_count(&client, "Transfer-Encoding: chunked\r\n\r\nHTTP/1.1 200"),
                     1);
}

static void test_pipelines_in_order(void **state)
{
    char expected[64];
    (void)state;

    start();
    for (int i = 0; i < 200; i++) {
        char request[64];
        snprintf(request, sizeof(request), "GET /now?n=%d. HTTP/1.1\r\nHost: x\r\n\r\n", i);
        http_client_send(&client, request);
    }
    http_client_await(&client, "n=199.");
    const char *at = client.received.data;
    for (int i = 0; i < 200; i++) {
        snprintf(expected, sizeof(expected), "\r\n\r\nn=%d.", i);
        at = strstr(at, expected);
        assert_non_null(at);
    }
}

/* What came in one turn of the loop is read before any of it is handled. */
static void test_reads_a_turn_before_it_handles_it(void **state)
{
    struct http_client other;
    (void)state;

    start();
    http_client_open(&other, &rig);
    http_client_send(&other, NOW);
    http_client_await(&other, "\r\n\r\nx");
    http_client_send(&client, NOW);
    http_client_await(&client, "\r\n\r\nx");
    http_client_send(&client, HOLD);
    http_client_send(&other, NOW);
    http_rig_wait(&rig, rig.held != NULL);
    assert_int_equal(rig.request_count, 4);
    assert_true(rig.last_body_end.ns <= rig.handled_before.ns);
    http_client_close(&other);
}

/* Who pipelines has asked once the answer before is out: it may not be told of a time
 * before that. */
static void test_a_pipelined_request_comes_behind_the_answer(void **state)
{
    struct monotime answered;
    (void)state;

    start();
    http_client_send(&client, HOLD NOW);
    http_rig_wait(&rig, rig.held != NULL);
    answered = monotime_now();
    http_reply_send(rig.held, 200, NULL, NULL, 0, NULL, 0);
    http_client_await(&client, "\r\n\r\nx");
    assert_true(rig.last_body_end.ns >= answered.ns);
}

static void test_one_request_at_a_time(void **state)
{
    (void)state;
    start();
    http_client_send(&client, HOLD NOW);
    http_rig_wait(&rig, rig.held != NULL);
    for (int i = 0; i < 5; i++)
        http_rig_turn(&rig);
    assert_int_equal(rig.request_count, 1);
    http_reply_send(rig.held, 200, NULL, NULL, 0, "held.", 5);
    http_client_await(&client, "\r\n\r\nx");
    assert_true(strstr(client.received.data, "held.") < strstr(client.received.data, "\r\n\r\nx"));
}

/* More requests than are read ahead wait behind a slow one, and behind a client
 * that reads late; all are answered in the end. */
static void test_reads_on_after_a_pause(void **state)
{
    enum { REQUESTS = 20000 };
    const size_t all = REQUESTS * (sizeof(NOW) - 1);
    char *requests = malloc(all + 1);
    size_t sent = 0;
    (void)state;

    assert_non_null(requests);
    for (size_t at = 0; at < all; at += sizeof(NOW) - 1)
        memcpy(requests + at, NOW, sizeof(NOW));
    start();
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    for (int stuck_turns = 0; stuck_turns < 5; http_rig_turn(&rig)) {
        size_t taken = http_client_offer(&client, requests + sent, all - sent);
        sent += taken;
        stuck_turns = taken == 0 ? stuck_turns + 1 : 0;
    }
    assert_int_equal(rig.request_count, 1);
    assert_in_range(sent, 64 * 1024, all);
    http_reply_send(rig.held, 200, NULL, NULL, 0, NULL, 0);
    while (sent < all) {
        sent += http_client_offer(&client, requests + sent, all - sent);
        http_rig_turn(&rig);
        if (rig.request_count > REQUESTS / 2)
            http_client_read(&client, SIZE_MAX);
        else
            http_client_read(&client, 100);
    }
    http_rig_wait(&rig, (http_client_read(&client, SIZE_MAX), rig.request_count == REQUESTS + 1));
    http_client_send(&client, "GET /now?end HTTP/1.1\r\nHost: x\r\n\r\n");
    http_client_await(&client, "\r\n\r\nend");
    assert_int_equal(http_client_count(&client, "\r\n\r\nx"), REQUESTS);
    free(requests);
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* While a request runs, 64 MiB of pipelined ones don't get in. */
static void test_flood_of_pipelined_requests(void **state)
{
    static char block[1024 * 1024];
    size_t sent = 0;
    int stuck_turns = 0;
    (void)state;

    for (size_t at = 0; at + sizeof(NOW) <= sizeof(block); at += sizeof(NOW) - 1)
        memcpy(block + at, NOW, sizeof(NOW));
    start();
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    long before = resident_kib();
    while (sent < FLOOD_BYTES && stuck_turns < 20) {
        size_t taken = http_client_offer(&client, block, sizeof(block));
        sent += taken;
        stuck_turns = taken == 0 ? stuck_turns + 1 : 0;
        http_rig_turn(&rig);
    }
    assert_int_equal(stuck_turns, 20);
    assert_true(resident_kib() - before < 16 * 1024);
    assert_int_equal(rig.request_count, 1);
    assert_non_null(rig.held);
}

/* A client that sends requests and reads no answer stops being served. */
static void test_flood_of_unread_answers(void **state)
{
    size_t sent = 0;
    int stuck_turns = 0;
    (void)state;

    start();
    while (sent < FLOOD_BYTES && stuck_turns < 20) {
        int served = rig.request_count;
        size_t taken = http_client_offer(&client, NOW NOW NOW NOW, 4 * (sizeof(NOW) - 1));
        sent += taken;
        if (taken > 0)
            continue;
        http_rig_turn(&rig);
        stuck_turns = rig.request_count == served ? stuck_turns + 1 : 0;
    }
    assert_int_equal(stuck_turns, 20);
    /* The rest goes on when answers are read. */
    int served = rig.request_count;
    http_rig_wait(&rig, (http_client_read(&client, SIZE_MAX), rig.request_count > served));
    http_client_reset(&client);
    http_rig_wait(&rig, http_server_connection_count(rig.server) == 0);
}

/* -- Bodies -------------------------------------------------------------------- */

static void test_100_continue(void **state)
{
    (void)state;
    start();
    http_client_send(&client, POST_HEAD "Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n");
    http_client_await(&client, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_int_equal(rig.request_count, 0);
    http_client_send(&client, "hello");
    http_client_await(&client, "\r\n\r\nhello");
}

static void test_no_100_for_what_is_refused(void **state)
{
    (void)state;
    start();
    http_client_send(&client, "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                              "Expect: 100-continue\r\n\r\n");
    http_client_await_end(&client);
    assert_int_equal(http_client_count(&client, "100 Continue"), 0);
    assert_int_equal(http_client_count(&client, "HTTP/1.1 401 "), 1);
    assert_int_equal(http_client_count(&client, "WWW-Authenticate: Bearer\r\n"), 1);
    assert_int_equal(rig.request_count, 0);
}

static void test_small_unwanted_body_is_skipped(void **state)
{
    (void)state;
    start();
    http_client_send(&client, "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
    http_client_await(&client, "HTTP/1.1 401 ");
    http_client_send(&client, "GET /" NOW);
    http_client_await(&client, "\r\n\r\nx");
    http_client_send(&client,
                     "POST /early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "5\r\nhello\r\n0\r\n\r\n" NOW);
    http_rig_wait(
        &rig, (http_client_read(&client, SIZE_MAX), http_client_count(&client, "\r\n\r\nx") == 2));
    assert_int_equal(rig.request_count, 2);
}

static void test_large_unwanted_body_closes(void **state)
{
    (void)state;
    start();
    http_client_send(&client, "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    http_client_await_end(&client);
    assert_int_equal(http_client_count(&client, "Connection: close\r\n"), 1);
    assert_int_equal(http_client_count(&client, "HTTP/1.1 401 "), 1);
}

/* The client reads its 413 although it goes on sending: no reset overtakes it. */
static void test_lingering_close(void **state)
{
    static char block[256 * 1024];
    size_t sent = 0;
    (void)state;

    memset(block, 'a', sizeof(block));
    start();
    http_client_send(&client, POST_HEAD "Content-Length: 9000000\r\n\r\n");
    while (sent < sizeof(block)) {
        sent += http_client_offer(&client, block + sent, sizeof(block) - sent);
        http_rig_turn(&rig);
    }
    http_client_await_end(&client);
    assert_true(client.ended);
    assert_int_equal(http_client_count(&client, "HTTP/1.1 413 "), 1);
    assert_int_equal(http_client_count(&client, "\"code\":\"too_large\""), 1);
    assert_int_equal(http_client_count(&client, "\"instance\":\"/echo\""), 1);
}

/* -- Deadlines ----------------------------------------------------------------- */

/* One byte now and then doesn't help: the deadline is for the whole. */
static void drip_until_end(const char *bytes)
{
    while (!client.ended && !client.reset) {
        http_client_offer(&client, bytes, 1);
        if (bytes[1] != '\0')
            bytes++;
        http_rig_turn(&rig);
        http_client_read(&client, SIZE_MAX);
    }
}

static void test_header_deadline(void **state)
{
    (void)state;
    rig.config.header_timeout_ms = 100;
    start();
    struct monotime begun = monotime_now();
    drip_until_end("GET /now HTTP/1.1\r\nHost: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    assert_int_equal(http_client_count(&client, "HTTP/1.1 408 "), 1);
    assert_int_equal(http_client_count(&client, "Connection: close\r\n"), 1);
    assert_in_range(monotime_span_ms(begun, monotime_now()), 95, 5000);
}

static void test_body_deadline(void **state)
{
    (void)state;
    rig.config.body_timeout_ms = 100;
    start();
    http_client_send(&client, POST_HEAD "Content-Length: 100000\r\n\r\n");
    drip_until_end("aa");
    assert_int_equal(http_client_count(&client, "HTTP/1.1 408 "), 1);
    assert_int_equal(http_client_count(&client, "\"code\":\"request_timeout\""), 1);
    assert_int_equal(rig.request_count, 0);
}

static void test_silent_connections_are_closed(void **state)
{
    (void)state;
    rig.config.header_timeout_ms = 50;
    rig.config.keep_alive_ms = 50;
    start();
    http_client_await_end(&client);
    assert_true(client.ended);
    assert_int_equal(client.received.length, 0);
    http_client_close(&client);

    http_client_open(&client, &rig);
    http_client_send(&client, NOW);
    http_client_await_end(&client);
    assert_true(client.ended);
    assert_int_equal(http_client_count(&client, "HTTP/1.1 "), 1);
}

static void test_no_deadline_while_a_request_runs(void **state)
{
    (void)state;
    rig.config.header_timeout_ms = 30;
    rig.config.body_timeout_ms = 30;
    rig.config.keep_alive_ms = 30;
    start();
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    struct monotime begun = monotime_now();
    http_rig_wait(&rig, monotime_span_ms(begun, monotime_now()) > 100);
    assert_non_null(rig.held);
    http_reply_send(rig.held, 200, NULL, NULL, 0, "late", 4);
    http_client_await(&client, "late");
}

/* -- The client goes ------------------------------------------------------------- */

static void test_gone_by_fin(void **state)
{
    (void)state;
    start();
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    http_client_close(&client);
    http_rig_wait(&rig, rig.gone_count == 1);
    assert_int_equal(http_server_connection_count(rig.server), 0);
}

static void test_gone_by_half_close(void **state)
{
    (void)state;
    start();
    http_client_send(&client, HOLD);
    shutdown(client.fd, SHUT_WR);
    http_rig_wait(&rig, rig.gone_count == 1);
    http_client_await_end(&client);
    assert_int_equal(client.received.length, 0);
}

static void test_gone_by_reset(void **state)
{
    (void)state;
    start();
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    http_client_reset(&client);
    http_rig_wait(&rig, rig.gone_count == 1);
}

/* What was answered before the FIN was seen still goes out. */
static void test_half_close_behind_answered_requests(void **state)
{
    (void)state;
    start();
    http_client_send(&client, NOW NOW NOW);
    shutdown(client.fd, SHUT_WR);
    http_client_await_end(&client);
    assert_true(client.ended);
    assert_int_equal(http_client_count(&client, "HTTP/1.1 200 OK"), 3);
}

static void fill_with_pipelined_bytes(void)
{
    static char block[64 * 1024];
    int stuck_turns = 0;

    memset(block, 'a', sizeof(block));
    while (stuck_turns < 5) {
        stuck_turns = http_client_offer(&client, block, sizeof(block)) == 0 ? stuck_turns + 1 : 0;
        http_rig_turn(&rig);
    }
}

static long cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

/* Unread bytes stand before the FIN: a reader that has stopped doesn't see it.
 * 100 KiB: more than is read ahead, and no more than the kernel takes. */
static void test_fin_behind_pipelined_bytes(void **state)
{
    static const char block[1024] = {'a'};
    (void)state;

    start();
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    for (int i = 0; i < 100; i++) {
        http_rig_wait(&rig, http_client_offer(&client, block, sizeof(block)) == sizeof(block));
        http_rig_turn(&rig);
    }
    assert_int_equal(rig.gone_count, 0);
    shutdown(client.fd, SHUT_WR);
    http_rig_wait(&rig, rig.gone_count == 1);
}

static void test_reset_behind_pipelined_bytes(void **state)
{
    (void)state;
    start();
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    fill_with_pipelined_bytes();
    assert_int_equal(rig.gone_count, 0);
    http_client_reset(&client);
    http_rig_wait(&rig, rig.gone_count == 1);
}

/* Noticing costs nothing: nobody spins on a socket that has unread bytes. */
static void test_unread_bytes_do_not_spin(void **state)
{
    (void)state;
    start();
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    fill_with_pipelined_bytes();
    long before = cpu_us();
    struct monotime begun = monotime_now();
    http_rig_wait(&rig, monotime_span_ms(begun, monotime_now()) > 300);
    assert_in_range(cpu_us() - before, 0, 150000);
}

static void test_gone_while_streaming(void **state)
{
    (void)state;
    start();
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    http_reply_begin(rig.held, 200, "text/plain", NULL, 0, NULL);
    http_reply_write_taken(rig.held, strdup("page"), 4);
    http_client_await(&client, "page");
    shutdown(client.fd, SHUT_WR);
    http_rig_wait(&rig, rig.gone_count == 1);
    http_client_await_end(&client);
    assert_int_equal(http_client_count(&client, "\r\n0\r\n"), 0);
}

/* A request that isn't whole yet ends with its client. */
static void test_gone_while_reading(void **state)
{
    (void)state;
    start();
    http_client_send(&client, POST_HEAD "Content-Length: 5\r\n\r\nhel");
    http_rig_wait(&rig, rig.headers_count == 1);
    shutdown(client.fd, SHUT_WR);
    http_client_await_end(&client);
    assert_int_equal(client.received.length, 0);
    assert_int_equal(rig.request_count, 0);
    http_client_close(&client);
    http_rig_wait(&rig, http_server_connection_count(rig.server) == 0);
}

/* -- Streams --------------------------------------------------------------------- */

static void test_chunks_and_trailers(void **state)
{
    const struct http_header headers[] = {{"Query-Id", "q"}, {"Content-Length", "7"}};
    const struct http_header trailers[] = {{"Result-Truncated", "false"}};
    (void)state;

    start();
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    http_reply_begin(rig.held, 200, "text/plain", headers, 2, "Result-Truncated");
    http_reply_write_taken(rig.held, strdup("0123456789abcdef"), 16);
    http_reply_write_taken(rig.held, strdup(""), 0);
    http_reply_write_taken(rig.held, strdup("x"), 1);
    http_reply_end(rig.held, trailers, 1);
    http_client_send(&client, NOW);
    http_client_await(&client, "\r\n\r\nx");
    assert_int_equal(http_client_count(&client,
                                       "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                       "Query-Id: q\r\nTransfer-Encoding: chunked\r\n"
                                       "Trailer: Result-Truncated\r\n\r\n"
                                       "10\r\n0123456789abcdef\r\n1\r\nx\r\n0\r\n"
                                       "Result-Truncated: false\r\n\r\nHTTP/1.1 200 OK\r\n"),
                     1);
}

static void test_stream_begun_before_the_body(void **state)
{
    (void)state;
    start();
    http_client_send(&client, "POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    http_rig_wait(&rig, rig.held != NULL);
    http_reply_write_taken(rig.held, strdup("page"), 4);
    http_reply_end(rig.held, NULL, 0);
    http_client_await_end(&client);
    assert_true(client.ended);
    assert_int_equal(rig.request_count, 0);
    assert_int_equal(http_client_count(&client, "Connection: close\r\n"), 1);
    assert_int_equal(http_client_count(&client, "4\r\npage\r\n0\r\n\r\n"), 1);
}

static void test_abort_is_seen(void **state)
{
    (void)state;
    start();
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    http_reply_begin(rig.held, 200, "text/plain", NULL, 0, NULL);
    http_reply_write_taken(rig.held, strdup("page"), 4);
    http_client_await(&client, "page");
    http_reply_abort(rig.held);
    http_client_await_end(&client);
    assert_true(client.reset);
    assert_int_equal(http_client_count(&client, "\r\n0\r\n"), 0);
    assert_int_equal(rig.gone_count, 0);
}

static void write_page(size_t length)
{
    char *page = malloc(length);

    assert_non_null(page);
    memset(page, 'p', length);
    http_reply_write_taken(rig.held, page, length);
}

static void test_backpressure(void **state)
{
    (void)state;
    start();
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    http_reply_begin(rig.held, 200, "text/plain", NULL, 0, NULL);
    /* Until the socket takes no more. */
    size_t unsent;
    int stuck_turns = 0;
    do {
        unsent = http_reply_unsent(rig.held);
        if (unsent < 1024 * 1024)
            write_page(256 * 1024);
        http_rig_turn(&rig);
        stuck_turns = http_reply_unsent(rig.held) >= 1024 * 1024 ? stuck_turns + 1 : 0;
    } while (stuck_turns < 10);
    int drained_before = rig.drained_count;
    for (int i = 0; i < 10; i++)
        http_rig_turn(&rig);
    assert_int_equal(rig.drained_count, drained_before);

    http_rig_wait(&rig,
                  (http_client_read(&client, SIZE_MAX), rig.drained_count == drained_before + 1));
    assert_true(http_reply_unsent(rig.held) < 64 * 1024);
    http_reply_end(rig.held, NULL, 0);
    http_client_await(&client, "\r\n0\r\n\r\n");
}

static void test_write_stall_resets(void **state)
{
    (void)state;
    rig.config.write_stall_ms = 100;
    start();
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    http_reply_begin(rig.held, 200, "text/plain", NULL, 0, NULL);
    write_page((size_t)32 * 1024 * 1024);
    http_rig_wait(&rig, rig.gone_count == 1);
    http_client_await_end(&client);
    assert_true(client.reset);
}

/* -- The server ------------------------------------------------------------------ */

static void test_connection_cap(void **state)
{
    struct http_client others[2];
    (void)state;

    rig.config.max_connections = 2;
    start();
    http_client_open(&others[0], &rig);
    http_rig_wait(&rig, http_server_connection_count(rig.server) == 2);
    http_client_open(&others[1], &rig);
    http_client_offer(&others[1], NOW, sizeof(NOW) - 1);
    http_client_await_end(&others[1]);
    assert_true(others[1].ended);
    assert_int_equal(http_client_count(&others[1], "HTTP/1.1 503 "), 1);
    assert_int_equal(http_client_count(&others[1], "Retry-After: 1\r\n"), 1);
    assert_int_equal(http_client_count(&others[1], "\"code\":\"queue_full\""), 1);
    assert_int_equal(rig.headers_count, 0);
    http_client_close(&others[1]);

    /* A place that falls free is taken again. */
    http_client_close(&others[0]);
    http_rig_wait(&rig, http_server_connection_count(rig.server) == 1);
    http_client_open(&others[0], &rig);
    http_client_send(&others[0], NOW);
    http_client_await(&others[0], "HTTP/1.1 200 ");
    http_client_close(&others[0]);
}

/* Without descriptors: no accept, no spinning, and back when there are some. */
static void test_no_descriptors_left(void **state)
{
    struct rlimit saved, none;
    struct http_client late;
    (void)state;

    start();
    http_client_send(&client, NOW);
    http_client_await(&client, "HTTP/1.1 200 ");
    http_client_open(&late, &rig);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
    none = saved;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    long before = cpu_us();
    struct monotime begun = monotime_now();
    http_rig_wait(&rig, monotime_span_ms(begun, monotime_now()) > 300);
    assert_in_range(cpu_us() - before, 0, 150000);
    assert_int_equal(http_server_connection_count(rig.server), 1);
    /* The open connection is served all the same. */
    http_client_send(&client, NOW);
    http_rig_wait(&rig, (http_client_read(&client, SIZE_MAX),
                         http_client_count(&client, "HTTP/1.1 200 ") == 2));

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
    http_client_send(&late, NOW);
    http_client_await(&late, "HTTP/1.1 200 ");
    http_client_close(&late);
}

static void test_drain(void **state)
{
    struct http_client idle;
    (void)state;

    start();
    http_client_open(&idle, &rig);
    http_client_send(&idle, NOW);
    http_client_await(&idle, "\r\n\r\nx");
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    http_server_drain(rig.server);
    http_client_await_end(&idle);
    assert_true(idle.ended);
    http_client_close(&idle);

    assert_non_null(rig.held);
    http_reply_send(rig.held, 200, NULL, NULL, 0, "last", 4);
    http_client_await_end(&client);
    assert_int_equal(http_client_count(&client, "Connection: close\r\n"), 1);
    assert_int_equal(http_client_count(&client, "last"), 1);
    http_client_close(&client);
    http_rig_wait(&rig, http_server_connection_count(rig.server) == 0);
}

static void test_free_tells_open_exchanges(void **state)
{
    (void)state;
    start();
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    http_server_free(rig.server);
    rig.server = NULL;
    assert_int_equal(rig.gone_count, 1);
}

static void refuse_address(const char *addresses)
{
    const struct http_server_callbacks callbacks = {0};
    struct http_server *server = NULL;
    struct error err;

    error_clear(&err);
    assert_int_equal(http_server_new(rig.base, addresses, &rig.config, &callbacks, &server, &err),
                     -1);
    assert_null(server);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_non_null(strstr(err.detail, "cannot listen on '"));
}

static void test_addresses(void **state)
{
    const struct http_server_callbacks callbacks = {0};
    char taken[32];
    struct http_server *server;
    struct error err;
    (void)state;

    refuse_address("");
    refuse_address("127.0.0.1");
    refuse_address("127.0.0.1:");
    refuse_address("127.0.0.1:65536");
    refuse_address("127.0.0.1:-1");
    refuse_address(":80");
    refuse_address("::1:80");
    refuse_address("[::1]");
    refuse_address("[::1:80");
    refuse_address("localhost:0");
    refuse_address("127.0.0.1:0,");
    refuse_address("127.0.0.1:0,x");
    refuse_address("111111111111111111111111111111111111111111111111111111111111111111111.0.0.1:0");

    assert_int_equal(http_server_new(rig.base, "127.0.0.1:0,127.0.0.2:0", &rig.config, &callbacks,
                                     &server, &err),
                     0);
    assert_in_range(http_server_port(server), 1, 65535);
    snprintf(taken, sizeof(taken), "127.0.0.1:%d", http_server_port(server));
    refuse_address(taken);
    http_server_free(server);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_keeps_the_connection),
        TEST(test_closes_when_asked),
        TEST(test_http_1_0),
        TEST(test_head),
        TEST(test_pipelines_in_order),
        TEST(test_reads_a_turn_before_it_handles_it),
        TEST(test_a_pipelined_request_comes_behind_the_answer),
        TEST(test_one_request_at_a_time),
        TEST(test_reads_on_after_a_pause),
        TEST(test_flood_of_pipelined_requests),
        TEST(test_flood_of_unread_answers),
        TEST(test_100_continue),
        TEST(test_no_100_for_what_is_refused),
        TEST(test_small_unwanted_body_is_skipped),
        TEST(test_large_unwanted_body_closes),
        TEST(test_lingering_close),
        TEST(test_header_deadline),
        TEST(test_body_deadline),
        TEST(test_silent_connections_are_closed),
        TEST(test_no_deadline_while_a_request_runs),
        TEST(test_gone_by_fin),
        TEST(test_gone_by_half_close),
        TEST(test_gone_by_reset),
        TEST(test_half_close_behind_answered_requests),
        TEST(test_fin_behind_pipelined_bytes),
        TEST(test_reset_behind_pipelined_bytes),
        TEST(test_unread_bytes_do_not_spin),
        TEST(test_gone_while_streaming),
        TEST(test_gone_while_reading),
        TEST(test_chunks_and_trailers),
        TEST(test_stream_begun_before_the_body),
        TEST(test_abort_is_seen),
        TEST(test_backpressure),
        TEST(test_write_stall_resets),
        TEST(test_connection_cap),
        TEST(test_no_descriptors_left),
        TEST(test_drain),
        TEST(test_free_tells_open_exchanges),
        TEST(test_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
