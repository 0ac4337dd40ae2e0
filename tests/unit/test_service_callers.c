/* needs: fakes/fake_engine.c unit/service_process.c unit/service_client.c unit/service_queries.c */
/* Tokens over HTTP: 401 before the body, 403, 429, whose query it is, reload, the log. */
#include <ctype.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "deadline.h"
#include "http_reply.h"
#include "openapi.h"
#include "router.h"
#include "service_client.h"
#include "service_process.h"
#include "service_queries.h"
#include "token_file.h"

#define PARQUET "/api/spark/query/parquet"
#define JSON "Content-Type: application/json\r\n"

struct caller_token {
    char token[TOKEN_TEXT_BYTES];
    char header[TOKEN_TEXT_BYTES + 64]; /* with its line end */
};

static struct service_process *service;
static char file[] = "/tmp/callers-XXXXXX";
static struct caller_token app, other, ops, narrow;

/* ---- tokens ---- */

/* `token WORDS` by the program itself; its output without the line end. */
static int token_command(const char *words, char *ret_output, size_t size)
{
    char command[512];
    FILE *pipe = NULL;
    size_t length = 0;

    snprintf(command, sizeof(command), "%s token %s --tokens-file %s 2>&1", getenv("FAKE_SERVICE"),
             words, file);
    pipe = popen(command, "re");
    assert_non_null(pipe);
    length = fread(ret_output, 1, size - 1, pipe);
    ret_output[length > 0 ? length - 1 : 0] = '\0';
    return pclose(pipe) >> 8;
}

static struct caller_token add_token(const char *words)
{
    struct caller_token made;
    char command[256];
    char output[512];

    snprintf(command, sizeof(command), "add %s", words);
    assert_int_equal(token_command(command, output, sizeof(output)), 0);
    assert_int_equal(strlen(output), sizeof(made.token) - 1);
    memcpy(made.token, output, sizeof(made.token));
    snprintf(made.header, sizeof(made.header), "Authorization: Bearer %s\r\n", made.token);
    return made;
}

static void reload(const char *logged)
{
    assert_int_equal(kill(service->pid, SIGHUP), 0);
    service_process_wait_logged(service, logged);
}

static int start_service(void **state)
{
    char flag[64];
    int fd = -1;

    (void)state;
    strcpy(file, "/tmp/callers-XXXXXX");
    fd = mkstemp(file);
    assert_true(fd >= 0);
    close(fd);
    app = add_token("app --scope query,cancel");
    other = add_token("other --scope query,cancel");
    ops = add_token("ops --scope query,cancel,metrics,admin");
    narrow = add_token("narrow --scope metrics --source delta");
    snprintf(flag, sizeof(flag), "--tokens-file=%s", file);
    service = service_process_start_ready(
        SETTINGS(flag, "--workers=3", "--shared-queries=0", "--queue-length=8"));
    return 0;
}

static int stop_service(void **state)
{
    (void)state;
    if (service != NULL) { /* no secret was ever logged */
        assert_false(service_process_logged(service, "sps_"));
        assert_false(service_process_logged(service, "earer"));
    }
    service_process_stop_idle(&service);
    (void)unlink(file);
    return 0;
}

/* ---- requests ---- */

static int status_of(const char *method, const char *target, const char *headers, const char *body)
{
    struct answer answer;
    int status = 0;

    assert_true(service_client_once(service->port, method, target, headers, body, &answer));
    status = answer.status;
    answer_done(&answer);
    return status;
}

static void send_query(struct service_client *client, const struct caller_token *token,
                       const char *sql, const char *fields)
{
    char headers[256];
    char body[512];

    snprintf(headers, sizeof(headers), JSON "%s", token->header);
    snprintf(body, sizeof(body), "{\"path\":\"%s\",\"sql\":\"%s\"%s}", service->data, sql, fields);
    assert_true(service_client_open(client, service->port));
    assert_true(service_client_request(client, "POST", PARQUET, headers, body));
}

