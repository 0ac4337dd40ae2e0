/*
 * service_process: the whole service with the scripted engine ($FAKE_SERVICE)
 * as a child process in a folder of its own. Main thread of a test only: what
 * goes wrong ends the test by assertion; the child dies with the test program.
 */
#ifndef TEST_SERVICE_PROCESS_H
#define TEST_SERVICE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* How long anything may take before a test gives up; sanitizers are slow. */
#define PATIENCE_MS 20000

struct answer;
struct service_client;

struct service_process {
    pid_t pid;
    int port;
    char folder[64];
    char data[96]; /* the only allowed root, an empty folder */
    char log[96];
};

/* SETTINGS("--workers=1", "FAKE_START_MS=5"): flags and variables for a start. */
#define SETTINGS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

struct service_process *service_process_spawn(const char *const *settings);

/* spawn, then waits until it listens. */
struct service_process *service_process_start(const char *const *settings);

/* start, then waits until it is ready. */
struct service_process *service_process_start_ready(const char *const *settings);

void service_process_wait_ready(const struct service_process *process);

/* Waits for its end; the exit code has to be `code` and the log free of
 * sanitizer reports. Removes the folder, frees. */
void service_process_finish(struct service_process *process, int code);

/* Ends it by that signal and starts it again in its folder, with these settings;
 * waits until it is ready. */
void service_process_restart(struct service_process *process, int signal_number,
                             const char *const *settings);

/* SIGTERM, then finish with 0. */
void service_process_stop(struct service_process *process);

/* The same at the end of a group: with all slots free again, none lost, nothing waiting; *process is NULL
 * afterwards, and before when it did not start (that is told already). */
void service_process_stop_idle(struct service_process **process);

/* Opens a client and sends it on with a query of the data folder. */
void service_process_query(const struct service_process *process, struct service_client *client,
                           const char *sql, const char *fields);

/* `wanted` NULL: there is no such header. */
void answer_check_header(const struct answer *answer, const char *name, const char *wanted);

bool service_process_logged(const struct service_process *process, const char *text);
void service_process_wait_logged(const struct service_process *process, const char *text);

/* A number of /api/spark/health, as ("slots", "busy"). */
int64_t service_process_health(const struct service_process *process, const char *object,
                               const char *member);
void service_process_wait_health(const struct service_process *process, const char *object,
                                 const char *member, int64_t value);

/* Of /metrics, `name` without the service's prefix; -1: there is none. */
int64_t service_process_metric(const struct service_process *process, const char *name);

/* A table of its own for each test, with one file; the last result is valid. */
const char *service_process_new_table(const struct service_process *process);
/* A file of a table, new or anew. */
void write_table_file(const char *table, const char *name, const char *text);

/* Waits until no result is kept on disk. */
void service_process_wait_no_spool(const struct service_process *process);

/* Resident memory and open descriptors, from /proc. */
int64_t service_process_rss_bytes(const struct service_process *process);
int service_process_descriptors(const struct service_process *process);

/* Between two looks at a condition. */
void pause_ms(int64_t span_ms);

#endif
