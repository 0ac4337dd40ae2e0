#include "result_columns.h"

#include <stdlib.h>
#include <string.h>

#include "unique_names.h"

static int read_column(const struct ArrowSchema *schema, int depth, struct result_column *column,
                       struct error *err);

static int fail_memory(struct error *err)
{
    return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the result's schema");
}

static bool metadata_is(const struct ArrowSchema *schema, const char *key, const char *expected)
{
    const char *value;
    size_t length;

    return arrow_metadata_find(schema->metadata, key, &value, &length) &&
           length == strlen(expected) && memcmp(value, expected, length) == 0;
}

/* A mark on a column of another Arrow type is ignored: the type decides. */
static enum result_meaning read_meaning(const struct ArrowSchema *schema,
                                        const struct arrow_type *type)
{
    switch (type->kind) {
    case ARROW_DECIMAL:
        if (type->scale == 0 && metadata_is(schema, "mysql_type", "BIGINT UNSIGNED"))
            return MEANING_UNSIGNED_INTEGER;
        return MEANING_PLAIN;
    case ARROW_TEXT:
        if (metadata_is(schema, "mysql_type", "JSON") ||
            metadata_is(schema, "spark_type", "VARIANT_JSON"))
            return MEANING_JSON_DOCUMENT;
        if (metadata_is(schema, "mysql_type", "TIME"))
            return MEANING_CLOCK_TIME;
        return MEANING_PLAIN;
    case ARROW_BINARY:
        if (metadata_is(schema, "mysql_type", "GEOMETRY"))
            return MEANING_GEOMETRY;
        return MEANING_PLAIN;
    default:
        return MEANING_PLAIN;
    }
}

static int name_children(struct result_column *column, const struct ArrowSchema *const *schemas,
                         struct error *err)
{
    size_t count = column->child_count;
    const char **names = calloc(count + 1, sizeof(*names));

    if (names == NULL)
        return fail_memory(err);
    for (size_t i = 0; i < count; i++)
        names[i] = schemas[i]->name != NULL ? schemas[i]->name : "";
    char **unique = unique_names_new(names, count);
    free(names);
    if (unique == NULL)
        return fail_memory(err);
    for (size_t i = 0; i < count; i++)
        column->children[i].name = unique[i];
    free(unique);
    return 0;
}

static int read_children(const struct ArrowSchema *const *schemas, size_t count, int depth,
                         struct result_column *column, struct error *err)
{
    column->children = calloc(count + 1, sizeof(*column->children));
    if (column->children == NULL)
        return fail_memory(err);
    column->child_count = count;
    for (size_t i = 0; i < count; i++) {
        if (schemas[i] == NULL)
            return error_set(err, ERROR_ENGINE_ERROR, "result schema: a child is missing");
    }
    if (name_children(column, schemas, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (read_column(schemas[i], depth + 1, &column->children[i], err) < 0)
            return -1;
    }
    return 0;
}

/* A map's only child is a struct of key and value; the tree leaves that struct out. */
static int read_map(const struct ArrowSchema *schema, int depth, struct result_column *column,
                    struct error *err)
{
    const struct ArrowSchema *entries = schema->children[0];

    if (entries == NULL || entries->n_children != 2 || entries->children == NULL ||
        entries->format == NULL || strcmp(entries->format, "+s") != 0)
        return error_set(err, ERROR_ENGINE_ERROR, "result schema: a map without key and value");
    return read_children((const struct ArrowSchema *const *)entries->children, 2, depth, column,
                         err);
}

static int read_nested(const struct ArrowSchema *schema, int depth, struct result_column *column,
                       struct error *err)
{
    bool is_struct = column->type.kind == ARROW_STRUCT;

    if (schema->n_children < 0 || (!is_struct && schema->n_children != 1) ||
        (schema->n_children > 0 && schema->children == NULL))
        return error_set(err, ERROR_ENGINE_ERROR, "result schema: wrong number of children");
    if (column->type.kind == ARROW_MAP)
        return read_map(schema, depth, column, err);
    return read_children((const struct ArrowSchema *const *)schema->children,
                         (size_t)schema->n_children, depth, column, err);
}

static int read_dictionary(const struct ArrowSchema *schema, int depth,
                           struct result_column *column, struct error *err)
{
    if (column->type.kind < ARROW_INT8 || column->type.kind > ARROW_UINT64)
        return error_set(err, ERROR_ENGINE_ERROR, "result schema: dictionary index of type %.40s",
                         schema->format);
    column->dictionary = calloc(1, sizeof(*column->dictionary));
    if (column->dictionary == NULL)
        return fail_memory(err);
    return read_column(schema->dictionary, depth + 1, column->dictionary, err);
}

static int read_column(const struct ArrowSchema *schema, int depth, struct result_column *column,
                       struct error *err)
{
    if (depth > RESULT_COLUMNS_DEPTH_MAX)
        return error_set(err, ERROR_ENGINE_ERROR, "result schema: nested deeper than %d",
                         RESULT_COLUMNS_DEPTH_MAX);
    if (!arrow_format_parse(schema->format, &column->type))
        return error_set(err, ERROR_ENGINE_ERROR, "result column %.200s: unknown Arrow type %.40s",
                         schema->name != NULL ? schema->name : "",
                         schema->format != NULL ? schema->format : "(none)");
    column->meaning = read_meaning(schema, &column->type);
    if (schema->dictionary != NULL)
        return read_dictionary(schema, depth, column, err);
    switch (column->type.kind) {
    case ARROW_LIST:
    case ARROW_STRUCT:
    case ARROW_MAP:
        return read_nested(schema, depth, column, err);
    default:
        return 0;
    }
}

static void free_content(struct result_column *column)
{
    for (size_t i = 0; i < column->child_count; i++)
        free_content(&column->children[i]);
    free(column->children);
    result_columns_free(column->dictionary);
    free(column->name);
}

int result_columns_new(const struct ArrowSchema *schema, struct result_column **ret_root,
                       struct error *err)
{
    struct result_column *root = calloc(1, sizeof(*root));

    if (root == NULL)
        return fail_memory(err);
    if (read_column(schema, 0, root, err) < 0) {
        result_columns_free(root);
        return -1;
    }
    if (root->type.kind != ARROW_STRUCT) {
        result_columns_free(root);
        return error_set(err, ERROR_ENGINE_ERROR, "result schema: the root is not a struct");
    }
    *ret_root = root;
    return 0;
}

void result_columns_free(struct result_column *root)
{
    if (root == NULL)
        return;
    free_content(root);
    free(root);
}
