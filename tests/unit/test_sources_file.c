#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/sources_file.h"

static char folder[] = "/tmp/test_sources_file.XXXXXX";

/* The path of a file of that name with that text; of the calls only the last counts. */
static const char *write_file(const char *name, const char *text, mode_t mode)
{
    static char path[128];
    FILE *file = NULL;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    unlink(path);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    write_file("password", "from a file\n", 0600);
    write_file("empty", "", 0600);
    write_file("latin1", "caf\xe9\n", 0600);
    write_file("ca.pem", "-----BEGIN CERTIFICATE-----\n", 0644);
    write_file("key.pem", "-----BEGIN PRIVATE KEY-----\n", 0600);
    write_file("rsa.pem", "-----BEGIN RSA PRIVATE KEY-----\n", 0600);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"password", "empty",   "latin1", "ca.pem",
                                        "key.pem",  "rsa.pem", "s.json"};
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

/* `text` with `~` for ", and `@` for the folder. */
static const char *write_json(const char *text, mode_t mode)
{
    static char json[16384];
    size_t length = 0;

    for (; *text != '\0'; text++) {
        assert_true(length + sizeof(folder) < sizeof(json));
        if (*text == '@')
            length += (size_t)sprintf(json + length, "%s", folder);
        else
            json[length++] = *text == '~' ? '"' : *text;
    }
    json[length] = '\0';
    return write_file("s.json", json, mode);
}

static void check_refused_mode(const char *text, const char *detail, mode_t mode)
{
    struct mysql_target *targets = NULL;
    size_t count = 0;
    struct error err;

    assert_int_equal(sources_file_read(write_json(text, mode), &targets, &count, &err), -1);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    if (strstr(err.detail, detail) == NULL)
        fail_msg("'%s' has no '%s'", err.detail, detail);
    assert_null(strstr(err.detail, "hush"));
    assert_null(targets);
}

static void check_refused(const char *text, const char *detail)
{
    check_refused_mode(text, detail, 0644);
}

/* One source with these members besides host and user. */
static void check_member(const char *members, const char *detail)
{
    char text[4096];

    snprintf(text, sizeof(text), "{~sources~: {~main~: {~host~: ~h~, ~user~: ~u~, %s}}}", members);
    check_refused(text, detail);
}

static void test_all_members(void **state)
{
    struct mysql_target *targets = NULL;
    const struct mysql_target *target = NULL;
    size_t count = 0;
    char path[128];
    struct error err;

    (void)state;
    assert_int_equal(
        sources_file_read(
            write_json("{~sources~: {~shop.eu-1~: {~host~: ~db.example~, ~port~: 3307,"
                       " ~user~: ~reader~, ~password_file~: ~@/password~, ~database~: ~shop~,"
                       " ~tls~: {~mode~: ~verify_identity~, ~ca~: ~@/ca.pem~,"
                       " ~cert~: ~@/ca.pem~, ~key~: ~@/key.pem~},"
                       " ~timeouts~: {~connect_ms~: 1, ~socket_ms~: 2, ~query_ms~: 3},"
                       " ~pool_size~: 4, ~engine~: ~spark~, ~read_only~: false},"
                       " ~plain~: {~host~: ~::1~, ~user~: ~u~}}}",
                       0644),
            &targets, &count, &err),
        0);
    assert_int_equal(count, 2);
    target = &targets[0];
    assert_string_equal(target->name, "shop.eu-1");
    assert_string_equal(target->host, "db.example");
    assert_int_equal(target->port, 3307);
    assert_string_equal(target->user, "reader");
    assert_string_equal(target->password, "from a file");
    assert_string_equal(target->database, "shop");
    assert_int_equal(target->tls.mode, MYSQL_TLS_VERIFY_IDENTITY);
    snprintf(path, sizeof(path), "%s/key.pem", folder);
    assert_string_equal(target->tls.key, path);
    assert_int_equal(target->connect_ms, 1);
    assert_int_equal(target->socket_ms, 2);
    assert_int_equal(target->query_ms, 3);
    assert_int_equal(target->pool_size, 4);
    assert_int_equal(target->engine, ENGINE_SPARK);
    assert_true(target->writes);
    target = &targets[1];
    assert_int_equal(target->port, 3306);
    assert_string_equal(target->password, "");
    assert_null(target->database);
    assert_int_equal(target->tls.mode, MYSQL_TLS_PREFERRED);
    assert_int_equal(target->pool_size, 0);
    assert_int_equal(target->engine, ENGINE_AUTO);
    assert_false(target->writes);
    sources_file_done(targets, count);
}

