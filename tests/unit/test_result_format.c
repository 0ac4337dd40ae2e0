#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/result_format.h"

#define JSON "application/json"
#define ENVELOPE "application/vnd.spark-service.result+json"
#define NDJSON "application/x-ndjson"
#define CSV "text/csv"
#define ARROW "application/vnd.apache.arrow.stream"

/* "csv", "ndjson+end"; "406" when nothing fits. */
static const char *chosen_format(const char *accept)
{
    static char text[32];
    struct result_choice choice;
    struct error err;

    if (result_choice_negotiate(accept, NULL, &choice, &err) != 0) {
        assert_int_equal(err.code, ERROR_NOT_ACCEPTABLE);
        return "406";
    }
    assert_int_equal(choice.coding, CODING_IDENTITY);
    snprintf(text, sizeof(text), "%s%s", result_format_name(choice.format),
             choice.end_line ? "+end" : "");
    return text;
}

static void test_accept(void **state)
{
    static const struct {
        const char *accept;
        const char *format;
    } CASES[] = {
        /* not sent, or nothing in it */
        {NULL, "json"},
        {"", "json"},
        {" \t", "json"},
        /* each by its name, parameters or not */
        {JSON, "json"},
        {ENVELOPE, "envelope"},
        {NDJSON, "ndjson"},
        {NDJSON ";end=1", "ndjson+end"},
        {NDJSON " ; END=\"1\"", "ndjson+end"},
        {NDJSON ";end=0", "ndjson"},
        {NDJSON ";end=2", "406"},
        {CSV, "csv"},
        {ARROW, "arrow"},
        {JSON ";charset=utf-8", "json"},
        {CSV "; header=present; charset=utf-8", "csv"},
        {CSV ";end=1", "csv"},
        {"TEXT/CSV", "csv"},
        /* ranges; equal ones in our order */
        {"*/*", "json"},
        {"application/*", "json"},
        {"text/*", "csv"},
        {CSV ", " JSON, "json"},
        {ARROW "," CSV, "csv"},
        {NDJSON ";end=1," NDJSON, "ndjson"},
        {NDJSON ";end=1, */*;q=0.1", "ndjson+end"},
        {"text/html, */*;q=0.8", "json"},
        /* q */
        {JSON ";q=0.5, " CSV, "csv"},
        {JSON ";q=0.5, " CSV ";q=0.6, " ARROW ";q=0.7", "arrow"},
        {JSON ";q=0.001, " CSV ";q=0", "json"},
        {CSV ";charset=utf-8;q=0.9, " JSON ";q=0.8", "csv"},
        {"*/*;q=0.1, " CSV ";q=0.2", "csv"},
        /* of a type's ranges the most specific one counts, wherever it stands */
        {"*/*, " JSON ";q=0", "envelope"},
        {JSON ";q=0, */*", "envelope"},
        {"application/*;q=0, */*", "csv"},
        {"application/*;q=0.2, */*;q=0.1", "json"},
        {"application/*;q=0.2, */*;q=0.3", "csv"},
        {JSON ";q=0.1, application/*;q=0.9, */*;q=0.5", "envelope"},
        {NDJSON ";q=0.9, " NDJSON ";end=1;q=0.1, " JSON ";q=0.2", "ndjson"},
        {NDJSON ";q=0, " NDJSON ";end=1", "ndjson+end"},
        {"*/*;q=0, " CSV, "csv"},
        /* nothing fits */
        {"text/html", "406"},
        {"image/*", "406"},
        {"*/*;q=0", "406"},
        {JSON ";q=0", "406"},
        {"json", "406"},
        {"*", "406"},
        {"application/jso", "406"},
        /* a broken q is none; quotes hold commas */
        {CSV ";q=abc, " JSON ";q=0.9", "csv"},
        {CSV ";x=\"," JSON ",\"", "csv"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *found = chosen_format(CASES[i].accept);

        if (strcmp(found, CASES[i].format) != 0)
            fail_msg("Accept: %s: %s, not %s", CASES[i].accept, found, CASES[i].format);
    }
}

/* "gzip", "identity"; with '!' when identity is refused; "406". */
static const char *chosen_coding(const char *accept_encoding)
{
    static char text[32];
    struct result_choice choice;
    struct error err;

    if (result_choice_negotiate(NULL, accept_encoding, &choice, &err) != 0) {
        assert_int_equal(err.code, ERROR_NOT_ACCEPTABLE);
        return "406";
    }
    assert_int_equal(choice.format, RESULT_JSON);
    snprintf(text, sizeof(text), "%s%s",
             choice.coding == CODING_IDENTITY ? "identity" : content_coding_name(choice.coding),
             choice.identity_refused ? "!" : "");
    return text;
}

static void test_accept_encoding(void **state)
{
    static const struct {
        const char *accept_encoding;
        const char *coding;
    } CASES[] = {
        {NULL, "identity"},
        {"", "identity"},
        {"identity", "identity"},
        {"gzip", "gzip"},
        {"x-gzip", "gzip"},
        {"GZIP", "gzip"},
        {"zstd", "zstd"},
        {"br, deflate", "identity"},
        {"gzip, deflate", "gzip"},
        {"deflate, gzip, br, zstd", "zstd"},
        {"gzip, identity", "gzip"},
        {"zstd;q=0.5, gzip;q=0.6", "gzip"},
        {"gzip;q=0.5, identity;q=0.6", "identity"},
        {"gzip;q=0.5", "gzip"},
        {"gzip;q=0", "identity"},
        {"gzip;q=0.000, zstd", "zstd"},
        {"*", "zstd"},
        {"*;q=0.1, gzip", "gzip"},
        {"zstd;q=0, *", "gzip"},
        {"gzip, *;q=0", "gzip!"},
        {"*;q=0", "406"},
        {"identity;q=0", "406"},
        {"identity;q=0, gzip", "gzip!"},
        {"identity;q=0, *", "zstd!"},
        {"identity, *;q=0", "identity"},
        {"br, identity;q=0", "406"},
        {"gzip;q=0, zstd;q=0, identity;q=0", "406"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *found = chosen_coding(CASES[i].accept_encoding);

        if (strcmp(found, CASES[i].coding) != 0)
            fail_msg("Accept-Encoding: %s: %s, not %s", CASES[i].accept_encoding, found,
                     CASES[i].coding);
    }
}

static void check_content_type(const char *accept, const char *expected)
{
    struct result_choice choice;
    struct error err;

    assert_int_equal(result_choice_negotiate(accept, NULL, &choice, &err), 0);
    assert_string_equal(result_choice_content_type(&choice), expected);
}

static void test_content_types(void **state)
{
    (void)state;
    check_content_type(NULL, JSON);
    check_content_type(JSON, JSON);
    check_content_type(ENVELOPE, ENVELOPE);
    check_content_type(NDJSON, NDJSON);
    check_content_type(NDJSON ";end=1", NDJSON ";end=1");
    check_content_type(CSV, CSV "; charset=utf-8; header=present");
    check_content_type(ARROW, ARROW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_accept_encoding),
        cmocka_unit_test(test_content_types),
    };

    return cmocka_run_group_tests_name("result_format", tests, NULL, NULL);
}
