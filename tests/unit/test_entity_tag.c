#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/entity_tag.h"

/* SHA-256 of "abc" begins so (FIPS 180-4, example). */
#define ABC "\"ba7816bf8f01cfea414140de5dae2223\""

static void test_is_of_the_bytes(void **state)
{
    struct entity_tag tag = entity_tag_of("abc", 3);
    struct entity_tag empty = entity_tag_of("", 0);

    (void)state;
    assert_string_equal(tag.text, ABC);
    assert_string_equal(empty.text, "\"e3b0c44298fc1c149afbf4c8996fb924\"");
}

static void test_is_named(void **state)
{
    static const char *const NAMED[] = {
        ABC, "*", " *", "W/" ABC, "\"x\", " ABC, ABC ",\"y\"", "\"a,b\" ,\t" ABC, "W/\"\"," ABC,
    };
    struct entity_tag tag = entity_tag_of("abc", 3);

    (void)state;
    for (size_t i = 0; i < sizeof(NAMED) / sizeof(NAMED[0]); i++) {
        if (!entity_tag_is_named(&tag, NAMED[i]))
            fail_msg("not named by %s", NAMED[i]);
    }
}

static void test_is_not_named(void **state)
{
    static const char *const OTHERS[] = {
        "",   "\"x\"", "ba7816bf8f01cfea414140de5dae2223",   "\"x" ABC, "**", "x, " ABC,
        "\"", "W/",    "\"ba7816bf8f01cfea414140de5dae2223", "w/" ABC,
    };
    struct entity_tag tag = entity_tag_of("abc", 3);
    const struct entity_tag none = {""};

    (void)state;
    for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++) {
        if (entity_tag_is_named(&tag, OTHERS[i]))
            fail_msg("named by %s", OTHERS[i]);
    }
    assert_false(entity_tag_is_named(&tag, NULL));
    assert_false(entity_tag_is_named(&none, "*"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_of_the_bytes),
        cmocka_unit_test(test_is_named),
        cmocka_unit_test(test_is_not_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
