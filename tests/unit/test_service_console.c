/* needs: unit/service_process.c unit/service_client.c */
/* The console page's parts as the service serves them; a browser looks at them in
 * tests/integration/test_console.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "service_client.h"
#include "service_process.h"

static void get(const struct service_process *service, const char *target, struct answer *answer)
{
    assert_true(service_client_once(service->port, "GET", target, "", NULL, answer));
    assert_int_equal(answer->status, 200);
    assert_true(answer->complete);
}

static void check_part(const struct service_process *service, const char *target, const char *type,
                       const char *part)
{
    struct answer answer;
    char value[512];

    get(service, target, &answer);
    assert_string_equal(answer_header(&answer, "Content-Type", value, sizeof(value)), type);
    assert_string_equal(answer_header(&answer, "X-Content-Type-Options", value, sizeof(value)),
                        "nosniff");
    assert_non_null(answer_header(&answer, "Content-Security-Policy", value, sizeof(value)));
    assert_non_null(strstr(value, "default-src 'none'; script-src 'self'; style-src 'self';"));
    assert_non_null(strstr(value, "frame-ancestors 'none'"));
    assert_null(strstr(value, "unsafe"));
    assert_non_null(strstr(answer.body, part));
    answer_done(&answer);
}

static void test_parts(void **state)
{
    struct service_process *service = service_process_start_ready(SETTINGS());
    struct answer answer;

    (void)state;
    check_part(service, "/", "text/html; charset=utf-8", "</html>\n");
    check_part(service, "/console.css", "text/css; charset=utf-8", ":root {");
    check_part(service, "/console.js", "text/javascript; charset=utf-8", "start();\n");
    assert_true(service_client_once(service->port, "POST", "/", "", "", &answer));
    assert_int_equal(answer.status, 405);
    answer_done(&answer);
    service_process_stop(service);
}

/* The page runs under its own policy: nothing inline, nothing from elsewhere. */
static void test_page_holds_to_the_policy(void **state)
{
    static const char *const forbidden[] = {"<style",      "style=",      "onclick",
                                            "onload",      "javascript:", "src=\"http",
                                            "href=\"http", "src=\"//",    "href=\"//"};
    struct service_process *service = service_process_start_ready(SETTINGS());
    struct answer answer;

    (void)state;
    get(service, "/", &answer);
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        if (strstr(answer.body, forbidden[i]) != NULL)
            fail_msg("the page has %s", forbidden[i]);
    }
    for (const char *at = answer.body; (at = strstr(at, "<script")) != NULL; at++)
        assert_int_equal(strncmp(at, "<script src=\"/console.js\" defer></script>", 41), 0);
    answer_done(&answer);
    get(service, "/console.js", &answer);
    assert_null(strstr(answer.body, "innerHTML"));
    assert_null(strstr(answer.body, "insertAdjacentHTML"));
    assert_null(strstr(answer.body, "eval("));
    answer_done(&answer);
    service_process_stop(service);
}

static void check_facts(const struct service_process *service, const char *part)
{
    struct answer answer;

    get(service, "/console.json", &answer);
    if (strstr(answer.body, part) == NULL)
        fail_msg("no %s in %s", part, answer.body);
    answer_done(&answer);
}

/* Offered is what was there at the start, from the first root that has it. */
static void test_facts(void **state)
{
    struct service_process *service = NULL;
    char base[64] = "/tmp/spark-service-console-XXXXXX";
    char folder[128];
    char flag[256];
    char expected[512];

    (void)state;
    assert_non_null(mkdtemp(base));
    for (const char *const *part =
             (const char *const[]){"/one", "/two", "/two/delta", "/two/delta/users", "/two/parquet",
                                   "/one/parquet", "/one/parquet/users", "/iceberg",
                                   "/iceberg/users", NULL};
         *part != NULL; part++) {
        snprintf(folder, sizeof(folder), "%s%s", base, *part);
        assert_int_equal(mkdir(folder, 0700), 0);
    }
    snprintf(flag, sizeof(flag), "--data-roots=%s/one/,s3a://bucket/prefix,%s/two,%s/iceberg", base,
             base, base);
    service = service_process_start_ready(SETTINGS(flag));
    check_facts(service, "{\"version\":\"");
    check_facts(service, "\"spark_line\":\"4.1.0\"");
    check_facts(service, "\"mysql\":false");
    snprintf(expected, sizeof(expected),
             "\"roots\":[\"%s/one\",\"s3a://bucket/prefix\",\"%s/two\",\"%s/iceberg\"]", base, base,
             base);
    check_facts(service, expected);
    snprintf(expected, sizeof(expected),
             "\"samples\":{\"parquet\":\"%s/one/parquet/users\",\"delta\":\"%s/two/delta/"
             "users\",\"iceberg\":\"%s/iceberg/users\"}}",
             base, base, base);
    check_facts(service, expected);
    service_process_stop(service);
    snprintf(folder, sizeof(folder), "rm -r %s", base);
    assert_int_equal(system(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_page_holds_to_the_policy),
        cmocka_unit_test(test_facts),
    };

    return cmocka_run_group_tests_name("service_console", tests, NULL, NULL);
}
