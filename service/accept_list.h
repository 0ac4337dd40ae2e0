/*
 * accept_list: the elements of an Accept or Accept-Encoding field: value,
 * parameters, weight. Syntax: RFC 9110 §5.6.1 (lists), §5.6.6 (parameters),
 * §12.4.2 (q). Everything is borrowed from the field's text.   [any]
 */
#ifndef SERVICE_ACCEPT_LIST_H
#define SERVICE_ACCEPT_LIST_H

#include <stdbool.h>
#include <stddef.h>

#define ACCEPT_WEIGHT_MAX 1000

struct accept_element {
    const char *value; /* "text/csv", "gzip", "*" */
    size_t value_length;
    const char *parameters; /* from the first ';', quoted strings and all */
    size_t parameters_length;
    int weight; /* q in thousandths; ACCEPT_WEIGHT_MAX when absent or malformed */
};

/* Gives the next element that isn't empty and moves *at behind it; false at the end. */
bool accept_list_next(const char **at, struct accept_element *ret_element);

/* True when the value is `text`, in any case. */
bool accept_element_is(const struct accept_element *element, const char *text);

/* The value of a parameter, without quotes; false when it is absent. */
bool accept_element_parameter(const struct accept_element *element, const char *name,
                              const char **ret_value, size_t *ret_length);

#endif
