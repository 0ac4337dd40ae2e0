#include "thread_nice.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define THREADS "/proc/self/task"

static bool is_named(const char *id, const char *name_begin)
{
    char path[64];
    char name[32] = "";
    FILE *file = NULL;
    bool named = false;

    snprintf(path, sizeof(path), THREADS "/%.20s/comm", id);
    file = fopen(path, "re");
    if (file == NULL)
        return false; /* it has ended */
    named = fgets(name, sizeof(name), file) != NULL &&
            strncmp(name, name_begin, strlen(name_begin)) == 0;
    fclose(file);
    return named;
}

size_t thread_nice_set(const char *name_begin, int nice)
{
    DIR *dir = opendir(THREADS);
    struct dirent *entry = NULL;
    size_t count = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (!is_named(entry->d_name, name_begin))
            continue;
        /* Linux: of the thread alone. */
        if (setpriority(PRIO_PROCESS, (id_t)strtoul(entry->d_name, NULL, 10), nice) == 0)
            count++;
    }
    if (dir != NULL)
        closedir(dir);
    return count;
}
