/*
 * arrow_ipc_schema: the half of arrow_ipc_write that writes schemas.
 */
#include <stdlib.h>

#include "arrow_format.h"
#include "arrow_ipc_format.h"
#include "arrow_ipc_message.h"
#include "arrow_ipc_write.h"
#include "unique_names.h"

static void write_fields(struct flatbuffer_writer *writer, size_t slot,
                         const struct ArrowSchema *parent);

/* ---- types ---- */

static int64_t unit_of(int64_t units_per_second)
{
    int64_t unit = 0;

    for (; units_per_second > 1; units_per_second /= 1000)
        unit++;
    return unit;
}

static enum arrow_ipc_type text_type(const struct arrow_type *type, enum arrow_ipc_type small,
                                     enum arrow_ipc_type large)
{
    return type->layout == ARROW_OFFSETS64 ? large : small;
}

/* The member of the Type union for each kind. */
static enum arrow_ipc_type ipc_type(const struct arrow_type *type)
{
    switch (type->kind) {
    case ARROW_NULL:
        return ARROW_IPC_NULL;
    case ARROW_BOOLEAN:
        return ARROW_IPC_BOOL;
    case ARROW_FLOAT16:
    case ARROW_FLOAT32:
    case ARROW_FLOAT64:
        return ARROW_IPC_FLOAT;
    case ARROW_DECIMAL:
        return ARROW_IPC_DECIMAL;
    case ARROW_TEXT:
        return text_type(type, ARROW_IPC_UTF8, ARROW_IPC_LARGE_UTF8);
    case ARROW_BINARY:
        return type->layout == ARROW_FIXED
                   ? ARROW_IPC_FIXED_BINARY
                   : text_type(type, ARROW_IPC_BINARY, ARROW_IPC_LARGE_BINARY);
    case ARROW_DATE_DAYS:
    case ARROW_DATE_MS:
        return ARROW_IPC_DATE;
    case ARROW_TIME:
        return ARROW_IPC_TIME;
    case ARROW_TIMESTAMP:
        return ARROW_IPC_TIMESTAMP;
    case ARROW_DURATION:
        return ARROW_IPC_DURATION;
    case ARROW_INTERVAL_MONTHS:
    case ARROW_INTERVAL_DAYS_MS:
    case ARROW_INTERVAL_MONTHS_DAYS_NS:
        return ARROW_IPC_INTERVAL;
    case ARROW_LIST:
        return type->layout == ARROW_FIXED ? ARROW_IPC_FIXED_LIST
                                           : text_type(type, ARROW_IPC_LIST, ARROW_IPC_LARGE_LIST);
    case ARROW_STRUCT:
        return ARROW_IPC_STRUCT;
    case ARROW_MAP:
        return ARROW_IPC_MAP;
    default:
        return ARROW_IPC_INT;
    }
}

/* The fields of the type's own table; gives how many. */
static size_t type_fields(const struct ArrowSchema *schema, const struct arrow_type *type,
                          struct flatbuffer_field fields[FLATBUFFER_FIELDS_MAX])
{
    bool is_signed = false;

