/* The tokens file: what is a line, what isn't, and how it is replaced. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "token_file.h"

#define SALT "000102030405060708090a0b0c0d0e0f"
#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define LIMITS " scope=query,cancel source=main,parquet rate=50/s concurrency=8 "
#define REST "added=2026-01-31T09:57:06Z salt=" SALT " sha256=" HASH
#define LINE(name, id) "name=" name " id=" id LIMITS REST "\n"

static int parse(const char *text, struct token_list *ret_list, struct error *err)
{
    return token_list_parse(text, strlen(text), "tokens", ret_list, err);
}

static void check_refused(const char *text, const char *wanted)
{
    struct token_list list = {0};
    struct error err;

    assert_int_equal(parse(text, &list, &err), -1);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    if (strstr(err.detail, wanted) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", err.detail, wanted);
    assert_null(list.entries);
}

static void test_line(void **state)
{
    struct token_list list;
    const struct token_entry *entry = NULL;
    struct error err;

    (void)state;
    assert_int_equal(parse("# a comment\n\n" LINE("app", "5f2c09a1be44"), &list, &err), 0);
    assert_int_equal(list.count, 1);
    entry = &list.entries[0];
    assert_string_equal(entry->name, "app");
    assert_string_equal(entry->id, "5f2c09a1be44");
    assert_int_equal(entry->scopes, SCOPE_QUERY | SCOPE_CANCEL);
    assert_int_equal(entry->rate.count, 50);
    assert_int_equal(entry->rate.period_s, 1);
    assert_int_equal(entry->concurrency, 8);
    assert_int_equal(entry->salt[15], 0x0f);
    assert_int_equal(entry->sha256[31], 0xff);
    assert_true(token_entry_may_use(entry, "main"));
    assert_true(token_entry_may_use(entry, "parquet"));
    assert_false(token_entry_may_use(entry, "par"));
    assert_false(token_entry_may_use(entry, "delta"));
    assert_false(token_entry_may_use(entry, "main,parquet"));
    assert_false(token_entry_may_use(entry, ""));
    token_list_done(&list);
}

static void test_not_a_line(void **state)
{
    (void)state;
    check_refused("hello\n", "tokens:1: not a field");
    check_refused("# x\nhello world\n", "tokens:2:");
    check_refused("name=app\n", "id: is missing");
    check_refused("name=app  id=5f2c09a1be44" LIMITS REST, "not a field"); /* two spaces */
    check_refused("name=app name=app id=5f2c09a1be44" LIMITS REST, "name: is there twice");
    check_refused("colour=red " LINE("app", "5f2c09a1be44"), "not a field");
    check_refused("name= id=5f2c09a1be44" LIMITS REST, "name: has to be");
    check_refused("name=a/b id=5f2c09a1be44" LIMITS REST, "name: has to be");
    check_refused("name=123456789012345678901234567890123 id=5f2c09a1be44" LIMITS REST,
                  "name: has");
    check_refused("name=app id=5F2C09A1BE44" LIMITS REST, "id: has to be");
    check_refused("name=app id=5f2c09a1be4" LIMITS REST, "id: has to be");
    check_refused("name=app id=5f2c09a1be44 scope= source=* rate=- concurrency=- " REST,
                  "scope: has");
    check_refused("name=app id=5f2c09a1be44 scope=all source=* rate=- concurrency=- " REST,
                  "scope:");
    check_refused("name=app id=5f2c09a1be44 scope=query, source=* rate=- concurrency=- " REST,
                  "scope");
    check_refused("name=app id=5f2c09a1be44 scope=query source=a,,b rate=- concurrency=- " REST,
                  "source: has");
    check_refused("name=app id=5f2c09a1be44 scope=query source=*,a rate=- concurrency=- " REST,
                  "source: has");
    check_refused("name=app id=5f2c09a1be44 scope=query source=* rate=0/s concurrency=- " REST,
                  "rate: has");
    check_refused("name=app id=5f2c09a1be44 scope=query source=* rate=- concurrency=0 " REST,
                  "concurrency: has");
    check_refused("name=app id=5f2c09a1be44" LIMITS "added=now salt=" SALT " sha256=" HASH,
                  "added: has");
    check_refused("name=app id=5f2c09a1be44" LIMITS "added=2026-01-31T09:57:06Z salt=" SALT
                  "00 sha256=" HASH,
                  "salt: has");
    check_refused(LINE("app", "5f2c09a1be44") LINE("other", "5f2c09a1be44"), "tokens:2: id: is");
}

/* A token pasted where a field belongs must not end up in a log. */
static void test_messages_repeat_no_value(void **state)
{
    static const char pasted[] = "sps_5f2c09a1be44_" HASH;
    struct token_list list;
    struct error err;
    char text[256];

    (void)state;
    snprintf(text, sizeof(text), "%s\n", pasted);
    assert_int_equal(parse(text, &list, &err), -1);
    assert_null(strstr(err.detail, "sps_"));
    snprintf(text, sizeof(text), "name=app id=%s\n", pasted);
    assert_int_equal(parse(text, &list, &err), -1);
    assert_null(strstr(err.detail, "sps_"));
}

static void test_two_of_a_name(void **state)
{
    struct token_list list;
    struct error err;

    (void)state;
    assert_int_equal(parse(LINE("app", "000000000001") LINE("app", "000000000002")
                               LINE("other", "000000000003"),
                           &list, &err),
                     0);
    assert_int_equal(list.count, 3);
    token_list_done(&list);
    check_refused(LINE("app", "000000000001") LINE("app", "000000000002")
                      LINE("app", "000000000003"),
                  "tokens:3: app has two tokens already");
}

