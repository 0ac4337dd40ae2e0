/*
 * unique_names: makes the names of siblings different.   [any]
 */
#ifndef SERVICE_UNIQUE_NAMES_H
#define SERVICE_UNIQUE_NAMES_H

#include <stddef.h>

/* Gives a copy of `names`, each malloc'd, in which a name that came before
 * becomes name_2, name_3 ..., never one that another column has already.
 * NULL without memory. */
char **unique_names_new(const char *const *names, size_t count);
void unique_names_free(char **names, size_t count);

#endif
