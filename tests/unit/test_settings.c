#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/settings.h"

extern char **environ;

#define ARGUMENTS_MAX 16
#define PREFIX "SPARK_SERVICE_"

static char file_path[64];

/* ---- what a load sees ---- */

static void unset_all(const char *prefix)
{
    for (char **entry = environ; *entry != NULL;) {
        if (strncmp(*entry, prefix, strlen(prefix)) == 0) {
            char *name = strndup(*entry, strcspn(*entry, "="));
            assert_int_equal(unsetenv(name), 0);
            free(name);
            entry = environ;
        } else {
            entry++;
        }
    }
}

/* No setting of whoever runs the tests; a home of ours. */
static int clean_environment(void **state)
{
    (void)state;
    unset_all(PREFIX);
    unset_all("MYSQL_");
    unsetenv("XDG_STATE_HOME");
    return setenv("HOME", "/home/somebody", 1);
}

static int remove_file(void **state)
{
    (void)state;
    if (file_path[0] != '\0')
        (void)unlink(file_path);
    file_path[0] = '\0';
    return 0;
}

static const char *write_file(const char *text)
{
    int fd = -1;

    if (file_path[0] != '\0')
        (void)unlink(file_path);
    snprintf(file_path, sizeof(file_path), "/tmp/spark-service-test-XXXXXX");
    fd = mkstemp(file_path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return file_path;
}

#define ARGUMENTS(...) ((char *const[]){"spark-service", ##__VA_ARGS__, NULL})

static int load(char *const *arguments, struct settings *ret_settings,
                enum settings_action *ret_action, struct error *err)
{
    char *argv[ARGUMENTS_MAX + 1] = {0};
    int argc = 0;

    for (; arguments[argc] != NULL; argc++) {
        assert_true(argc < ARGUMENTS_MAX);
        argv[argc] = arguments[argc];
    }
    return settings_load(ret_settings, ret_action, argc, argv, err);
}

static struct settings load_good(char *const *arguments)
{
    struct settings settings;
    enum settings_action action = SETTINGS_HELP;
    struct error err;

    if (load(arguments, &settings, &action, &err) != 0)
        fail_msg("%s", err.detail);
    assert_int_equal(action, SETTINGS_RUN);
    return settings;
}

/* Refused with exactly this line. */
static void check_refused(char *const *arguments, const char *detail)
{
    struct settings settings;
    enum settings_action action;
    struct error err;

    assert_int_equal(load(arguments, &settings, &action, &err), -1);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
    assert_string_equal(err.detail, detail);
}

static void check_variable_refused(const char *name, const char *value, const char *detail)
{
    setenv(name, value, 1);
    check_refused(ARGUMENTS(), detail);
    unsetenv(name);
}

static void check_file_refused(const char *text, const char *detail)
{
    char whole[256];

    setenv(PREFIX "CONFIG", write_file(text), 1);
    snprintf(whole, sizeof(whole), "%s%s", file_path, detail);
    check_refused(ARGUMENTS(), whole);
    unsetenv(PREFIX "CONFIG");
}

/* ---- defaults ---- */

static void test_defaults(void **state)
{
    struct settings settings = load_good(ARGUMENTS());

    (void)state;
    assert_string_equal(settings.listen, "127.0.0.1:8000");
    assert_false(settings.insecure);
    assert_string_equal(settings.data_roots, "/data");
    assert_int_equal(settings.workers, 8);
    assert_int_equal(settings.queue_length, 256);
    assert_int_equal(settings.query_timeout_ms, 30000);
    assert_int_equal(settings.query_timeout_max_ms, 600000);
    assert_int_equal(settings.queue_timeout_ms, 10000);
    assert_int_equal(settings.drain_ms, 20000);
    assert_int_equal(settings.max_connections, 1024);
    assert_int_equal(settings.max_body_bytes, 1048576);
    assert_int_equal(settings.spool_bytes, INT64_C(4) << 30);
    assert_int_equal(settings.cache_disk_bytes, INT64_C(1) << 30);
    assert_false(settings.spark_ui);
    assert_string_equal(settings.spark_line, "4.1.0");
    assert_string_equal(settings.log_level, "info");
    assert_string_equal(settings.spark_conf, "");
    assert_null(settings.mysql_host);
    assert_int_equal(settings.mysql_port, 3306);
    settings_done(&settings);
    assert_null(settings.listen);
    settings_done(&settings);
}

static void test_worked_out_defaults(void **state)
{
    struct settings settings = load_good(ARGUMENTS("--data-roots", "/a//,/b"));
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    long threads = 0;
    long heap_mib = 0;

    (void)state;
    assert_string_equal(settings.state_dir, "/home/somebody/.local/state/spark-service");
    assert_string_equal(settings.iceberg_warehouse, "/a/iceberg");
    assert_int_equal(sscanf(settings.spark_master, "local[%ld]", &threads), 1);
    assert_int_equal(threads, 4 * cores < 8 ? 8 : 4 * cores);
    assert_int_equal(sscanf(settings.heap, "%ldm", &heap_mib), 1);
    assert_in_range(heap_mib, 512, 4096);
    settings_done(&settings);

    setenv("XDG_STATE_HOME", "/var/state", 1);
    settings = load_good(ARGUMENTS("--data-roots=s3a://bucket/prefix/,/b"));
    assert_string_equal(settings.state_dir, "/var/state/spark-service");
    assert_string_equal(settings.iceberg_warehouse, "s3a://bucket/prefix/iceberg");
    settings_done(&settings);

    setenv("XDG_STATE_HOME", "relative", 1); /* the XDG specification: ignore it */
    settings = load_good(ARGUMENTS("--heap=3g", "--spark-master=spark://m:7077",
                                   "--iceberg-warehouse=/w", "--state-dir=/s"));
    assert_string_equal(settings.state_dir, "/s");
    assert_string_equal(settings.iceberg_warehouse, "/w");
    assert_string_equal(settings.spark_master, "spark://m:7077");
    assert_string_equal(settings.heap, "3g");
    settings_done(&settings);
}

static void test_no_home(void **state)
{
    struct settings settings;

    (void)state;
    unsetenv("HOME");
    settings = load_good(ARGUMENTS());
    assert_memory_equal(settings.state_dir, "/var/tmp/spark-service-", 23);
    settings_done(&settings);
}

/* ---- where values come from ---- */

static int64_t loaded_workers(char *const *arguments)
{
    struct settings settings = load_good(arguments);
    int64_t workers = settings.workers;

    settings_done(&settings);
    return workers;
}

static void test_precedence(void **state)
{
    (void)state;
    assert_int_equal(loaded_workers(ARGUMENTS()), 8);
    setenv(PREFIX "CONFIG", write_file("WORKERS=3\n"), 1);
    assert_int_equal(loaded_workers(ARGUMENTS()), 3);
    setenv(PREFIX "WORKERS", "4", 1);
    assert_int_equal(loaded_workers(ARGUMENTS()), 4);
    assert_int_equal(loaded_workers(ARGUMENTS("--workers", "5")), 5);
    assert_int_equal(loaded_workers(ARGUMENTS("--workers=5", "--workers=6")), 6);
    unsetenv(PREFIX "WORKERS");
    assert_int_equal(loaded_workers(ARGUMENTS("--workers=7")), 7);
}

static void test_config_flag_before_variable(void **state)
{
    (void)state;
    setenv(PREFIX "CONFIG", "/does/not/exist", 1);
    assert_int_equal(
        loaded_workers(ARGUMENTS("--config", (char *)(uintptr_t)write_file("WORKERS=9\n"))), 9);
}

static void test_file(void **state)
{
    struct settings settings;

    (void)state;
    setenv(PREFIX "CONFIG",
           write_file("# a comment\n"
                      "\n"
                      "  WORKERS = 12 \r\n"
                      "query-timeout-ms=1000\n"
                      "SPARK_SERVICE_SPARK_UI=yes\n"
                      "SPARK_CONF=a=b,c=d\n"
                      "SPARK_MASTER=\n"
                      "LOG_LEVEL=debug"),
           1);
    settings = load_good(ARGUMENTS());
    assert_int_equal(settings.workers, 12);
    assert_int_equal(settings.query_timeout_ms, 1000);
    assert_true(settings.spark_ui);
    assert_string_equal(settings.spark_conf, "a=b,c=d");
    assert_memory_equal(settings.spark_master, "local[", 6);
    assert_string_equal(settings.log_level, "debug");
    settings_done(&settings);
}

static void test_booleans(void **state)
{
    static char *const YES[] = {"1", "true", "YES", "on"};
    static char *const NO[] = {"0", "false", "No", "OFF", ""};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct settings settings = load_good(ARGUMENTS("--check-jni", YES[i]));
        assert_true(settings.check_jni);
        settings_done(&settings);
    }
    setenv(PREFIX "CHECK_JNI", "1", 1);
    for (size_t i = 0; i < 5; i++) {
        struct settings settings = load_good(ARGUMENTS("--check-jni", NO[i]));
        assert_false(settings.check_jni);
        settings_done(&settings);
    }
    check_refused(ARGUMENTS("--check-jni=2"), "--check-jni: '2' is neither 1 nor 0");
    check_refused(ARGUMENTS("--spark-ui", "maybe"), "--spark-ui: 'maybe' is neither 1 nor 0");
}

