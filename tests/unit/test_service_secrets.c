/* needs: unit/service_process.c unit/service_client.c */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "service_client.h"
#include "service_process.h"

/* Larger regions are a sanitizer's shadow or arenas nobody has touched. */
#define REGION_MAX_BYTES (128L * 1024 * 1024)

static struct service_process *service;

/* How often the bytes stand in one region of the process's memory. */
static int count_in_region(int memory, unsigned long begin, size_t length, const char *secret)
{
    char *bytes = malloc(length);
    int count = 0;
    ssize_t got = 0;

    assert_non_null(bytes);
    got = pread(memory, bytes, length, (off_t)begin);
    for (char *at = bytes;
         got > 0 && (at = memmem(at, (size_t)(bytes + got - at), secret, strlen(secret))) != NULL;
         at++)
        count++;
    free(bytes);
    return count;
}

/* How often the bytes stand in the writable memory of the service. */
static int count_in_memory(const char *secret)
{
    char path[64];
    char line[512];
    int count = 0;
    int memory = -1;
    FILE *maps = NULL;

    snprintf(path, sizeof(path), "/proc/%d/maps", (int)service->pid);
    maps = fopen(path, "re");
    snprintf(path, sizeof(path), "/proc/%d/mem", (int)service->pid);
    memory = open(path, O_RDONLY | O_CLOEXEC);
    assert_non_null(maps);
    assert_true(memory >= 0);
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long begin = 0;
        unsigned long end = 0;
        char mode[8] = "";

        assert_int_equal(sscanf(line, "%lx-%lx %7s", &begin, &end, mode), 3);
        if (mode[0] == 'r' && mode[1] == 'w' && end - begin <= REGION_MAX_BYTES)
            count += count_in_region(memory, begin, end - begin, secret);
    }
    close(memory);
    fclose(maps);
    return count;
}

/* `number` makes each one's password its own; `pad` a body of several reads. */
static void check_forgotten(int number, const char *body, int status, size_t pad)
{
    char secret[48];
    char *text = malloc(strlen(body) + sizeof(secret) + pad + 1);
    struct answer answer;

    assert_non_null(text);
    snprintf(secret, sizeof(secret), "p4ss-%d-w0rd-that-nobody-keeps", number);
    sprintf(text, body, secret);
    for (size_t i = strlen(text), end = i + pad; i < end; i++)
        memcpy(text + i, " ", 2);
    assert_true(service_client_once(service->port, "POST", "/api/spark/query/mysql",
                                    "Content-Type: application/json\r\n", text, &answer));
    assert_int_equal(answer.status, status);
    assert_null(strstr(answer.body, secret));
    answer_done(&answer);
    free(text);
    assert_int_equal(count_in_memory(secret), 0);
    assert_false(service_process_logged(service, secret));
}

static void test_password_is_forgotten(void **state)
{
    (void)state;
    /* Refused: the host isn't allowed. */
    check_forgotten(1,
                    "{\"sql\":\"SELECT 1\",\"config\":{\"host\":\"db\",\"user\":\"u\","
                    "\"password\":\"%s\"}}",
                    403, 0);
    check_forgotten(2,
                    "{\"sql\":\"SELECT 1\",\"config\":{\"host\":\"db\",\"user\":\"u\","
                    "\"password\":\"%s\"}}",
                    403, 300000);
    check_forgotten(3, "{\"sql\":\"SELECT 1\",\"config\":{\"pasword\":\"%s\"}}", 400, 0);
    check_forgotten(4, "{\"sql\":\"SELECT 1\",\"config\":{\"password\":\"%s", 400, 0);
    check_forgotten(5, "{\"sql\":\"SELECT 1\",\"config\":{\"password\":\"%s", 400, 100000);
}

/* The search itself finds what is there. */
static void test_memory_is_searched(void **state)
{
    (void)state;
    assert_true(count_in_memory(service->data) > 0);
}

static int start(void **state)
{
    (void)state;
    service = service_process_start_ready(SETTINGS("MYSQL_HOST=other", "MYSQL_USER=u"));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    service_process_stop_idle(&service);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_searched),
        cmocka_unit_test(test_password_is_forgotten),
    };

    return cmocka_run_group_tests_name("service_secrets", tests, start, stop);
}
