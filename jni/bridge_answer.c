#include "bridge_answer.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bridge_answer_copy_text(const json_t *object, const char *name, char *ret_text, size_t size)
{
    const char *text = json_string_value(json_object_get(object, name));

    snprintf(ret_text, size, "%s", text != NULL ? text : "");
}

/* {"error":{...}} -> *err; always -1. */
static int error_from_json(const json_t *error, struct error *err)
{
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *detail = json_string_value(json_object_get(error, "detail"));
    const json_t *retryable = json_object_get(error, "retryable");

    error_set(err, error_code_from_name(code != NULL ? code : ""), "%s",
              detail != NULL ? detail : "no detail");
    if (json_is_boolean(retryable))
        err->retryable = json_is_true(retryable);
    err->line = (int)json_integer_value(json_object_get(error, "line"));
    err->column = (int)json_integer_value(json_object_get(error, "column"));
    bridge_answer_copy_text(error, "sqlstate", err->sqlstate, sizeof(err->sqlstate));
    bridge_answer_copy_text(error, "error_class", err->error_class, sizeof(err->error_class));
    return -1;
}

int bridge_answer_read(const char *bytes, size_t length, json_t **ret_answer, struct error *err)
{
    json_t *answer = json_loadb(bytes, length, 0, NULL);
    const json_t *error = json_object_get(answer, "error");

    if (answer == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "the bridge answered no JSON");
    if (error != NULL) {
        error_from_json(error, err);
        json_decref(answer);
        return -1;
    }
    *ret_answer = answer;
    return 0;
}

static int64_t number_or(const json_t *object, const char *name, int64_t absent)
{
    const json_t *number = json_object_get(object, name);

    return json_is_integer(number) ? (int64_t)json_integer_value(number) : absent;
}

void bridge_answer_source(const json_t *object, struct spark_source_facts *ret_source)
{
    bridge_answer_copy_text(object, "version", ret_source->version, sizeof(ret_source->version));
    ret_source->files_read = number_or(object, "files_read", -1);
    ret_source->files_total = number_or(object, "files_total", -1);
    ret_source->bytes_read = number_or(object, "bytes_read", -1);
    ret_source->bytes_total = number_or(object, "bytes_total", -1);
}

static int read_table(const json_t *table, struct answer_basis *basis)
{
    static const char *const LAYOUTS[] = {
        [SOURCE_FILES] = "files", [SOURCE_DELTA] = "delta", [SOURCE_ICEBERG] = "iceberg"};
    const char *layout = json_string_value(json_object_get(table, "layout"));
    struct source_read read = {
        .asked = json_string_value(json_object_get(table, "asked")),
        .location = json_string_value(json_object_get(table, "location")),
    };

    if (layout == NULL || read.asked == NULL || read.location == NULL)
        return -1;
    for (size_t i = 0; i < sizeof(LAYOUTS) / sizeof(LAYOUTS[0]); i++) {
        read.layout = (enum source_layout)i;
        if (strcmp(layout, LAYOUTS[i]) == 0)
            return answer_basis_add(basis, &read);
    }
    return -1;
}

void bridge_answer_basis(const json_t *answer, struct answer_basis *ret_basis)
{
    const json_t *reads = json_object_get(answer, "reads");
    const json_t *table = NULL;
    size_t i = 0;

    ret_basis->repeatable =
        json_is_array(reads) && json_is_true(json_object_get(answer, "repeatable"));
    json_array_foreach(reads, i, table)
    {
        if (read_table(table, ret_basis) != 0)
            ret_basis->repeatable = false;
    }
}

/* ---- facts ---- */

static void read_memory(const json_t *areas, struct spark_memory ret_memory[SPARK_MEMORY_AREAS])
{
    static const char *const NAMES[SPARK_MEMORY_AREAS] = {
        [SPARK_MEMORY_HEAP] = "heap",     [SPARK_MEMORY_NONHEAP] = "nonheap",
        [SPARK_MEMORY_DIRECT] = "direct", [SPARK_MEMORY_MAPPED] = "mapped",
        [SPARK_MEMORY_ARROW] = "arrow",
    };

    for (int i = 0; i < SPARK_MEMORY_AREAS; i++) {
        const json_t *area = json_object_get(areas, NAMES[i]);
        ret_memory[i].used_bytes = number_or(area, "used", 0);
        ret_memory[i].committed_bytes = number_or(area, "committed", -1);
        ret_memory[i].max_bytes = number_or(area, "max", -1);
    }
}

