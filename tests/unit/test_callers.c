/* Who asks: look-up, rotation, scopes, sources, limits, a reload; LONG=1: its timing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "callers.h"

struct world {
    char folder[64];
    char path[80];
    struct token_list list;
};

static int make_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    strcpy(world->folder, "/tmp/callers-test-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof(world->path), "%s/tokens", world->folder);
    *state = world;
    return 0;
}

static int end_world(void **state)
{
    struct world *world = *state;

    (void)unlink(world->path);
    assert_int_equal(rmdir(world->folder), 0);
    token_list_done(&world->list);
    free(world);
    return 0;
}

/* ---- a tokens file ---- */

struct held {
    char id[TOKEN_ID_BYTES];
    char header[TOKEN_TEXT_BYTES + 8]; /* "Bearer <token>" */
};

static struct held add_token(struct world *world, const char *name, const char *scope,
                             const char *source, const char *rate, const char *concurrency)
{
    struct token_entry entry = {0};
    struct held held;
    char token[TOKEN_TEXT_BYTES];
    struct error err;

    assert_int_equal(token_entry_set(&entry, "name", name, &err), 0);
    assert_int_equal(token_entry_set(&entry, "scope", scope, &err), 0);
    assert_int_equal(token_entry_set(&entry, "source", source, &err), 0);
    assert_int_equal(token_entry_set(&entry, "rate", rate, &err), 0);
    assert_int_equal(token_entry_set(&entry, "concurrency", concurrency, &err), 0);
    assert_int_equal(token_entry_set(&entry, "added", "2026-01-31T09:57:06Z", &err), 0);
    assert_int_equal(token_entry_draw(&entry, token, &err), 0);
    assert_int_equal(token_list_add(&world->list, &entry, &err), 0);
    memcpy(held.id, entry.id, sizeof(held.id));
    snprintf(held.header, sizeof(held.header), "Bearer %s", token);
    return held;
}

static void write_file(struct world *world)
{
    struct error err;

    assert_int_equal(token_list_write(world->path, &world->list, &err), 0);
}

static struct callers *open_callers(const char *path)
{
    struct callers *callers = NULL;
    struct error err;

    assert_int_equal(callers_new(path, &callers, &err), 0);
    return callers;
}

static void remove_token(struct world *world, const char *id)
{
    size_t kept = 0;

    for (size_t i = 0; i < world->list.count; i++) {
        if (strcmp(world->list.entries[i].id, id) != 0)
            world->list.entries[kept++] = world->list.entries[i];
    }
    world->list.count = kept;
}

static void check_unknown(struct callers *callers, const char *authorization)
{
    struct error err;

    assert_null(callers_identify(callers, authorization, &err));
    assert_int_equal(err.code, ERROR_UNAUTHENTICATED);
}

/* ---- tests ---- */

static void test_without_a_file(void **state)
{
    struct callers *callers = open_callers("");
    struct caller *caller = NULL;
    struct error err;

    (void)state;
    assert_false(callers_need_tokens(callers));
    caller = callers_identify(callers, NULL, &err);
    assert_non_null(caller);
    assert_ptr_equal(caller, callers_find(callers, "", &err));
    assert_string_equal(caller_name(caller), "");
    assert_int_equal(caller_check_scopes(caller, SCOPE_ALL, &err), 0);
    assert_int_equal(caller_check_source(caller, "anything", &err), 0);
    assert_true(caller_is_admin(caller));
    callers_free(callers);
}

