/* needs: unit/service_process.c unit/service_client.c */
/* Long answers that are kept on disk, as clients see them. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/deadline.h"
#include "service_client.h"
#include "service_process.h"

#define MISS "spark-service; fwd=uri-miss"
#define STALE "spark-service; fwd=stale"
#define HIT "spark-service; hit"
#define JSON "Content-Type: application/json\r\n"
#define LONG_ROWS "rows 200000"   /* 2.6 MB of JSON */
#define LONGER_ROWS "rows 400000" /* 5.3 MB: more than the kernel takes for who doesn't read */
#define LARGER_ROWS "rows 700000" /* 9.4 MB: over a quarter of the budget */
#define NARROW (16 * 1024)
#define BUDGET "33554432"

static struct service_process *service;

static int start_service(void **state)
{
    (void)state;
    service = service_process_start_ready(SETTINGS("--workers=2", "--cache-disk-bytes=" BUDGET));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    service_process_stop_idle(&service);
    return 0;
}

/* ---- looking ---- */

static void results_path(char ret_path[160])
{
    snprintf(ret_path, 160, "%s/state/results", service->folder);
}

static int files(void)
{
    char path[160];
    int count = 0;
    DIR *dir = NULL;

    results_path(path);
    dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* Each file is that of a kept answer: none is left of what was given up. */
static void wait_files_are_kept(void)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    while (files() != service_process_metric(service, "cache_answers") ||
           service_process_metric(service, "streams_open") != 0) {
        if (monotime_reached(limit, monotime_now()))
            fail_msg("%d files", files());
        pause_ms(5);
    }
}

/* ---- asking ---- */

static struct answer ask_as(const char *table, const char *script, const char *fields,
                            const char *headers)
{
    char body[640];
    struct answer answer;

    snprintf(body, sizeof(body), "{\"path\":\"%s\",\"sql\":\"reads %s %s\"%s}", table, table,
             script, fields);
    assert_true(service_client_once(service->port, "POST", "/api/spark/query/parquet", headers,
                                    body, &answer));
    assert_int_equal(answer.status, 200);
    assert_true(answer.complete);
    return answer;
}

static struct answer ask(const char *table, const char *script)
{
    return ask_as(table, script, "", JSON);
}

static bool has_status(const struct answer *answer, const char *cache_status)
{
    char value[128];
    const char *found = answer_header(answer, "Cache-Status", value, sizeof(value));

    return found != NULL && strcmp(found, cache_status) == 0;
}

/* The answer of a run, and that it is kept: asked until the next one is a hit, as the table has
 * to settle first. */
static struct answer ask_until_kept(const char *table, const char *script, const char *fields,
                                    const char *headers, struct answer *ret_kept)
{
    struct answer made = ask_as(table, script, fields, headers);

    for (int64_t waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 5) {
        *ret_kept = ask_as(table, script, fields, headers);
        if (has_status(ret_kept, HIT))
            return made;
        answer_check_header(ret_kept, "Cache-Status", MISS);
        answer_done(&made);
        made = *ret_kept;
        pause_ms(5);
    }
    fail_msg("never kept");
    return made;
}

static void keep(const char *table, const char *script)
{
    struct answer kept;
    struct answer made = ask_until_kept(table, script, "", JSON, &kept);

    answer_done(&made);
    answer_done(&kept);
}

static void check_same_body(const struct answer *one, const struct answer *other)
{
    assert_int_equal(one->body_length, other->body_length);
    assert_memory_equal(one->body, other->body, one->body_length);
}

static void check_same_header(const struct answer *one, const struct answer *other,
                              const char *name)
{
    char value[128];

    answer_check_header(other, name, answer_header(one, name, value, sizeof(value)));
}

static void check_trailers(const struct answer *answer, const char *truncated)
{
    char value[128];

    assert_true(answer->chunked);
    assert_non_null(answer_trailer(answer, "Server-Timing", value, sizeof(value)));
    assert_string_equal(answer_trailer(answer, "Result-Truncated", value, sizeof(value)),
                        truncated);
}

