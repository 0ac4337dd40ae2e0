/*
 * The half of arrow_ipc_read that reads schemas. A flatbuffer may name the same
 * bytes many times; `budget` keeps what is made of them linear in the message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow_format.h"
#include "arrow_ipc_frame.h"
#include "arrow_ipc_read.h"
#include "byte_buffer.h"

/* No field of our own writer takes less. */
#define FIELD_BYTES_MIN 32

struct schema_reader {
    size_t budget; /* bytes of the message not yet accounted for */
    struct error *err;
};

static int read_fields(struct schema_reader *reader, const struct flatbuffer_vector *fields,
                       int depth, struct ArrowSchema *parent);

static bool spend(struct schema_reader *reader, size_t bytes)
{
    if (bytes > reader->budget)
        return false;
    reader->budget -= bytes;
    return true;
}

static int fail(struct schema_reader *reader, const char *reason)
{
    return arrow_ipc_frame_fail(reason, reader->err);
}

static int fail_memory(struct schema_reader *reader)
{
    return fail(reader, "no memory for its schema");
}

static void release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release != NULL)
            schema->children[i]->release(schema->children[i]);
        free(schema->children[i]);
    }
    free(schema->children);
    free((char *)(uintptr_t)schema->format);
    free((char *)(uintptr_t)schema->name);
    free((char *)(uintptr_t)schema->metadata);
    schema->release = NULL;
}

/* ---- types ---- */

static const char *integer_format(int64_t bits, bool is_signed)
{
    switch (bits) {
    case 8:
        return is_signed ? "c" : "C";
    case 16:
        return is_signed ? "s" : "S";
    case 32:
        return is_signed ? "i" : "I";
    case 64:
        return is_signed ? "l" : "L";
    default:
        return "";
    }
}

/* One of `formats` by its number; "" beyond. */
static const char *pick(const char *const *formats, size_t count, int64_t number)
{
    return number >= 0 && (uint64_t)number < count ? formats[number] : "";
}

#define PICK(number, ...)                                                                          \
    pick((const char *const[]){__VA_ARGS__},                                                       \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), number)

/* Types whose format has no parameter; "" for any other. */
static const char *plain_format(int64_t type, int64_t first, int64_t second)
{
    switch (type) {
    case ARROW_IPC_NULL:
        return "n";
    case ARROW_IPC_INT:
        return integer_format(first, second != 0);
    case ARROW_IPC_FLOAT:
        return PICK(first, "e", "f", "g");
    case ARROW_IPC_BINARY:
        return "z";
    case ARROW_IPC_LARGE_BINARY:
        return "Z";
    case ARROW_IPC_UTF8:
        return "u";
    case ARROW_IPC_LARGE_UTF8:
        return "U";
    case ARROW_IPC_BOOL:
        return "b";
    case ARROW_IPC_DATE:
        return PICK(first, "tdD", "tdm");
    case ARROW_IPC_TIME:
        return PICK(first, "tts", "ttm", "ttu", "ttn");
    case ARROW_IPC_DURATION:
        return PICK(first, "tDs", "tDm", "tDu", "tDn");
    case ARROW_IPC_INTERVAL:
        return PICK(first, "tiM", "tiD", "tin");
    case ARROW_IPC_LIST:
        return "+l";
    case ARROW_IPC_LARGE_LIST:
        return "+L";
    case ARROW_IPC_STRUCT:
        return "+s";
    case ARROW_IPC_MAP:
        return "+m";
    default:
        return "";
    }
}

/* Bytes of the first two fields of each type's table; absent ones have these defaults. */
struct type_layout {
    size_t first_bytes;
    size_t second_bytes;
    int64_t first_default;
};

static struct type_layout layout_of(int64_t type)
{
    switch (type) {
    case ARROW_IPC_INT:
    case ARROW_IPC_MAP:
        return (struct type_layout){type == ARROW_IPC_INT ? 4 : 1, 1, 0};
    case ARROW_IPC_DECIMAL:
        return (struct type_layout){4, 4, 0};
    case ARROW_IPC_FIXED_BINARY:
    case ARROW_IPC_FIXED_LIST:
        return (struct type_layout){4, 4, 0};
    case ARROW_IPC_DATE:
    case ARROW_IPC_TIME:
    case ARROW_IPC_DURATION:
        return (struct type_layout){2, 4, 1};
    default:
        return (struct type_layout){2, 4, 0};
    }
}