static void test_password_in_the_file(void **state)
{
    static const char text[] =
        "{~sources~: {~main~: {~host~: ~h~, ~user~: ~u~, ~password~: ~hush~}}}";
    struct mysql_target *targets = NULL;
    size_t count = 0;
    struct error err;

    (void)state;
    check_refused_mode(text, "sources.main.password: the file can be read by others", 0640);
    check_refused_mode(text, "sources.main.password: the file can be read by others", 0604);
    assert_int_equal(sources_file_read(write_json(text, 0600), &targets, &count, &err), 0);
    assert_string_equal(targets[0].password, "hush");
    sources_file_done(targets, count);
    check_refused_mode("{~sources~: {~main~: {~host~: ~h~, ~user~: ~u~, ~password~: ~hush~,"
                       " ~password_file~: ~@/password~}}}",
                       "both given", 0600);
}

static void test_places(void **state)
{
    (void)state;
    check_member("~port~: 0", "sources.main.port: must be a whole number from 1 to 65535");
    check_member("~port~: 65536", "sources.main.port");
    check_member("~port~: ~3306~", "sources.main.port");
    check_member("~port~: 1.5", "sources.main.port");
    check_member("~database~: ~a?b=c~", "sources.main.database");
    check_member("~database~: null", "sources.main.database: must be a string");
    check_member("~password_file~: ~password~", "sources.main.password_file: must be an absolute");
    check_member("~password_file~: ~@/nothing~", "sources.main.password_file: can't read");
    check_member("~password_file~: ~@/empty~", "sources.main.password_file");
    check_member("~password_file~: ~@/latin1~", "sources.main.password_file");
    check_member("~password_file~: ~@~", "is not a regular file");
    check_member("~tls~: true", "sources.main.tls: must be an object");
    check_member("~tls~: {~mode~: ~on~}", "sources.main.tls.mode: must be disabled");
    check_member("~tls~: {~mode~: ~verify_ca~}", "sources.main.tls: verify_ca and");
    check_member("~tls~: {~mode~: ~disabled~, ~ca~: ~@/ca.pem~}", "sources.main.tls: is disabled");
    check_member("~tls~: {~cert~: ~@/ca.pem~}", "sources.main.tls: cert and key");
    check_member("~tls~: {~ca~: ~@/key.pem~}", "sources.main.tls.ca");
    check_member("~tls~: {~ca~: ~@/nothing~}", "sources.main.tls.ca: can't read");
    check_member("~tls~: {~key~: ~@/rsa.pem~}", "sources.main.tls.key");
    check_member("~tls~: {~verify~: false}", "sources.main.tls: 'verify' is not a member");
    check_member("~timeouts~: {~connect_ms~: 0}", "sources.main.timeouts.connect_ms");
    check_member("~timeouts~: {~connect_ms~: 60001}", "sources.main.timeouts.connect_ms");
    check_member("~timeouts~: {~query_ms~: -1}", "sources.main.timeouts.query_ms");
    check_member("~pool_size~: 0", "sources.main.pool_size: must be a whole number from 1 to 256");
    check_member("~pool_size~: 257", "sources.main.pool_size");
    check_member("~engine~: ~jdbc~", "sources.main.engine: must be auto, direct or spark");
    check_member("~read_only~: 1", "sources.main.read_only");
    check_member("~allowLoadLocalInfile~: true", "'allowLoadLocalInfile' is not a member");
    check_member("~url~: ~jdbc:mysql://x~", "sources.main: 'url' is not a member");
}

