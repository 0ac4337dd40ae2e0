#include "service_queries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "deadline.h"
#include "service_client.h"

json_t *fetch_json(const struct service_process *service, const char *method, const char *target,
                   int status)
{
    struct answer answer;
    json_t *body = NULL;

    assert_true(service_client_once(service->port, method, target, "", NULL, &answer));
    if (answer.status != status)
        fail_msg("%s %s: %d %s", method, target, answer.status, answer.body);
    body = json_loads(answer.body, 0, NULL);
    assert_non_null(body);
    answer_done(&answer);
    return body;
}

void run_query(const struct service_process *service, const char *sql, const char *fields,
               int status)
{
    struct answer answer;

    assert_true(service_client_query_once(service->port, service->data, sql, fields, &answer));
    if (answer.status != status)
        fail_msg("%s: %d %s", sql, answer.status, answer.body);
    answer_done(&answer);
}

void wait_query_state(const struct service_process *service, const char *target, const char *state)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    for (;;) {
        json_t *query = fetch_json(service, "GET", target, 200);
        bool reached = strcmp(member_text(query, "state"), state) == 0;

        if (!reached && monotime_reached(limit, monotime_now()))
            fail_msg("%s is %s, not %s", target, member_text(query, "state"), state);
        json_decref(query);
        if (reached)
            return;
        pause_ms(2);
    }
}

const char *member_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    assert_non_null(text);
    return text;
}

int64_t member_number(const json_t *object, const char *key)
{
    assert_true(json_is_integer(json_object_get(object, key)));
    return json_integer_value(json_object_get(object, key));
}

void check_member_null(const json_t *object, const char *key)
{
    assert_true(json_is_null(json_object_get(object, key)));
}