static int read_queries(const json_t *queries, struct spark_facts *facts, struct error *err)
{
    const json_t *query = NULL;
    size_t i = 0;

    facts->queries = calloc(json_array_size(queries) + 1, sizeof(*facts->queries));
    if (facts->queries == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    facts->query_count = json_array_size(queries);
    json_array_foreach(queries, i, query)
    {
        struct spark_query_progress *next = &facts->queries[i];
        bridge_answer_copy_text(query, "tag", next->tag, sizeof(next->tag));
        next->progress = (struct spark_progress){
            .stages_done = number_or(query, "stages_done", 0),
            .stages = number_or(query, "stages", 0),
            .tasks_done = number_or(query, "tasks_done", 0),
            .tasks = number_or(query, "tasks", 0),
        };
    }
    return 0;
}

static struct spark_reuse read_reuse(const json_t *answer)
{
    return (struct spark_reuse){
        .sources = number_or(answer, "kept_sources", 0),
        .source_bytes = number_or(answer, "kept_source_bytes", 0),
        .source_hits = number_or(answer, "source_hits", 0),
        .source_misses = number_or(answer, "source_misses", 0),
        .plans = number_or(answer, "kept_plans", 0),
        .plan_hits = number_or(answer, "plan_hits", 0),
        .plan_misses = number_or(answer, "plan_misses", 0),
    };
}

int bridge_answer_facts(const json_t *answer, struct spark_facts *ret_facts, struct error *err)
{
    struct spark_facts facts = {0};

    read_memory(json_object_get(answer, "memory"), facts.memory);
    facts.waiting_bytes = number_or(answer, "waiting_bytes", 0);
    facts.spooled_bytes = number_or(answer, "spooled_bytes", 0);
    facts.reuse = read_reuse(answer);
    if (read_queries(json_object_get(answer, "queries"), &facts, err) != 0)
        return -1;
    *ret_facts = facts;
    return 0;
}

/* ---- explanations ---- */

static char *copy_text(const json_t *text)
{
    return strdup(json_is_string(text) ? json_string_value(text) : "");
}

static int fail_memory(struct error *err)
{
    return error_set(err, ERROR_ENGINE_ERROR, "out of memory for an explanation");
}

int bridge_answer_explanation(const json_t *answer, struct explanation *ret_explanation,
                              struct error *err)
{
    const json_t *pushed = json_object_get(answer, "pushed_filters");
    const json_t *unpushed = json_object_get(answer, "unpushed_filters");
    size_t count = json_array_size(pushed) + json_array_size(unpushed);
    const json_t *item = NULL;
    size_t i = 0;

    ret_explanation->plan = copy_text(json_object_get(answer, "plan"));
    ret_explanation->filters = calloc(count + 1, sizeof(*ret_explanation->filters));
    if (ret_explanation->plan == NULL || ret_explanation->filters == NULL)
        return fail_memory(err);
    ret_explanation->has_filters = true;
    ret_explanation->filter_count = count;
    ret_explanation->has_source = true;
    bridge_answer_source(json_object_get(answer, "source"), &ret_explanation->source);
    json_array_foreach(pushed, i, item)
    {
        ret_explanation->filters[i].text = copy_text(item);
        if (ret_explanation->filters[i].text == NULL)
            return fail_memory(err);
    }
    json_array_foreach(unpushed, i, item)
    {
        struct explained_filter *filter = &ret_explanation->filters[json_array_size(pushed) + i];
        filter->text = copy_text(json_object_get(item, "filter"));
        filter->reason = copy_text(json_object_get(item, "reason"));
        if (filter->text == NULL || filter->reason == NULL)
            return fail_memory(err);
    }
    return 0;
}
