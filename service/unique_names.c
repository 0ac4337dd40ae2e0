#include "unique_names.h"

#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One name in the search tree, so that thousands of equal columns stay cheap. */
struct taken_name {
    const char *name;
    unsigned next_suffix;
    bool used; /* given to a column; else only known to come later */
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct taken_name *)a)->name, ((const struct taken_name *)b)->name);
}

static struct taken_name *find_or_add(void **tree, const char *name)
{
    struct taken_name key = {.name = name};
    struct taken_name **found = tfind(&key, tree, compare_names);

    if (found != NULL)
        return *found;
    struct taken_name *added = malloc(sizeof(*added));
    if (added == NULL)
        return NULL;
    *added = (struct taken_name){.name = name, .next_suffix = 2};
    if (tsearch(added, tree, compare_names) == NULL) {
        free(added);
        return NULL;
    }
    return added;
}

/* Gives the first free name_N. */
static char *next_free_name(void **tree, struct taken_name *taken)
{
    for (;;) {
        char *candidate;

        if (asprintf(&candidate, "%s_%u", taken->name, taken->next_suffix++) < 0)
            return NULL;
        struct taken_name key = {.name = candidate};
        if (tfind(&key, tree, compare_names) == NULL)
            return candidate;
        free(candidate);
    }
}

static char *take_name(void **tree, const char *name)
{
    struct taken_name *taken = find_or_add(tree, name);

    if (taken == NULL)
        return NULL;
    if (!taken->used) {
        taken->used = true;
        return strdup(name);
    }
    char *renamed = next_free_name(tree, taken);
    struct taken_name *added = renamed != NULL ? find_or_add(tree, renamed) : NULL;
    if (added == NULL) {
        free(renamed);
        return NULL;
    }
    added->used = true;
    return renamed;
}

char **unique_names_new(const char *const *names, size_t count)
{
    void *tree = NULL;
    size_t done = 0;
    char **unique = calloc(count + 1, sizeof(*unique));

    if (unique == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (find_or_add(&tree, names[i]) == NULL)
            goto out;
    }
    for (; done < count; done++) {
        unique[done] = take_name(&tree, names[done]);
        if (unique[done] == NULL)
            goto out;
    }
out:
    tdestroy(tree, free);
    if (done < count) {
        unique_names_free(unique, done);
        return NULL;
    }
    return unique;
}

void unique_names_free(char **names, size_t count)
{
    for (size_t i = 0; names != NULL && i < count; i++)
        free(names[i]);
    free(names);
}
