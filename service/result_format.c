#include "result_format.h"

#include <stddef.h>
#include <string.h>

#include "accept_list.h"
#include "media_type.h"

/* What can be asked for, best first: the order that decides between equal q. */
static const struct variant {
    enum result_format format;
    bool end_line;
    const char *type;
    const char *content_type;
} VARIANTS[] = {
    {RESULT_JSON, false, "application/json", "application/json"},
    {RESULT_ENVELOPE, false, "application/vnd.spark-service.result+json",
     "application/vnd.spark-service.result+json"},
    {RESULT_NDJSON, false, "application/x-ndjson", "application/x-ndjson"},
    {RESULT_NDJSON, true, "application/x-ndjson", "application/x-ndjson;end=1"},
    {RESULT_CSV, false, "text/csv", "text/csv; charset=utf-8; header=present"},
    {RESULT_ARROW, false, "application/vnd.apache.arrow.stream",
     "application/vnd.apache.arrow.stream"},
};

#define VARIANT_COUNT (sizeof(VARIANTS) / sizeof(VARIANTS[0]))
#define WEIGHT_UNKNOWN (-1)

/* 0: not this variant; higher is more specific. Of the parameters only `end`
 * tells variants apart, the others (charset ...) are let through. */
static int match_variant(const struct variant *variant, const struct accept_element *element)
{
    int match = media_range_match(element->value, element->value_length, variant->type);
    const char *end = NULL;
    size_t length = 0;

    if (match != MEDIA_RANGE_EXACT || variant->format != RESULT_NDJSON ||
        !accept_element_parameter(element, "end", &end, &length))
        return match;
    if (length != 1 || *end != (variant->end_line ? '1' : '0'))
        return MEDIA_RANGE_NONE;
    return MEDIA_RANGE_EXACT + 1;
}

static int variant_weight(const struct variant *variant, const char *accept)
{
    struct accept_element element;
    int weight = 0;
    int best = MEDIA_RANGE_NONE;

    while (accept_list_next(&accept, &element)) {
        int match = match_variant(variant, &element);

        if (match > best) {
            best = match;
            weight = element.weight;
        }
    }
    return weight;
}

static int choose_format(const char *accept, struct result_choice *choice, struct error *err)
{
    int best = 0;

    if (accept == NULL || accept[strspn(accept, " \t")] == '\0')
        return 0;
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        int weight = variant_weight(&VARIANTS[i], accept);

        if (weight > best) {
            best = weight;
            choice->format = VARIANTS[i].format;
            choice->end_line = VARIANTS[i].end_line;
        }
    }
    if (best > 0)
        return 0;
    return error_set(err, ERROR_NOT_ACCEPTABLE,
                     "answers are application/json, application/vnd.spark-service.result+json, "
                     "application/x-ndjson (;end=1), text/csv or "
                     "application/vnd.apache.arrow.stream");
}

/* Codings from best to worst when q is the same: zstd is quicker and smaller. */
static const enum content_coding CODING_ORDER[] = {CODING_ZSTD, CODING_GZIP, CODING_IDENTITY};

static const char *coding_token(enum content_coding coding)
{
    return coding == CODING_IDENTITY ? "identity" : content_coding_name(coding);
}

/* WEIGHT_UNKNOWN: the field doesn't speak of it. */
static int coding_weight(enum content_coding coding, const char *accept_encoding)
{
    struct accept_element element;
    int by_star = WEIGHT_UNKNOWN;

    while (accept_list_next(&accept_encoding, &element)) {
        if (accept_element_is(&element, coding_token(coding)) ||
            (coding == CODING_GZIP && accept_element_is(&element, "x-gzip")))
            return element.weight;
        if (accept_element_is(&element, "*"))
            by_star = element.weight;
    }
    return by_star;
}

static int choose_coding(const char *accept_encoding, struct result_choice *choice,
                         struct error *err)
{
    int identity_weight = 0;
    int best = 0;

    if (accept_encoding == NULL)
        return 0;
    identity_weight = coding_weight(CODING_IDENTITY, accept_encoding);
    choice->identity_refused = identity_weight == 0;
    for (size_t i = 0; i < CONTENT_CODING_COUNT; i++) {
        int weight = coding_weight(CODING_ORDER[i], accept_encoding);

        if (weight > best) {
            best = weight;
            choice->coding = CODING_ORDER[i];
        }
    }
    if (best > 0 || !choice->identity_refused)
        return 0;
    return error_set(err, ERROR_NOT_ACCEPTABLE, "answers are gzip, zstd or not encoded at all");
}

int result_choice_negotiate(const char *accept, const char *accept_encoding,
                            struct result_choice *ret_choice, struct error *err)
{
    struct result_choice choice = {.format = RESULT_JSON, .coding = CODING_IDENTITY};

    if (choose_format(accept, &choice, err) != 0 ||
        choose_coding(accept_encoding, &choice, err) != 0)
        return -1;
    *ret_choice = choice;
    return 0;
}

const char *result_choice_content_type(const struct result_choice *choice)
{
    size_t i = 0;

    while (VARIANTS[i].format != choice->format || VARIANTS[i].end_line != choice->end_line)
        i++;
    return VARIANTS[i].content_type;
}

const char *result_format_name(enum result_format format)
{
    static const char *const NAMES[] = {"json", "envelope", "ndjson", "csv", "arrow"};

    return NAMES[format];
}

const char *content_coding_name(enum content_coding coding)
{
    static const char *const NAMES[] = {NULL, "gzip", "zstd"};

    return NAMES[coding];
}
