#include "mysql_shapes.h"

#include <stdlib.h>
#include <string.h>

int mysql_shapes_init(struct mysql_shapes *shapes, size_t limit)
{
    *shapes = (struct mysql_shapes){.limit = limit};
    shapes->items = calloc(limit + 1, sizeof(*shapes->items));
    return shapes->items != NULL ? 0 : -1;
}

void mysql_shapes_done(struct mysql_shapes *shapes)
{
    for (size_t i = 0; i < shapes->count; i++)
        free(shapes->items[i].text);
    free(shapes->items);
    *shapes = (struct mysql_shapes){.limit = 0};
}

struct mysql_shape *mysql_shapes_find(struct mysql_shapes *shapes, const char *text)
{
    for (size_t i = 0; i < shapes->count; i++) {
        if (strcmp(shapes->items[i].text, text) == 0)
            return &shapes->items[i];
    }
    return NULL;
}

static struct mysql_shape *place_for_one(struct mysql_shapes *shapes)
{
    struct mysql_shape *oldest = shapes->items;

    if (shapes->count < shapes->limit)
        return &shapes->items[shapes->count++];
    for (size_t i = 1; i < shapes->count; i++) {
        if (shapes->items[i].used.ns < oldest->used.ns)
            oldest = &shapes->items[i];
    }
    free(oldest->text);
    return oldest;
}

void mysql_shapes_add(struct mysql_shapes *shapes, const char *text, struct monotime now)
{
    char *copy = NULL;

    if (shapes->limit == 0 || strlen(text) > MYSQL_SHAPE_BYTES_MAX || (copy = strdup(text)) == NULL)
        return;
    *place_for_one(shapes) = (struct mysql_shape){.text = copy, .used = now};
}