static void test_identify(void **state)
{
    struct world *world = *state;
    struct held app = add_token(world, "app", "query", "*", "-", "-");
    struct held ops = add_token(world, "ops", "metrics,admin", "*", "-", "-");
    struct callers *callers = NULL;
    struct caller *caller = NULL;
    struct error err;
    char text[256];

    write_file(world);
    callers = open_callers(world->path);
    assert_int_equal(callers_count(callers), 2);
    caller = callers_identify(callers, app.header, &err);
    assert_non_null(caller);
    assert_string_equal(caller_name(caller), "app");
    assert_string_equal(caller_token_id(caller), app.id);
    assert_false(caller_is_admin(caller));
    assert_string_equal(caller_name(callers_identify(callers, ops.header, &err)), "ops");
    assert_ptr_equal(callers_find(callers, app.id, &err), caller);

    snprintf(text, sizeof(text), "bEARER   %s", app.header + 7);
    assert_non_null(callers_identify(callers, text, &err));
    check_unknown(callers, NULL);
    check_unknown(callers, "");
    check_unknown(callers, "Bearer");
    check_unknown(callers, "Bearer ");
    check_unknown(callers, app.header + 7);
    snprintf(text, sizeof(text), "Basic %s", app.header + 7);
    check_unknown(callers, text);
    snprintf(text, sizeof(text), "%s ", app.header);
    check_unknown(callers, text);
    snprintf(text, sizeof(text), "%s,%s", app.header, app.header);
    check_unknown(callers, text);
    /* Each character counts: prefix, id and secret. */
    for (size_t i = 7; i < strlen(app.header); i++) {
        memcpy(text, app.header, sizeof(app.header));
        text[i] = text[i] == '0' ? '1' : '0';
        check_unknown(callers, text);
    }
    /* The id of one with the secret of the other. */
    snprintf(text, sizeof(text), "Bearer sps_%s%s", ops.id,
             app.header + 7 + 4 + TOKEN_ID_BYTES - 1);
    check_unknown(callers, text);
    /* An unknown id whose stand-in has a hash of zeros. */
    snprintf(text, sizeof(text), "Bearer sps_000000000000%s",
             app.header + 7 + 4 + TOKEN_ID_BYTES - 1);
    check_unknown(callers, text);
    callers_free(callers);
}

static void test_rotation(void **state)
{
    struct world *world = *state;
    struct held old = add_token(world, "app", "query", "*", "-", "-");
    struct held new = add_token(world, "app", "query", "*", "-", "-");
    struct callers *callers = NULL;
    struct error err;

    write_file(world);
    callers = open_callers(world->path);
    assert_non_null(callers_identify(callers, old.header, &err));
    assert_non_null(callers_identify(callers, new.header, &err));
    remove_token(world, old.id);
    write_file(world);
    assert_non_null(callers_identify(callers, old.header, &err)); /* until the reload */
    assert_int_equal(callers_reload(callers, &err), 0);
    check_unknown(callers, old.header);
    assert_null(callers_find(callers, old.id, &err));
    assert_non_null(callers_identify(callers, new.header, &err));
    callers_free(callers);
}

static void test_broken_file_keeps_the_old_one(void **state)
{
    struct world *world = *state;
    struct held app = add_token(world, "app", "query", "*", "-", "-");
    struct callers *callers = NULL;
    struct callers *none = NULL;
    struct error err;
    FILE *file = NULL;

    write_file(world);
    callers = open_callers(world->path);
    file = fopen(world->path, "ae");
    fputs("name=half", file);
    fclose(file);
    assert_int_equal(callers_reload(callers, &err), -1);
    assert_non_null(strstr(err.detail, "TOKENS_FILE: "));
    assert_non_null(strstr(err.detail, ":3: "));
    assert_non_null(callers_identify(callers, app.header, &err));
    assert_int_equal(unlink(world->path), 0);
    assert_int_equal(callers_reload(callers, &err), -1);
    assert_non_null(callers_identify(callers, app.header, &err));
    assert_int_equal(callers_new(world->path, &none, &err), -1);
    write_file(world);
    assert_int_equal(callers_reload(callers, &err), 0);
    callers_free(callers);
}