static char *format_with_zone(const struct flatbuffer_table *table, int64_t unit)
{
    const char *zone = NULL;
    size_t length = 0;
    char *format = NULL;

    if (unit < 0 || unit >= (int64_t)strlen(ARROW_IPC_UNITS) ||
        !flatbuffer_read_string(table, 1, &zone, &length) ||
        asprintf(&format, "ts%c:%.*s", ARROW_IPC_UNITS[unit], (int)length, zone) < 0)
        return NULL;
    return format;
}

/* The format string, malloc'd; NULL: malformed, unknown, or no memory. */
static char *read_format(const struct flatbuffer_table *table, int64_t type)
{
    struct type_layout layout = layout_of(type);
    int64_t first;
    int64_t second = 0;
    int64_t bits = 128;
    char text[64];

    if (!flatbuffer_read_integer(table, 0, layout.first_bytes, layout.first_default, &first))
        return NULL;
    if (type == ARROW_IPC_TIMESTAMP)
        return format_with_zone(table, first);
    if (!flatbuffer_read_integer(table, 1, layout.second_bytes, 0, &second))
        return NULL;
    snprintf(text, sizeof(text), "%s", plain_format(type, first, second));
    if (type == ARROW_IPC_DECIMAL && flatbuffer_read_integer(table, 2, 4, bits, &bits))
        snprintf(text, sizeof(text), "d:%lld,%lld,%lld", (long long)first, (long long)second,
                 (long long)bits);
    else if (type == ARROW_IPC_FIXED_BINARY)
        snprintf(text, sizeof(text), "w:%lld", (long long)first);
    else if (type == ARROW_IPC_FIXED_LIST)
        snprintf(text, sizeof(text), "+w:%lld", (long long)first);
    return strdup(text);
}

static int read_type(struct schema_reader *reader, const struct flatbuffer_table *field,
                     struct ArrowSchema *schema)
{
    struct flatbuffer_table table;
    struct arrow_type parsed;
    int64_t type;
    int64_t sorted = 0;
    bool present = false;

    if (!flatbuffer_read_integer(field, FIELD_TYPE_TYPE, 1, 0, &type) ||
        !flatbuffer_read_table(field, FIELD_TYPE, &table, &present) || !present)
        return fail(reader, "a column without a type");
    schema->format = read_format(&table, type);
    if (!arrow_format_parse(schema->format, &parsed) || !spend(reader, strlen(schema->format)))
        return fail(reader, "a column of an unknown type");
    if (parsed.kind == ARROW_MAP && flatbuffer_read_integer(&table, 0, 1, 0, &sorted) &&
        sorted != 0)
        schema->flags |= ARROW_FLAG_MAP_KEYS_SORTED;
    return 0;
}

/* ---- fields ---- */

static bool append_text(struct byte_buffer *block, const struct flatbuffer_table *pair,
                        size_t field, struct schema_reader *reader)
{
    const char *text;
    size_t length;
    int32_t stored;

    if (!flatbuffer_read_string(pair, field, &text, &length) || !spend(reader, length + 8))
        return false;
    stored = (int32_t)length;
    byte_buffer_append(block, &stored, sizeof(stored));
    byte_buffer_append(block, text, length);
    return true;
}

static int read_metadata(struct schema_reader *reader, const struct flatbuffer_table *field,
                         struct ArrowSchema *schema)
{
    struct flatbuffer_vector pairs;
    struct flatbuffer_table pair;
    struct byte_buffer block = {0};
    int32_t count;

    if (!flatbuffer_read_vector(field, FIELD_METADATA, 4, &pairs))
        return fail(reader, "malformed column metadata");
    if (pairs.count == 0)
        return 0;
    count = (int32_t)pairs.count;
    byte_buffer_append(&block, &count, sizeof(count));
    for (size_t i = 0; i < pairs.count; i++) {
        if (!flatbuffer_vector_table(&pairs, i, &pair) ||
            !append_text(&block, &pair, PAIR_KEY, reader) ||
            !append_text(&block, &pair, PAIR_VALUE, reader)) {
            byte_buffer_done(&block);
            return fail(reader, "malformed column metadata");
        }
    }
    schema->metadata = block.data;
    return block.failed ? fail_memory(reader) : 0;
}

