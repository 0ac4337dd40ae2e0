#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/mysql_sources.h"

/* Settings as literals; nothing here frees them. */
static struct settings with_hosts(char *hosts)
{
    return (struct settings){.mysql_hosts = hosts, .mysql_port = 3306};
}

static struct settings with_main(char *hosts)
{
    struct settings settings = with_hosts(hosts);

    settings.mysql_host = "Main.example";
    settings.mysql_port = 3307;
    settings.mysql_user = "reader";
    settings.mysql_password = "s3cret";
    settings.mysql_database = "shop";
    return settings;
}

static struct mysql_sources *open_sources(const struct settings *settings)
{
    struct mysql_sources *sources = NULL;
    struct error err;

    assert_int_equal(mysql_sources_new(settings, &sources, &err), 0);
    return sources;
}

static void check_target(const struct settings *settings, struct query_mysql_config config,
                         const char *host, int port, const char *user, const char *password,
                         const char *database)
{
    struct mysql_sources *sources = open_sources(settings);
    struct mysql_target target;
    struct error err;

    assert_int_equal(mysql_sources_resolve(sources, &config, &target, &err), 0);
    mysql_sources_free(sources); /* the target owns its text */
    assert_string_equal(target.host, host);
    assert_int_equal(target.port, port);
    assert_string_equal(target.user, user);
    assert_string_equal(target.password, password);
    if (database != NULL)
        assert_string_equal(target.database, database);
    else
        assert_null(target.database);
    mysql_target_done(&target);
    assert_null(target.password);
    mysql_target_done(&target);
}

static void check_refused(const struct settings *settings, struct query_mysql_config config,
                          enum error_code code, const char *part)
{
    struct mysql_sources *sources = open_sources(settings);
    struct mysql_target target;
    struct error err;

    assert_int_equal(mysql_sources_resolve(sources, &config, &target, &err), -1);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.detail, part));
    mysql_sources_free(sources);
}

#define CONFIG(...) ((struct query_mysql_config){__VA_ARGS__})

static void test_main_source(void **state)
{
    struct settings settings = with_main("");

    (void)state;
    check_target(&settings, CONFIG(0), "Main.example", 3307, "reader", "s3cret", "shop");
    check_target(&settings, CONFIG(.source = "main"), "Main.example", 3307, "reader", "s3cret",
                 "shop");
    settings.mysql_password = NULL;
    settings.mysql_database = NULL;
    check_target(&settings, CONFIG(0), "Main.example", 3307, "reader", "", NULL);
    check_refused(&settings, CONFIG(.source = "second"), ERROR_BAD_REQUEST, "config.source");
}

static void test_no_main_source(void **state)
{
    struct settings settings = with_hosts("a");
    struct mysql_sources *sources = open_sources(&settings);

    (void)state;
    assert_int_equal(mysql_sources_count(sources), 0);
    mysql_sources_free(sources);
    mysql_sources_free(NULL);
    check_refused(&settings, CONFIG(0), ERROR_BAD_REQUEST, "no MySQL source is set up");
    check_refused(&settings, CONFIG(.source = "main"), ERROR_BAD_REQUEST, "config.source");
}

static void test_hosts_of_requests(void **state)
{
    struct settings settings = with_main("a, b.example:3310,,  c:1");

    (void)state;
    check_target(&settings, CONFIG(.host = "a", .user = "u"), "a", 3306, "u", "", NULL);
    check_target(&settings, CONFIG(.host = "A", .port = 3306, .user = "u", .password = "p"), "A",
                 3306, "u", "p", NULL);
    check_target(&settings, CONFIG(.host = "B.Example", .port = 3310, .user = "u", .database = "d"),
                 "B.Example", 3310, "u", "", "d");
    check_target(&settings, CONFIG(.host = "c", .port = 1, .user = "u"), "c", 1, "u", "", NULL);
    /* The host of main may be named, but brings no credential with it. */
    check_target(&settings, CONFIG(.host = "main.example", .port = 3307, .user = "u"),
                 "main.example", 3307, "u", "", NULL);
    check_refused(&settings, CONFIG(.host = "main.example", .port = 3307), ERROR_BAD_REQUEST,
                  "config.user");
}

