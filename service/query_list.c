#include "query_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "byte_buffer.h"
#include "callers.h"
#include "query.h"
#include "query_registry.h"
#include "query_status.h"
#include "query_string.h"

#define LIMIT_DEFAULT 100
#define ALL_STATES ((1u << QUERY_STATE_COUNT) - 1)

const char *const query_list_parameters[] = {"state", "tag", "limit", "after", NULL};

/* Digits only, `minimum` to `maximum`. */
static int read_number(const char *name, const char *text, uint64_t minimum, uint64_t maximum,
                       uint64_t *ret_number, struct error *err)
{
    char *end = NULL;
    unsigned long long number = 0;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number < minimum ||
        number > maximum)
        return error_set(err, ERROR_BAD_REQUEST, "%s: '%.64s' is not a number from %llu to %llu",
                         name, text, (unsigned long long)minimum, (unsigned long long)maximum);
    *ret_number = number;
    return 0;
}

/* "QUEUED,RUNNING" */
static int read_states(const char *text, unsigned *ret_states, struct error *err)
{
    unsigned states = 0;

    for (;;) {
        size_t length = strcspn(text, ",");
        char name[16] = "";
        enum query_state state = QUERY_QUEUED;

        if (length < sizeof(name))
            memcpy(name, text, length);
        if (!query_state_from_name(name, &state))
            return error_set(err, ERROR_BAD_REQUEST, "state: '%.*s' is none", (int)length, text);
        states |= 1u << state;
        if (text[length] == '\0')
            break;
        text += length + 1;
    }
    *ret_states = states;
    return 0;
}

int query_list_read(const struct query_string *string, struct query_list_filter *ret_filter,
                    struct error *err)
{
    const char *state = query_string_get(string, "state");
    const char *limit = query_string_get(string, "limit");
    const char *after = query_string_get(string, "after");
    struct query_list_filter filter = {
        .states = ALL_STATES,
        .tag = query_string_get(string, "tag"),
        .before_generation = UINT64_MAX,
    };
    uint64_t count = LIMIT_DEFAULT;

    if (state != NULL && read_states(state, &filter.states, err) != 0)
        return -1;
    if (limit != NULL && read_number("limit", limit, 1, QUERY_LIST_LIMIT_MAX, &count, err) != 0)
        return -1;
    if (after != NULL &&
        read_number("after", after, 0, UINT64_MAX, &filter.before_generation, err) != 0)
        return -1;
    filter.limit = (size_t)count;
    *ret_filter = filter;
    return 0;
}

static const struct query *next_match(const struct query *query,
                                      const struct query_list_filter *filter)
{
    while (query != NULL && (query->generation >= filter->before_generation ||
                             (filter->states & 1u << query->state) == 0 ||
                             !caller_may_see(filter->caller, query->caller) ||
                             (filter->tag != NULL && !query_has_tag(query, filter->tag))))
        query = query->older;
    return query;
}

void query_list_append(struct byte_buffer *out, const struct query_registry *registry,
                       const struct query_list_filter *filter, struct engine_facts *facts)
{
    const struct query *query = next_match(query_registry_newest(registry), filter);
    uint64_t last = 0;

    byte_buffer_append_text(out, "{\"queries\":[");
    for (size_t i = 0; i < filter->limit && query != NULL; i++) {
        if (i > 0)
            byte_buffer_append_char(out, ',');
        query_status_append(out, query, facts);
        last = query->generation;
        query = next_match(query->older, filter);
    }
    if (query != NULL)
        byte_buffer_append_format(out, "],\"next\":\"%llu\"}", (unsigned long long)last);
    else
        byte_buffer_append_text(out, "],\"next\":null}");
}
