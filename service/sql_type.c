#include "sql_type.h"

#include <string.h>

#include "arrow_format.h"

/* Schemas this deep are refused by result_columns. */
#define DEPTH_MAX 64

static void append_type(struct byte_buffer *out, const struct ArrowSchema *field, int depth);

static bool append_metadata(struct byte_buffer *out, const struct ArrowSchema *field,
                            const char *key)
{
    const char *value = NULL;
    size_t length = 0;

    if (!arrow_metadata_find(field->metadata, key, &value, &length) || length == 0)
        return false;
    byte_buffer_append(out, value, length);
    return true;
}

/* Plain types have one name each; NULL for the others. */
static const char *plain_name(const struct arrow_type *type)
{
    static const char *const NAMES[] = {
        [ARROW_NULL] = "VOID",
        [ARROW_BOOLEAN] = "BOOLEAN",
        [ARROW_INT8] = "TINYINT",
        [ARROW_UINT8] = "TINYINT UNSIGNED",
        [ARROW_INT16] = "SMALLINT",
        [ARROW_UINT16] = "SMALLINT UNSIGNED",
        [ARROW_INT32] = "INT",
        [ARROW_UINT32] = "INT UNSIGNED",
        [ARROW_INT64] = "BIGINT",
        [ARROW_UINT64] = "BIGINT UNSIGNED",
        [ARROW_FLOAT16] = "FLOAT",
        [ARROW_FLOAT32] = "FLOAT",
        [ARROW_FLOAT64] = "DOUBLE",
        [ARROW_TEXT] = "STRING",
        [ARROW_BINARY] = "BINARY",
        [ARROW_DATE_DAYS] = "DATE",
        [ARROW_DATE_MS] = "DATE",
        [ARROW_TIME] = "TIME",
        [ARROW_DURATION] = "INTERVAL DAY TO SECOND",
        [ARROW_INTERVAL_MONTHS] = "INTERVAL YEAR TO MONTH",
        [ARROW_INTERVAL_DAYS_MS] = "INTERVAL DAY TO SECOND",
        [ARROW_INTERVAL_MONTHS_DAYS_NS] = "INTERVAL",
        [ARROW_MAP] = NULL,
    };

    if (type->kind == ARROW_TIMESTAMP)
        return type->has_zone ? "TIMESTAMP" : "TIMESTAMP_NTZ";
    return NAMES[type->kind];
}

/* Format "d:precision,scale" or "d:precision,scale,bits". */
static void append_decimal(struct byte_buffer *out, const char *format)
{
    const char *digits = format + 2;
    size_t precision = strcspn(digits, ",");
    const char *scale = digits + precision + (digits[precision] == ',');

    byte_buffer_append_text(out, "DECIMAL(");
    byte_buffer_append(out, digits, precision);
    byte_buffer_append_char(out, ',');
    byte_buffer_append(out, scale, strcspn(scale, ","));
    byte_buffer_append_char(out, ')');
}

static void append_children(struct byte_buffer *out, const char *open,
                            const struct ArrowSchema *parent, bool named, int depth)
{
    byte_buffer_append_text(out, open);
    for (int64_t i = 0; i < parent->n_children; i++) {
        const struct ArrowSchema *child = parent->children[i];

        if (i > 0)
            byte_buffer_append_text(out, ", ");
        if (named) {
            byte_buffer_append_text(out, child->name != NULL ? child->name : "");
            byte_buffer_append_text(out, ": ");
        }
        append_type(out, child, depth + 1);
    }
    byte_buffer_append_char(out, '>');
}

static void append_type(struct byte_buffer *out, const struct ArrowSchema *field, int depth)
{
    struct arrow_type type;

    if (append_metadata(out, field, "sql_type"))
        return;
    if (field->dictionary != NULL && depth < DEPTH_MAX) {
        append_type(out, field->dictionary, depth + 1);
        return;
    }
    if (!arrow_format_parse(field->format, &type) || depth >= DEPTH_MAX) {
        byte_buffer_append_text(out, field->format != NULL ? field->format : "");
        return;
    }
    switch (type.kind) {
    case ARROW_DECIMAL:
        append_decimal(out, field->format);
        break;
    case ARROW_LIST:
        append_children(out, "ARRAY<", field, false, depth);
        break;
    case ARROW_STRUCT:
        append_children(out, "STRUCT<", field, true, depth);
        break;
    case ARROW_MAP:
        append_children(out, "MAP<", field->children[0], false, depth);
        break;
    default:
        byte_buffer_append_text(out, plain_name(&type));
        break;
    }
}

void sql_type_append(struct byte_buffer *out, const struct ArrowSchema *field)
{
    append_type(out, field, 0);
}