    switch (type->kind) {
    case ARROW_INT8:
    case ARROW_INT16:
    case ARROW_INT32:
    case ARROW_INT64:
        is_signed = true;
        /* fall through */
    case ARROW_UINT8:
    case ARROW_UINT16:
    case ARROW_UINT32:
    case ARROW_UINT64:
        fields[0] = (struct flatbuffer_field){4, type->value_bytes * 8};
        fields[1] = (struct flatbuffer_field){1, is_signed};
        return 2;
    case ARROW_FLOAT16:
    case ARROW_FLOAT32:
    case ARROW_FLOAT64:
        fields[0] = (struct flatbuffer_field){2, type->kind - ARROW_FLOAT16};
        return 1;
    case ARROW_DECIMAL:
        fields[0] = (struct flatbuffer_field){4, strtol(schema->format + 2, NULL, 10)};
        fields[1] = (struct flatbuffer_field){4, type->scale};
        fields[2] = (struct flatbuffer_field){4, type->value_bytes * 8};
        return 3;
    case ARROW_BINARY:
        fields[0] = (struct flatbuffer_field){4, type->value_bytes};
        return type->layout == ARROW_FIXED ? 1 : 0;
    case ARROW_DATE_DAYS:
    case ARROW_DATE_MS:
        fields[0] = (struct flatbuffer_field){2, type->kind - ARROW_DATE_DAYS};
        return 1;
    case ARROW_TIME:
        fields[0] = (struct flatbuffer_field){2, unit_of(type->units_per_second)};
        fields[1] = (struct flatbuffer_field){4, type->value_bytes * 8};
        return 2;
    case ARROW_TIMESTAMP:
        fields[0] = (struct flatbuffer_field){2, unit_of(type->units_per_second)};
        fields[1] = (struct flatbuffer_field){type->has_zone ? 4 : 0, 0};
        return 2;
    case ARROW_DURATION:
        fields[0] = (struct flatbuffer_field){2, unit_of(type->units_per_second)};
        return 1;
    case ARROW_INTERVAL_MONTHS:
    case ARROW_INTERVAL_DAYS_MS:
    case ARROW_INTERVAL_MONTHS_DAYS_NS:
        fields[0] = (struct flatbuffer_field){2, type->kind - ARROW_INTERVAL_MONTHS};
        return 1;
    case ARROW_LIST:
        fields[0] = (struct flatbuffer_field){4, type->list_size};
        return type->layout == ARROW_FIXED ? 1 : 0;
    case ARROW_MAP:
        fields[0] = (struct flatbuffer_field){1, (schema->flags & ARROW_FLAG_MAP_KEYS_SORTED) != 0};
        return 1;
    default:
        return 0;
    }
}

static void write_type(struct flatbuffer_writer *writer, size_t slot,
                       const struct ArrowSchema *schema, const struct arrow_type *type)
{
    struct flatbuffer_field fields[FLATBUFFER_FIELDS_MAX] = {0};
    size_t slots[FLATBUFFER_FIELDS_MAX];
    const char *zone = schema->format + sizeof("tsu:") - 1;

    flatbuffer_table(writer, slot, fields, type_fields(schema, type, fields), slots);
    if (type->kind == ARROW_TIMESTAMP && type->has_zone)
        flatbuffer_string(writer, slots[1], zone, strlen(zone));
}

/* ---- fields ---- */

static size_t metadata_pairs(const char *metadata)
{
    int32_t pairs = 0;

    if (metadata != NULL)
        memcpy(&pairs, metadata, sizeof(pairs));
    return pairs > 0 ? (size_t)pairs : 0;
}

/* Writes the next text of a metadata block; gives what is behind it. */
static const char *write_metadata_text(struct flatbuffer_writer *writer, size_t slot,
                                       const char *at)
{
    int32_t length;

    memcpy(&length, at, sizeof(length));
    at += sizeof(length);
    flatbuffer_string(writer, slot, at, (size_t)length);
    return at + length;
}

/* The block is the engine's own (arrow_format.h tells its layout). */
static void write_metadata(struct flatbuffer_writer *writer, size_t slot, const char *metadata)
{
    const struct flatbuffer_field pair[PAIR_FIELDS] = {{4, 0}, {4, 0}};
    size_t slots[FLATBUFFER_FIELDS_MAX];
    size_t count = metadata_pairs(metadata);
    size_t first = flatbuffer_vector(writer, slot, 4, 4, count);
    const char *at = metadata + sizeof(int32_t);

    for (size_t i = 0; i < count; i++) {
        flatbuffer_table(writer, first + i * 4, pair, PAIR_FIELDS, slots);
        at = write_metadata_text(writer, slots[PAIR_KEY], at);
        at = write_metadata_text(writer, slots[PAIR_VALUE], at);
    }
}