/* ---- what is refused ---- */

static void test_numbers(void **state)
{
    static char *const BAD[] = {"",   "0",  "257", "-1", "1.5",   "1x",
                                " 1", "+1", "0x8", "8 ", "eight", "99999999999999999999"};
    char detail[128];

    (void)state;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        snprintf(detail, sizeof(detail), "--workers: '%s' is not a whole number from 1 to 256",
                 BAD[i]);
        check_refused(ARGUMENTS("--workers", BAD[i]), detail);
    }
    assert_int_equal(loaded_workers(ARGUMENTS("--workers=1")), 1);
    assert_int_equal(loaded_workers(ARGUMENTS("--workers=256")), 256);
    assert_int_equal(loaded_workers(ARGUMENTS("--workers=008")), 8);
    check_variable_refused(PREFIX "QUEUE_LENGTH", "many",
                           "SPARK_SERVICE_QUEUE_LENGTH: 'many' is not a whole number from 0 to "
                           "100000");
    check_file_refused("\nDRAIN_MS=-1\n",
                       ":2: DRAIN_MS: '-1' is not a whole number from 0 to 600000");
}

static void test_unknown_names(void **state)
{
    (void)state;
    check_refused(ARGUMENTS("--worker=1"), "--worker: no such flag; --help lists them");
    check_refused(ARGUMENTS("--workers-", "1"), "--workers-: no such flag; --help lists them");
    check_refused(ARGUMENTS("-w"), "-w: no such flag; --help lists them");
    check_refused(ARGUMENTS("start"), "start: no such flag; --help lists them");
    check_refused(ARGUMENTS("--", "--workers=1"), "--: no such flag; --help lists them");
    check_refused(ARGUMENTS("--workers"), "--workers: needs a value");
    check_variable_refused(PREFIX "TOKEN_FILE", "/x",
                           "SPARK_SERVICE_TOKEN_FILE: no such setting; --help lists them");
    check_variable_refused(PREFIX, "", "SPARK_SERVICE_: no such setting; --help lists them");
    check_file_refused("WORKERS=1\nINSECUR=1\n", ":2: unknown setting 'INSECUR'");
    check_file_refused("WORKERS\n", ":1: not NAME=value");
    check_file_refused("=1\n", ":1: unknown setting ''");
}

