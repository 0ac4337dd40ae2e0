/* needs: unit/service_process.c unit/service_client.c unit/tls_client.c */
/* The whole service over TLS: what is negotiated, streams and how they end, clients that
 * leave, the certificate read anew, probe. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "deadline.h"
#include "service_client.h"
#include "service_process.h"
#include "tls_client.h"

#define PARQUET "/api/spark/query/parquet"
#define FOREVER "sleep 600000"
#define MILLION 1000000
#define LAST_CHUNK "0\r\n"

static struct service_process *service;
static char folder[32];
static char cert[64];
static char key[64];

/* ---- the service ---- */

static void start(const char *const *further)
{
    static char cert_flag[96];
    static char key_flag[96];
    const char *settings[8] = {cert_flag, key_flag, "--workers=2"};
    size_t count = 3;

    strcpy(folder, "/tmp/tls-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(cert, sizeof(cert), "%s/cert.pem", folder);
    snprintf(key, sizeof(key), "%s/key.pem", folder);
    make_certificate(cert, key, 1);
    snprintf(cert_flag, sizeof(cert_flag), "--tls-cert=%s", cert);
    snprintf(key_flag, sizeof(key_flag), "--tls-key=%s", key);
    for (; *further != NULL; further++)
        settings[count++] = *further;
    service = service_process_start(settings);
    service_process_wait_logged(service, "msg=ready");
}

static int start_service(void **state)
{
    (void)state;
    start(SETTINGS());
    return 0;
}

/* ---- requests ---- */

static void send_query(struct tls_client *client, const char *sql, const char *headers)
{
    char body[512];

    snprintf(body, sizeof(body), "{\"path\":\"%s\",\"sql\":\"%s\",\"timeout_ms\":600000}",
             service->data, sql);
    tls_client_request(client, "POST", PARQUET, headers, body);
}

static void get(struct tls_client *client, const char *target, const char *wanted, char *text,
                size_t size)
{
    tls_client_request(client, "GET", target, "", NULL);
    (void)tls_client_read_until(client, wanted, text, size);
    if (strstr(text, wanted) == NULL)
        fail_msg("%s: \"%s\" lacks \"%s\"", target, text, wanted);
}

/* On a connection of its own. */
static void check_get(const char *target, const char *wanted)
{
    static char text[262144];
    struct tls_client client;

    tls_client_open(&client, service->port);
    get(&client, target, wanted, text, sizeof(text));
    tls_client_close(&client);
}

static void wait_busy(const char *wanted)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);
    char text[4096];

    for (;;) {
        struct tls_client client;

        tls_client_open(&client, service->port);
        tls_client_request(&client, "GET", "/api/spark/health", "", NULL);
        (void)tls_client_read_until(&client, "}}", text, sizeof(text));
        tls_client_close(&client);
        if (strstr(text, wanted) != NULL)
            return;
        assert_false(monotime_reached(limit, monotime_now()));
        pause_ms(2);
    }
}

