#include "install_dir.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int install_dir_spark_home(const char *line, char *ret_path, size_t size, struct error *err)
{
    char program[3072];
    char path[4096];
    struct stat info;
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

    if (length <= 0)
        return error_set(err, ERROR_BAD_REQUEST, "/proc/self/exe: %s", strerror(errno));
    program[length] = '\0';
    for (int up = 0; up < 2; up++) { /* bin/spark-service -> the folder above bin */
        char *slash = strrchr(program, '/');
        if (slash != NULL)
            *slash = '\0';
    }
    snprintf(path, sizeof(path), "%s/lib/spark-%.64s", program, line);
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return error_set(err, ERROR_BAD_REQUEST,
                         "SPARK_LINE: %s is not there; `make SPARK=%.64s build` makes it", path,
                         line);
    snprintf(ret_path, size, "%s", path);
    return 0;
}