static void write_field(struct flatbuffer_writer *writer, size_t slot,
                        const struct ArrowSchema *schema, const char *name)
{
    struct arrow_type type = {0};
    size_t slots[FLATBUFFER_FIELDS_MAX];
    bool has_metadata = metadata_pairs(schema->metadata) > 0;

    (void)arrow_format_parse(schema->format, &type); /* looked at before */
    const struct flatbuffer_field fields[FIELD_FIELDS] = {
        [FIELD_NAME] = {4, 0},
        [FIELD_NULLABLE] = {1, (schema->flags & ARROW_FLAG_NULLABLE) != 0},
        [FIELD_TYPE_TYPE] = {1, ipc_type(&type)},
        [FIELD_TYPE] = {4, 0},
        [FIELD_CHILDREN] = {4, 0},
        [FIELD_METADATA] = {has_metadata ? 4 : 0, 0},
    };
    flatbuffer_table(writer, slot, fields, FIELD_FIELDS, slots);
    flatbuffer_string(writer, slots[FIELD_NAME], name, strlen(name));
    write_type(writer, slots[FIELD_TYPE], schema, &type);
    write_fields(writer, slots[FIELD_CHILDREN], schema);
    if (has_metadata)
        write_metadata(writer, slots[FIELD_METADATA], schema->metadata);
}

/* The children of a field, or the columns of the schema. */
static void write_fields(struct flatbuffer_writer *writer, size_t slot,
                         const struct ArrowSchema *parent)
{
    size_t count = (size_t)parent->n_children;
    const char **names = calloc(count + 1, sizeof(*names));
    char **unique = NULL;
    size_t first = flatbuffer_vector(writer, slot, 4, 4, count);

    for (size_t i = 0; names != NULL && i < count; i++)
        names[i] = parent->children[i]->name != NULL ? parent->children[i]->name : "";
    if (names != NULL)
        unique = unique_names_new(names, count);
    free(names);
    if (unique == NULL) {
        writer->out->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        write_field(writer, first + i * 4, parent->children[i], unique[i]);
    unique_names_free(unique, count);
}

static int check_tree(const struct ArrowSchema *schema, int depth, struct error *err)
{
    struct arrow_type type;

    if (schema == NULL || depth > ARROW_IPC_DEPTH_MAX)
        return error_set(err, ERROR_ENGINE_ERROR, "result schema: incomplete or nested too deep");
    if (schema->dictionary != NULL || !arrow_format_parse(schema->format, &type) ||
        type.layout == ARROW_VIEWS)
        return error_set(err, ERROR_ENGINE_ERROR,
                         "result column %.200s: no Arrow IPC for type %.40s%s",
                         schema->name != NULL ? schema->name : "",
                         schema->format != NULL ? schema->format : "(none)",
                         schema->dictionary != NULL ? " in a dictionary" : "");
    if (schema->n_children < 0 || (schema->n_children > 0 && schema->children == NULL) ||
        ((type.kind == ARROW_LIST || type.kind == ARROW_MAP) && schema->n_children != 1) ||
        (depth == 0 && type.kind != ARROW_STRUCT))
        return error_set(err, ERROR_ENGINE_ERROR, "result schema: wrong number of children");
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (check_tree(schema->children[i], depth + 1, err) != 0)
            return -1;
    }
    return 0;
}

int arrow_ipc_write_schema(const struct ArrowSchema *schema, struct byte_buffer *out,
                           struct error *err)
{
    const struct flatbuffer_field fields[SCHEMA_FIELDS] = {[SCHEMA_COLUMNS] = {4, 0}};
    size_t slots[FLATBUFFER_FIELDS_MAX];
    struct arrow_ipc_message message;

    if (check_tree(schema, 0, err) != 0)
        return -1;
    arrow_ipc_message_begin(&message, ARROW_IPC_SCHEMA, 0, out);
    flatbuffer_table(&message.writer, message.header_slot, fields, SCHEMA_FIELDS, slots);
    write_fields(&message.writer, slots[SCHEMA_COLUMNS], schema);
    return arrow_ipc_message_end(&message, err);
}