static int stop_service(void **state)
{
    (void)state;
    if (service != NULL) {
        wait_busy("\"busy\":0");
        service_process_stop(service);
    }
    service = NULL;
    (void)unlink(cert);
    (void)unlink(key);
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

/* ---- what is negotiated ---- */

static void check_handshake(int max_version, const char *alpn, const char *version)
{
    struct tls_client client;
    const unsigned char *chosen = NULL;
    unsigned length = 0;
    char text[1024];

    tls_client_connect(&client, service->port, max_version, alpn);
    if (version == NULL) {
        assert_int_not_equal(tls_client_shake_hands(&client), 1);
        tls_client_drop(&client);
        return;
    }
    assert_int_equal(tls_client_shake_hands(&client), 1);
    assert_string_equal(SSL_get_version(client.ssl), version);
    SSL_get0_alpn_selected(client.ssl, &chosen, &length);
    if (alpn != NULL)
        assert_memory_equal(chosen, "http/1.1", 8);
    else
        assert_int_equal(length, 0);
    get(&client, "/livez", "HTTP/1.1 200 ", text, sizeof(text));
    tls_client_close(&client);
}

static void test_handshakes(void **state)
{
    (void)state;
    check_handshake(0, NULL, "TLSv1.3");
    check_handshake(0, "\x08http/1.1", "TLSv1.3");
    check_handshake(0, "\x02h2\x08http/1.1", "TLSv1.3");
    check_handshake(TLS1_2_VERSION, NULL, "TLSv1.2");
    check_handshake(TLS1_2_VERSION, "\x08http/1.1", "TLSv1.2");
    check_handshake(0, "\x02h2", NULL);
    check_handshake(TLS1_1_VERSION, NULL, NULL);
    check_handshake(TLS1_VERSION, NULL, NULL);
}

static void check_cipher(const char *cipher, bool taken)
{
    struct tls_client client;

    tls_client_connect(&client, service->port, TLS1_2_VERSION, NULL);
    assert_int_equal(SSL_set_cipher_list(client.ssl, cipher), 1);
    if (taken)
        assert_int_equal(tls_client_shake_hands(&client), 1);
    else
        assert_int_not_equal(tls_client_shake_hands(&client), 1);
    tls_client_drop(&client);
}

static void test_ciphers_of_tls_1_2(void **state)
{
    (void)state;
    check_cipher("ECDHE-ECDSA-AES128-GCM-SHA256", true);
    check_cipher("ECDHE-ECDSA-CHACHA20-POLY1305", true);
    check_cipher("ECDHE-ECDSA-AES128-SHA", false);
    check_cipher("ECDHE-ECDSA-AES128-SHA256", false);
    check_cipher("AECDH-AES128-SHA:ADH-AES128-GCM-SHA256:@SECLEVEL=0", false);
}

/* Plain HTTP, random bytes, half a hello: each ends, and the next one is served. */
static void test_no_handshake_at_all(void **state)
{
    static const char *const BYTES[] = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                                        "\x16\x03\x01\x02\x00\x01zzzzzzzzzzzzzzzzzzzz",
                                        "\xff\xff\xff\xff\xff\xff\xff\xff"};

    (void)state;
    for (size_t i = 0; i < sizeof(BYTES) / sizeof(BYTES[0]); i++) {
        struct service_client client;

        assert_true(service_client_open(&client, service->port));
        assert_true(service_client_send(&client, BYTES[i], strlen(BYTES[i])));
        if (i == 1) /* the rest of the record is missing: leave */
            service_client_half_close(&client);
        while (service_client_wait_bytes(&client, client.length + 1)) /* an alert, maybe */
            continue;
        client.length = 0;
        assert_true(service_client_at_end(&client));
        service_client_close(&client);
    }
    check_get("/metrics", "spark_service_tls_handshakes_total{result=\"failed\"} 3\n");
}

/* ---- answers ---- */

static void test_keeps_alive_and_ends(void **state)
{
    struct tls_client client;
    char text[4096];
    int end = 0;

    (void)state;
    tls_client_open(&client, service->port);
    for (int i = 0; i < 20; i++)
        get(&client, "/livez", "\r\n\r\nlive\n", text, sizeof(text));
    tls_client_request(&client, "GET", "/livez", "Connection: close\r\n", NULL);
    (void)tls_client_drain(&client, text, sizeof(text), &end);
    assert_non_null(strstr(text, "Connection: close"));
    assert_int_equal(end, SSL_ERROR_ZERO_RETURN);
    tls_client_close(&client);
}

/* The last row is there, the last chunk, and the word that this was all. */
static void check_rows(int rows, const char *headers, int version)
{
    struct tls_client client;
    char tail[256];
    char wanted[64];
    int end = 0;
    size_t total = 0;

    tls_client_connect(&client, service->port, version, NULL);
    assert_int_equal(tls_client_shake_hands(&client), 1);
    snprintf(wanted, sizeof(wanted), "rows %d", rows);
    send_query(&client, wanted, headers);
    total = tls_client_drain(&client, tail, sizeof(tail), &end);
    snprintf(wanted, sizeof(wanted), "{\"n\":%d}]", rows - 1);
    assert_true(total > (size_t)rows * strlen("{\"n\":1},"));
    assert_non_null(strstr(tail, wanted));
    assert_non_null(strstr(tail, LAST_CHUNK));
    assert_int_equal(end, SSL_ERROR_ZERO_RETURN);
    tls_client_close(&client);
}

