/* needs: unit/temp_folder.c */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/data_roots.h"
#include "../../service/path_beneath.h"
#include "../../service/path_syntax.h"
#include "temp_folder.h"

#define SOMEBODY_ELSE 65534 /* nobody */

/*
 * Below the folder of the test:
 *
 * root/users/part      a file
 * root/in -> users     root/up -> ../outside
 * root/abs -> outside
 * root/gone -> outside/missing     root/soon -> users/missing
 * root/loop -> loop    root/chain -> up
 * root-of-others/      outside/secret      alias -> root
 */
static void make_link(const char *target, const char *name)
{
    assert_int_equal(symlink(target, temp_at(name)), 0);
}

static int set_up(void **state)
{
    (void)state;
    if (temp_folder_make("test_data_roots") != 0)
        return -1;
    if (chmod(temp_folder, 0755) != 0)
        return -1;
    temp_make_folder("root");
    temp_make_folder("root/users");
    temp_make_folder("root-of-others");
    temp_make_folder("outside");
    temp_make_folder("outside/secret");
    FILE *part = fopen(temp_at("root/users/part"), "w");
    if (part == NULL)
        return -1;
    fclose(part);
    make_link("users", "root/in");
    make_link("../outside", "root/up");
    make_link(temp_at("outside"), "root/abs");
    make_link(temp_at("outside/missing"), "root/gone");
    make_link("users/missing", "root/soon");
    make_link("loop", "root/loop");
    make_link("up", "root/chain");
    make_link("root", "alias");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return temp_folder_remove();
}

static struct data_roots *roots_of(const char *text)
{
    struct data_roots *roots = NULL;
    struct error err;

    if (data_roots_new(text, &roots, &err) != 0)
        fail_msg("%s", err.detail);
    return roots;
}

static void check_found(const char *root, const char *path, const char *expected)
{
    struct data_roots *roots = roots_of(root);
    struct error err;
    char *resolved = NULL;

    if (data_roots_resolve(roots, path, &resolved, &err) != 0)
        fail_msg("%s: %s", path, err.detail);
    assert_string_equal(resolved, expected);
    free(resolved);
    data_roots_free(roots);
}

static void check_refused(const char *root, const char *path, enum error_code code,
                          const char *reason)
{
    struct data_roots *roots = roots_of(root);
    struct error err;
    char *resolved = NULL;

    if (data_roots_resolve(roots, path, &resolved, &err) != -1)
        fail_msg("%s is accepted as %s", path, resolved);
    assert_null(resolved);
    if (err.code != code || strstr(err.detail, reason) == NULL)
        fail_msg("%s: %s: %s", path, error_code_name(err.code), err.detail);
    data_roots_free(roots);
}

static void check_forbidden(const char *path, const char *reason)
{
    check_refused(temp_at("root"), path, ERROR_FORBIDDEN, reason);
}

static void check_outside(const char *path)
{
    char detail[2 * PATH_MAX + 64];

    snprintf(detail, sizeof(detail), "path %s is not inside an allowed root", path);
    check_forbidden(path, detail);
}

static void test_inside(void **state)
{
    (void)state;
    check_found(temp_at("root"), temp_at("root"), temp_at("root"));
    check_found(temp_at("root"), temp_at("root/users"), temp_at("root/users"));
    check_found(temp_at("root"), temp_at("root/users/part"), temp_at("root/users/part"));
    check_found("/", temp_at("root"), temp_at("root"));
    check_found("/", "/", "/");
}

static void test_normalised(void **state)
{
    char path[2 * PATH_MAX];

    (void)state;
    check_found(temp_at("root"), temp_at("root/"), temp_at("root"));
    check_found(temp_at("root"), temp_at("root//./users/./"), temp_at("root/users"));
    check_found(temp_at("root/./"), temp_at("root/users"), temp_at("root/users"));
    snprintf(path, sizeof(path), "//%s", temp_at("root"));
    check_found(temp_at("root"), path, temp_at("root"));
}

static void test_names_that_only_look_dangerous(void **state)
{
    (void)state;
    temp_make_folder("root/a b");
    temp_make_folder("root/...");
    temp_make_folder("root/..x");
    temp_make_folder("root/age=7");
    temp_make_folder("root/gr\xc3\xbc\xc3\x9f");
    check_found(temp_at("root"), temp_at("root/a b"), temp_at("root/a b"));
    check_found(temp_at("root"), temp_at("root/..."), temp_at("root/..."));
    check_found(temp_at("root"), temp_at("root/..x"), temp_at("root/..x"));
    check_found(temp_at("root"), temp_at("root/age=7"), temp_at("root/age=7"));
    check_found(temp_at("root"), temp_at("root/gr\xc3\xbc\xc3\x9f"),
                temp_at("root/gr\xc3\xbc\xc3\x9f"));
}