static void test_scopes_and_sources(void **state)
{
    struct world *world = *state;
    struct held app = add_token(world, "app", "query", "main,delta", "-", "-");
    struct callers *callers = NULL;
    struct caller *caller = NULL;
    struct error err;

    write_file(world);
    callers = open_callers(world->path);
    caller = callers_identify(callers, app.header, &err);
    assert_int_equal(caller_check_scopes(caller, SCOPE_QUERY, &err), 0);
    assert_int_equal(caller_check_scopes(caller, SCOPE_QUERY | SCOPE_CANCEL, &err), -1);
    assert_int_equal(err.code, ERROR_FORBIDDEN);
    assert_string_equal(err.detail, "the token has no scope cancel");
    assert_int_equal(caller_check_source(caller, "delta", &err), 0);
    assert_int_equal(caller_check_source(caller, "config", &err), -1);
    assert_int_equal(err.code, ERROR_FORBIDDEN);
    assert_true(caller_may_see(caller, "app"));
    assert_false(caller_may_see(caller, "other"));
    assert_false(caller_may_see(caller, ""));
    callers_free(callers);
}

/* What is used up stays used up over a reload; a changed rate begins anew. */
static void test_limits_over_a_reload(void **state)
{
    struct world *world = *state;
    struct held app = add_token(world, "app", "query", "*", "2/h", "2");
    const struct monotime now = {1000000000};
    struct callers *callers = NULL;
    struct caller *caller = NULL;
    int64_t retry_ms = 0;
    struct error err;

    write_file(world);
    callers = open_callers(world->path);
    for (int i = 0; i < 2; i++) {
        caller = callers_identify(callers, app.header, &err);
        assert_int_equal(caller_take_request(caller, now, &retry_ms, &err), 0);
        assert_int_equal(caller_enter(caller, &err), 0);
    }
    assert_int_equal(callers_reload(callers, &err), 0);
    caller = callers_identify(callers, app.header, &err);
    assert_int_equal(caller_take_request(caller, now, &retry_ms, &err), -1);
    assert_int_equal(err.code, ERROR_RATE_LIMITED);
    assert_int_equal(retry_ms, 1800 * 1000);
    assert_int_equal(caller_enter(caller, &err), -1);
    assert_int_equal(err.code, ERROR_RATE_LIMITED);

    /* Removed with two queries under way, then back again. */
    remove_token(world, app.id);
    write_file(world);
    assert_int_equal(callers_reload(callers, &err), 0);
    check_unknown(callers, app.header);
    callers_leave(callers, app.id);
    callers_leave(callers, app.id);
    callers_leave(callers, app.id); /* one too many does no harm */
    assert_int_equal(callers_count(callers), 0);
    callers_free(callers);
}

static void test_reload_while_under_way(void **state)
{
    struct world *world = *state;
    struct held app = add_token(world, "app", "query", "*", "-", "1");
    struct token_entry saved = world->list.entries[0];
    struct callers *callers = NULL;
    struct error err;

    write_file(world);
    callers = open_callers(world->path);
    assert_int_equal(caller_enter(callers_identify(callers, app.header, &err), &err), 0);
    remove_token(world, app.id);
    write_file(world);
    assert_int_equal(callers_reload(callers, &err), 0);
    assert_int_equal(callers_reload(callers, &err), 0);
    assert_int_equal(token_list_add(&world->list, &saved, &err), 0);
    write_file(world);
    assert_int_equal(callers_reload(callers, &err), 0);
    assert_int_equal(caller_enter(callers_identify(callers, app.header, &err), &err), -1);
    callers_leave(callers, app.id);
    assert_int_equal(caller_enter(callers_identify(callers, app.header, &err), &err), 0);
    callers_free(callers);
}

/* ---- timing ---- */

struct moments {
    double n;
    double mean;
    double m2;
};

/* Welford's. */
static void add_sample(struct moments *moments, double x)
{
    double delta = x - moments->mean;

    moments->n += 1;
    moments->mean += delta / moments->n;
    moments->m2 += delta * (x - moments->mean);
}