/* ---- hits ---- */

static void test_each_form_is_the_same_again(void **state)
{
    static const char *const FORMATS[] = {"application/json", "application/x-ndjson;end=1",
                                          "text/csv", "application/vnd.apache.arrow.stream"};
    static const char *const CODINGS[] = {"identity", "gzip", "zstd"};
    const char *table = service_process_new_table(service);

    (void)state;
    for (size_t i = 0; i < sizeof(FORMATS) / sizeof(FORMATS[0]); i++) {
        for (size_t j = 0; j < sizeof(CODINGS) / sizeof(CODINGS[0]); j++) {
            char headers[256];
            struct answer made, kept;

            snprintf(headers, sizeof(headers), JSON "Accept: %s\r\nAccept-Encoding: %s\r\n",
                     FORMATS[i], CODINGS[j]);
            made = ask_until_kept(table, LONG_ROWS, "", headers, &kept);
            check_same_body(&made, &kept);
            check_same_header(&made, &kept, "Content-Type");
            check_same_header(&made, &kept, "Content-Encoding");
            check_same_header(&made, &kept, "Trailer");
            check_same_header(&made, &kept, "Vary");
            answer_check_header(&kept, "Query-Engine", "spark");
            answer_check_header(&kept, "ETag", NULL);
            check_trailers(&made, "false");
            check_trailers(&kept, "false");
            answer_done(&made);
            answer_done(&kept);
        }
    }
}

static void test_get_shares_it(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer made, kept, got;
    char target[512];

    (void)state;
    made = ask_until_kept(table, LONG_ROWS, "", JSON, &kept);
    snprintf(target, sizeof(target), "/api/spark/query/parquet?path=%s&sql=reads+%s+rows+200000",
             table, table);
    assert_true(service_client_once(service->port, "GET", target, "", NULL, &got));
    answer_check_header(&got, "Cache-Status", HIT);
    check_same_body(&made, &got);
    answer_done(&made);
    answer_done(&kept);
    answer_done(&got);
}

static void test_limits_are_apart(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer kept;
    struct answer made = ask_until_kept(table, LONG_ROWS, ",\"row_limit\":150000", JSON, &kept);

    (void)state;
    check_same_body(&made, &kept);
    check_trailers(&made, "true");
    check_trailers(&kept, "true");
    answer_done(&made);
    answer_done(&kept);
    kept = ask(table, LONG_ROWS);
    answer_check_header(&kept, "Cache-Status", MISS);
    answer_done(&kept);
}

static void test_change_is_seen_at_once(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer anew;

    (void)state;
    keep(table, LONG_ROWS);
    write_table_file(table, "b.parquet", "b");
    anew = ask(table, LONG_ROWS);
    answer_check_header(&anew, "Cache-Status", STALE);
    answer_done(&anew);
    keep(table, LONG_ROWS);
}

/* What breaks off, and what nobody proves, leaves nothing behind. */
static void test_not_kept(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer answer;
    char sql[256];

    (void)state;
    keep(table, LONG_ROWS); /* it has settled */
    snprintf(sql, sizeof(sql), "reads %s " LONG_ROWS " fail sql_error", table);
    for (int i = 0; i < 2; i++) {
        assert_true(service_client_query_once(service->port, table, sql, "", &answer));
        assert_false(answer.complete);
        answer_check_header(&answer, "Cache-Status", MISS);
        answer_done(&answer);
        assert_true(service_client_query_once(service->port, table, LONG_ROWS, "", &answer));
        assert_true(answer.complete);
        answer_check_header(&answer, "Cache-Status", MISS);
        answer_done(&answer);
    }
    wait_files_are_kept();
}

