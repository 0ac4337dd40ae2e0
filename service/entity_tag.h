/*
 * entity_tag: the ETag of an answer (RFC 9110 §8.8.3), made of its bytes alone:
 * equal tags mean equal bodies, on any replica and after any restart. Pure.   [any]
 */
#ifndef SERVICE_ENTITY_TAG_H
#define SERVICE_ENTITY_TAG_H

#include <stdbool.h>
#include <stddef.h>

/* Quotes, half a SHA-256 in hex, NUL: 128 bits. */
#define ENTITY_TAG_BYTES 35

struct entity_tag {
    char text[ENTITY_TAG_BYTES]; /* with its quotes; "" = none */
};

/* A strong tag; none when there is no memory. */
struct entity_tag entity_tag_of(const void *body, size_t length);

/* Whether an If-None-Match field (RFC 9110 §13.1.2) names the tag, or any ("*").
 * Compared weakly, as that field is. NULL names none. */
bool entity_tag_is_named(const struct entity_tag *tag, const char *if_none_match);

#endif
