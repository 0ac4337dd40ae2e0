/*
 * The body of a query -> a checked request, and what is made of it next. First
 * byte: the source, and bit 7 whether the rest is a body or a GET's target.
 */
#include <jansson.h>
#include <string.h>

#include "../../service/mysql_gate.h"
#include "../../service/mysql_params.h"
#include "../../service/mysql_statement.h"
#include "../../service/query_request.h"
#include "../../service/query_syntax.h"
#include "../../service/query_target.h"
#include "input.h"

static const struct query_limits LIMITS = {.timeout_ms_default = 30000,
                                           .timeout_ms_max = 600000,
                                           .queue_timeout_ms_default = 10000,
                                           .wait_ms_preferred = 5000};

static void check_fields(const struct query_request *request)
{
    const struct query_as_of *as_of = &request->as_of;

    fuzz_check(request->sql != NULL && request->sql[0] != '\0');
    fuzz_check(strlen(request->sql) <= QUERY_SQL_MAX_BYTES);
    fuzz_check(request->timeout_ms >= 1 && request->timeout_ms <= LIMITS.timeout_ms_max);
    fuzz_check(request->wait_ms >= -1 && request->wait_ms <= QUERY_WAIT_MS_MAX);
    fuzz_check(request->row_limit >= -1 && request->byte_limit >= -1);
    fuzz_check(request->tag_count <= QUERY_TAGS_MAX);
    fuzz_check(as_of->has_version + as_of->has_snapshot_id + (as_of->timestamp != NULL) <= 1);
    fuzz_check(request->query_id == NULL || query_syntax_is_uuid(request->query_id));
    fuzz_check(request->table == NULL || query_syntax_is_table(request->table));
    fuzz_check(request->config.host == NULL || query_syntax_is_host(request->config.host));
    fuzz_check(request->config.port >= 0 && request->config.port <= 65535);
    for (size_t i = 0; i < request->tag_count; i++)
        fuzz_check(query_syntax_is_tag(request->tags[i]) &&
                   strlen(request->tags[i]) <= QUERY_TAG_MAX_BYTES);
}

static void check_params(const struct query_request *request)
{
    json_t *params = NULL;

    if (request->params_json == NULL)
        return;
    params = json_loads(request->params_json, JSON_REJECT_DUPLICATES, NULL);
    fuzz_check(json_is_object(params));
    json_decref(params);
}

/* What the direct engine does before it meets a server. */
static void bind_for_mysql(const struct query_request *request)
{
    struct mysql_modes modes = {false, false};
    struct mysql_statement statement = {0};
    struct mysql_values values = {0};
    struct error err;

    if (mysql_gate_check(request->sql, modes, &err) != 0 ||
        mysql_statement_parse(request->sql, modes, &statement, &err) != 0)
        return;
    if (mysql_params_bind(&statement, request->params_json, &values, &err) == 0) {
        char *json = mysql_values_to_json(&values);
        json_t *tree = json_loads(json != NULL ? json : "", 0, NULL);

        fuzz_check(values.count == statement.count);
        fuzz_check(json_is_array(tree) && json_array_size(tree) == values.count);
        json_decref(tree);
        free(json);
    }
    mysql_values_done(&values);
    mysql_statement_done(&statement);
}

static void check_body(enum query_source source, const char *body, size_t length)
{
    struct query_request request;
    struct error err;

    if (query_request_parse(source, body, length, &LIMITS, &request, &err) != 0) {
        fuzz_check(err.code == ERROR_BAD_REQUEST && err.detail[0] != '\0');
        return;
    }
    check_fields(&request);
    check_params(&request);
    if (source == QUERY_MYSQL)
        bind_for_mysql(&request);
    query_request_done(&request);
}

static void check_target(enum query_source source, const char *target)
{
    struct byte_buffer body = {0};
    struct error err;

    if (query_target_to_body(target, &body, &err) == 0) {
        json_t *tree = json_loadb(body.data, body.length, JSON_REJECT_DUPLICATES, NULL);

        fuzz_check(json_is_object(tree)); /* a target can't break out of its fields */
        fuzz_check(json_object_get(tree, "config") == NULL);
        fuzz_check(json_object_get(tree, "tags") == NULL);
        json_decref(tree);
        check_body(source, body.data, body.length);
    } else {
        fuzz_check(err.code == ERROR_BAD_REQUEST && err.detail[0] != '\0');
    }
    byte_buffer_done(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint8_t kind = fuzz_take_byte(&input);
    enum query_source source = (enum query_source)(kind % QUERY_SOURCE_COUNT);
    size_t length = 0;
    char *text = fuzz_take_rest(&input, &length);

    if (kind & 0x80)
        check_target(source, text);
    else
        check_body(source, text, length);
    free(text);
    return 0;
}