static void test_leaver_leaves_nothing(void **state)
{
    const char *table = service_process_new_table(service);
    struct service_client client;
    int before = 0;
    char sql[256];

    (void)state;
    keep(table, LONG_ROWS);
    wait_files_are_kept();
    before = files();
    snprintf(sql, sizeof(sql), "reads %s " LONG_ROWS " sleep 600000", table);
    assert_true(service_client_open(&client, service->port));
    assert_true(service_client_query(&client, table, sql, ""));
    assert_true(service_client_wait_bytes(&client, 1024));
    assert_int_equal(files(), before + 1);
    service_client_close(&client);
    wait_files_are_kept();
}

/* ---- readers of a hit ---- */

static void open_stopped_hit(struct service_client *client, const char *table)
{
    char sql[256];

    snprintf(sql, sizeof(sql), "reads %s " LONGER_ROWS, table);
    assert_true(service_client_open_narrow(client, service->port, NARROW));
    assert_true(service_client_query(client, table, sql, ""));
    assert_true(service_client_wait_bytes(client, 1024));
}

/* It holds neither a slot nor others up, and reads on what is kept no more. */
static void test_slow_reader(void **state)
{
    const char *table = service_process_new_table(service);
    struct service_client client;
    struct answer made, kept, slow, anew;

    (void)state;
    made = ask_until_kept(table, LONGER_ROWS, "", JSON, &kept);
    answer_done(&kept);
    open_stopped_hit(&client, table);
    assert_int_equal(service_process_health(service, "slots", "busy"), 0);
    assert_in_range(service_process_metric(service, "stream_bytes"), 0, 5 * 256 * 1024);
    kept = ask(table, LONGER_ROWS);
    answer_check_header(&kept, "Cache-Status", HIT);
    check_same_body(&made, &kept);
    write_table_file(table, "b.parquet", "b");
    anew = ask(table, LONGER_ROWS);
    answer_check_header(&anew, "Cache-Status", STALE);
    assert_true(service_client_read(&client, &slow));
    assert_true(slow.complete);
    answer_check_header(&slow, "Cache-Status", HIT);
    check_same_body(&made, &slow);
    service_client_close(&client);
    wait_files_are_kept();
    answer_done(&made);
    answer_done(&kept);
    answer_done(&slow);
    answer_done(&anew);
}

static void test_readers_leave(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer kept;

    (void)state;
    keep(table, LONGER_ROWS);
    for (int i = 0; i < 20; i++) {
        struct service_client client;

        open_stopped_hit(&client, table);
        if (i % 2 == 0)
            service_client_reset(&client);
        else
            service_client_close(&client);
    }
    wait_files_are_kept();
    assert_int_equal(service_process_metric(service, "stream_bytes"), 0);
    kept = ask(table, LONGER_ROWS);
    answer_check_header(&kept, "Cache-Status", HIT);
    answer_done(&kept);
}

/* ---- the disk ---- */

static void test_too_large(void **state)
{
    const char *table = service_process_new_table(service);
    static const char REFUSED[] = "cache_disk_refused_total{reason=\"too_large\"}";
    int64_t refused = service_process_metric(service, REFUSED);

    (void)state;
    keep(table, LONG_ROWS); /* it has settled */
    for (int i = 0; i < 2; i++) {
        struct answer answer = ask(table, LARGER_ROWS);

        answer_check_header(&answer, "Cache-Status", MISS);
        answer_done(&answer);
    }
    assert_int_equal(service_process_metric(service, REFUSED), refused + 2);
    wait_files_are_kept();
    assert_int_equal(service_process_metric(service, "cache_disk_bytes_limit"), atoll(BUDGET));
}

/* A failed write is no failure of the answer; neither is it kept. */
static void test_disk_that_fails(void **state)
{
    char path[160], aside[192];
    const char *table = service_process_new_table(service);
    static const char FAILED[] = "cache_disk_refused_total{reason=\"failed\"}";
    int64_t failed = service_process_metric(service, FAILED);
    struct answer answer;

    (void)state;
    results_path(path);
    snprintf(aside, sizeof(aside), "%s.aside", path);
    assert_int_equal(rename(path, aside), 0);
    answer = ask(table, LONG_ROWS);
    assert_int_equal(rename(aside, path), 0);
    answer_check_header(&answer, "Cache-Status", MISS);
    answer_done(&answer);
    assert_int_equal(service_process_metric(service, FAILED), failed + 1);
    keep(table, LONG_ROWS);
}