static struct answer query_answer(const struct caller_token *token, const char *sql,
                                  const char *fields)
{
    struct service_client client;
    struct answer answer;

    send_query(&client, token, sql, fields);
    assert_true(service_client_read(&client, &answer));
    service_client_close(&client);
    return answer;
}

static void check_query(const struct caller_token *token, const char *sql, const char *fields,
                        int status)
{
    struct answer answer = query_answer(token, sql, fields);

    if (answer.status != status)
        fail_msg("%s: %d %s", sql, answer.status, answer.body);
    answer_done(&answer);
}

static json_t *fetch_as(const struct caller_token *token, const char *method, const char *target,
                        int status)
{
    struct answer answer;
    json_t *body = NULL;

    assert_true(service_client_once(service->port, method, target, token->header, NULL, &answer));
    if (answer.status != status)
        fail_msg("%s %s: %d %s", method, target, answer.status, answer.body);
    body = json_loads(answer.body, 0, NULL);
    answer_done(&answer);
    return body;
}

static void wait_state_as(const struct caller_token *token, const char *target, const char *state)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    for (;;) {
        json_t *query = fetch_as(token, "GET", target, 200);
        bool reached = strcmp(member_text(query, "state"), state) == 0;

        json_decref(query);
        if (reached)
            return;
        assert_false(monotime_reached(limit, monotime_now()));
        pause_ms(2);
    }
}

static int64_t metric(const char *series)
{
    struct answer answer;
    const char *found = NULL;
    int64_t value = 0;

    assert_true(service_client_once(service->port, "GET", "/metrics", ops.header, NULL, &answer));
    assert_int_equal(answer.status, 200);
    found = strstr(answer.body, series);
    assert_non_null(found);
    value = strtoll(found + strlen(series), NULL, 10);
    answer_done(&answer);
    return value;
}

/* ---- routes and scopes ---- */

/* The decision for every route, written down here once more. */
static void test_every_route_has_its_scope(void **state)
{
    static const struct {
        const char *pattern;
        unsigned scope; /* 0: open */
    } WANTED[] = {
        {"/api/spark/query/mysql", SCOPE_QUERY},
        {"/api/spark/query/parquet", SCOPE_QUERY},
        {"/api/spark/query/delta", SCOPE_QUERY},
        {"/api/spark/query/iceberg", SCOPE_QUERY},
        {"/api/spark/explain/mysql", SCOPE_QUERY},
        {"/api/spark/explain/parquet", SCOPE_QUERY},
        {"/api/spark/explain/delta", SCOPE_QUERY},
        {"/api/spark/explain/iceberg", SCOPE_QUERY},
        {"/api/spark/queries", SCOPE_QUERY},
        {"/api/spark/queries/*", SCOPE_QUERY},
        {"/api/spark/queries/*/results", SCOPE_QUERY},
        {"/api/spark/health", 0},
        {"/livez", 0},
        {"/readyz", 0},
        {"/startupz", 0},
        {"/", 0},
        {"/console.css", 0},
        {"/console.js", 0},
        {"/console.json", SCOPE_QUERY},
        {"/metrics", SCOPE_METRICS},
        {"/openapi.json", 0},
    };

    (void)state;
    assert_int_equal(router_route_count(), sizeof(WANTED) / sizeof(WANTED[0]));
    for (int route = 0; route < router_route_count(); route++) {
        unsigned methods = router_route_methods(route);

        assert_string_equal(router_route_name(route), WANTED[route].pattern);
        assert_int_equal(router_route_is_open(route), WANTED[route].scope == 0);
        if (WANTED[route].scope == 0)
            continue;
        for (unsigned method = METHOD_GET; method < METHOD_OTHER; method <<= 1) {
            if ((methods & method) != 0)
                assert_int_equal(router_route_scope(route, method),
                                 method == METHOD_DELETE ? SCOPE_CANCEL : WANTED[route].scope);
        }
    }
}

