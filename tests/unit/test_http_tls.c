/* needs: unit/http_rig.c unit/tls_client.c */
/* Handshakes that are slow, cut or never come, on a server with short deadlines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "http_rig.h"
#include "metrics.h"
#include "tls_client.h"
#include "tls_memory.h"
#include "tls_server.h"

#define HANDSHAKE_MS 150
#define DRIP_MS 10

static struct http_rig rig;
static struct tls_server *tls;
static char folder[32];
static char cert[64];
static char key[64];

static int start(void **state)
{
    struct error err;

    (void)state;
    strcpy(folder, "/tmp/http-tls-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(cert, sizeof(cert), "%s/cert.pem", folder);
    snprintf(key, sizeof(key), "%s/key.pem", folder);
    make_certificate(cert, key, 1);
    assert_int_equal(tls_server_new(cert, key, &tls, &err), 0);
    http_rig_init(&rig);
    rig.config.tls = tls;
    rig.config.header_timeout_ms = HANDSHAKE_MS;
    rig.config.write_stall_ms = HANDSHAKE_MS;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    http_rig_stop(&rig);
    tls_server_free(tls);
    (void)unlink(cert);
    (void)unlink(key);
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

/* The first flight of a client, as bytes. */
static struct byte_buffer client_hello(void)
{
    struct byte_buffer hello = {0};
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    BIO *out = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    long length = 0;

    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    assert_int_equal(SSL_connect(ssl), -1);
    length = BIO_get_mem_data(out, &bytes);
    assert_true(length > 100);
    byte_buffer_append(&hello, bytes, (size_t)length);
    SSL_free(ssl);
    SSL_CTX_free(context);
    return hello;
}

/* Sends that much of a hello and is gone when its time is over, not much later. */
static void check_reaped(size_t sent)
{
    struct byte_buffer hello = client_hello();
    struct http_client client;
    struct monotime begin;
    int64_t failures = metrics_get(METRIC_TLS_HANDSHAKE_FAILURES);
    int64_t idle = metrics_get(METRIC_HTTP_TIMEOUT_IDLE);

    http_client_open(&client, &rig);
    begin = monotime_now();
    if (sent > hello.length)
        sent = hello.length;
    assert_int_equal(http_client_offer(&client, hello.data, sent), sent);
    http_client_await_end(&client);
    assert_in_range(monotime_span_ms(begin, monotime_now()), HANDSHAKE_MS - 10, HANDSHAKE_MS * 10);
    assert_int_equal(metrics_get(METRIC_TLS_HANDSHAKE_FAILURES), failures + 1);
    assert_int_equal(metrics_get(METRIC_HTTP_TIMEOUT_IDLE), idle);
    http_client_close(&client);
    byte_buffer_done(&hello);
    http_rig_wait(&rig, http_server_connection_count(rig.server) == 0);
}

static void test_slow_handshakes(void **state)
{
    (void)state;
    http_rig_start(&rig);
    check_reaped(0);
    check_reaped(1);
    check_reaped(5);   /* the record's head */
    check_reaped(100); /* in the middle */
    check_reaped(SIZE_MAX);
}

/* A byte now and then is no excuse. */
static void test_dripping_handshake(void **state)
{
    struct byte_buffer hello = client_hello();
    struct http_client client;
    struct monotime begin = monotime_now();
    size_t at = 0;

    (void)state;
    http_rig_start(&rig);
    http_client_open(&client, &rig);
    while (!client.ended && !client.reset) {
        if (monotime_span_ms(begin, monotime_now()) > (int64_t)at * DRIP_MS)
            at += http_client_offer(&client, hello.data + at, 1);
        http_client_read(&client, SIZE_MAX);
        http_rig_turn(&rig);
        assert_true(monotime_span_ms(begin, monotime_now()) < HANDSHAKE_MS * 10);
    }
    assert_in_range(at, HANDSHAKE_MS / DRIP_MS / 4, HANDSHAKE_MS * 10 / DRIP_MS);
    http_client_close(&client);
    byte_buffer_done(&hello);
}

/* One that is only to hear 503 must not stay because it never shakes hands. */
static void test_refused_and_silent(void **state)
{
    struct http_client admitted;
    struct http_client refused;

    (void)state;
    rig.config.max_connections = 1;
    http_rig_start(&rig);
    http_client_open(&admitted, &rig);
    http_rig_wait(&rig, http_server_connection_count(rig.server) == 1);
    http_client_open(&refused, &rig);
    http_client_await_end(&refused);
    http_client_close(&refused);
    http_client_close(&admitted);
}

/* Ends in the middle of a handshake, from either side. */
static void test_leaving_amid_a_handshake(void **state)
{
    struct byte_buffer hello = client_hello();
    struct http_client clients[3];

    (void)state;
    rig.config.header_timeout_ms = 60000;
    http_rig_start(&rig);
    for (size_t i = 0; i < 3; i++) {
        http_client_open(&clients[i], &rig);
        assert_int_equal(http_client_offer(&clients[i], hello.data, hello.length), hello.length);
    }
    http_rig_wait(&rig, http_server_connection_count(rig.server) == 3);
    http_client_close(&clients[0]);
    http_client_reset(&clients[1]);
    http_rig_wait(&rig, http_server_connection_count(rig.server) == 1);
    http_server_drain(rig.server); /* closes what waits between two requests */
    http_client_await_end(&clients[2]);
    http_client_close(&clients[2]);
    byte_buffer_done(&hello);
}

/* An allocation that fails is what is tested. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* The serial number of the certificate that a new client is shown. */
static long serial_shown(void)
{
    struct tls_client client;
    long serial = 0;

    tls_client_connect(&client, http_server_port(rig.server), 0, NULL);
    assert_int_equal(evutil_make_socket_nonblocking(client.fd), 0); /* one thread for both */
    http_rig_wait(&rig, tls_client_shake_hands(&client) == 1);
    serial = tls_client_peer_serial(&client);
    tls_client_drop(&client);
    return serial;
}

/* What OpenSSL had made by then may be half made. */
static void test_new_context_when_memory_ran_out(void **state)
{
    (void)state;
    http_rig_start(&rig);
    assert_int_equal(serial_shown(), 1);
    make_certificate(cert, key, 2);
    assert_int_equal(serial_shown(), 1);
    assert_null(OPENSSL_malloc(SIZE_MAX / 4));
    assert_int_equal(serial_shown(), 2);
    make_certificate(cert, key, 3);
    assert_int_equal(serial_shown(), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_new_context_when_memory_ran_out, start, stop),
        cmocka_unit_test_setup_teardown(test_slow_handshakes, start, stop),
        cmocka_unit_test_setup_teardown(test_dripping_handshake, start, stop),
        cmocka_unit_test_setup_teardown(test_refused_and_silent, start, stop),
        cmocka_unit_test_setup_teardown(test_leaving_amid_a_handshake, start, stop),
    };

    tls_memory_watch();
    return cmocka_run_group_tests_name("http_tls", tests, NULL, NULL);
}