static void test_objects(void **state)
{
    char text[8192] = "{~sources~: {";

    (void)state;
    check_refused("", "is not valid JSON at line 1");
    check_refused("{~sources~: {~main~: {~host~: ~h~, ~password~: ~hush~ ~x~}}}", "line 1, column");
    check_refused("[]", "must be an object");
    check_refused("{}", "sources: must be an object");
    check_refused("{~sources~: []}", "sources: must be an object");
    check_refused("{~sources~: {}, ~version~: 1}", "'version' is not a member");
    check_refused("{~sources~: {}, ~sources~: {}}", "is not valid JSON");
    check_refused("{~sources~: {~main~: {~user~: ~u~}}}", "sources.main: host is missing");
    check_refused("{~sources~: {~main~: {~host~: ~h~}}}", "sources.main: user is missing");
    check_refused("{~sources~: {~a b~: {~host~: ~h~, ~user~: ~u~}}}", "sources: 'a b' is not a");
    check_refused("{~sources~: {~mysql~: {~host~: ~h~, ~user~: ~u~}}}", "sources.mysql");
    check_refused("{~sources~: {~delta~: {~host~: ~h~, ~user~: ~u~}}}", "sources.delta: the name");
    check_refused("{~sources~: {~config~: {~host~: ~h~, ~user~: ~u~}}}", "sources.config: the");
    for (int i = 0; i < SOURCES_FILE_SOURCES_MAX + 1; i++)
        sprintf(text + strlen(text), "%s~s%d~: {~host~: ~h~, ~user~: ~u~}", i > 0 ? "," : "", i);
    strcat(text, "}}");
    check_refused(text, "sources: more than 64");
}

/* What years of JDBC advisories have put into hosts, users and databases. */
static void test_hostile_hosts(void **state)
{
    static const char *const hosts[] = {"h?allowLoadLocalInfile=true",
                                        "h#",
                                        "h,g",
                                        "(host=h)",
                                        "address=(host=h)",
                                        "h:3306",
                                        "h/x",
                                        "u@h",
                                        "h%3fa",
                                        "h&a=b",
                                        "",
                                        "h ",
                                        "h\\t",
                                        "h\\u0000",
                                        "[::1]",
                                        "0x7f000001",
                                        "1.2.3"};
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        snprintf(text, sizeof(text), "{~sources~: {~main~: {~host~: ~%s~, ~user~: ~u~}}}",
                 hosts[i]);
        check_refused(text, strcmp(hosts[i], "h\\u0000") == 0 ? "valid JSON"
                                                              : "sources.main.host: must be");
    }
}

static void test_file(void **state)
{
    struct mysql_target *targets = NULL;
    size_t count = 0;
    struct error err;
    char *large = malloc(256 * 1024 + 2);

    (void)state;
    assert_int_equal(sources_file_read("/nowhere/s.json", &targets, &count, &err), -1);
    assert_non_null(strstr(err.detail, "SOURCES_FILE: can't read /nowhere/s.json"));
    assert_non_null(large);
    memset(large, ' ', 256 * 1024 + 1);
    large[256 * 1024 + 1] = '\0';
    assert_int_equal(sources_file_read(write_file("s.json", large, 0600), &targets, &count, &err),
                     -1);
    assert_non_null(strstr(err.detail, "is larger than"));
    large[256 * 1024] = '\0'; /* at the bound: read, and found wanting */
    assert_int_equal(sources_file_read(write_file("s.json", large, 0600), &targets, &count, &err),
                     -1);
    assert_non_null(strstr(err.detail, "is not valid JSON"));
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_members),   cmocka_unit_test(test_password_in_the_file),
        cmocka_unit_test(test_places),        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_hostile_hosts), cmocka_unit_test(test_file),
    };

    return cmocka_run_group_tests_name("sources_file", tests, make_folder, remove_folder);
}