/* The operation of a route in the description, NULL when it has none. */
static const json_t *described(const json_t *document, const char *pattern, unsigned method)
{
    const char *star = strchr(pattern, '*');
    char path[128];
    char name[16];

    snprintf(path, sizeof(path), "%.*s%s%s", star != NULL ? (int)(star - pattern) : 127, pattern,
             star != NULL ? "{id}" : "", star != NULL ? star + 1 : "");
    snprintf(name, sizeof(name), "%s", http_method_name(method));
    for (char *at = name; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    return json_object_get(json_object_get(json_object_get(document, "paths"), path), name);
}

/* The description says the same. */
static void test_described_scopes(void **state)
{
    json_t *document = json_loadb(openapi_json(), openapi_json_length(), 0, NULL);
    int compared = 0;

    (void)state;
    assert_non_null(document);
    for (int route = 0; route < router_route_count(); route++) {
        for (unsigned method = METHOD_GET; method < METHOD_OTHER; method <<= 1) {
            const json_t *operation = described(document, router_route_name(route), method);
            const char *scope = json_string_value(json_object_get(operation, "x-scope"));
            char wanted[64];

            if (operation == NULL)
                continue;
            compared++;
            if (router_route_is_open(route)) {
                assert_null(scope);
                continue;
            }
            token_scopes_format(router_route_scope(route, method), wanted, sizeof(wanted));
            assert_non_null(scope);
            assert_string_equal(scope, wanted);
            assert_non_null(json_object_get(operation, "security"));
        }
    }
    assert_true(compared >= 20);
    json_decref(document);
}

/* The same over HTTP, each route without a token and with one that lacks the scope. */
static void test_every_route_asks(void **state)
{
    (void)state;
    for (int route = 0; route < router_route_count(); route++) {
        for (unsigned method = METHOD_GET; method < METHOD_OTHER; method <<= 1) {
            char target[128];
            const char *star = strchr(router_route_name(route), '*');
            struct caller_token *lacking =
                strcmp(router_route_name(route), "/metrics") == 0 ? &app : &narrow;
            int status = 0;

            if ((router_route_methods(route) & method) == 0)
                continue;
            snprintf(target, sizeof(target), "%.*s%s%s",
                     star != NULL ? (int)(star - router_route_name(route)) : 127,
                     router_route_name(route), star != NULL ? QUERY_ID(1) : "",
                     star != NULL ? star + 1 : "");
            status = status_of(http_method_name(method), target, "", NULL);
            assert_int_equal(status, router_route_is_open(route) ? 200 : 401);
            if (!router_route_is_open(route))
                assert_int_equal(status_of(http_method_name(method), target, lacking->header, NULL),
                                 403);
        }
    }
    assert_int_equal(status_of("GET", "/nowhere", "", NULL), 404);
    assert_int_equal(status_of("PATCH", PARQUET, "", NULL), 405);
    assert_int_equal(status_of("GET", "/metrics", narrow.header, NULL), 200);
}

/* ---- 401 ---- */

static void test_401_before_the_body(void **state)
{
    static const char *const HEADERS[] = {
        "", "Authorization: Bearer wrong\r\n", "Authorization: Basic YTpi\r\n",
        "Authorization: Bearer sps_000000000000_"
        "0000000000000000000000000000000000000000000000000000000000000000\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(HEADERS) / sizeof(HEADERS[0]); i++) {
        struct service_client client;
        struct answer answer;
        char text[512];

        /* No byte of the body is sent, and 100 Continue would be the first answer. */
        snprintf(text, sizeof(text),
                 "POST " PARQUET " HTTP/1.1\r\nHost: test\r\n%s" JSON
                 "Content-Length: 100000\r\nExpect: 100-continue\r\n\r\n",
                 HEADERS[i]);
        assert_true(service_client_open(&client, service->port));
        assert_true(service_client_send(&client, text, strlen(text)));
        assert_true(service_client_read(&client, &answer));
        assert_int_equal(answer.status, 401);
        answer_check_header(&answer, "WWW-Authenticate", "Bearer");
        answer_check_header(&answer, "Connection", "close");
        assert_non_null(strstr(answer.body, "\"code\":\"unauthenticated\""));
        assert_true(service_client_at_end(&client));
        answer_done(&answer);
        service_client_close(&client);
    }
}

static void test_two_authorization_headers(void **state)
{
    char headers[512];

    (void)state;
    snprintf(headers, sizeof(headers), "%s%s", app.header, app.header);
    assert_int_equal(status_of("GET", QUERIES, headers, NULL), 401);
    assert_int_equal(status_of("GET", QUERIES, app.header, NULL), 200);
}

/* The token is taken away while its request's body is still on its way. */
static void test_revoked_while_the_body_comes(void **state)
{
    struct caller_token brief = add_token("brief");
    struct service_client client;
    struct answer answer;
    char text[512];
    char output[128];

    (void)state;
    reload("setting=TOKENS_FILE");
    while (status_of("GET", QUERIES, brief.header, NULL) != 200)
        pause_ms(2);
    snprintf(text, sizeof(text),
             "POST " PARQUET " HTTP/1.1\r\nHost: test\r\n%s" JSON
             "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n",
             brief.header);
    assert_true(service_client_open(&client, service->port));
    assert_true(service_client_send(&client, text, strlen(text)));
    assert_true(service_client_wait_bytes(&client, strlen("HTTP/1.1 100 Continue\r\n\r\n")));
    client.length = 0; /* taken */
    assert_int_equal(token_command("remove brief", output, sizeof(output)), 0);
    assert_int_equal(kill(service->pid, SIGHUP), 0);
    while (status_of("GET", QUERIES, brief.header, NULL) != 401)
        pause_ms(2);
    assert_true(service_client_send(&client, "{}", 2));
    assert_true(service_client_read(&client, &answer));
    assert_int_equal(answer.status, 401);
    answer_done(&answer);
    service_client_close(&client);
}

static int count_logged(const char *text)
{
    char line[16384];
    int count = 0;
    FILE *log = fopen(service->log, "re");

    while (fgets(line, sizeof(line), log) != NULL)
        count += strstr(line, text) != NULL;
    fclose(log);
    return count;
}

static void test_a_flood_is_one_line(void **state)
{
    int64_t before = metric("spark_service_callers_refused_total{reason=\"token\"} ");

    (void)state;
    for (int i = 0; i < 300; i++)
        assert_int_equal(status_of("GET", QUERIES, "Authorization: Bearer x\r\n", NULL), 401);
    assert_int_equal(metric("spark_service_callers_refused_total{reason=\"token\"} ") - before,
                     300);
    assert_int_equal(count_logged("status=401"), 0);
    assert_in_range(count_logged("requests without a valid token"), 1, 5);
}

/* ---- 403 and 429 ---- */

static void test_sources(void **state)
{
    struct caller_token files = add_token("files --source delta,main");
    char headers[256];

    (void)state;
    reload("setting=TOKENS_FILE");
    while (status_of("GET", QUERIES, files.header, NULL) != 200)
        pause_ms(2);
    check_query(&files, "rows 1", "", 403);
    snprintf(headers, sizeof(headers), JSON "%s", files.header);
    assert_int_equal(status_of("POST", "/api/spark/query/mysql", headers,
                               "{\"sql\":\"SELECT 1\",\"config\":{\"source\":\"second\"}}"),
                     403);
    assert_int_equal(
        status_of("POST", "/api/spark/query/mysql", headers,
                  "{\"sql\":\"SELECT 1\",\"config\":{\"host\":\"db\",\"user\":\"u\"}}"),
        403);
    /* Allowed, but there is no such source here. */
    assert_int_equal(status_of("POST", "/api/spark/query/mysql", headers, "{\"sql\":\"SELECT 1\"}"),
                     400);
    service_process_wait_logged(service, "caller=files token_id=");
    service_process_wait_logged(service, "source=config does=query");
}

static void test_rate(void **state)
{
    struct caller_token slow = add_token("slow --rate 3/h");
    struct answer answer;
    char value[16];

    (void)state;
    reload("setting=TOKENS_FILE");
    while (status_of("GET", "/metrics", slow.header, NULL) == 401)
        pause_ms(2); /* the first that isn't is 403, and counts */
    assert_int_equal(status_of("GET", QUERIES, slow.header, NULL), 200);
    assert_int_equal(status_of("GET", QUERIES, slow.header, NULL), 200);
    assert_true(service_client_once(service->port, "GET", QUERIES, slow.header, NULL, &answer));
    assert_int_equal(answer.status, 429);
    assert_non_null(answer_header(&answer, "Retry-After", value, sizeof(value)));
    assert_in_range(atoi(value), 1190, 1200);
    assert_non_null(strstr(answer.body, "\"code\":\"rate_limited\""));
    answer_done(&answer);
    assert_int_equal(status_of("GET", QUERIES, app.header, NULL), 200);
}

static void test_concurrency(void **state)
{
    struct caller_token two = add_token("two --scope query,cancel --concurrency 2");
    struct service_client clients[2];
    struct answer answer;

    (void)state;
    reload("setting=TOKENS_FILE");
    while (status_of("GET", QUERIES, two.header, NULL) != 200)
        pause_ms(2);
    send_query(&clients[0], &two, FOREVER, NO_TIMEOUT WITH_ID(1));
    send_query(&clients[1], &two, FOREVER, NO_TIMEOUT WITH_ID(2));
    wait_state_as(&ops, QUERIES "/" QUERY_ID(1), "RUNNING");
    wait_state_as(&ops, QUERIES "/" QUERY_ID(2), "RUNNING");
    answer = query_answer(&two, "rows 1", "");
    assert_int_equal(answer.status, 429);
    answer_check_header(&answer, "Retry-After", "1");
    answer_done(&answer);
    check_query(&app, "rows 1", "", 200);
    json_decref(fetch_as(&two, "DELETE", QUERIES "/" QUERY_ID(1), 202));
    wait_state_as(&two, QUERIES "/" QUERY_ID(1), "CANCELLED");
    check_query(&two, "rows 1", "", 200);
    json_decref(fetch_as(&two, "DELETE", QUERIES "/" QUERY_ID(2), 202));
    wait_state_as(&two, QUERIES "/" QUERY_ID(2), "CANCELLED");
    service_client_close(&clients[0]);
    service_client_close(&clients[1]);
}

/* ---- whose is it ---- */

static size_t listed(const struct caller_token *token, const char *parameters)
{
    char target[128];
    json_t *body = NULL;
    size_t count = 0;

    snprintf(target, sizeof(target), QUERIES "%s", parameters);
    body = fetch_as(token, "GET", target, 200);
    count = json_array_size(json_object_get(body, "queries"));
    json_decref(body);
    return count;
}

static void test_only_ones_own(void **state)
{
    struct service_client client;
    json_t *body = NULL;

    (void)state;
    send_query(&client, &app, FOREVER, NO_TIMEOUT WITH_ID(3) WITH_TAGS("\"mine\""));
    wait_state_as(&app, QUERIES "/" QUERY_ID(3), "RUNNING");
    assert_int_equal(listed(&app, "?tag=mine"), 1);
    assert_int_equal(listed(&other, "?tag=mine"), 0);
    assert_int_equal(listed(&ops, "?tag=mine"), 1);
    json_decref(fetch_as(&other, "GET", QUERIES "/" QUERY_ID(3), 404));
    json_decref(fetch_as(&other, "GET", QUERIES "/" QUERY_ID(3) "/results", 404));
    json_decref(fetch_as(&other, "DELETE", QUERIES "/" QUERY_ID(3), 404));
    body = fetch_as(&other, "DELETE", QUERIES "?tag=mine", 202);
    assert_int_equal(json_array_size(json_object_get(body, "cancelled")), 0);
    json_decref(body);
    body = fetch_as(&ops, "DELETE", QUERIES "?tag=mine", 202);
    assert_int_equal(json_array_size(json_object_get(body, "cancelled")), 1);
    json_decref(body);
    wait_state_as(&app, QUERIES "/" QUERY_ID(3), "CANCELLED");
    service_client_close(&client);
}

/* The same id of two callers: neither sees, disturbs or cancels the other's. */
static void test_same_id_of_two_callers(void **state)
{
    struct service_client clients[2];

    (void)state;
    send_query(&clients[0], &app, FOREVER, NO_TIMEOUT WITH_ID(4));
    wait_state_as(&app, QUERIES "/" QUERY_ID(4), "RUNNING");
    check_query(&app, "rows 1", WITH_ID(4), 409);
    send_query(&clients[1], &other, FOREVER, NO_TIMEOUT WITH_ID(4));
    wait_state_as(&other, QUERIES "/" QUERY_ID(4), "RUNNING");
    json_decref(fetch_as(&other, "DELETE", QUERIES "/" QUERY_ID(4), 202));
    wait_state_as(&other, QUERIES "/" QUERY_ID(4), "CANCELLED");
    wait_state_as(&app, QUERIES "/" QUERY_ID(4), "RUNNING");
    json_decref(fetch_as(&app, "DELETE", QUERIES "/" QUERY_ID(4), 202));
    wait_state_as(&app, QUERIES "/" QUERY_ID(4), "CANCELLED");
    service_client_close(&clients[0]);
    service_client_close(&clients[1]);
}

/* A handle is its owner's before and after a restart. */
static void test_handles(void **state)
{
    char flag[64];

    (void)state;
    check_query(&app, "rows 3", WITH_ID(5) ",\"wait_ms\":0", 202);
    wait_state_as(&app, QUERIES "/" QUERY_ID(5), "SUCCEEDED");
    json_decref(fetch_as(&app, "GET", QUERIES "/" QUERY_ID(5) "/results", 200));
    json_decref(fetch_as(&ops, "GET", QUERIES "/" QUERY_ID(5) "/results", 200));
    json_decref(fetch_as(&other, "GET", QUERIES "/" QUERY_ID(5) "/results", 404));
    snprintf(flag, sizeof(flag), "--tokens-file=%s", file);
    service_process_restart(
        service, SIGTERM, SETTINGS(flag, "--workers=3", "--shared-queries=0", "--queue-length=8"));
    json_decref(fetch_as(&app, "GET", QUERIES "/" QUERY_ID(5), 410));
    json_decref(fetch_as(&other, "GET", QUERIES "/" QUERY_ID(5), 404));
}

/* ---- audit, reload, console ---- */

static void test_audit(void **state)
{
    /* SHA-256 of "rows 2" by coreutils' sha256sum. */
    static const char line[] =
        "caller=app token_id=%.12s endpoint=parquet source=parquet does=query "
        "sql_sha256=e6b8420dfbbd2830afbe14719e97b8477a7c7f6d627094b960bddd29cdb73565 "
        "outcome=SUCCEEDED code=none rows=2 bytes=";
    char wanted[512];

    (void)state;
    check_query(&app, "rows 2", "", 200);
    snprintf(wanted, sizeof(wanted), line, app.token + 4);
    service_process_wait_logged(service, wanted);
    assert_int_equal(count_logged("rows 2"), 0);
    check_query(&app, "fail sql_error", WITH_ID(6), 422);
    service_process_wait_logged(service, "msg=audit query_id=" QUERY_ID(6));
    assert_int_equal(count_logged("outcome=FAILED code=sql_error"), 1);
}

static void test_broken_file_is_said(void **state)
{
    FILE *tokens = fopen(file, "ae");

    (void)state;
    fputs("sps_not_a_line\n", tokens);
    fclose(tokens);
    reload("level=error msg=\"RELOAD FAILED");
    assert_int_equal(status_of("GET", QUERIES, app.header, NULL), 200);
    assert_int_equal(metric("spark_service_reloads_total{result=\"failed\"} "), 1);
}

/* At the start there is nothing to keep: it ends, with file and line. */
static void test_broken_file_stops_the_start(void **state)
{
    struct service_process *process = NULL;
    char flag[64];
    FILE *tokens = NULL;

    (void)state;
    strcpy(file, "/tmp/callers-XXXXXX");
    tokens = fdopen(mkstemp(file), "w");
    assert_non_null(tokens);
    fputs("# fine\nname=app\n", tokens);
    fclose(tokens);
    snprintf(flag, sizeof(flag), "--tokens-file=%s", file);
    process = service_process_spawn(SETTINGS(flag));
    service_process_wait_logged(process, ":2: id: is missing");
    service_process_finish(process, 2);
    process = service_process_spawn(SETTINGS(flag, "--check-config"));
    service_process_wait_logged(process, ":2: id: is missing");
    service_process_finish(process, 2);
    assert_int_equal(unlink(file), 0);
    process = service_process_spawn(SETTINGS(flag));
    service_process_wait_logged(process, "TOKENS_FILE: can't read ");
    service_process_finish(process, 2);
}

static void test_console(void **state)
{
    struct answer answer;

    (void)state;
    assert_int_equal(status_of("GET", "/", "", NULL), 200);
    assert_true(service_client_once(service->port, "GET", "/console.json", "", NULL, &answer));
    assert_int_equal(answer.status, 401);
    assert_null(strstr(answer.body, service->data));
    answer_done(&answer);
    assert_true(
        service_client_once(service->port, "GET", "/console.json", app.header, NULL, &answer));
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, service->data));
    answer_done(&answer);
}