static void test_hosts_that_are_not_allowed(void **state)
{
    struct settings settings = with_main("a, b:3310");
    struct settings none = with_hosts("");

    (void)state;
    check_refused(&settings, CONFIG(.host = "x", .user = "u"), ERROR_FORBIDDEN, "x:3306");
    check_refused(&settings, CONFIG(.host = "a", .port = 3310, .user = "u"), ERROR_FORBIDDEN,
                  "a:3310");
    check_refused(&settings, CONFIG(.host = "b", .user = "u"), ERROR_FORBIDDEN, "b:3306");
    check_refused(&settings, CONFIG(.host = "main.example", .user = "u"), ERROR_FORBIDDEN,
                  "main.example:3306");
    check_refused(&settings, CONFIG(.host = "", .user = "u"), ERROR_FORBIDDEN, ":3306");
    check_refused(&settings, CONFIG(.host = "a:3306", .user = "u"), ERROR_FORBIDDEN, "a:3306");
    check_refused(&none, CONFIG(.host = "a", .user = "u"), ERROR_FORBIDDEN, "MYSQL_HOSTS");
}

static void check_bad_setting(const struct settings *settings, const char *part)
{
    struct mysql_sources *sources = NULL;
    struct error err;

    assert_int_equal(mysql_sources_new(settings, &sources, &err), -1);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_non_null(strstr(err.detail, part));
    assert_null(sources);
}

static void test_bad_settings(void **state)
{
    static char *const LISTS[] = {":3306", "a:", "a:0", "a:65536", "a:-1", "a:x", "a:1x", "ok,a:x"};
    struct settings settings = {0};
    char many[512] = "";

    (void)state;
    for (size_t i = 0; i < sizeof(LISTS) / sizeof(LISTS[0]); i++) {
        settings = with_hosts(LISTS[i]);
        check_bad_setting(&settings, "is not host:port");
    }
    for (size_t i = 0; i < 65; i++)
        strcat(many, "h,");
    settings = with_hosts(many);
    check_bad_setting(&settings, "more than 64 hosts");
    settings = with_main("");
    settings.mysql_user = NULL;
    check_bad_setting(&settings, "MYSQL_USER");
    settings = with_main("");
    settings.mysql_host = "db?allowLoadLocalInfile=true";
    check_bad_setting(&settings, "MYSQL_HOST");
    settings = with_main("");
    settings.mysql_database = "shop?allowLoadLocalInfile=true";
    check_bad_setting(&settings, "MYSQL_DATABASE");
}

/* ---- reload, names, states ---- */

static char folder[] = "/tmp/test_mysql_sources.XXXXXX";
static char file_path[64];

