#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/deadline.h"
#include "../../service/mysql_sources.h"

/* Settings as literals; nothing here frees them. */
static struct settings with_hosts(char *hosts)
{
    return (struct settings){.mysql_hosts = hosts, .mysql_port = 3306};
}

static struct settings with_main(char *hosts)
{
    struct settings settings = with_hosts(hosts);

    settings.mysql_host = "Main.example";
    settings.mysql_port = 3307;
    settings.mysql_user = "reader";
    settings.mysql_password = "s3cret";
    settings.mysql_database = "shop";
    return settings;
}

static struct mysql_sources *open_sources(const struct settings *settings)
{
    struct mysql_sources *sources = NULL;
    struct error err;

    assert_int_equal(mysql_sources_new(settings, &sources, &err), 0);
    return sources;
}

static void check_target(const struct settings *settings, struct query_mysql_config config,
                         const char *host, int port, const char *user, const char *password,
                         const char *database)
{
    struct mysql_sources *sources = open_sources(settings);
    struct mysql_target target;
    struct error err;

    assert_int_equal(mysql_sources_resolve(sources, &config, &target, &err), 0);
    mysql_sources_free(sources); /* the target owns its text */
    assert_string_equal(target.host, host);
    assert_int_equal(target.port, port);
    assert_string_equal(target.user, user);
    assert_string_equal(target.password, password);
    if (database != NULL)
        assert_string_equal(target.database, database);
    else
        assert_null(target.database);
    mysql_target_done(&target);
    assert_null(target.password);
    mysql_target_done(&target);
}

static void check_refused(const struct settings *settings, struct query_mysql_config config,
                          enum error_code code, const char *part)
{
    struct mysql_sources *sources = open_sources(settings);
    struct mysql_target target;
    struct error err;

    assert_int_equal(mysql_sources_resolve(sources, &config, &target, &err), -1);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.detail, part));
    mysql_sources_free(sources);
}

#define CONFIG(...) ((struct query_mysql_config){__VA_ARGS__})

static void test_main_source(void **state)
{
    struct settings settings = with_main("");

    (void)state;
    check_target(&settings, CONFIG(0), "Main.example", 3307, "reader", "s3cret", "shop");
    check_target(&settings, CONFIG(.source = "main"), "Main.example", 3307, "reader", "s3cret",
                 "shop");
    check_target(&settings, CONFIG(.source = "main", .database = "other"), "Main.example", 3307,
                 "reader", "s3cret", "other");
    settings.mysql_password = NULL;
    settings.mysql_database = NULL;
    check_target(&settings, CONFIG(0), "Main.example", 3307, "reader", "", NULL);
    check_refused(&settings, CONFIG(.source = "second"), ERROR_BAD_REQUEST, "config.source");
}

static void test_no_main_source(void **state)
{
    struct settings settings = with_hosts("a");
    struct mysql_sources *sources = open_sources(&settings);

    (void)state;
    assert_false(mysql_sources_has_main(sources));
    mysql_sources_free(sources);
    mysql_sources_free(NULL);
    check_refused(&settings, CONFIG(0), ERROR_BAD_REQUEST, "no MySQL source is set up");
    check_refused(&settings, CONFIG(.source = "main"), ERROR_BAD_REQUEST, "MYSQL_HOST");
}

static void test_hosts_of_requests(void **state)
{
    struct settings settings = with_main("a, b.example:3310,,  c:1");

    (void)state;
    check_target(&settings, CONFIG(.host = "a", .user = "u"), "a", 3306, "u", "", NULL);
    check_target(&settings, CONFIG(.host = "A", .port = 3306, .user = "u", .password = "p"), "A",
                 3306, "u", "p", NULL);
    check_target(&settings, CONFIG(.host = "B.Example", .port = 3310, .user = "u", .database = "d"),
                 "B.Example", 3310, "u", "", "d");
    check_target(&settings, CONFIG(.host = "c", .port = 1, .user = "u"), "c", 1, "u", "", NULL);
    /* The host of main may be named, but brings no credential with it. */
    check_target(&settings, CONFIG(.host = "main.example", .port = 3307, .user = "u"),
                 "main.example", 3307, "u", "", NULL);
    check_refused(&settings, CONFIG(.host = "main.example", .port = 3307), ERROR_BAD_REQUEST,
                  "config.user");
}

