/*
 * json_scalars: the half of json_column that writes cells without children,
 * one function for each way a type is written.
 */
#include "json_column.h"

#include <math.h>
#include <string.h>

#include "calendar_text.h"
#include "decimal_text.h"
#include "json_text.h"
#include "number_text.h"

#define EXACT_INTEGER_MAX INT64_C(9007199254740991) /* 2^53 - 1, what binary64 holds exactly */
#define CLOCK_FRACTION_DIGITS 6
#define GEOMETRY_SRID_BYTES 4
#define DAY_MS INT64_C(86400000)

/* Cell `index` of a column of fixed-width cells. */
#define CELL(column, type, index)                                                                  \
    (((const type *)(column)->cells->values)[(index) + (column)->cells->offset])

/* Room for `size` bytes behind the text, or NULL (and out->failed). */
static char *start_text(struct byte_buffer *out, size_t size)
{
    return byte_buffer_reserve(out, size) ? out->data + out->length : NULL;
}

static void end_text(struct byte_buffer *out, const char *end)
{
    out->length = (size_t)(end - out->data);
}

static bool write_null(const struct json_column *column, int64_t index, struct byte_buffer *out)
{
    (void)column;
    (void)index;
    byte_buffer_append(out, "null", 4);
    return true;
}

static bool write_boolean(const struct json_column *column, int64_t index, struct byte_buffer *out)
{
    const uint8_t *bits = column->cells->values;
    int64_t bit = index + column->cells->offset;

    if ((bits[bit >> 3] >> (bit & 7) & 1) != 0)
        byte_buffer_append(out, "true", 4);
    else
        byte_buffer_append(out, "false", 5);
    return true;
}

static bool append_int64(struct byte_buffer *out, int64_t value)
{
    char *text = start_text(out, NUMBER_TEXT_MAX);

    if (text != NULL)
        end_text(out, number_text_int64(text, value));
    return true;
}

static bool append_uint64(struct byte_buffer *out, uint64_t value)
{
    char *text = start_text(out, NUMBER_TEXT_MAX);

    if (text != NULL)
        end_text(out, number_text_uint64(text, value));
    return true;
}

#define DEFINE_INTEGER_WRITER(name, type, append)                                                  \
    static bool name(const struct json_column *column, int64_t index, struct byte_buffer *out)     \
    {                                                                                              \
        return append(out, CELL(column, type, index));                                             \
    }

DEFINE_INTEGER_WRITER(write_int8, int8_t, append_int64)
DEFINE_INTEGER_WRITER(write_uint8, uint8_t, append_uint64)
DEFINE_INTEGER_WRITER(write_int16, int16_t, append_int64)
DEFINE_INTEGER_WRITER(write_uint16, uint16_t, append_uint64)
DEFINE_INTEGER_WRITER(write_int32, int32_t, append_int64)
DEFINE_INTEGER_WRITER(write_uint32, uint32_t, append_uint64)
DEFINE_INTEGER_WRITER(write_int64, int64_t, append_int64)
DEFINE_INTEGER_WRITER(write_uint64, uint64_t, append_uint64)

static bool write_int64_safe(const struct json_column *column, int64_t index,
                             struct byte_buffer *out)
{
    int64_t value = CELL(column, int64_t, index);

    if (value >= -EXACT_INTEGER_MAX && value <= EXACT_INTEGER_MAX)
        return append_int64(out, value);
    byte_buffer_append_char(out, '"');
    append_int64(out, value);
    byte_buffer_append_char(out, '"');
    return true;
}

static bool write_uint64_safe(const struct json_column *column, int64_t index,
                              struct byte_buffer *out)
{
    uint64_t value = CELL(column, uint64_t, index);

    if (value <= (uint64_t)EXACT_INTEGER_MAX)
        return append_uint64(out, value);
    byte_buffer_append_char(out, '"');
    append_uint64(out, value);
    byte_buffer_append_char(out, '"');
    return true;
}