static void remove_files(void)
{
    char path[160];
    DIR *dir = NULL;

    results_path(path);
    dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] != '.')
            assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    }
    closedir(dir);
}

/* Somebody removed the file: one caller is told of it, the next one gets rows. */
static void test_file_that_is_lost(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer answer;
    char sql[256];

    (void)state;
    keep(table, LONG_ROWS);
    remove_files();
    snprintf(sql, sizeof(sql), "reads %s " LONG_ROWS, table);
    assert_true(service_client_query_once(service->port, table, sql, "", &answer));
    assert_int_equal(answer.status, 500);
    answer_done(&answer);
    answer = ask(table, LONG_ROWS);
    answer_check_header(&answer, "Cache-Status", MISS);
    answer_done(&answer);
}

static void restart(int signal_number, const char *const *settings)
{
    service_process_restart(service, signal_number, settings);
    assert_int_equal(files(), 0);
}

static void test_restart_leaves_no_file(void **state)
{
    const char *table = service_process_new_table(service);
    struct answer answer;

    (void)state;
    keep(table, LONG_ROWS);
    assert_true(files() > 0);
    restart(SIGKILL, SETTINGS("--workers=2", "--cache-disk-bytes=" BUDGET, "--drain-ms=100",
                              "--stream-stall-ms=500"));
    answer = ask(table, LONG_ROWS);
    answer_check_header(&answer, "Cache-Status", MISS);
    answer_done(&answer);
}

/* Nothing of it is whole, or nothing came at all. */
static void check_cut_off(struct service_client *client)
{
    struct answer answer;

    if (service_client_read(client, &answer))
        assert_false(answer.complete);
    answer_done(&answer);
    service_client_close(client);
}

static void test_stopped_reader_is_cut_off(void **state)
{
    const char *table = service_process_new_table(service);
    struct service_client client;

    (void)state;
    keep(table, LONGER_ROWS);
    open_stopped_hit(&client, table);
    wait_files_are_kept(); /* and no answer is under way */
    check_cut_off(&client);
}

/* A reader that has stopped doesn't hold up the end. */
static void test_end_amid_a_hit(void **state)
{
    const char *table = service_process_new_table(service);
    struct service_client client;

    (void)state;
    keep(table, LONGER_ROWS);
    open_stopped_hit(&client, table);
    restart(SIGTERM, SETTINGS("--workers=2", "--cache-disk-bytes=0"));
    check_cut_off(&client);
}

static void test_off(void **state)
{
    const char *table = service_process_new_table(service);

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct answer answer = ask(table, LONG_ROWS);

        answer_check_header(&answer, "Cache-Status", MISS "; detail=too-large");
        answer_done(&answer);
    }
    assert_int_equal(files(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_form_is_the_same_again),
        cmocka_unit_test(test_get_shares_it),
        cmocka_unit_test(test_limits_are_apart),
        cmocka_unit_test(test_change_is_seen_at_once),
        cmocka_unit_test(test_not_kept),
        cmocka_unit_test(test_leaver_leaves_nothing),
        cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_readers_leave),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_disk_that_fails),
        cmocka_unit_test(test_file_that_is_lost),
        /* These in this order: each restarts for the next one. */
        cmocka_unit_test(test_restart_leaves_no_file),
        cmocka_unit_test(test_stopped_reader_is_cut_off),
        cmocka_unit_test(test_end_amid_a_hit),
        cmocka_unit_test(test_off),
    };

    return cmocka_run_group_tests(tests, start_service, stop_service);
}
