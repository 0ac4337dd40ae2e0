#include "arrow_format.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "decimal_text.h"

/* The block carries no length of its own, so what it claims must at least be plausible. */
#define METADATA_PAIRS_MAX 4096
#define METADATA_TEXT_MAX_BYTES (1024 * 1024)

static const struct {
    const char *format;
    struct arrow_type type;
} plain_formats[] = {
    {"n", {.kind = ARROW_NULL}},
    {"b", {.kind = ARROW_BOOLEAN}},
    {"c", {.kind = ARROW_INT8, .value_bytes = 1}},
    {"C", {.kind = ARROW_UINT8, .value_bytes = 1}},
    {"s", {.kind = ARROW_INT16, .value_bytes = 2}},
    {"S", {.kind = ARROW_UINT16, .value_bytes = 2}},
    {"i", {.kind = ARROW_INT32, .value_bytes = 4}},
    {"I", {.kind = ARROW_UINT32, .value_bytes = 4}},
    {"l", {.kind = ARROW_INT64, .value_bytes = 8}},
    {"L", {.kind = ARROW_UINT64, .value_bytes = 8}},
    {"e", {.kind = ARROW_FLOAT16, .value_bytes = 2}},
    {"f", {.kind = ARROW_FLOAT32, .value_bytes = 4}},
    {"g", {.kind = ARROW_FLOAT64, .value_bytes = 8}},
    {"u", {.kind = ARROW_TEXT, .layout = ARROW_OFFSETS32}},
    {"U", {.kind = ARROW_TEXT, .layout = ARROW_OFFSETS64}},
    {"vu", {.kind = ARROW_TEXT, .layout = ARROW_VIEWS}},
    {"z", {.kind = ARROW_BINARY, .layout = ARROW_OFFSETS32}},
    {"Z", {.kind = ARROW_BINARY, .layout = ARROW_OFFSETS64}},
    {"vz", {.kind = ARROW_BINARY, .layout = ARROW_VIEWS}},
    {"tdD", {.kind = ARROW_DATE_DAYS, .value_bytes = 4}},
    {"tdm", {.kind = ARROW_DATE_MS, .value_bytes = 8}},
    {"tts", {.kind = ARROW_TIME, .value_bytes = 4, .units_per_second = 1}},
    {"ttm", {.kind = ARROW_TIME, .value_bytes = 4, .units_per_second = 1000}},
    {"ttu", {.kind = ARROW_TIME, .value_bytes = 8, .units_per_second = 1000000}},
    {"ttn", {.kind = ARROW_TIME, .value_bytes = 8, .units_per_second = 1000000000}},
    {"tDs", {.kind = ARROW_DURATION, .value_bytes = 8, .units_per_second = 1}},
    {"tDm", {.kind = ARROW_DURATION, .value_bytes = 8, .units_per_second = 1000}},
    {"tDu", {.kind = ARROW_DURATION, .value_bytes = 8, .units_per_second = 1000000}},
    {"tDn", {.kind = ARROW_DURATION, .value_bytes = 8, .units_per_second = 1000000000}},
    {"tiM", {.kind = ARROW_INTERVAL_MONTHS, .value_bytes = 4}},
    {"tiD", {.kind = ARROW_INTERVAL_DAYS_MS, .value_bytes = 8}},
    {"tin", {.kind = ARROW_INTERVAL_MONTHS_DAYS_NS, .value_bytes = 16}},
    {"+l", {.kind = ARROW_LIST, .layout = ARROW_OFFSETS32}},
    {"+L", {.kind = ARROW_LIST, .layout = ARROW_OFFSETS64}},
    {"+s", {.kind = ARROW_STRUCT}},
    {"+m", {.kind = ARROW_MAP, .layout = ARROW_OFFSETS32}},
};

/* Reads a decimal integer and moves *text behind it. */
static bool parse_integer(const char **text, int64_t minimum, int64_t maximum, int64_t *ret_value)
{
    char *end;

    errno = 0;
    long long value = strtoll(*text, &end, 10);
    if (errno != 0 || end == *text || value < minimum || value > maximum)
        return false;
    *text = end;
    *ret_value = value;
    return true;
}

