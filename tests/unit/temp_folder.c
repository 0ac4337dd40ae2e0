#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "temp_folder.h"

char temp_folder[PATH_MAX];

int temp_folder_make(const char *name)
{
    char pattern[128];

    snprintf(pattern, sizeof(pattern), "/tmp/%s.XXXXXX", name);
    return mkdtemp(pattern) != NULL && realpath(pattern, temp_folder) != NULL ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

int temp_folder_remove(void)
{
    return nftw(temp_folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *temp_at(const char *name)
{
    static char paths[4][2 * PATH_MAX];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", temp_folder, name);
    return path;
}

void temp_make_folder(const char *name)
{
    assert_int_equal(mkdir(temp_at(name), 0755), 0);
}
