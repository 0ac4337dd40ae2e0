/*
 * What a request says beside its body: Accept and Accept-Encoding, Prefer,
 * traceparent, Content-Type, the query string. First byte: which of them.
 */
/* needs: fakes/fake_engine.c */
#include <string.h>

#include "../../service/accept_list.h"
#include "../../service/media_type.h"
#include "../../service/prefer.h"
#include "../../service/query_list.h"
#include "../../service/query_string.h"
#include "../../service/result_format.h"
#include "../../service/trace_context.h"
#include "../../service/utf8.h"
#include "input.h"

#define MAXIMUM_MS 600000

static void check_accept(struct fuzz_input *input)
{
    char *accept = fuzz_take_line(input);
    char *encoding = fuzz_take_line(input);
    struct result_choice choice;
    struct error err;

    if (result_choice_negotiate(accept, encoding, &choice, &err) == 0) {
        const char *type = result_choice_content_type(&choice);

        fuzz_check(choice.format < RESULT_FORMAT_COUNT && choice.coding < CONTENT_CODING_COUNT);
        fuzz_check(type != NULL && result_format_name(choice.format) != NULL);
        fuzz_check((content_coding_name(choice.coding) == NULL) ==
                   (choice.coding == CODING_IDENTITY));
        fuzz_check(!choice.end_line || choice.format == RESULT_NDJSON);
    } else {
        fuzz_check(err.code == ERROR_NOT_ACCEPTABLE);
    }
    free(accept);
    free(encoding);
}

static void check_list(struct fuzz_input *input)
{
    char *text = fuzz_take_line(input);
    const char *at = text;
    const char *behind = text;
    struct accept_element element;

    while (accept_list_next(&at, &element)) {
        const char *value = NULL;
        size_t length = 0;

        fuzz_check(element.value >= behind && element.value_length > 0);
        fuzz_check(at > behind && at <= text + strlen(text));
        fuzz_check(element.weight >= 0 && element.weight <= ACCEPT_WEIGHT_MAX);
        if (accept_element_parameter(&element, "end", &value, &length))
            fuzz_check(value >= element.parameters &&
                       value + length <= element.parameters + element.parameters_length);
        behind = at;
    }
    media_type_is(text, "application/json");
    media_type_accepted(text, "application/json");
    free(text);
}

static void check_prefer(struct fuzz_input *input)
{
    char *text = fuzz_take_line(input);
    struct prefer prefer = prefer_parse(text);
    char applied[PREFER_APPLIED_BYTES];
    int64_t wait_ms = prefer_wait_ms(&prefer, MAXIMUM_MS);

    fuzz_check(prefer.wait_s >= -1 && wait_ms >= -1 && wait_ms <= MAXIMUM_MS);
    prefer_format_applied(&prefer, applied);
    fuzz_check(memchr(applied, '\0', sizeof(applied)) != NULL);
    free(text);
}

static bool is_utf8(const char *text)
{
    size_t length = strlen(text);
    size_t step = 1;

    for (; length > 0 && step > 0; length -= step, text += step)
        step = utf8_char_length(text, length);
    return length == 0;
}

static void check_query_string(struct fuzz_input *input)
{
    char *text = fuzz_take_line(input);
    struct query_string string;
    struct query_list_filter filter;
    struct error err;

    if (query_string_parse(text, query_list_parameters, &string, &err) == 0) {
        fuzz_check(string.count <= QUERY_STRING_FIELDS_MAX);
        for (size_t i = 0; i < string.count; i++) {
            const char *value = string.fields[i].value;

            fuzz_check(query_string_get(&string, string.fields[i].name) == value);
            fuzz_check(is_utf8(value));
        }
        if (query_list_read(&string, &filter, &err) == 0)
            fuzz_check(filter.limit >= 1 && filter.limit <= QUERY_LIST_LIMIT_MAX);
        query_string_done(&string);
    } else {
        fuzz_check(err.code == ERROR_BAD_REQUEST);
    }
    free(text);
}

static void check_traceparent(struct fuzz_input *input)
{
    char *text = fuzz_take_line(input);
    struct trace_context context = {0};

    if (trace_context_parse(text, &context)) {
        fuzz_check(strlen(context.trace_id) == TRACE_ID_BYTES - 1);
        fuzz_check(strspn(context.trace_id, "0123456789abcdef") == TRACE_ID_BYTES - 1);
        fuzz_check(strlen(context.parent_id) == TRACE_PARENT_BYTES - 1);
        fuzz_check(strspn(context.parent_id, "0123456789abcdef") == TRACE_PARENT_BYTES - 1);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(struct fuzz_input *) = {check_accept, check_list, check_prefer,
                                                          check_query_string, check_traceparent};
    struct fuzz_input input = {data, size};

    checks[fuzz_take_below(&input, sizeof(checks) / sizeof(checks[0]))](&input);
    return 0;
}