/* "d:precision,scale" or "d:precision,scale,bits" */
static bool parse_decimal(const char *text, struct arrow_type *ret_type)
{
    int64_t precision;
    int64_t scale;
    int64_t bits = 128;

    if (!parse_integer(&text, 1, 76, &precision) || *text++ != ',' ||
        !parse_integer(&text, -DECIMAL_SCALE_MAX, DECIMAL_SCALE_MAX, &scale))
        return false;
    if (*text == ',') {
        text++;
        if (!parse_integer(&text, 32, 256, &bits))
            return false;
    }
    if (*text != '\0' || (bits != 32 && bits != 64 && bits != 128 && bits != 256))
        return false;
    *ret_type = (struct arrow_type){
        .kind = ARROW_DECIMAL, .value_bytes = (int)(bits / 8), .scale = (int)scale};
    return true;
}

/* "tsu:zone"; an empty zone is a local date and time. */
static bool parse_timestamp(const char *text, struct arrow_type *ret_type)
{
    int64_t units_per_second;

    switch (text[0]) {
    case 's':
        units_per_second = 1;
        break;
    case 'm':
        units_per_second = 1000;
        break;
    case 'u':
        units_per_second = 1000000;
        break;
    case 'n':
        units_per_second = 1000000000;
        break;
    default:
        return false;
    }
    if (text[1] != ':')
        return false;
    *ret_type = (struct arrow_type){.kind = ARROW_TIMESTAMP,
                                    .value_bytes = 8,
                                    .units_per_second = units_per_second,
                                    .has_zone = text[2] != '\0'};
    return true;
}

static bool parse_fixed_binary(const char *text, struct arrow_type *ret_type)
{
    int64_t size;

    if (!parse_integer(&text, 0, INT_MAX, &size) || *text != '\0')
        return false;
    *ret_type = (struct arrow_type){.kind = ARROW_BINARY, .value_bytes = (int)size};
    return true;
}

static bool parse_fixed_list(const char *text, struct arrow_type *ret_type)
{
    int64_t size;

    if (!parse_integer(&text, 0, INT_MAX, &size) || *text != '\0')
        return false;
    *ret_type = (struct arrow_type){.kind = ARROW_LIST, .list_size = size};
    return true;
}

bool arrow_format_parse(const char *format, struct arrow_type *ret_type)
{
    if (format == NULL)
        return false;
    for (size_t i = 0; i < sizeof(plain_formats) / sizeof(plain_formats[0]); i++) {
        if (strcmp(format, plain_formats[i].format) == 0) {
            *ret_type = plain_formats[i].type;
            return true;
        }
    }
    if (strncmp(format, "d:", 2) == 0)
        return parse_decimal(format + 2, ret_type);
    if (strncmp(format, "ts", 2) == 0)
        return parse_timestamp(format + 2, ret_type);
    if (strncmp(format, "w:", 2) == 0)
        return parse_fixed_binary(format + 2, ret_type);
    if (strncmp(format, "+w:", 3) == 0)
        return parse_fixed_list(format + 3, ret_type);
    return false;
}

int arrow_type_buffers(const struct arrow_type *type)
{
    switch (type->kind) {
    case ARROW_NULL:
        return 0;
    case ARROW_STRUCT:
        return 1;
    case ARROW_LIST:
        return type->layout == ARROW_FIXED ? 1 : 2;
    case ARROW_TEXT:
    case ARROW_BINARY:
        return type->layout == ARROW_FIXED ? 2 : 3;
    default:
        return 2;
    }
}

/* A length and that many bytes; moves *at behind them. */
static bool read_metadata_text(const char **at, const char **ret_text, size_t *ret_length)
{
    int32_t length;

    memcpy(&length, *at, sizeof(length));
    if (length < 0 || length > METADATA_TEXT_MAX_BYTES)
        return false;
    *ret_text = *at + sizeof(length);
    *ret_length = (size_t)length;
    *at = *ret_text + length;
    return true;
}

bool arrow_metadata_find(const char *metadata, const char *key, const char **ret_value,
                         size_t *ret_length)
{
    const char *at = metadata;
    int32_t pairs;

    if (metadata == NULL)
        return false;
    memcpy(&pairs, at, sizeof(pairs));
    at += sizeof(pairs);
    if (pairs > METADATA_PAIRS_MAX)
        return false;
    for (int32_t i = 0; i < pairs; i++) {
        const char *name;
        const char *value;
        size_t name_length;
        size_t value_length;

        if (!read_metadata_text(&at, &name, &name_length) ||
            !read_metadata_text(&at, &value, &value_length))
            return false;
        if (name_length == strlen(key) && memcmp(name, key, name_length) == 0) {
            *ret_value = value;
            *ret_length = value_length;
            return true;
        }
    }
    return false;
}
