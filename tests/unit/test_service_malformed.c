/* needs: unit/service_process.c unit/service_client.c */
/* The table of malformed requests against the whole service, under sanitizers too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "service_process.h"

static void test_every_malformed_request(void **state)
{
    struct service_process *service = service_process_start(SETTINGS("--workers=1"));
    int descriptors = service_process_descriptors(service);
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "python3 tests/integration/http_cases.py %d >&2",
             service->port);
    assert_int_equal(system(command), 0);
    assert_int_equal(service_process_descriptors(service), descriptors);
    service_process_stop(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_malformed_request),
    };

    return cmocka_run_group_tests_name("service_malformed", tests, NULL, NULL);
}
