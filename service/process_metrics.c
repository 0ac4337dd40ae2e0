#include "process_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "metrics.h"

#define STAT_MAX_BYTES 1024
/* proc(5): after the name's closing bracket the fields go on with the third. */
#define STAT_FIRST_FIELD 3
#define STAT_THREADS 20
#define STAT_START_TIME 22

static void write_value(struct byte_buffer *out, const char *name, const char *type,
                        const char *help, double value)
{
    metrics_write_head(out, name, type, help);
    byte_buffer_append_format(out, "%s %.15g\n", name, value);
}

static bool read_text(const char *path, char *ret_text, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t length = 0;

    if (file == NULL)
        return false;
    length = fread(ret_text, 1, size - 1, file);
    ret_text[length] = '\0';
    fclose(file);
    return length > 0;
}

static void write_memory(struct byte_buffer *out)
{
    double page_bytes = (double)sysconf(_SC_PAGESIZE);
    char text[STAT_MAX_BYTES];
    unsigned long long pages = 0;
    unsigned long long resident = 0;

    if (!read_text("/proc/self/statm", text, sizeof(text)) ||
        sscanf(text, "%llu %llu", &pages, &resident) != 2)
        return;
    write_value(out, "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.",
                (double)pages * page_bytes);
    write_value(out, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
                (double)resident * page_bytes);
}

/* Field `number` of /proc/self/stat as proc(5) counts them; -1 = not there. */
static double stat_field(const char *stat, int number)
{
    const char *at = strrchr(stat, ')');
    double value = -1;

    for (int field = STAT_FIRST_FIELD; at != NULL && field <= number; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL || sscanf(at, "%lf", &value) != 1)
        return -1;
    return value;
}

/* Seconds since the epoch at which the machine was up for 0 seconds. */
static double boot_time_s(void)
{
    struct timespec wall;
    struct timespec up;

    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &up);
    return (double)(wall.tv_sec - up.tv_sec) + (double)(wall.tv_nsec - up.tv_nsec) / 1e9;
}

static void write_stat(struct byte_buffer *out)
{
    char text[STAT_MAX_BYTES];

    if (!read_text("/proc/self/stat", text, sizeof(text)))
        return;
    write_value(out, "process_threads", "gauge", "Threads, those of the JVM included.",
                stat_field(text, STAT_THREADS));
    write_value(out, "process_start_time_seconds", "gauge",
                "Start time of the process since unix epoch in seconds.",
                boot_time_s() + stat_field(text, STAT_START_TIME) / (double)sysconf(_SC_CLK_TCK));
}

static void write_descriptors(struct byte_buffer *out)
{
    DIR *folder = opendir("/proc/self/fd");
    struct rlimit limit;
    int count = 0;

    if (folder != NULL) {
        for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
            count += entry->d_name[0] != '.';
        closedir(folder);
        write_value(out, "process_open_fds", "gauge", "Number of open file descriptors.",
                    count - 1); /* not the folder's own */
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        write_value(out, "process_max_fds", "gauge", "Maximum number of open file descriptors.",
                    (double)limit.rlim_cur);
}

void process_metrics_write(struct byte_buffer *out)
{
    struct timespec cpu;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    write_value(out, "process_cpu_seconds_total", "counter",
                "Total user and system CPU time spent in seconds.",
                (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
    write_memory(out);
    write_stat(out);
    write_descriptors(out);
}
