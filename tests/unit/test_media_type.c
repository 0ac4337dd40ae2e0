#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../service/media_type.h"

#define JSON "application/json"

static void test_content_type(void **state)
{
    static const struct {
        const char *value;
        bool is_json;
    } CASES[] = {
        {JSON, true},
        {"Application/JSON", true},
        {JSON "; charset=utf-8", true},
        {JSON ";charset=utf-8", true},
        {"  " JSON "\t; charset=utf-8", true},
        {JSON " ", true},
        {NULL, false},
        {"", false},
        {";" JSON, false},
        {"application/jsonp", false},
        {"application/jso", false},
        {"text/json", false},
        {"text/plain; a=" JSON, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        if (media_type_is(CASES[i].value, JSON) != CASES[i].is_json)
            fail_msg("Content-Type: %s", CASES[i].value);
    }
}

static void test_accept(void **state)
{
    static const struct {
        const char *value;
        bool accepted;
    } CASES[] = {
        /* nothing said accepts everything */
        {NULL, true},
        {"", true},
        {"  ", true},
        /* ranges */
        {JSON, true},
        {"APPLICATION/json", true},
        {"*/*", true},
        {"application/*", true},
        {"Application/*", true},
        {"text/html, " JSON, true},
        {"text/html,,\t" JSON " ", true},
        {"text/csv", false},
        {"text/*", false},
        {"app/*", false},
        {"application/jsonp", false},
        {"application/xml, text/html", false},
        {",", false},
        /* weights */
        {JSON ";q=0", false},
        {JSON "; q=0.000", false},
        {JSON ";Q=0", false},
        {JSON ";q=0.001", true},
        {JSON ";q=1.000", true},
        {"*/*;q=0", false},
        {"application/*; q=0", false},
        /* the most specific range decides, in whatever order */
        {"*/*, " JSON ";q=0", false},
        {JSON ";q=0, */*", false},
        {"*/*;q=0, " JSON, true},
        {JSON ", */*;q=0", true},
        {"*/*;q=0, application/*;q=0.1", true},
        {"application/*;q=0, */*", false},
        {"application/*;q=0, " JSON ";q=0.5", true},
        /* parameters before the weight; a weight that is none counts as absent */
        {JSON ";charset=utf-8;q=0", false},
        {JSON "; charset=utf-8 ; q=0.5", true},
        {JSON ";quality=0", true},
        {JSON ";q=high", true},
        {JSON ";q=", true},
        {JSON ";q=-1", true},
        {"text/html;q=0, " JSON ";q=1", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        if (media_type_accepted(CASES[i].value, JSON) != CASES[i].accepted)
            fail_msg("Accept: %s", CASES[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content_type),
        cmocka_unit_test(test_accept),
    };

    return cmocka_run_group_tests_name("media_type", tests, NULL, NULL);
}
