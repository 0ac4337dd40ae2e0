#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/deadline.h"
#include "../../service/mysql_probe.h"

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

static bool probe_greeted(const char *greeting, size_t length, int timeout_ms)
{
    struct greeter greeter = {.greeting = greeting, .length = length};
    bool ok = false;

    open_greeter(&greeter);
    assert_int_equal(listen(greeter.listener, 1), 0);
    assert_int_equal(pthread_create(&greeter.thread, NULL, greet, &greeter), 0);
    ok = mysql_probe("127.0.0.1", greeter.port, timeout_ms);
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
    assert_false(mysql_probe("127.0.0.1", nobody.port, 10000));
    close(nobody.listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_probe)};

    return cmocka_run_group_tests_name("mysql_probe", tests, NULL, NULL);
}