static void write_sources(const char *text)
{
    FILE *file = fopen(file_path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(file_path, sizeof(file_path), "%s/sources.json", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(file_path);
    return rmdir(folder);
}

static struct settings with_file(void)
{
    struct settings settings = with_hosts("");

    settings.sources_file = file_path;
    return settings;
}

static void check_host_of(struct mysql_sources *sources, char *name, const char *host)
{
    const struct query_mysql_config config = {.source = name};
    struct mysql_target target;
    struct error err;

    assert_int_equal(mysql_sources_resolve(sources, &config, &target, &err), 0);
    assert_string_equal(target.name, name);
    assert_string_equal(target.host, host);
    mysql_target_done(&target);
}

static void test_reload(void **state)
{
    struct settings settings = with_file();
    struct query_mysql_config second = {.source = "second"};
    struct mysql_sources *sources = NULL;
    struct mysql_target before;
    struct mysql_target after;
    struct error err;

    (void)state;
    write_sources("{\"sources\": {\"main\": {\"host\": \"a\", \"user\": \"u\"},"
                  " \"second\": {\"host\": \"b\", \"user\": \"u\"}}}");
    sources = open_sources(&settings);
    assert_int_equal(mysql_sources_count(sources), 2);
    check_host_of(sources, "main", "a");
    assert_int_equal(mysql_sources_resolve(sources, &second, &before, &err), 0);

    write_sources("{\"sources\": {\"main\": {\"host\": \"c\", \"port\": 0, \"user\": \"u\"}}}");
    assert_int_equal(mysql_sources_reload(sources, &err), -1);
    assert_non_null(strstr(err.detail, "sources.main.port"));
    check_host_of(sources, "main", "a");

    write_sources("{\"sources\": {\"main\": {\"host\": \"c\", \"user\": \"u\"}}}");
    assert_int_equal(mysql_sources_reload(sources, &err), 0);
    check_host_of(sources, "main", "c");
    assert_int_equal(mysql_sources_resolve(sources, &second, &after, &err), -1);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_string_equal(before.host, "b"); /* a query's copy outlives its source */
    mysql_target_done(&before);
    mysql_sources_free(sources);
}

static void test_main_is_set_once(void **state)
{
    struct settings settings = with_main("");

    (void)state;
    settings.sources_file = file_path;
    write_sources("{\"sources\": {\"main\": {\"host\": \"a\", \"user\": \"u\"}}}");
    check_bad_setting(&settings, "sources.main: MYSQL_HOST has set it already");
    write_sources("{\"sources\": {\"other\": {\"host\": \"a\", \"user\": \"u\"}}}");
    check_target(&settings, CONFIG(.source = "other"), "a", 3306, "u", "", NULL);
    /* A host of the file is no host that requests may name with an account of theirs. */
    check_refused(&settings, CONFIG(.host = "a", .user = "u"), ERROR_FORBIDDEN, "a:3306");
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(mysql_sources_name_of(&CONFIG(0)), "main");
    assert_string_equal(mysql_sources_name_of(&CONFIG(.source = "other")), "other");
    assert_null(mysql_sources_name_of(&CONFIG(.host = "a", .user = "u")));
}

static void note_states(const char *name, enum mysql_source_state state, void *user)
{
    char *text = user;
    size_t length = strlen(text);

    snprintf(text + length, 256 - length, "%s=%d ", name, (int)state);
}

static void test_probe_notes_states(void **state)
{
    struct settings settings = with_main("");
    struct mysql_sources *sources = NULL;
    struct error err;
    char text[256] = "";

    (void)state;
    settings.mysql_host = "127.0.0.1";
    settings.mysql_port = 1; /* nobody listens */
    settings.sources_file = file_path;
    write_sources(
        "{\"sources\": {\"b\": {\"host\": \"127.0.0.1\", \"port\": 1, \"user\": \"u\"}}}");
    sources = open_sources(&settings);
    assert_true(mysql_sources_probe(sources, 1, 1000));
    assert_false(mysql_sources_probe(sources, 2, 1000));
    mysql_sources_each(sources, note_states, text);
    assert_string_equal(text, "main=0 b=2 ");
    assert_int_equal(mysql_sources_reload(sources, &err), 0); /* as new: nobody has looked */
    assert_true(mysql_sources_probe(sources, 0, 1000));
    text[0] = '\0';
    mysql_sources_each(sources, note_states, text);
    assert_string_equal(text, "main=2 b=0 ");
    mysql_sources_free(sources);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_main_source),
        cmocka_unit_test(test_no_main_source),
        cmocka_unit_test(test_hosts_of_requests),
        cmocka_unit_test(test_hosts_that_are_not_allowed),
        cmocka_unit_test(test_bad_settings),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_main_is_set_once),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_probe_notes_states),
    };

    return cmocka_run_group_tests_name("mysql_sources", tests, make_folder, remove_folder);
}