/* ---- the command ---- */

static void test_command(void **state)
{
    char output[4096];
    struct caller_token second;

    (void)state;
    assert_int_equal(token_command("add twin --rate 9/s --scope metrics", output, sizeof(output)),
                     0);
    second = add_token("twin");
    assert_int_equal(token_command("list", output, sizeof(output)), 0);
    assert_null(strstr(output, "sha256"));
    assert_non_null(strstr(strstr(output, "name=twin") + 1, "name=twin"));
    assert_non_null(strstr(strstr(strstr(output, "name=twin") + 1, "name=twin"),
                           "scope=metrics source=* rate=9/s concurrency=- added="));
    assert_int_equal(token_command("add twin", output, sizeof(output)), 2);
    assert_non_null(strstr(output, "twin has two tokens already"));
    assert_int_equal(token_command("remove twin --older", output, sizeof(output)), 0);
    assert_int_equal(token_command("list", output, sizeof(output)), 0);
    assert_non_null(strstr(output, "name=twin"));
    assert_null(strstr(strstr(output, "name=twin") + 1, "name=twin"));
    snprintf(output + 2048, 64, "name=twin id=%.12s", second.token + 4);
    assert_non_null(strstr(output, output + 2048));
    assert_int_equal(token_command("remove twin --older", output, sizeof(output)), 2);
    assert_int_equal(token_command("remove twin", output, sizeof(output)), 0);
    assert_int_equal(token_command("remove twin", output, sizeof(output)), 2);
    assert_int_equal(token_command("add bad --rate 0/s", output, sizeof(output)), 2);
    assert_int_equal(token_command("add bad --scope all", output, sizeof(output)), 2);
    assert_int_equal(token_command("add 'b d'", output, sizeof(output)), 2);
    assert_int_equal(token_command("", output, sizeof(output)), 2);
    assert_int_equal(token_command("frobnicate x", output, sizeof(output)), 2);
}

#define IN_SERVICE(test) cmocka_unit_test_setup_teardown(test, start_service, stop_service)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_route_has_its_scope),
        cmocka_unit_test(test_described_scopes),
        IN_SERVICE(test_every_route_asks),
        IN_SERVICE(test_401_before_the_body),
        IN_SERVICE(test_two_authorization_headers),
        IN_SERVICE(test_revoked_while_the_body_comes),
        IN_SERVICE(test_a_flood_is_one_line),
        IN_SERVICE(test_sources),
        IN_SERVICE(test_rate),
        IN_SERVICE(test_concurrency),
        IN_SERVICE(test_only_ones_own),
        IN_SERVICE(test_same_id_of_two_callers),
        IN_SERVICE(test_handles),
        IN_SERVICE(test_audit),
        IN_SERVICE(test_broken_file_is_said),
        cmocka_unit_test(test_broken_file_stops_the_start),
        IN_SERVICE(test_console),
        IN_SERVICE(test_command),
    };

    return cmocka_run_group_tests_name("service_callers", tests, NULL, NULL);
}