/* A password given in the wrong place is refused, and not repeated. */
static void test_password_is_no_flag(void **state)
{
    (void)state;
    check_refused(ARGUMENTS("--mysql-password=s3cret"),
                  "--mysql-password: no such flag; --help lists them");
    check_file_refused("MYSQL_PASSWORD=s3cret\n", ":1: unknown setting 'MYSQL_PASSWORD'");
    check_variable_refused(PREFIX "MYSQL_PASSWORD", "s3cret",
                           "SPARK_SERVICE_MYSQL_PASSWORD: no such setting; --help lists them");
}

static void test_file_that_is_not_there(void **state)
{
    (void)state;
    check_variable_refused(
        PREFIX "CONFIG", "/does/not/exist",
        "SPARK_SERVICE_CONFIG: can't read /does/not/exist: No such file or directory");
}

static void test_checks_across_settings(void **state)
{
    static char *const HEAPS[] = {"2", "g", "2gb", "-2g", "2.5g", "123456789m", "2g "};
    char detail[128];

    (void)state;
    check_refused(ARGUMENTS("--query-timeout-ms=2", "--query-timeout-max-ms=1"),
                  "QUERY_TIMEOUT_MS (2) is above QUERY_TIMEOUT_MAX_MS (1)");
    for (size_t i = 0; i < sizeof(HEAPS) / sizeof(HEAPS[0]); i++) {
        snprintf(detail, sizeof(detail), "HEAP: '%s' is not a size such as 2g or 512m", HEAPS[i]);
        check_refused(ARGUMENTS("--heap", HEAPS[i]), detail);
    }
    check_refused(ARGUMENTS("--log-level=loud"),
                  "LOG_LEVEL: 'loud' is none of debug, info, warn, error");
    check_refused(ARGUMENTS("--spark-line=../4"), "SPARK_LINE: '../4' is not a version");
}