static void test_bounds(void **state)
{
    struct token_list list;
    struct error err;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    (void)state;
    for (int i = 0; i < TOKENS_MAX; i++)
        fprintf(out, "name=n%d id=%012x%s%s\n", i, (unsigned)i, LIMITS, REST);
    fflush(out);
    assert_int_equal(token_list_parse(text, length, "tokens", &list, &err), 0);
    assert_int_equal(list.count, TOKENS_MAX);
    token_list_done(&list);
    fprintf(out, LINE("more", "ffffffffffff"));
    fclose(out);
    assert_int_equal(token_list_parse(text, length, "tokens", &list, &err), -1);
    assert_non_null(strstr(err.detail, "more than 1000"));
    assert_int_equal(token_list_parse("a\0b", 3, "tokens", &list, &err), -1);
    memset(text, 'x', 5000);
    assert_int_equal(token_list_parse(text, 5000, "tokens", &list, &err), -1);
    free(text);
}

/* Cut anywhere but at the end of a line, it is refused. */
static void test_cut_anywhere(void **state)
{
    static const char text[] = LINE("app", "000000000001") LINE("two", "000000000002");
    const size_t whole = sizeof(text) - 1;
    struct token_list list;
    struct error err;

    (void)state;
    for (size_t length = 0; length <= whole; length++) {
        bool at_end = length % (whole / 2) == 0 || length % (whole / 2) == whole / 2 - 1;

        assert_int_equal(token_list_parse(text, length, "tokens", &list, &err), at_end ? 0 : -1);
        if (at_end)
            token_list_done(&list);
    }
}

static void test_draw_and_hash(void **state)
{
    struct token_entry a = {0};
    struct token_entry b = {0};
    char text_a[TOKEN_TEXT_BYTES];
    char text_b[TOKEN_TEXT_BYTES];
    unsigned char hash[SHA256_BYTES];
    const char *id = NULL;
    const char *secret = NULL;
    struct error err;

    (void)state;
    assert_int_equal(token_entry_draw(&a, text_a, &err), 0);
    assert_int_equal(token_entry_draw(&b, text_b, &err), 0);
    assert_string_not_equal(text_a, text_b);
    assert_memory_not_equal(a.salt, b.salt, sizeof(a.salt));
    assert_int_equal(strlen(text_a), TOKEN_TEXT_BYTES - 1);
    assert_true(token_text_split(text_a, &id, &secret));
    assert_memory_equal(id, a.id, TOKEN_ID_BYTES - 1);
    assert_true(token_secret_hash(a.salt, secret, hash));
    assert_memory_equal(hash, a.sha256, sizeof(hash));
    assert_false(token_text_split("", &id, &secret));
    text_a[0] = 'S';
    assert_false(token_text_split(text_a, &id, &secret));
    text_b[TOKEN_TEXT_BYTES - 2] = '\0';
    assert_false(token_text_split(text_b, &id, &secret));
}

/* SHA-256 of 16 zero bytes and 64 characters '0', by coreutils' sha256sum. */
static void test_hash_is_what_is_documented(void **state)
{
    static const unsigned char salt[TOKEN_SALT_BYTES] = {0};
    unsigned char hash[SHA256_BYTES];
    char secret[TOKEN_SECRET_LENGTH + 1];
    char text[SHA256_TEXT_BYTES];

    (void)state;
    memset(secret, '0', sizeof(secret) - 1);
    secret[sizeof(secret) - 1] = '\0';
    assert_true(token_secret_hash(salt, secret, hash));
    hex_format(hash, sizeof(hash), text);
    assert_string_equal(text, "7b980a4b4c33337c128d6cf9fd1829ed919c97c76bdf3164a22a0175bb484c4f");
}

static void test_write(void **state)
{
    char folder[] = "/tmp/token-file-test-XXXXXX";
    char path[64];
    struct token_list list = {0};
    struct token_list again = {0};
    struct stat info;
    struct error err;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/tokens", folder);
    assert_int_equal(token_list_read(path, &again, &err), -1);
    assert_int_equal(parse(LINE("app", "000000000001") LINE("two", "000000000002"), &list, &err),
                     0);
    list.entries[1].concurrency = 0;
    list.entries[1].rate.count = 0;
    strcpy(list.entries[1].sources, "*");
    assert_int_equal(token_list_write(path, &list, &err), 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(token_list_read(path, &again, &err), 0);
    assert_int_equal(again.count, 2);
    assert_memory_equal(&again.entries[0], &list.entries[0], sizeof(list.entries[0]));
    assert_int_equal(again.entries[1].concurrency, 0);
    token_list_done(&again);

    assert_int_equal(chmod(path, 0602), 0);
    assert_int_equal(token_list_read(path, &again, &err), -1);
    assert_non_null(strstr(err.detail, "anybody"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(token_list_read(path, &again, &err), -1);
    assert_int_equal(token_list_write(path, &list, &err), -1); /* and leaves nothing behind */
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(folder), 0);
    token_list_done(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_not_a_line),
        cmocka_unit_test(test_messages_repeat_no_value),
        cmocka_unit_test(test_two_of_a_name),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_draw_and_hash),
        cmocka_unit_test(test_hash_is_what_is_documented),
        cmocka_unit_test(test_write),
    };

    return cmocka_run_group_tests_name("token_file", tests, NULL, NULL);
}
