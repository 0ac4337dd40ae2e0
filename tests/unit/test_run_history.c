#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../service/run_history.h"

#define SMALL_MS 500

static struct query_request of(char *sql, char *path)
{
    return (struct query_request){.source = QUERY_PARQUET, .sql = sql, .path = path};
}

static void check_guess(const struct run_history *history, struct query_request request,
                        enum run_size size, int64_t span_ms)
{
    struct run_guess guess = run_history_guess(history, &request);

    assert_int_equal(guess.size, size);
    assert_int_equal(guess.span_ms, span_ms);
}

static void test_unknown_is_middle(void **state)
{
    struct run_history *history = run_history_new(SMALL_MS);

    (void)state;
    check_guess(history, of("SELECT 1", "/t"), RUN_MIDDLE, SMALL_MS);
    run_history_free(history);
}

static void test_statement_is_known_by_its_runs(void **state)
{
    struct run_history *history = run_history_new(SMALL_MS);
    struct query_request request = of("SELECT 1", "/t");

    (void)state;
    run_history_note(history, &request, 2000, false);
    check_guess(history, request, RUN_HEAVY, 2000);
    run_history_note(history, &request, 40, false); /* it was the first, slow one */
    run_history_note(history, &request, 40, false);
    check_guess(history, request, RUN_SMALL, 162);
    run_history_note(history, &request, SMALL_MS + 400, false);
    check_guess(history, request, RUN_HEAVY, 531);
    run_history_free(history);
}

static void test_bound_between_small_and_heavy(void **state)
{
    struct run_history *history = run_history_new(SMALL_MS);
    struct query_request one = of("a", "/t"), other = of("b", "/t");

    (void)state;
    run_history_note(history, &one, SMALL_MS, false);
    run_history_note(history, &other, SMALL_MS + 1, false);
    check_guess(history, one, RUN_SMALL, SMALL_MS);
    check_guess(history, other, RUN_HEAVY, SMALL_MS + 1);
    run_history_free(history);
}

/* Of a new statement the others of its table tell, when they are small. */
static void test_table_tells(void **state)
{
    struct run_history *history = run_history_new(SMALL_MS);
    struct query_request small = of("a", "/small"), heavy = of("a", "/large");

    (void)state;
    run_history_note(history, &small, 30, false);
    run_history_note(history, &heavy, 9000, false);
    check_guess(history, of("b", "/small"), RUN_SMALL, 30);
    check_guess(history, of("b", "/large"), RUN_MIDDLE, SMALL_MS);
    check_guess(history, of("a", "/other"), RUN_MIDDLE, SMALL_MS);
    run_history_free(history);
}

/* A cancelled run took at least so long, and maybe more. */
static void test_cut_short(void **state)
{
    struct run_history *history = run_history_new(SMALL_MS);
    struct query_request request = of("a", "/t");

    (void)state;
    run_history_note(history, &request, 5, true);
    check_guess(history, request, RUN_MIDDLE, SMALL_MS);
    run_history_note(history, &request, 3000, true);
    check_guess(history, request, RUN_HEAVY, 3000);
    run_history_note(history, &request, 5, true);
    check_guess(history, request, RUN_HEAVY, 3000);
    run_history_free(history);
}

/* Places are shared, never grown: the last one counts, and no guess is of another one. */
static void test_many_statements(void **state)
{
    struct run_history *history = run_history_new(SMALL_MS);
    char sql[32];
    int heavy = 0;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct query_request request = of(sql, "/t");
        snprintf(sql, sizeof(sql), "SELECT %d", i);
        run_history_note(history, &request, 1000 + i, false);
        check_guess(history, request, RUN_HEAVY, 1000 + i);
    }
    for (int i = 0; i < 20000; i++) {
        struct query_request request = of(sql, "/t");
        snprintf(sql, sizeof(sql), "SELECT %d", i);
        heavy += run_history_guess(history, &request).size == RUN_HEAVY;
    }
    assert_in_range(heavy, 1, 4096);
    run_history_free(history);
}

static void test_when_to_come_again(void **state)
{
    struct run_history *history = run_history_new(SMALL_MS);
    struct query_request request = of("a", "/t");

    (void)state;
    assert_int_equal(run_history_wait_s(history, 1000, 2), 1); /* nothing is known */
    run_history_note(history, &request, 2000, false);
    assert_int_equal(run_history_wait_s(history, 0, 2), 2);
    assert_int_equal(run_history_wait_s(history, 8, 2), 10);
    assert_int_equal(run_history_wait_s(history, 8, 0), 18);
    assert_int_equal(run_history_wait_s(history, 100000, 1), 120);
    run_history_free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_is_middle),
        cmocka_unit_test(test_statement_is_known_by_its_runs),
        cmocka_unit_test(test_bound_between_small_and_heavy),
        cmocka_unit_test(test_table_tells),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_many_statements),
        cmocka_unit_test(test_when_to_come_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