/* A child count that fits the type; a map's child is a struct of two. */
static bool has_right_children(const struct ArrowSchema *schema)
{
    struct arrow_type type;

    (void)arrow_format_parse(schema->format, &type);
    switch (type.kind) {
    case ARROW_STRUCT:
        return true;
    case ARROW_LIST:
        return schema->n_children == 1;
    case ARROW_MAP:
        return schema->n_children == 1 && strcmp(schema->children[0]->format, "+s") == 0 &&
               schema->children[0]->n_children == 2;
    default:
        return schema->n_children == 0;
    }
}

static int read_field(struct schema_reader *reader, const struct flatbuffer_table *field, int depth,
                      struct ArrowSchema *schema)
{
    struct flatbuffer_vector children;
    struct flatbuffer_table dictionary;
    const char *name;
    size_t name_length;
    int64_t nullable;
    bool is_dictionary = false;

    schema->release = release_schema;
    if (depth > ARROW_IPC_DEPTH_MAX)
        return fail(reader, "nested too deep");
    if (!flatbuffer_read_string(field, FIELD_NAME, &name, &name_length) ||
        !flatbuffer_read_integer(field, FIELD_NULLABLE, 1, 0, &nullable) ||
        !flatbuffer_read_table(field, FIELD_DICTIONARY, &dictionary, &is_dictionary) ||
        !flatbuffer_read_vector(field, FIELD_CHILDREN, 4, &children) ||
        !spend(reader, FIELD_BYTES_MIN + name_length))
        return fail(reader, "a malformed column");
    if (is_dictionary)
        return fail(reader, "a dictionary");
    schema->flags = nullable != 0 ? ARROW_FLAG_NULLABLE : 0;
    schema->name = strndup(name, name_length);
    if (schema->name == NULL)
        return fail_memory(reader);
    if (read_type(reader, field, schema) != 0 || read_metadata(reader, field, schema) != 0 ||
        read_fields(reader, &children, depth, schema) != 0)
        return -1;
    return has_right_children(schema) ? 0 : fail(reader, "a wrong number of children");
}

static int read_fields(struct schema_reader *reader, const struct flatbuffer_vector *fields,
                       int depth, struct ArrowSchema *parent)
{
    struct flatbuffer_table field;

    parent->children = calloc(fields->count + 1, sizeof(struct ArrowSchema *));
    if (parent->children == NULL)
        return fail_memory(reader);
    for (size_t i = 0; i < fields->count; i++) {
        struct ArrowSchema *child = calloc(1, sizeof(*child));
        if (child == NULL)
            return fail_memory(reader);
        parent->children[parent->n_children++] = child;
        if (!flatbuffer_vector_table(fields, i, &field))
            return fail(reader, "a malformed column");
        if (read_field(reader, &field, depth + 1, child) != 0)
            return -1;
    }
    return 0;
}

int arrow_ipc_read_schema(const void *message, size_t length, struct ArrowSchema *ret_schema,
                          struct error *err)
{
    struct schema_reader reader = {.budget = length, .err = err};
    struct ArrowSchema schema = {.release = release_schema};
    struct flatbuffer_table header;
    struct flatbuffer_vector columns;
    struct flatbuffer_bytes body;
    int64_t endianness;

    if (arrow_ipc_frame_read(message, length, ARROW_IPC_SCHEMA, &header, &body, err) != 0)
        return -1;
    if (!flatbuffer_read_integer(&header, SCHEMA_ENDIANNESS, 2, 0, &endianness) ||
        endianness != 0 || !flatbuffer_read_vector(&header, SCHEMA_COLUMNS, 4, &columns))
        return fail(&reader, "a malformed schema");
    schema.format = strdup("+s");
    schema.name = strdup("");
    if (schema.format == NULL || schema.name == NULL) {
        release_schema(&schema);
        return fail_memory(&reader);
    }
    if (read_fields(&reader, &columns, 0, &schema) != 0) {
        release_schema(&schema);
        return -1;
    }
    *ret_schema = schema;
    return 0;
}