static void test_loopback(void **state)
{
    static const char *const LOOPBACK[] = {"127.0.0.1:8000", "127.9.9.9:1", "localhost:0",
                                           "[::1]:8000", "127.0.0.1:1, [::1]:1,localhost:2"};
    static const char *const OTHERS[] = {"0.0.0.0:8000",
                                         "[::]:8000",
                                         "10.0.0.1:80",
                                         "example:80",
                                         "",
                                         "127.0.0.1:1,0.0.0.0:1",
                                         "127.0.0.1:1,",
                                         ":8000",
                                         "127.0.0.1.example:80",
                                         "[::1].evil:80",
                                         "[::1%eth0]:1"};

    (void)state;
    for (size_t i = 0; i < sizeof(LOOPBACK) / sizeof(LOOPBACK[0]); i++) {
        if (!settings_listen_is_loopback(LOOPBACK[i]))
            fail_msg("not loopback: %s", LOOPBACK[i]);
    }
    for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++) {
        if (settings_listen_is_loopback(OTHERS[i]))
            fail_msg("loopback: %s", OTHERS[i]);
    }
}

static void test_insecure(void **state)
{
    struct settings settings;

    (void)state;
    check_refused(ARGUMENTS("--listen=0.0.0.0:80"),
                  "LISTEN: 0.0.0.0:80 is not loopback and callers need no token; set TOKENS_FILE, "
                  "or INSECURE=1 "
                  "if the network around it is trusted");
    settings = load_good(ARGUMENTS("--listen=0.0.0.0:80", "--tokens-file=/etc/tokens"));
    settings_done(&settings);
    settings = load_good(ARGUMENTS("--listen=0.0.0.0:80", "--insecure=1"));
    assert_string_equal(settings.listen, "0.0.0.0:80");
    settings_done(&settings);
}

/* ---- MySQL ---- */

static void test_mysql(void **state)
{
    struct settings settings;

    (void)state;
    setenv("MYSQL_HOST", "db", 1);
    setenv("MYSQL_PORT", "3307", 1);
    setenv("MYSQL_USER", "reader", 1);
    setenv("MYSQL_PASSWORD", "s3cret", 1);
    setenv("MYSQL_DATABASE", "", 1);
    settings = load_good(ARGUMENTS());
    assert_string_equal(settings.mysql_host, "db");
    assert_int_equal(settings.mysql_port, 3307);
    assert_string_equal(settings.mysql_user, "reader");
    assert_string_equal(settings.mysql_password, "s3cret");
    assert_null(settings.mysql_database); /* empty is not set: compose passes empty ones */
    settings_done(&settings);
    check_variable_refused("MYSQL_PORT", "0", "MYSQL_PORT: '0' is not a port");
    check_variable_refused("MYSQL_PORT", "65536", "MYSQL_PORT: '65536' is not a port");
    check_variable_refused("MYSQL_PORT", "mysql", "MYSQL_PORT: 'mysql' is not a port");
}