static void test_a_million_rows(void **state)
{
    (void)state;
    check_rows(MILLION, "Connection: close\r\n", 0);
    check_rows(MILLION / 4, "Connection: close\r\n", TLS1_2_VERSION);
}

/* What a stream that broke off looks like: no last chunk, and no close_notify. */
static void test_a_failed_stream(void **state)
{
    struct tls_client client;
    char tail[256];
    int end = 0;

    (void)state;
    tls_client_open(&client, service->port);
    send_query(&client, "rows 500000 fail engine_error", "");
    assert_true(tls_client_drain(&client, tail, sizeof(tail), &end) > 1000000);
    assert_null(strstr(tail, "\r\n" LAST_CHUNK));
    assert_int_not_equal(end, SSL_ERROR_ZERO_RETURN);
    tls_client_drop(&client);
}

/* ---- clients that leave ---- */

static void test_leavers(void **state)
{
    static void (*const LEAVE[])(struct tls_client *) = {tls_client_close, tls_client_drop,
                                                         tls_client_reset};

    (void)state;
    for (size_t i = 0; i < sizeof(LEAVE) / sizeof(LEAVE[0]); i++) {
        struct tls_client client;

        tls_client_open(&client, service->port);
        send_query(&client, FOREVER, "");
        wait_busy("\"busy\":1");
        LEAVE[i](&client);
        wait_busy("\"busy\":0");
        /* Amid a stream that the kernel has no room for. */
        tls_client_open(&client, service->port);
        send_query(&client, "rows 100000000", "");
        wait_busy("\"busy\":1");
        LEAVE[i](&client);
        wait_busy("\"busy\":0");
    }
    check_get("/metrics", "spark_service_cancellations_total{reason=\"client_gone\"} 6\n");
}

static int start_impatient(void **state)
{
    (void)state;
    start(SETTINGS("--stream-stall-ms=200"));
    return 0;
}

/* Who takes nothing is cut off, by reset: what was sent must not look whole. */
static void test_stalled_reader(void **state)
{
    struct tls_client client;
    char tail[256];
    int end = 0;

    (void)state;
    tls_client_open(&client, service->port);
    send_query(&client, "rows 100000000", "");
    service_process_wait_logged(service, "client took nothing for too long");
    wait_busy("\"busy\":0");
    (void)tls_client_drain(&client, tail, sizeof(tail), &end);
    assert_int_not_equal(end, SSL_ERROR_ZERO_RETURN);
    tls_client_drop(&client);
}

/* SIGTERM amid an answer: it is sent to its end, then the stream is ended properly. */
static void test_stop_amid_an_answer(void **state)
{
    struct tls_client client;
    char text[256];
    char tail[256];
    int end = 0;

    (void)state;
    tls_client_open(&client, service->port);
    send_query(&client, "rows 1000000", "");
    (void)tls_client_read_until(&client, "\r\n\r\n", text, sizeof(text));
    assert_int_equal(kill(service->pid, SIGTERM), 0);
    (void)tls_client_drain(&client, tail, sizeof(tail), &end);
    assert_non_null(strstr(tail, "{\"n\":999999}]"));
    assert_int_equal(end, SSL_ERROR_ZERO_RETURN);
    tls_client_close(&client);
    service_process_finish(service, 0);
    service = NULL;
}

/* ---- the certificate ---- */

static void reload(const char *logged)
{
    assert_int_equal(kill(service->pid, SIGHUP), 0);
    service_process_wait_logged(service, logged);
}

static long serial_now(void)
{
    struct tls_client client;
    long serial = 0;

    tls_client_open(&client, service->port);
    serial = tls_client_peer_serial(&client);
    tls_client_close(&client);
    return serial;
}

