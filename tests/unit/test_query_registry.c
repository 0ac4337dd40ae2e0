#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/query.h"
#include "../../service/query_registry.h"

static const char *id_of(unsigned number)
{
    static char text[QUERY_ID_BYTES];

    snprintf(text, sizeof(text), "%08x-0000-4000-8000-000000000000", number);
    return text;
}

static struct query *add(struct query_registry *registry, unsigned number)
{
    static uint64_t generation;
    struct query_request request = {.sql = strdup("SELECT 1"), .query_id = strdup(id_of(number))};
    struct query *query = NULL;
    struct error err;

    assert_int_equal(query_new(&request, ++generation, "", &query, &err), 0);
    query_registry_add(registry, query);
    return query;
}

static void end(struct query_registry *registry, struct query *query)
{
    query->state = QUERY_SUCCEEDED;
    query_registry_end(registry, query);
}

/* Numbers of all that are known, newest first: "3 2 1 ". */
static void check_order(const struct query_registry *registry, const char *wanted)
{
    char text[256] = "";
    size_t length = 0;

    for (const struct query *query = query_registry_newest(registry); query != NULL;
         query = query->older) {
        unsigned number = (unsigned)strtoul(query->id, NULL, 16);

        length += (size_t)snprintf(text + length, sizeof(text) - length, "%u ", number);
        assert_ptr_equal(query_registry_find(registry, id_of(number)), query);
    }
    assert_string_equal(text, wanted);
}

static void check_live(const struct query_registry *registry, size_t wanted)
{
    size_t count = 0;

    for (const struct query *query = query_registry_first_live(registry); query != NULL;
         query = query->group_next)
        count++;
    assert_int_equal(count, wanted);
}

static void test_history_is_bounded(void **state)
{
    struct query_registry *registry = query_registry_new(2);
    struct query *queries[5];

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        queries[i] = add(registry, i);
    check_order(registry, "4 3 2 1 0 ");
    check_live(registry, 5);
    end(registry, queries[3]);
    end(registry, queries[0]);
    check_order(registry, "4 3 2 1 0 ");
    end(registry, queries[4]); /* the first that ended goes, not the oldest */
    check_order(registry, "4 2 1 0 ");
    assert_null(query_registry_find(registry, id_of(3)));
    end(registry, queries[1]);
    check_order(registry, "4 2 1 ");
    check_live(registry, 1);
    query_registry_free(registry);
}

static void test_no_history(void **state)
{
    struct query_registry *registry = query_registry_new(0);
    struct query *query = add(registry, 1);

    (void)state;
    check_order(registry, "1 ");
    end(registry, query);
    check_order(registry, "");
    check_live(registry, 0);
    query_registry_free(registry);
}

static void test_pinned_ones_stay(void **state)
{
    struct query_registry *registry = query_registry_new(1);
    struct query *first = add(registry, 1);
    struct query *second = add(registry, 2);

    (void)state;
    query_registry_end_pinned(registry, first);
    query_registry_end_pinned(registry, second);
    assert_ptr_equal(query_registry_first_pinned(registry), first);
    for (unsigned i = 3; i < 6; i++)
        end(registry, add(registry, i));
    check_order(registry, "5 2 1 ");
    first->state = QUERY_EXPIRED;
    query_registry_unpin(registry, first);
    check_order(registry, "2 1 ");
    assert_ptr_equal(query_registry_first_pinned(registry), second);
    end(registry, add(registry, 6));
    check_order(registry, "6 2 ");
    query_registry_free(registry);
}

static void test_an_id_is_used_again(void **state)
{
    struct query_registry *registry = query_registry_new(8);
    struct query *again = NULL;

    (void)state;
    end(registry, add(registry, 1));
    end(registry, add(registry, 2));
    again = add(registry, 1);
    assert_ptr_equal(query_registry_find(registry, id_of(1)), again);
    check_order(registry, "1 2 ");
    check_live(registry, 1);
    query_registry_free(registry);
}

/* A query that is over keeps what is shown of it, and nothing secret or large. */
static void test_shed(void **state)
{
    struct query_request request = {.source = QUERY_MYSQL, .tag_count = 1};
    struct query *query = NULL;
    struct error err;

    (void)state;
    request.sql = calloc(1, QUERY_SQL_MAX_BYTES);
    memset(request.sql, 'x', QUERY_SQL_MAX_BYTES - 1);
    memcpy(request.sql + QUERY_SQL_SHOWN_BYTES - 1, "\xc3\xa4", 2); /* astride the cut */
    request.tags[0] = strdup("page");
    request.params_json = strdup("{}");
    request.config.password = strdup("secret");
    assert_int_equal(query_new(&request, 1, "", &query, &err), 0);
    query->mysql.password = strdup("secret");
    query_shed(query);
    assert_int_equal(strlen(query->request.sql), QUERY_SQL_SHOWN_BYTES - 1);
    assert_true(query_has_tag(query, "page"));
    assert_int_equal(query->request.source, QUERY_MYSQL);
    assert_null(query->request.params_json);
    assert_null(query->request.config.password);
    assert_null(query->mysql.password);
    query_free(query);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_history_is_bounded),
        cmocka_unit_test(test_no_history),
        cmocka_unit_test(test_pinned_ones_stay),
        cmocka_unit_test(test_an_id_is_used_again),
        cmocka_unit_test(test_shed),
    };

    return cmocka_run_group_tests_name("query_registry", tests, NULL, NULL);
}