static double welch_t(const struct moments *a, const struct moments *b)
{
    double va = a->m2 / (a->n - 1) / a->n;
    double vb = b->m2 / (b->n - 1) / b->n;

    return (a->mean - b->mean) / sqrt(va + vb);
}

static int64_t now_ns(void)
{
    return monotime_now().ns;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Two classes of wrong tokens in random order; the slowest tenth, interrupts of the
 * machine, is left out by one common bound (as dudect does). */
static double timing_t(struct callers *callers, const char *first, const char *second)
{
    enum { SAMPLES = 1000000 };
    double *spans = malloc(SAMPLES * sizeof(*spans));
    unsigned char *classes = malloc(SAMPLES);
    double *sorted = malloc(SAMPLES * sizeof(*sorted));
    struct moments moments[2] = {0};
    char text[TOKEN_TEXT_BYTES + 8]; /* the same address for both */
    uint64_t random = 88172645463325252u;
    struct error err;
    double bound = 0;

    for (int i = 0; i < SAMPLES; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        classes[i] = random >> 40 & 1;
        memcpy(text, classes[i] != 0 ? second : first, sizeof(text));
        int64_t begin = now_ns();
        assert_null(callers_identify(callers, text, &err));
        spans[i] = (double)(now_ns() - begin);
    }
    memcpy(sorted, spans, SAMPLES * sizeof(*sorted));
    qsort(sorted, SAMPLES, sizeof(*sorted), compare);
    bound = sorted[SAMPLES * 9 / 10];
    for (int i = 0; i < SAMPLES; i++) {
        if (spans[i] <= bound)
            add_sample(&moments[classes[i]], spans[i]);
    }
    free(spans);
    free(classes);
    free(sorted);
    print_message("means %.1f and %.1f ns, t %.2f\n", moments[0].mean, moments[1].mean,
                  welch_t(&moments[0], &moments[1]));
    return welch_t(&moments[0], &moments[1]);
}

static void flip(char *text, size_t at)
{
    text[at] = text[at] == '0' ? '1' : '0';
}

static void test_timing(void **state)
{
    struct world *world = *state;
    struct held app = add_token(world, "app", "query", "*", "-", "-");
    struct callers *callers = NULL;
    char early[sizeof(app.header)];
    char late[sizeof(app.header)];
    char unknown[sizeof(app.header)];

    if (getenv("LONG") == NULL)
        skip();
    for (int i = 0; i < 50; i++) {
        char name[32];
        snprintf(name, sizeof(name), "other%d", i);
        (void)add_token(world, name, "query", "*", "-", "-");
    }
    write_file(world);
    callers = open_callers(world->path);
    memcpy(early, app.header, sizeof(early));
    memcpy(late, app.header, sizeof(late));
    memcpy(unknown, app.header, sizeof(unknown));
    flip(early, 7 + 4 + TOKEN_ID_BYTES); /* the secret's first character */
    flip(late, strlen(late) - 1);        /* its last */
    flip(unknown, 7 + 4);                /* the id's first */
    assert_true(fabs(timing_t(callers, early, late)) < 4.5);
    assert_true(fabs(timing_t(callers, late, unknown)) < 4.5);
    callers_free(callers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_file),
        cmocka_unit_test_setup_teardown(test_identify, make_world, end_world),
        cmocka_unit_test_setup_teardown(test_rotation, make_world, end_world),
        cmocka_unit_test_setup_teardown(test_broken_file_keeps_the_old_one, make_world, end_world),
        cmocka_unit_test_setup_teardown(test_scopes_and_sources, make_world, end_world),
        cmocka_unit_test_setup_teardown(test_limits_over_a_reload, make_world, end_world),
        cmocka_unit_test_setup_teardown(test_reload_while_under_way, make_world, end_world),
        cmocka_unit_test_setup_teardown(test_timing, make_world, end_world),
    };

    return cmocka_run_group_tests_name("callers", tests, NULL, NULL);
}