static bool append_not_finite(struct byte_buffer *out, double value)
{
    if (isnan(value))
        byte_buffer_append_text(out, "\"NaN\"");
    else
        byte_buffer_append_text(out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    return true;
}

static bool append_float(struct byte_buffer *out, float value)
{
    if (!isfinite(value))
        return append_not_finite(out, (double)value);
    char *text = start_text(out, NUMBER_TEXT_MAX);
    if (text != NULL)
        end_text(out, number_text_float(text, value));
    return true;
}

static bool write_float32(const struct json_column *column, int64_t index, struct byte_buffer *out)
{
    return append_float(out, CELL(column, float, index));
}

/* IEEE 754 binary16; every value of it is a binary32 value too. */
static float float_of_half(uint16_t half)
{
    int exponent = half >> 10 & 31;
    float mantissa = (float)(half & 1023);
    float magnitude;

    if (exponent == 31)
        magnitude = mantissa > 0 ? NAN : INFINITY;
    else if (exponent == 0)
        magnitude = ldexpf(mantissa, -24);
    else
        magnitude = ldexpf(mantissa + 1024, exponent - 25);
    return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

static bool write_float16(const struct json_column *column, int64_t index, struct byte_buffer *out)
{
    return append_float(out, float_of_half(CELL(column, uint16_t, index)));
}

static bool write_float64(const struct json_column *column, int64_t index, struct byte_buffer *out)
{
    double value = CELL(column, double, index);

    if (!isfinite(value))
        return append_not_finite(out, value);
    char *text = start_text(out, NUMBER_TEXT_MAX);
    if (text != NULL)
        end_text(out, number_text_double(text, value));
    return true;
}

static char *put_decimal(const struct json_column *column, int64_t index, char *text)
{
    const struct result_column *cells = column->cells;
    const uint8_t *value =
        (const uint8_t *)cells->values + (index + cells->offset) * cells->type.value_bytes;

    return decimal_text(text, value, cells->type.value_bytes, cells->type.scale);
}

static bool write_decimal(const struct json_column *column, int64_t index, struct byte_buffer *out)
{
    char *text = start_text(out, DECIMAL_TEXT_MAX + 2);

    if (text != NULL) {
        *text = '"';
        text = put_decimal(column, index, text + 1);
        *text++ = '"';
        end_text(out, text);
    }
    return true;
}

static bool write_unsigned_decimal(const struct json_column *column, int64_t index,
                                   struct byte_buffer *out)
{
    char *text = start_text(out, DECIMAL_TEXT_MAX);

    if (text != NULL)
        end_text(out, put_decimal(column, index, text));
    return true;
}

static bool write_unsigned_decimal_safe(const struct json_column *column, int64_t index,
                                        struct byte_buffer *out)
{
    char text[DECIMAL_TEXT_MAX];
    size_t length = (size_t)(put_decimal(column, index, text) - text);
    const char largest[] = "9007199254740991";
    size_t largest_length = sizeof(largest) - 1;

    /* Equally long digits compare like the numbers they are; the type has no negative ones. */
    if (length < largest_length ||
        (length == largest_length && memcmp(text, largest, length) <= 0)) {
        byte_buffer_append(out, text, length);
        return true;
    }
    byte_buffer_append_char(out, '"');
    byte_buffer_append(out, text, length);
    byte_buffer_append_char(out, '"');
    return true;
}

static bool write_text(const struct json_column *column, int64_t index, struct byte_buffer *out)
{
    const uint8_t *bytes;
    size_t length;

    if (!result_column_bytes(column->cells, index, &bytes, &length))
        return false;
    json_text_append_string(out, bytes, length);
    return true;
}

static bool write_document(const struct json_column *column, int64_t index, struct byte_buffer *out)
{
    const uint8_t *bytes;
    size_t length;

    if (!result_column_bytes(column->cells, index, &bytes, &length))
        return false;
    json_text_append_document(out, bytes, length);
    return true;
}

/* MySQL writes as many digits behind the point as the column has, none when it has none. */
static bool write_clock_time(const struct json_column *column, int64_t index,
                             struct byte_buffer *out)
{
    const uint8_t *bytes;
    size_t length;

    if (!result_column_bytes(column->cells, index, &bytes, &length))
        return false;
    json_text_append_string(out, bytes, length);
    const uint8_t *point = memchr(bytes, '.', length);
    size_t digits = point != NULL ? length - (size_t)(point - bytes) - 1 : 0;
    if (out->failed || length == 0 || digits >= CLOCK_FRACTION_DIGITS)
        return true;
    out->length--; /* the closing quote */
    if (point == NULL)
        byte_buffer_append_char(out, '.');
    byte_buffer_append(out, "000000", CLOCK_FRACTION_DIGITS - digits);
    byte_buffer_append_char(out, '"');
    return true;
}

static bool write_binary(const struct json_column *column, int64_t index, struct byte_buffer *out)
{
    const uint8_t *bytes;
    size_t length;

    if (!result_column_bytes(column->cells, index, &bytes, &length))
        return false;
    json_text_append_base64(out, bytes, length);
    return true;
}

static bool write_geometry(const struct json_column *column, int64_t index, struct byte_buffer *out)
{
    const uint8_t *bytes;
    size_t length;

    if (!result_column_bytes(column->cells, index, &bytes, &length))
        return false;
    size_t prefix = length < GEOMETRY_SRID_BYTES ? length : GEOMETRY_SRID_BYTES;
    json_text_append_base64(out, bytes + prefix, length - prefix);
    return true;
}

/* Appends what `put(text)` writes, between quotes. */
#define DEFINE_CALENDAR_WRITER(name, put)                                                          \
    static bool name(const struct json_column *column, int64_t index, struct byte_buffer *out)     \
    {                                                                                              \
        char *text = start_text(out, CALENDAR_TEXT_MAX + 2);                                       \
                                                                                                   \
        if (text != NULL) {                                                                        \
            *text++ = '"';                                                                         \
            text = put;                                                                            \
            *text++ = '"';                                                                         \
            end_text(out, text);                                                                   \
        }                                                                                          \
        return true;                                                                               \
    }

static int64_t days_of_ms(int64_t ms)
{
    return ms / DAY_MS - (ms % DAY_MS < 0 ? 1 : 0);
}

struct days_ms {
    int32_t days;
    int32_t ms;
};

static char *put_days_ms(char *text, const struct days_ms *value)
{
    return calendar_text_interval(text, 0, value->days, value->ms * INT64_C(1000000));
}

struct months_days_ns {
    int32_t months;
    int32_t days;
    int64_t ns;
};

static char *put_months_days_ns(char *text, const struct months_days_ns *value)
{
    return calendar_text_interval(text, value->months, value->days, value->ns);
}

DEFINE_CALENDAR_WRITER(write_date_days, calendar_text_date(text, CELL(column, int32_t, index)))
DEFINE_CALENDAR_WRITER(write_date_ms,
                       calendar_text_date(text, days_of_ms(CELL(column, int64_t, index))))
DEFINE_CALENDAR_WRITER(write_time32, calendar_text_time(text, CELL(column, int32_t, index),
                                                        column->cells->type.units_per_second))
DEFINE_CALENDAR_WRITER(write_time64, calendar_text_time(text, CELL(column, int64_t, index),
                                                        column->cells->type.units_per_second))
DEFINE_CALENDAR_WRITER(write_timestamp,
                       calendar_text_timestamp(text, CELL(column, int64_t, index),
                                               column->cells->type.units_per_second,
                                               column->cells->type.has_zone))
DEFINE_CALENDAR_WRITER(write_duration, calendar_text_duration(text, CELL(column, int64_t, index),
                                                              column->cells->type.units_per_second))
DEFINE_CALENDAR_WRITER(write_months, calendar_text_months(text, CELL(column, int32_t, index)))
DEFINE_CALENDAR_WRITER(write_days_ms, put_days_ms(text, &CELL(column, struct days_ms, index)))
DEFINE_CALENDAR_WRITER(write_months_days_ns,
                       put_months_days_ns(text, &CELL(column, struct months_days_ns, index)))

static json_cell_writer choose_text_writer(const struct result_column *cells)
{
    switch (cells->meaning) {
    case MEANING_JSON_DOCUMENT:
        return write_document;
    case MEANING_CLOCK_TIME:
        return write_clock_time;
    default:
        return write_text;
    }
}

static json_cell_writer choose_decimal_writer(const struct result_column *cells, bool safe)
{
    if (cells->meaning != MEANING_UNSIGNED_INTEGER)
        return write_decimal;
    return safe ? write_unsigned_decimal_safe : write_unsigned_decimal;
}

json_cell_writer json_scalar_writer(const struct result_column *cells,
                                    const struct json_options *options)
{
    static const json_cell_writer plain_writers[] = {
        [ARROW_NULL] = write_null,
        [ARROW_BOOLEAN] = write_boolean,
        [ARROW_INT8] = write_int8,
        [ARROW_UINT8] = write_uint8,
        [ARROW_INT16] = write_int16,
        [ARROW_UINT16] = write_uint16,
        [ARROW_INT32] = write_int32,
        [ARROW_UINT32] = write_uint32,
        [ARROW_INT64] = write_int64,
        [ARROW_UINT64] = write_uint64,
        [ARROW_FLOAT16] = write_float16,
        [ARROW_FLOAT32] = write_float32,
        [ARROW_FLOAT64] = write_float64,
        [ARROW_DATE_DAYS] = write_date_days,
        [ARROW_DATE_MS] = write_date_ms,
        [ARROW_TIMESTAMP] = write_timestamp,
        [ARROW_DURATION] = write_duration,
        [ARROW_INTERVAL_MONTHS] = write_months,
        [ARROW_INTERVAL_DAYS_MS] = write_days_ms,
        [ARROW_INTERVAL_MONTHS_DAYS_NS] = write_months_days_ns,
    };

    switch (cells->type.kind) {
    case ARROW_INT64:
        return options->numbers_as_strings ? write_int64_safe : write_int64;
    case ARROW_UINT64:
        return options->numbers_as_strings ? write_uint64_safe : write_uint64;
    case ARROW_DECIMAL:
        return choose_decimal_writer(cells, options->numbers_as_strings);
    case ARROW_TEXT:
        return choose_text_writer(cells);
    case ARROW_BINARY:
        return cells->meaning == MEANING_GEOMETRY ? write_geometry : write_binary;
    case ARROW_TIME:
        return cells->type.value_bytes == 4 ? write_time32 : write_time64;
    default:
        return plain_writers[cells->type.kind];
    }
}