static void test_password_file(void **state)
{
    struct settings settings;
    char detail[160];

    (void)state;
    setenv("MYSQL_PASSWORD", "other", 1);
    setenv("MYSQL_PASSWORD_FILE", write_file(" s3cret \r\nsecond line\n"), 1);
    settings = load_good(ARGUMENTS());
    assert_string_equal(settings.mysql_password, " s3cret ");
    settings_done(&settings);
    snprintf(detail, sizeof(detail), "MYSQL_PASSWORD_FILE: %s is empty", write_file(""));
    check_variable_refused("MYSQL_PASSWORD_FILE", file_path, detail);
    check_variable_refused(
        "MYSQL_PASSWORD_FILE", "/does/not/exist",
        "MYSQL_PASSWORD_FILE: can't read /does/not/exist: No such file or directory");
}

/* ---- what is printed ---- */

static char *printed(const struct settings *settings)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    if (settings != NULL)
        settings_print(settings, out);
    else
        settings_print_help(out);
    fclose(out);
    return text;
}

static void test_print(void **state)
{
    struct settings settings;
    char *text = NULL;

    (void)state;
    setenv("MYSQL_HOST", "db", 1);
    setenv("MYSQL_USER", "reader", 1);
    setenv("MYSQL_PASSWORD", "s3cret", 1);
    settings = load_good(ARGUMENTS("--workers=3", "--spark-ui=1", "--data-roots=/a,/b"));
    text = printed(&settings);
    assert_non_null(strstr(text, "\nWORKERS=3\n"));
    assert_non_null(strstr(text, "\nSPARK_UI=1\n"));
    assert_non_null(strstr(text, "\nINSECURE=0\n"));
    assert_non_null(strstr(text, "\nDATA_ROOTS=/a,/b\n"));
    assert_non_null(strstr(text, "\nMYSQL_HOST=db\nMYSQL_PORT=3306\n"));
    assert_null(strstr(text, "s3cret"));
    assert_null(strstr(text, "PASSWORD"));
    free(text);
    settings_done(&settings);
}

static void test_help(void **state)
{
    char *text = printed(NULL);

    (void)state;
    assert_non_null(strstr(text, "  --query-timeout-max-ms   "));
    assert_non_null(strstr(text, " [127.0.0.1:8000]\n"));
    assert_non_null(strstr(text, "MYSQL_PASSWORD_FILE"));
    assert_null(strstr(text, "--mysql-password"));
    free(text);
}

static enum settings_action loaded_action(char *const *arguments)
{
    struct settings settings;
    enum settings_action action = SETTINGS_RUN;
    struct error err;

    if (load(arguments, &settings, &action, &err) != 0)
        fail_msg("%s", err.detail);
    settings_done(&settings);
    return action;
}

static void test_actions(void **state)
{
    (void)state;
    assert_int_equal(loaded_action(ARGUMENTS("--check-config")), SETTINGS_CHECK_CONFIG);
    assert_int_equal(loaded_action(ARGUMENTS("probe", "ready")), SETTINGS_PROBE_READY);
    assert_int_equal(loaded_action(ARGUMENTS("--listen=localhost:1", "probe", "live")),
                     SETTINGS_PROBE_LIVE);
    assert_int_equal(loaded_action(ARGUMENTS("--version")), SETTINGS_VERSION);
    setenv(PREFIX "WORKERS", "none", 1); /* help must be had with broken settings too */
    assert_int_equal(loaded_action(ARGUMENTS("--help")), SETTINGS_HELP);
    assert_int_equal(loaded_action(ARGUMENTS("-h")), SETTINGS_HELP);
    unsetenv(PREFIX "WORKERS");
    check_refused(ARGUMENTS("probe"), "probe: say 'probe ready' or 'probe live'");
    check_refused(ARGUMENTS("probe", "well"), "probe: say 'probe ready' or 'probe live'");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, clean_environment, remove_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults),
        TEST(test_worked_out_defaults),
        TEST(test_no_home),
        TEST(test_precedence),
        TEST(test_config_flag_before_variable),
        TEST(test_file),
        TEST(test_booleans),
        TEST(test_numbers),
        TEST(test_unknown_names),
        TEST(test_password_is_no_flag),
        TEST(test_file_that_is_not_there),
        TEST(test_checks_across_settings),
        TEST(test_loopback),
        TEST(test_insecure),
        TEST(test_mysql),
        TEST(test_password_file),
        TEST(test_print),
        TEST(test_help),
        TEST(test_actions),
    };

    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
