#include "accept_list.h"

#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* First of `stops` outside quoted strings, or `end`. */
static const char *find_outside_quotes(const char *text, const char *end, const char *stops)
{
    bool quoted = false;

    for (; text < end; text++) {
        if (quoted && *text == '\\' && text + 1 < end)
            text++;
        else if (*text == '"')
            quoted = !quoted;
        else if (!quoted && strchr(stops, *text) != NULL)
            return text;
    }
    return end;
}

static const char *trim(const char **begin, const char *end)
{
    while (*begin < end && is_space(**begin))
        (*begin)++;
    while (end > *begin && is_space(end[-1]))
        end--;
    return end;
}

/* weight = OWS ";" OWS "q=" qvalue; at most three digits behind the point, at most 1. */
static int parse_weight(const char *text, size_t length)
{
    int weight = 0;
    int unit = ACCEPT_WEIGHT_MAX;

    if (length == 0 || length > 5 || (text[0] != '0' && text[0] != '1') ||
        (length > 1 && text[1] != '.'))
        return ACCEPT_WEIGHT_MAX;
    weight = (text[0] - '0') * unit;
    for (size_t i = 2; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return ACCEPT_WEIGHT_MAX;
        unit /= 10;
        weight += (text[i] - '0') * unit;
    }
    return weight < ACCEPT_WEIGHT_MAX ? weight : ACCEPT_WEIGHT_MAX;
}

bool accept_list_next(const char **at, struct accept_element *ret_element)
{
    const char *text = *at;
    const char *stop = text + strlen(text);

    while (text < stop) {
        struct accept_element element = {.weight = ACCEPT_WEIGHT_MAX};
        const char *end = find_outside_quotes(text, stop, ",");
        const char *value_end = find_outside_quotes(text, end, ";");
        const char *q = NULL;
        size_t q_length = 0;

        element.parameters = value_end;
        element.parameters_length = (size_t)(end - value_end);
        element.value = text;
        element.value_length = (size_t)(trim(&element.value, value_end) - element.value);
        text = end < stop ? end + 1 : stop;
        if (element.value_length == 0)
            continue;
        if (accept_element_parameter(&element, "q", &q, &q_length))
            element.weight = parse_weight(q, q_length);
        *at = text;
        *ret_element = element;
        return true;
    }
    *at = stop;
    return false;
}

bool accept_element_is(const struct accept_element *element, const char *text)
{
    return element->value_length == strlen(text) &&
           strncasecmp(element->value, text, element->value_length) == 0;
}

bool accept_element_parameter(const struct accept_element *element, const char *name,
                              const char **ret_value, size_t *ret_length)
{
    const char *at = element->parameters;
    const char *stop = at + element->parameters_length;

    while (at < stop) {
        const char *begin = at + 1; /* behind the ';' */
        const char *end = find_outside_quotes(begin, stop, ";");
        const char *equals = memchr(begin, '=', (size_t)(end - begin));

        at = end;
        if (equals == NULL)
            continue;
        const char *name_end = trim(&begin, equals);
        if ((size_t)(name_end - begin) != strlen(name) ||
            strncasecmp(begin, name, strlen(name)) != 0)
            continue;
        begin = equals + 1;
        end = trim(&begin, end);
        if (end - begin >= 2 && *begin == '"' && end[-1] == '"') {
            begin++;
            end--;
        }
        *ret_value = begin;
        *ret_length = (size_t)(end - begin);
        return true;
    }
    return false;
}
