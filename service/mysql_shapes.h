/*
 * mysql_shapes: what one connection has learned of the statements that it ran,
 * by their shape (mysql_plain): whether all their tables are tables, for how
 * long that is believed, and whether text carries their rows exactly. The
 * latest used ones are kept.   [worker]; of one connection, so by one thread.
 */
#ifndef SERVICE_MYSQL_SHAPES_H
#define SERVICE_MYSQL_SHAPES_H

#include <stdbool.h>
#include <stddef.h>

#include "deadline.h"

#define MYSQL_SHAPE_BYTES_MAX 4096 /* longer ones are not kept */

struct mysql_shape {
    char *text;
    struct monotime used;
    struct monotime looked_until; /* how long `proven` is believed; unset: nobody has looked */
    bool proven;                  /* its tables are tables */
    bool as_text;                 /* text carries its rows exactly */
};

struct mysql_shapes {
    struct mysql_shape *items;
    size_t count;
    size_t limit;
};

/* -1: no memory. A limit of 0 keeps none. */
int mysql_shapes_init(struct mysql_shapes *shapes, size_t limit);
void mysql_shapes_done(struct mysql_shapes *shapes);

/* The one with that text, or NULL. Borrowed until the next add. */
struct mysql_shape *mysql_shapes_find(struct mysql_shapes *shapes, const char *text);

/* Adds one that isn't there, at the limit in place of the one unused for longest. */
void mysql_shapes_add(struct mysql_shapes *shapes, const char *text, struct monotime now);

#endif
