/* needs: unit/http_rig.c */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/deadline.h"
#include "http_rig.h"

#define HOLD                                                                                       \
    "POST /hold?a=b HTTP/1.1\r\nHost: x\r\nX-One: 1\r\nx-one: 2\r\nContent-Length: 0\r\n\r\n"

static struct http_rig rig;
static struct http_client client;

/* Each test begins with one exchange in rig.held. */
static int set_up(void **state)
{
    (void)state;
    http_rig_init(&rig);
    http_rig_start(&rig);
    http_client_open(&client, &rig);
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_client_close(&client);
    http_rig_stop(&rig);
    return 0;
}

static void test_request_as_a_handler_sees_it(void **state)
{
    const struct http_request *request = http_exchange_request(rig.held);
    (void)state;

    assert_int_equal(request->method, METHOD_POST);
    assert_string_equal(request->path, "/hold");
    assert_string_equal(request->query, "a=b");
    assert_string_equal(request->body, "");
    assert_int_equal(request->body_length, 0);
    assert_string_equal(http_exchange_header(rig.held, "X-ONE"), "1");
    assert_string_equal(http_exchange_header(rig.held, "host"), "x");
    assert_null(http_exchange_header(rig.held, "x"));
    assert_null(http_exchange_header(rig.held, ""));
}