static void test_hosts_that_are_not_allowed(void **state)
{
    struct settings settings = with_main("a, b:3310");
    struct settings none = with_hosts("");

    (void)state;
    check_refused(&settings, CONFIG(.host = "x", .user = "u"), ERROR_FORBIDDEN, "x:3306");
    check_refused(&settings, CONFIG(.host = "a", .port = 3310, .user = "u"), ERROR_FORBIDDEN,
                  "a:3310");
    check_refused(&settings, CONFIG(.host = "b", .user = "u"), ERROR_FORBIDDEN, "b:3306");
    check_refused(&settings, CONFIG(.host = "main.example", .user = "u"), ERROR_FORBIDDEN,
                  "main.example:3306");
    check_refused(&settings, CONFIG(.host = "", .user = "u"), ERROR_FORBIDDEN, ":3306");
    check_refused(&settings, CONFIG(.host = "a:3306", .user = "u"), ERROR_FORBIDDEN, "a:3306");
    check_refused(&none, CONFIG(.host = "a", .user = "u"), ERROR_FORBIDDEN, "MYSQL_HOSTS");
}

static void check_bad_setting(const struct settings *settings, const char *part)
{
    struct mysql_sources *sources = NULL;
    struct error err;

    assert_int_equal(mysql_sources_new(settings, &sources, &err), -1);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_non_null(strstr(err.detail, part));
    assert_null(sources);
}

static void test_bad_settings(void **state)
{
    static char *const LISTS[] = {":3306", "a:", "a:0", "a:65536", "a:-1", "a:x", "a:1x", "ok,a:x"};
    struct settings settings = {0};
    char many[512] = "";

    (void)state;
    for (size_t i = 0; i < sizeof(LISTS) / sizeof(LISTS[0]); i++) {
        settings = with_hosts(LISTS[i]);
        check_bad_setting(&settings, "is not host:port");
    }
    for (size_t i = 0; i < 65; i++)
        strcat(many, "h,");
    settings = with_hosts(many);
    check_bad_setting(&settings, "more than 64 hosts");
    settings = with_main("");
    settings.mysql_user = NULL;
    check_bad_setting(&settings, "MYSQL_USER");
}

/* ---- the probe ---- */

/* Takes one connection and says `greeting`; then waits for the other's end. */
struct greeter {
    pthread_t thread;
    int listener;
    int port;
    const char *greeting;
    size_t length;
};

static void *greet(void *argument)
{
    struct greeter *greeter = argument;
    int fd = accept(greeter->listener, NULL, NULL);
    char byte = 0;

    if (fd >= 0) {
        (void)!write(fd, greeter->greeting, greeter->length);
        while (read(fd, &byte, 1) > 0)
            ;
        close(fd);
    }
    return NULL;
}

static void open_greeter(struct greeter *greeter)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    greeter->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(greeter->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(greeter->listener, (struct sockaddr *)&address, &length), 0);
    greeter->port = ntohs(address.sin_port);
}

static bool probe(const struct greeter *greeter, int timeout_ms)
{
    struct settings settings = with_main("");
    struct mysql_sources *sources = NULL;
    bool ok = false;

    settings.mysql_host = "127.0.0.1";
    settings.mysql_port = greeter->port;
    sources = open_sources(&settings);
    assert_true(mysql_sources_has_main(sources));
    ok = mysql_sources_probe_main(sources, timeout_ms);
    mysql_sources_free(sources);
    return ok;
}

static bool probe_greeted(const char *greeting, size_t length, int timeout_ms)
{
    struct greeter greeter = {.greeting = greeting, .length = length};
    bool ok = false;

    open_greeter(&greeter);
    assert_int_equal(listen(greeter.listener, 1), 0);
    assert_int_equal(pthread_create(&greeter.thread, NULL, greet, &greeter), 0);
    ok = probe(&greeter, timeout_ms);
    assert_int_equal(pthread_join(greeter.thread, NULL), 0);
    close(greeter.listener);
    return ok;
}

static void test_probe(void **state)
{
    struct greeter nobody = {0};
    struct monotime begin;

    (void)state;
    assert_true(probe_greeted("\x4a\0\0\0\x0a"
                              "8.0.36",
                              11, 10000));
    assert_false(probe_greeted("HTTP/1.1 400", 12, 10000));
    assert_false(probe_greeted("\x10\0\0\0\xff"
                               "Host is blocked",
                               20, 10000));
    assert_false(probe_greeted("\x4a", 1, 10000));
    begin = monotime_now();
    assert_false(probe_greeted("", 0, 50)); /* connected, but silent */
    assert_true(monotime_span_ms(begin, monotime_now()) >= 45);

    open_greeter(&nobody); /* bound, not listening: refused */
    assert_false(probe(&nobody, 10000));
    close(nobody.listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_main_source),       cmocka_unit_test(test_no_main_source),
        cmocka_unit_test(test_hosts_of_requests), cmocka_unit_test(test_hosts_that_are_not_allowed),
        cmocka_unit_test(test_bad_settings),      cmocka_unit_test(test_probe),
    };

    return cmocka_run_group_tests_name("mysql_sources", tests, NULL, NULL);
}