static void test_reload(void **state)
{
    struct tls_client old;
    char text[4096];
    FILE *file = NULL;

    (void)state;
    tls_client_open(&old, service->port);
    assert_int_equal(tls_client_peer_serial(&old), 1);
    make_certificate(cert, key, 2);
    assert_int_equal(serial_now(), 1);
    reload("msg=\"file reloaded\" setting=TLS_CERT");
    assert_int_equal(serial_now(), 2);
    get(&old, "/livez", "live\n", text, sizeof(text));

    file = fopen(cert, "we");
    fputs("not a certificate\n", file);
    fclose(file);
    reload("detail=\"TLS_CERT: can't use ");
    assert_int_equal(serial_now(), 2);
    /* The key of another certificate. */
    make_certificate(cert, key, 3);
    make_certificate("/dev/null", key, 4);
    reload("detail=\"TLS_KEY: can't use ");
    assert_int_equal(serial_now(), 2);
    get(&old, "/livez", "live\n", text, sizeof(text));
    tls_client_close(&old);
}

/* ---- over the cap, probe ---- */

static int start_with_one_connection(void **state)
{
    (void)state;
    start(SETTINGS("--max-connections=1"));
    return 0;
}

static void test_too_many_connections(void **state)
{
    struct tls_client first;
    struct tls_client second;
    char text[1024];
    int end = 0;

    (void)state;
    tls_client_open(&first, service->port);
    get(&first, "/livez", "live\n", text, sizeof(text));
    tls_client_open(&second, service->port);
    (void)tls_client_drain(&second, text, sizeof(text), &end);
    assert_non_null(strstr(text, "HTTP/1.1 503 "));
    assert_int_equal(end, SSL_ERROR_ZERO_RETURN);
    tls_client_close(&second);
    tls_client_close(&first);
}

static int probe(const char *flags, const char *what)
{
    char command[512];
    int status = 0;

    snprintf(command, sizeof(command), "%s --listen=127.0.0.1:%d %s probe %s >/dev/null",
             getenv("FAKE_SERVICE"), service->port, flags, what);
    status = system(command); /* NOLINT: a test's own words */
    return WEXITSTATUS(status);
}

static void test_probe(void **state)
{
    char flags[256];

    (void)state;
    snprintf(flags, sizeof(flags), "--tls-cert=%s --tls-key=%s", cert, key);
    assert_int_equal(probe(flags, "live"), 0);
    assert_int_equal(probe(flags, "ready"), 0);
    assert_int_equal(probe("", "live"), 1);
}

static void test_wrong_files(void **state)
{
    char flags[256];
    struct service_process *process = NULL;

    (void)state;
    snprintf(flags, sizeof(flags), "--tls-key=%s", key);
    process = service_process_spawn(SETTINGS("--tls-cert=/nowhere", flags));
    service_process_wait_logged(process, "TLS_CERT: can't use /nowhere: ");
    service_process_finish(process, 2);
    process = service_process_spawn(SETTINGS(flags));
    service_process_wait_logged(process, "TLS_CERT and TLS_KEY: one without the other");
    service_process_finish(process, 2);
}

#define IN_SERVICE(test) cmocka_unit_test_setup_teardown(test, start_service, stop_service)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SERVICE(test_handshakes),
        IN_SERVICE(test_ciphers_of_tls_1_2),
        IN_SERVICE(test_no_handshake_at_all),
        IN_SERVICE(test_keeps_alive_and_ends),
        IN_SERVICE(test_a_million_rows),
        IN_SERVICE(test_a_failed_stream),
        IN_SERVICE(test_leavers),
        cmocka_unit_test_setup_teardown(test_stalled_reader, start_impatient, stop_service),
        IN_SERVICE(test_stop_amid_an_answer),
        IN_SERVICE(test_reload),
        cmocka_unit_test_setup_teardown(test_too_many_connections, start_with_one_connection,
                                        stop_service),
        IN_SERVICE(test_probe),
        IN_SERVICE(test_wrong_files),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("service_tls", tests, NULL, NULL);
}
