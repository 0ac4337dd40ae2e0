#include "memory_limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MIB (1024 * 1024)

/* A number in a one-line file; INT64_MAX when absent or "max". */
static int64_t read_limit(const char *path)
{
    FILE *file = fopen(path, "re");
    char line[64] = "";
    char *end = NULL;
    long long value = 0;

    if (file == NULL)
        return INT64_MAX;
    if (fgets(line, sizeof(line), file) == NULL)
        line[0] = '\0';
    fclose(file);
    value = strtoll(line, &end, 10);
    return end == line || value <= 0 ? INT64_MAX : value;
}

int64_t memory_limit_bytes(void)
{
    /* Inside a container its own group is the root of what it sees. */
    static const char *const PATHS[] = {"/sys/fs/cgroup/memory.max",
                                        "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    int64_t limit = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);

    for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++) {
        int64_t value = read_limit(PATHS[i]);
        if (value < limit)
            limit = value;
    }
    return limit;
}

int64_t memory_limit_default_heap_mib(void)
{
    int64_t mib = memory_limit_bytes() / 2 / MIB;

    if (mib < 512)
        return 512;
    return mib > 4096 ? 4096 : mib;
}
