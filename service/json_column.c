#include "json_column.h"

#include <stdlib.h>
#include <string.h>

#include "json_text.h"

#define KEY_SHORT_BYTES 16

static bool write_dictionary(const struct json_column *column, int64_t index,
                             struct byte_buffer *out)
{
    int64_t found;

    if (!result_column_dictionary_index(column->cells, index, &found))
        return false;
    return json_column_write(column->dictionary, found, out);
}

static bool write_list(const struct json_column *column, int64_t index, struct byte_buffer *out)
{
    int64_t first;
    int64_t end;

    if (!result_column_items(column->cells, index, &first, &end))
        return false;
    byte_buffer_append_char(out, '[');
    for (int64_t item = first; item < end; item++) {
        if (item > first)
            byte_buffer_append_char(out, ',');
        if (!json_column_write(&column->children[0], item, out))
            return false;
    }
    byte_buffer_append_char(out, ']');
    return true;
}

/* Most keys are short: two words copied whole are quicker than a call that counts. */
static inline void append_key(struct byte_buffer *out, const struct byte_buffer *key)
{
    if (key->length > KEY_SHORT_BYTES || !byte_buffer_reserve(out, KEY_SHORT_BYTES)) {
        byte_buffer_append(out, key->data, key->length);
        return;
    }
    memcpy(out->data + out->length, key->data, KEY_SHORT_BYTES);
    out->length += key->length;
}

bool json_column_write_struct(const struct json_column *column, int64_t index,
                              struct byte_buffer *out)
{
    index += column->cells->offset;
    if (column->child_count == 0)
        byte_buffer_append_char(out, '{');
    for (size_t i = 0; i < column->child_count; i++) {
        const struct json_column *child = &column->children[i];

        append_key(out, &child->key);
        if (!json_column_write(child, index, out))
            return false;
    }
    byte_buffer_append_char(out, '}');
    return true;
}

/* Arrow's maps have no null key; a null one is malformed where it must be a name. */
static bool write_key(const struct json_column *column, int64_t index, struct byte_buffer *out)
{
    int64_t found;

    if (result_column_is_null(column->cells, index))
        return false;
    if (column->dictionary == NULL)
        return column->write(column, index, out);
    return result_column_dictionary_index(column->cells, index, &found) &&
           write_key(column->dictionary, found, out);
}

static bool write_object_map(const struct json_column *column, int64_t index,
                             struct byte_buffer *out)
{
    int64_t first;
    int64_t end;

    if (!result_column_items(column->cells, index, &first, &end))
        return false;
    byte_buffer_append_char(out, '{');
    for (int64_t item = first; item < end; item++) {
        if (item > first)
            byte_buffer_append_char(out, ',');
        if (!write_key(&column->children[0], item, out))
            return false;
        byte_buffer_append_char(out, ':');
        if (!json_column_write(&column->children[1], item, out))
            return false;
    }
    byte_buffer_append_char(out, '}');
    return true;
}

static bool write_pairs_map(const struct json_column *column, int64_t index,
                            struct byte_buffer *out)
{
    int64_t first;
    int64_t end;

    if (!result_column_items(column->cells, index, &first, &end))
        return false;
    byte_buffer_append_char(out, '[');
    for (int64_t item = first; item < end; item++) {
        byte_buffer_append_text(out, item > first ? ",[" : "[");
        if (!json_column_write(&column->children[0], item, out))
            return false;
        byte_buffer_append_char(out, ',');
        if (!json_column_write(&column->children[1], item, out))
            return false;
        byte_buffer_append_char(out, ']');
    }
    byte_buffer_append_char(out, ']');
    return true;
}

static json_cell_writer choose_map_writer(const struct result_column *cells)
{
    const struct result_column *key = &cells->children[0];

    while (key->dictionary != NULL)
        key = key->dictionary;
    if (key->type.kind == ARROW_TEXT && key->meaning == MEANING_PLAIN)
        return write_object_map;
    return write_pairs_map;
}

static json_cell_writer choose_writer(const struct result_column *cells,
                                      const struct json_options *options)
{
    if (cells->dictionary != NULL)
        return write_dictionary;
    switch (cells->type.kind) {
    case ARROW_LIST:
        return write_list;
    case ARROW_STRUCT:
        return json_column_write_struct;
    case ARROW_MAP:
        return choose_map_writer(cells);
    default:
        return json_scalar_writer(cells, options);
    }
}

/* `{"name":`, `,"name":` behind a first field; zeros up to the length that is copied whole. */
static bool make_key(struct byte_buffer *key, const char *name, bool first)
{
    byte_buffer_append_char(key, first ? '{' : ',');
    json_text_append_string(key, name, strlen(name));
    byte_buffer_append_char(key, ':');
    if (!byte_buffer_reserve(key, KEY_SHORT_BYTES))
        return false;
    memset(key->data + key->length, 0, KEY_SHORT_BYTES);
    return true;
}

int json_column_init(struct json_column *column, const struct result_column *cells,
                     const struct json_options *options)
{
    column->cells = cells;
    column->write = choose_writer(cells, options);
    if (cells->dictionary != NULL) {
        column->dictionary = calloc(1, sizeof(*column->dictionary));
        if (column->dictionary == NULL ||
            json_column_init(column->dictionary, cells->dictionary, options) < 0)
            return -1;
    }
    column->children = calloc(cells->child_count + 1, sizeof(*column->children));
    if (column->children == NULL)
        return -1;
    column->child_count = cells->child_count;
    for (size_t i = 0; i < column->child_count; i++) {
        if (json_column_init(&column->children[i], &cells->children[i], options) < 0 ||
            !make_key(&column->children[i].key, column->children[i].cells->name, i == 0))
            return -1;
    }
    return 0;
}

void json_column_done(struct json_column *column)
{
    for (size_t i = 0; i < column->child_count; i++)
        json_column_done(&column->children[i]);
    free(column->children);
    if (column->dictionary != NULL)
        json_column_done(column->dictionary);
    free(column->dictionary);
    byte_buffer_done(&column->key);
}
