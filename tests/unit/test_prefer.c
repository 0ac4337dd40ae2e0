#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/prefer.h"

#define MAXIMUM_MS 600000

static void check(const char *value, int64_t wait_ms, const char *applied)
{
    struct prefer prefer = prefer_parse(value);
    char text[PREFER_APPLIED_BYTES];

    prefer_format_applied(&prefer, text);
    assert_int_equal(prefer_wait_ms(&prefer, MAXIMUM_MS), wait_ms);
    assert_string_equal(text, applied);
}

static void test_what_is_honoured(void **state)
{
    (void)state;
    check(NULL, -1, "");
    check("", -1, "");
    check("respond-async", 0, "respond-async");
    check("Respond-ASYNC", 0, "respond-async");
    check("wait=5", 5000, "wait=5");
    check("WAIT = 5", 5000, "wait=5");
    check("wait=0", 0, "wait=0");
    check("wait=\"7\"", 7000, "wait=7");
    check("respond-async, wait=10", 10000, "respond-async, wait=10");
    check("wait=10,respond-async", 10000, "respond-async, wait=10");
    check("respond-async=\"\"", 0, "respond-async");
    check("respond-async; x=y", 0, "respond-async");
    check(" , ,respond-async\t,", 0, "respond-async");
    check("return=minimal; foo=\"a, wait=1\", wait=3", 3000, "wait=3");
    check("x=\"\\\", wait=1\", wait=3", 3000, "wait=3");
}

static void test_longest_wait(void **state)
{
    (void)state;
    check("wait=600", MAXIMUM_MS, "wait=600");
    check("wait=601", MAXIMUM_MS, "wait=601");
    check("wait=99999999999999999999999999", MAXIMUM_MS, "wait=2147483647");
}

static void test_what_is_ignored(void **state)
{
    (void)state;
    check("return=representation", -1, "");
    check("wait", -1, "");
    check("wait=", -1, "");
    check("wait=-1", -1, "");
    check("wait=1.5", -1, "");
    check("wait=5s", -1, "");
    check("wait=\"", -1, "");
    check("wait=\"5", 5000, "wait=5");
    check("waiter=5, respond-asyncs, await=5", -1, "");
    check("respond-async=no", -1, "");
    check("x=\"wait=5", -1, "");
    check("=5, \"wait\"=5", -1, "");
    check("wait=5, wait=6", 5000, "wait=5");
    check("wait=x, wait=6", -1, ""); /* the first counts */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_honoured),
        cmocka_unit_test(test_longest_wait),
        cmocka_unit_test(test_what_is_ignored),
    };

    return cmocka_run_group_tests_name("prefer", tests, NULL, NULL);
}