static void test_links_that_stay_inside(void **state)
{
    (void)state;
    check_found(temp_at("root"), temp_at("root/in"), temp_at("root/users"));
    check_found(temp_at("root"), temp_at("root/in/part"), temp_at("root/users/part"));
    check_found(temp_at("root"), temp_at("alias/users"), temp_at("root/users"));
    check_found(temp_at("alias"), temp_at("root/users"), temp_at("root/users"));
    check_found(temp_at("alias"), temp_at("alias/in"), temp_at("root/users"));
}

static void test_links_that_leave(void **state)
{
    (void)state;
    check_outside(temp_at("root/up"));
    check_outside(temp_at("root/up/secret"));
    check_outside(temp_at("root/abs"));
    check_outside(temp_at("root/abs/secret"));
    check_outside(temp_at("root/chain/secret"));
    check_outside(temp_at("root/loop"));
    check_outside(temp_at("root/loop/x"));
}

/* The same words whether or not there is something at the other end. */
static void test_missing_outside_is_not_revealed(void **state)
{
    (void)state;
    check_outside(temp_at("root/up/missing"));
    check_outside(temp_at("root/up/missing/deeper"));
    check_outside(temp_at("root/abs/missing"));
    check_outside(temp_at("root/gone"));
    check_outside(temp_at("root/gone/deeper"));
    check_outside(temp_at("outside"));
    check_outside(temp_at("outside/missing"));
    check_outside("/etc/passwd");
    check_outside("/etc/passwd/x");
    check_outside("/missing");
    check_outside("/");
}

static void test_missing_inside(void **state)
{
    (void)state;
    check_refused(temp_at("root"), temp_at("root/missing"), ERROR_NOT_FOUND, "does not exist");
    check_refused(temp_at("root"), temp_at("root/missing/deeper"), ERROR_NOT_FOUND,
                  "does not exist");
    check_refused(temp_at("root"), temp_at("root/users/part/below-a-file"), ERROR_NOT_FOUND,
                  "does not exist");
    check_refused(temp_at("root"), temp_at("root/in/missing"), ERROR_NOT_FOUND, "does not exist");
    check_refused(temp_at("root"), temp_at("root/soon"), ERROR_NOT_FOUND, "does not exist");
    check_refused(temp_at("not-yet"), temp_at("not-yet/a"), ERROR_NOT_FOUND, "does not exist");
}

static void test_very_long_names(void **state)
{
    char path[3 * PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/", temp_at("root"));

    (void)state;
    memset(path + length, 'x', 256);
    path[length + 255] = '\0';
    check_refused(temp_at("root"), path, ERROR_NOT_FOUND, "does not exist");
    path[length + 255] = 'x';
    path[length + 256] = '\0';
    check_forbidden(path, "has a name that is too long");
    for (size_t i = (size_t)length; i < sizeof(path) - 1; i++)
        path[i] = i % 2 ? '/' : 'x';
    path[PATH_SYNTAX_MAX_BYTES] = '\0';
    check_refused(temp_at("root"), path, ERROR_NOT_FOUND, "does not exist");
    path[PATH_SYNTAX_MAX_BYTES] = 'x';
    path[PATH_SYNTAX_MAX_BYTES + 1] = '\0';
    check_forbidden(path, "is too long");
}

static void test_compared_by_component(void **state)
{
    (void)state;
    check_outside(temp_at("root-of-others"));
    check_outside(temp_at("roo"));
}

static void test_syntax(void **state)
{
    static const char *const bad[] = {"%2e%2e", "a*", "a?", "[a]", "{a,b}", "a\\b", "a%"};
    char name[64];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(name, sizeof(name), "root/%s", bad[i]);
        check_forbidden(temp_at(name), "has one of the characters");
    }
    check_forbidden(temp_at("root/.."), "has a '..'");
    check_forbidden(temp_at("root/../root"), "has a '..'");
    check_forbidden("/..", "has a '..'");
    check_forbidden("..", "has a '..'");
    check_forbidden(temp_at("root/a\nb"), "has a control character");
    check_forbidden(temp_at("root/a\x7f"), "has a control character");
    check_forbidden(temp_at("root/\x01"), "has a control character");
    check_forbidden(temp_at("root/\xc2\x85"), "has a control character");
    check_forbidden(temp_at("root/\xff"), "is not UTF-8");
    check_forbidden(temp_at("root/\xc0\xae\xc0\xae"), "is not UTF-8"); /* ".." in too many bytes */
    check_forbidden(temp_at("root/\xed\xa0\x80"), "is not UTF-8");
}