/* The answer's body as JSON, once it is here. */
static json_t *await_problem(void)
{
    json_error_t error;

    http_client_await(&client, "}");
    const char *body = strstr(client.received.data, "\r\n\r\n");
    assert_non_null(body);
    json_t *problem = json_loads(body + 4, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(problem);
    return problem;
}

static void assert_text(const json_t *problem, const char *key, const char *expected)
{
    assert_string_equal(json_string_value(json_object_get(problem, key)), expected);
}

static void assert_number(const json_t *problem, const char *key, int64_t expected)
{
    assert_true(json_is_integer(json_object_get(problem, key)));
    assert_int_equal(json_integer_value(json_object_get(problem, key)), expected);
}

static void test_problem_with_everything(void **state)
{
    struct error err;
    (void)state;

    error_set(&err, ERROR_SQL_ERROR, "no such column: \"\xC3\xA4\"\n");
    strcpy(err.sqlstate, "42703");
    strcpy(err.error_class, "UNRESOLVED_COLUMN");
    err.line = 3;
    err.column = 14;
    http_reply_problem(rig.held, &err, "7d0c1b1e", 12, 0, NULL);

    json_t *problem = await_problem();
    assert_int_equal(json_object_size(problem), 13);
    assert_text(problem, "type", "urn:spark-service:problem:sql_error");
    assert_text(problem, "title", "Unprocessable Content");
    assert_number(problem, "status", 422);
    assert_text(problem, "detail", "no such column: \"\xC3\xA4\"\n");
    assert_text(problem, "instance", "/hold");
    assert_text(problem, "code", "sql_error");
    assert_text(problem, "query_id", "7d0c1b1e");
    assert_text(problem, "sqlstate", "42703");
    assert_text(problem, "error_class", "UNRESOLVED_COLUMN");
    assert_number(problem, "line", 3);
    assert_number(problem, "column", 14);
    assert_true(json_is_false(json_object_get(problem, "retryable")));
    assert_number(problem, "elapsed_ms", 12);
    json_decref(problem);
    assert_int_equal(http_client_count(&client, "HTTP/1.1 422 Unprocessable Content\r\n"), 1);
    assert_int_equal(http_client_count(&client, "Content-Type: application/problem+json\r\n"), 1);
    assert_int_equal(http_client_count(&client, "Query-Id: 7d0c1b1e\r\n"), 1);
    assert_int_equal(http_client_count(&client, "Retry-After"), 0);
}

static void test_problem_with_little(void **state)
{
    struct error err;
    (void)state;

    error_set(&err, ERROR_METHOD_NOT_ALLOWED, "%s", "");
    http_reply_problem(rig.held, &err, NULL, -1, 5, "GET, HEAD");
    json_t *problem = await_problem();
    assert_int_equal(json_object_size(problem), 6);
    assert_number(problem, "status", 405);
    json_decref(problem);
    assert_int_equal(http_client_count(&client, "Allow: GET, HEAD\r\n"), 1);
    assert_int_equal(http_client_count(&client, "Retry-After"), 0);
    assert_int_equal(http_client_count(&client, "Query-Id"), 0);
}

static void test_503_always_says_when(void **state)
{
    struct error err;
    (void)state;

    error_set(&err, ERROR_STARTING, "soon");
    http_reply_problem(rig.held, &err, NULL, -1, 0, NULL);
    json_t *problem = await_problem();
    assert_true(json_is_true(json_object_get(problem, "retryable")));
    json_decref(problem);
    assert_int_equal(http_client_count(&client, "Retry-After: 1\r\n"), 1);
}

static void test_401_says_how(void **state)
{
    struct error err;
    (void)state;

    error_set(&err, ERROR_UNAUTHENTICATED, "no token");
    http_reply_problem(rig.held, &err, NULL, -1, 0, NULL);
    json_decref(await_problem());
    assert_int_equal(http_client_count(&client, "WWW-Authenticate: Bearer\r\n"), 1);
}

/* No handler and no caller can end a header line, or set the framing. */
static void test_headers_cannot_be_split(void **state)
{
    const struct http_header headers[] = {
        {"Good", "a\r\nEvil: 1\r\n\r\nbody\x01\x7F\tz"},
        {"Bad\r\nEvil", "1"},
        {"Bad Name", "1"},
        {"", "1"},
        {"content-length", "99"},
        {"Transfer-Encoding", "chunked"},
        {"connection", "upgrade"},
    };
    (void)state;

    http_reply_send(rig.held, 200, "text/plain\r\nEvil: 2", headers,
                    sizeof(headers) / sizeof(headers[0]), "ok", 2);
    http_client_await(&client, "\r\n\r\nok");
    assert_string_equal(client.received.data,
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain??Evil: 2\r\n"
                        "Good: a??Evil: 1????body??\tz\r\nContent-Length: 2\r\n\r\nok");
}

static void test_answers_without_a_body(void **state)
{
    (void)state;
    http_reply_send(rig.held, 204, NULL, NULL, 0, NULL, 0);
    http_client_await(&client, "\r\n\r\n");
    assert_string_equal(client.received.data, "HTTP/1.1 204 No Content\r\n\r\n");
    byte_buffer_reset(&client.received);

    rig.held = NULL;
    http_client_send(&client, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    http_reply_send_taken(rig.held, 304, NULL, NULL, 0, strdup("hidden"), 6);
    http_client_await(&client, "\r\n\r\n");
    assert_string_equal(client.received.data, "HTTP/1.1 304 Not Modified\r\n\r\n");
}

struct sent_note {
    int count;
    struct monotime sent;
};

static void note_sent(void *user, struct monotime sent)
{
    struct sent_note *note = user;

    note->count++;
    note->sent = sent;
}

static void test_sent_is_told_once(void **state)
{
    struct sent_note note = {0};
    struct monotime begun = monotime_now();
    (void)state;

    http_exchange_on_sent(rig.held, note_sent, &note);
    http_reply_send(rig.held, 200, NULL, NULL, 0, "ok", 2);
    assert_int_equal(note.count, 0);
    http_client_await(&client, "\r\n\r\nok");
    http_rig_wait(&rig, note.count == 1);
    assert_true(note.sent.ns >= begun.ns);
    http_client_send(&client, "GET /now?x HTTP/1.1\r\nHost: x\r\n\r\n");
    http_client_await(&client, "\r\n\r\nx");
    assert_int_equal(note.count, 1);
}

static void test_sent_is_told_when_it_never_will_be(void **state)
{
    struct sent_note note = {.sent = {1}};
    (void)state;

    http_exchange_on_sent(rig.held, note_sent, &note);
    http_client_reset(&client);
    http_rig_wait(&rig, note.count == 1);
    assert_false(monotime_is_set(note.sent));
    assert_int_equal(rig.gone_count, 1);
}

/* -- Answers from inside callbacks of another exchange ------------------------- */

struct pair {
    struct http_exchange *other;
    int gone_count;
};

static void answer_the_other(void *user)
{
    struct pair *pair = user;

    pair->gone_count++;
    http_reply_abort(pair->other);
}

static void test_one_that_goes_ends_another(void **state)
{
    struct pair pair = {.other = NULL};
    struct http_client second;
    struct http_exchange *first = rig.held;
    (void)state;

    rig.held = NULL;
    http_client_open(&second, &rig);
    http_client_send(&second, HOLD);
    http_rig_wait(&rig, rig.held != NULL);
    pair.other = rig.held;
    http_exchange_watch(first, answer_the_other, NULL, &pair);
    http_client_reset(&client);
    http_rig_wait(&rig, pair.gone_count == 1);
    http_client_await_end(&second);
    assert_true(second.reset);
    assert_int_equal(rig.gone_count, 0);
    http_client_close(&second);
    http_rig_wait(&rig, http_server_connection_count(rig.server) == 0);
}

static void answer_too_late(void *user)
{
    struct pair *pair = user;
    struct error err;

    pair->gone_count++;
    error_set(&err, ERROR_CANCELLED, "too late");
    http_reply_problem(pair->other, &err, NULL, -1, 0, NULL);
    http_reply_abort(pair->other);
    http_reply_write_taken(pair->other, strdup("x"), 1);
    http_reply_send_taken(pair->other, 200, NULL, NULL, 0, strdup("x"), 1);
    http_reply_end(pair->other, NULL, 0);
}

/* A dead exchange takes no answer, not even while it is told. */
static void test_no_answer_while_going(void **state)
{
    struct pair pair = {.other = rig.held};
    (void)state;

    http_exchange_watch(rig.held, answer_too_late, NULL, &pair);
    http_client_reset(&client);
    http_rig_wait(&rig, pair.gone_count == 1);
    http_rig_wait(&rig, http_server_connection_count(rig.server) == 0);
}

static void end_stream(void *user)
{
    struct pair *pair = user;

    pair->gone_count++;
    http_reply_end(pair->other, NULL, 0);
}

static void test_ends_from_drained(void **state)
{
    struct pair pair = {.other = rig.held};
    const size_t length = (size_t)4 * 1024 * 1024;
    char *page = calloc(length, 1);
    (void)state;

    assert_non_null(page);
    memset(page, 'p', length);
    http_exchange_watch(rig.held, NULL, end_stream, &pair);
    http_reply_begin(rig.held, 200, NULL, NULL, 0, NULL);
    http_reply_write_taken(rig.held, page, length);
    http_client_await(&client, "\r\n0\r\n\r\n");
    assert_int_equal(pair.gone_count, 1);
    assert_true(client.received.length > length);
    http_client_send(&client, "GET /now?x HTTP/1.1\r\nHost: x\r\n\r\n");
    http_client_await(&client, "\r\n\r\nx");
}

/* ---- unsent bytes ---- */

#define UNSENT_BYTES ((size_t)24 * 1024 * 1024) /* more than the kernel takes */

static char *make_bytes(size_t length)
{
    char *bytes = malloc(length);

    assert_non_null(bytes);
    memset(bytes, 'x', length);
    return bytes;
}

static void test_unsent_bytes_are_counted_until_the_kernel_has_them(void **state)
{
    atomic_llong unsent = 0;

    (void)state;
    http_exchange_count_unsent(rig.held, &unsent);
    http_reply_begin(rig.held, 200, "text/plain", NULL, 0, NULL);
    http_reply_write_taken(rig.held, make_bytes(UNSENT_BYTES), UNSENT_BYTES);
    http_reply_write_taken(rig.held, make_bytes(10), 10);
    assert_int_equal(atomic_load(&unsent), UNSENT_BYTES + 10);
    http_reply_end(rig.held, NULL, 0);
    http_rig_turn(&rig);
    assert_int_equal(atomic_load(&unsent), UNSENT_BYTES + 10); /* nobody reads */
    http_client_await(&client, "\r\n0\r\n\r\n");
    http_rig_wait(&rig, atomic_load(&unsent) == 0);
}

static void test_unsent_bytes_that_are_lost_are_not_counted(void **state)
{
    atomic_llong unsent = 0;

    (void)state;
    http_exchange_count_unsent(rig.held, &unsent);
    http_reply_send_taken(rig.held, 200, "text/plain", NULL, 0, make_bytes(UNSENT_BYTES),
                          UNSENT_BYTES);
    assert_int_equal(atomic_load(&unsent), UNSENT_BYTES);
    http_client_reset(&client);
    http_rig_wait(&rig, atomic_load(&unsent) == 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_request_as_a_handler_sees_it),
        TEST(test_unsent_bytes_are_counted_until_the_kernel_has_them),
        TEST(test_unsent_bytes_that_are_lost_are_not_counted),
        TEST(test_problem_with_everything),
        TEST(test_problem_with_little),
        TEST(test_503_always_says_when),
        TEST(test_401_says_how),
        TEST(test_headers_cannot_be_split),
        TEST(test_answers_without_a_body),
        TEST(test_sent_is_told_once),
        TEST(test_sent_is_told_when_it_never_will_be),
        TEST(test_one_that_goes_ends_another),
        TEST(test_no_answer_while_going),
        TEST(test_ends_from_drained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