static void test_relative_and_schemes(void **state)
{
    static const char *const bad[] = {"",          "users",         "./users",    "~/x",
                                      "file:///x", "file:/tmp",     "hdfs://h/x", "s3://b/x",
                                      "S3A://b/x", "s3a:/bucket/x", "http://h/x", " /tmp"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        check_forbidden(bad[i], "is neither absolute nor of an allowed scheme");
    check_outside("s3a://bucket/x");
}

static void test_s3a(void **state)
{
    static const char root[] = "/data,s3a://lake/tables//v1/";
    static const char *const outside[] = {
        "s3a://lake",           "s3a://lake/",           "s3a://lake/tables",
        "s3a://lake/tables/v2", "s3a://lake/tables/v10", "s3a://lake2/tables/v1",
        "s3a://user@lake/x",    "s3a://lake:80/tables",  "s3a:///tables/v1",
        "s3a://LAKE/tables/v1", "s3a://lake#/tables/v1", "/lake/tables/v1"};

    (void)state;
    check_found(root, "s3a://lake/tables/v1", "s3a://lake/tables/v1");
    check_found(root, "s3a://lake/tables/v1/", "s3a://lake/tables/v1");
    check_found(root, "s3a://lake//tables/./v1/users", "s3a://lake/tables/v1/users");
    check_found("s3a://lake", "s3a://lake/any/thing", "s3a://lake/any/thing");
    check_found("s3a://lake", "s3a://lake/", "s3a://lake");
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
        check_refused(root, outside[i], ERROR_FORBIDDEN, "is not inside an allowed root");
    check_refused(root, "s3a://lake/tables/v1/../../x", ERROR_FORBIDDEN, "has a '..'");
    check_refused(root, "s3a://lake/tables/v1/a%2fb", ERROR_FORBIDDEN, "has one of");
}

static void test_several_roots(void **state)
{
    char text[4 * PATH_MAX];

    (void)state;
    snprintf(text, sizeof(text), " %s , %s", temp_at("root/users"), temp_at("outside"));
    check_found(text, temp_at("root/users/part"), temp_at("root/users/part"));
    check_found(text, temp_at("outside/secret"), temp_at("outside/secret"));
    check_refused(text, temp_at("root"), ERROR_FORBIDDEN, "is not inside an allowed root");
    struct data_roots *roots = roots_of(text);
    assert_string_equal(data_roots_text(roots), text);
    data_roots_free(roots);
    data_roots_free(NULL);
}

static void test_prefix_is_the_root(void **state)
{
    struct data_roots *roots = NULL;
    char text[2 * PATH_MAX];
    struct error err;

    (void)state;
    snprintf(text, sizeof(text), "%s,s3a://bucket/a", temp_at("alias"));
    assert_int_equal(data_roots_new(text, &roots, &err), 0);
    assert_int_equal(data_roots_prefix(roots, temp_at("alias/users")), strlen(temp_at("alias")));
    assert_int_equal(data_roots_prefix(roots, temp_at("alias")), strlen(temp_at("alias")));
    assert_int_equal(data_roots_prefix(roots, temp_at("root/users")), strlen(temp_at("root")));
    assert_int_equal(data_roots_prefix(roots, temp_at("root-of-others")), 0);
    assert_int_equal(data_roots_prefix(roots, "s3a://bucket/a/b"), 0);
    data_roots_free(roots);
}

static void test_malformed_roots(void **state)
{
    static const struct {
        const char *text;
        const char *detail;
    } cases[] = {
        {"", "DATA_ROOTS: an entry is empty"},
        {"/a,,/b", "DATA_ROOTS: an entry is empty"},
        {"/a,", "DATA_ROOTS: an entry is empty"},
        {"a", "DATA_ROOTS: a is neither an absolute folder nor s3a://bucket/prefix"},
        {"file:///a",
         "DATA_ROOTS: file:///a is neither an absolute folder nor s3a://bucket/prefix"},
        {"/a/../b", "DATA_ROOTS: /a/../b has a '..'"},
        {"/a*", "DATA_ROOTS: /a* has one of the characters % * ? [ ] { } \\"},
        {"s3a://B/x", "DATA_ROOTS: s3a://B/x has no valid bucket"},
        {"s3a://", "DATA_ROOTS: s3a:// has no valid bucket"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct data_roots *roots = NULL;
        struct error err;

        assert_int_equal(data_roots_new(cases[i].text, &roots, &err), -1);
        assert_null(roots);
        assert_int_equal(err.code, ERROR_BAD_REQUEST);
        assert_string_equal(err.detail, cases[i].detail);
    }
}

/* Root passes every check of permissions, so it becomes somebody else for a moment. */
static void test_unreadable_folder(void **state)
{
    bool is_root = geteuid() == 0;

    (void)state;
    temp_make_folder("root/closed");
    assert_int_equal(chmod(temp_at("root/closed"), 0), 0);
    if (is_root)
        assert_int_equal(seteuid(SOMEBODY_ELSE), 0);
    check_outside(temp_at("root/closed/x"));
    check_found(temp_at("root"), temp_at("root/users"), temp_at("root/users"));
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(temp_at("root/closed"), 0755), 0);
}

static void check_beneath(const char *below, int expected)
{
    assert_int_equal(path_beneath_check(temp_at("root"), below), expected);
    assert_int_equal(path_beneath_check_by_hand(temp_at("root"), below), expected);
}

/* What openat2 does and what is done without it. */
static void test_walks_agree(void **state)
{
    (void)state;
    check_beneath("", 0);
    check_beneath("/", 0);
    check_beneath("/users", 0);
    check_beneath("/users/part", 0);
    check_beneath("/in", -ELOOP); /* even one that stays inside: the names are resolved already */
    check_beneath("/in/part", -ELOOP);
    check_beneath("/up", -ELOOP);
    check_beneath("/up/secret", -ELOOP);
    check_beneath("/abs/secret", -ELOOP);
    check_beneath("/loop", -ELOOP);
    check_beneath("/..", -EXDEV);
    check_beneath("/../outside", -EXDEV);
    check_beneath("/missing", -ENOENT);
    check_beneath("/missing/more", -ENOENT);
    check_beneath("/users/part/more", -ENOTDIR);
    assert_int_equal(path_beneath_check(temp_at("nowhere"), "/users"), -ENOENT);
    assert_int_equal(path_beneath_check_by_hand(temp_at("nowhere"), "/users"), -ENOENT);
}

/* ---- a folder and a link that trade places all the time ---- */

#define SWAPS 20000

static atomic_bool swapping;

static char swap_place[512];
static char swap_folder[512];
static char swap_link[512];

static void *swap_places(void *argument)
{
    (void)argument;
    for (int i = 0; i < SWAPS; i++) {
        (void)rename(swap_place, swap_folder);
        (void)rename(swap_link, swap_place);
        (void)rename(swap_place, swap_link);
        (void)rename(swap_folder, swap_place);
    }
    atomic_store(&swapping, false);
    return NULL;
}

/* Whatever the moment: the answer is a place inside, or a refusal. */
static void test_swapped_links(void **state)
{
    struct data_roots *roots = roots_of(temp_at("root"));
    char inside[512];
    char asked[512];
    pthread_t swapper;
    int accepted = 0;
    int refused = 0;

    (void)state;
    temp_make_folder("root/swap");
    temp_make_folder("root/swap/secret");
    make_link(temp_at("outside"), "root/swap.link");
    snprintf(swap_place, sizeof(swap_place), "%s", temp_at("root/swap"));
    snprintf(swap_folder, sizeof(swap_folder), "%s", temp_at("root/swap.folder"));
    snprintf(swap_link, sizeof(swap_link), "%s", temp_at("root/swap.link"));
    snprintf(inside, sizeof(inside), "%s", temp_at("root/swap/secret"));
    snprintf(asked, sizeof(asked), "%s", temp_at("root/swap/secret"));
    atomic_store(&swapping, true);
    assert_int_equal(pthread_create(&swapper, NULL, swap_places, NULL), 0);
    while (atomic_load(&swapping)) {
        struct error err;
        char *resolved = NULL;

        if (data_roots_resolve(roots, asked, &resolved, &err) == 0) {
            assert_string_equal(resolved, inside);
            accepted++;
        } else {
            refused++;
        }
        free(resolved);
    }
    assert_int_equal(pthread_join(swapper, NULL), 0);
    assert_true(accepted > 0 && refused > 0); /* both places were seen */
    data_roots_free(roots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inside),
        cmocka_unit_test(test_normalised),
        cmocka_unit_test(test_names_that_only_look_dangerous),
        cmocka_unit_test(test_links_that_stay_inside),
        cmocka_unit_test(test_links_that_leave),
        cmocka_unit_test(test_missing_outside_is_not_revealed),
        cmocka_unit_test(test_missing_inside),
        cmocka_unit_test(test_very_long_names),
        cmocka_unit_test(test_compared_by_component),
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_relative_and_schemes),
        cmocka_unit_test(test_s3a),
        cmocka_unit_test(test_several_roots),
        cmocka_unit_test(test_prefix_is_the_root),
        cmocka_unit_test(test_malformed_roots),
        cmocka_unit_test(test_unreadable_folder),
        cmocka_unit_test(test_walks_agree),
        cmocka_unit_test(test_swapped_links),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
