#include "service_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/deadline.h"
#include "service_client.h"

#define SETTINGS_MAX 32
#define LOOK_MS 5

void pause_ms(int64_t span_ms)
{
    const struct timespec span = {.tv_sec = span_ms / 1000,
                                  .tv_nsec = (long)(span_ms % 1000 * 1000000)};

    nanosleep(&span, NULL);
}

/* ---- start ---- */

struct command_line {
    char *flags[SETTINGS_MAX + 2];
    size_t flag_count;
    const char *variables[SETTINGS_MAX];
    size_t variable_count;
};

static void add_flag(struct command_line *line, const char *format, const char *value)
{
    assert_true(line->flag_count <= SETTINGS_MAX);
    assert_true(asprintf(&line->flags[line->flag_count++], format, value) > 0);
}

static void fill_command_line(struct command_line *line, const struct service_process *process,
                              const char *const *settings)
{
    add_flag(line, "%s", getenv("FAKE_SERVICE"));
    add_flag(line, "--listen=%s", "127.0.0.1:0");
    add_flag(line, "--state-dir=%s/state", process->folder);
    add_flag(line, "--data-roots=%s", process->data);
    for (; *settings != NULL; settings++) {
        if (strncmp(*settings, "--", 2) == 0) {
            add_flag(line, "%s", *settings);
        } else {
            assert_true(line->variable_count < SETTINGS_MAX);
            line->variables[line->variable_count++] = *settings;
        }
    }
}

/* In the child; the settings of whoever runs the tests stay outside. */
static void become_service(const struct command_line *line, const char *log)
{
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    for (size_t i = 0; i < line->variable_count; i++)
        putenv((char *)(uintptr_t)line->variables[i]);
    execv(line->flags[0], line->flags);
    _exit(127);
}

/* A child in the process's folder. */
static void run_service(struct service_process *process, const char *const *settings)
{
    struct command_line line = {0};

    fill_command_line(&line, process, settings);
    process->pid = fork();
    assert_true(process->pid >= 0);
    if (process->pid == 0)
        become_service(&line, process->log);
    for (size_t i = 0; i < line.flag_count; i++)
        free(line.flags[i]);
}

struct service_process *service_process_spawn(const char *const *settings)
{
    struct service_process *process = calloc(1, sizeof(*process));

    assert_non_null(process);
    assert_non_null(getenv("FAKE_SERVICE"));
    snprintf(process->folder, sizeof(process->folder), "/tmp/spark-service-test-XXXXXX");
    assert_non_null(mkdtemp(process->folder));
    snprintf(process->data, sizeof(process->data), "%s/data", process->folder);
    snprintf(process->log, sizeof(process->log), "%s/log", process->folder);
    assert_int_equal(mkdir(process->data, 0700), 0);
    run_service(process, settings);
    return process;
}

/* ---- the log ---- */

static char *read_log(const struct service_process *process)
{
    FILE *file = fopen(process->log, "re");
    char *text = NULL;
    size_t length = 0;

    if (file == NULL || getdelim(&text, &length, '\0', file) < 0) {
        free(text);
        text = strdup("");
    }
    if (file != NULL)
        fclose(file);
    assert_non_null(text);
    return text;
}

void service_process_stop_idle(struct service_process **process)
{
    if (*process == NULL)
        return;
    service_process_wait_health(*process, "slots", "busy", 0);
    assert_int_equal(service_process_health(*process, "slots", "lost"), 0);
    assert_int_equal(service_process_health(*process, "queue", "length"), 0);
    service_process_stop(*process);
    *process = NULL;
}

void service_process_query(const struct service_process *process, struct service_client *client,
                           const char *sql, const char *fields)
{
    assert_true(service_client_open(client, process->port));
    assert_true(service_client_query(client, process->data, sql, fields));
}

void answer_check_header(const struct answer *answer, const char *name, const char *wanted)
{
    char value[256];
    const char *found = answer_header(answer, name, value, sizeof(value));

    if (wanted == NULL) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_string_equal(found, wanted);
}

bool service_process_logged(const struct service_process *process, const char *text)
{
    char *log = read_log(process);
    bool found = strstr(log, text) != NULL;

    free(log);
    return found;
}

static bool has_ended(const struct service_process *process)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
}

static void fail_with_log(const struct service_process *process, const char *reason)
{
    char *log = read_log(process);

    print_error("%s; the log of the service:\n%s\n", reason, log);
    free(log);
    fail();
}

void service_process_wait_logged(const struct service_process *process, const char *text)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    while (!service_process_logged(process, text)) {
        if (has_ended(process) || monotime_reached(limit, monotime_now()))
            fail_with_log(process, text);
        pause_ms(LOOK_MS);
    }
}

static void wait_listening(struct service_process *process)
{
    char *log = NULL;
    char *port = NULL;

    service_process_wait_logged(process, "msg=listening");
    service_process_wait_logged(process, " data_roots="); /* the line is whole */
    log = read_log(process);
    port = strstr(strstr(log, "msg=listening"), " port=");
    assert_non_null(port);
    process->port = atoi(port + strlen(" port="));
    free(log);
    assert_true(process->port > 0);
}

struct service_process *service_process_start(const char *const *settings)
{
    struct service_process *process = service_process_spawn(settings);

    wait_listening(process);
    return process;
}

struct service_process *service_process_start_ready(const char *const *settings)
{
    struct service_process *process = service_process_start(settings);

    service_process_wait_ready(process);
    return process;
}

void service_process_wait_ready(const struct service_process *process)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    for (;;) {
        struct answer answer;
        bool ready = service_client_once(process->port, "GET", "/readyz", "", NULL, &answer) &&
                     answer.status == 200;

        answer_done(&answer);
        if (ready)
            return;
        if (has_ended(process) || monotime_reached(limit, monotime_now()))
            fail_with_log(process, "not ready");
        pause_ms(LOOK_MS);
    }
}

/* ---- the end ---- */

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void service_process_finish(struct service_process *process, int code)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);
    int status = 0;

    while (!has_ended(process)) {
        if (monotime_reached(limit, monotime_now()))
            fail_with_log(process, "does not end");
        pause_ms(LOOK_MS);
    }
    assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
        fail_with_log(process, WIFEXITED(status) ? "wrong exit code" : "ended by a signal");
    if (service_process_logged(process, "Sanitizer") ||
        service_process_logged(process, "runtime error:"))
        fail_with_log(process, "a sanitizer has something to say");
    assert_int_equal(nftw(process->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(process);
}

void service_process_restart(struct service_process *process, int signal_number,
                             const char *const *settings)
{
    assert_int_equal(kill(process->pid, signal_number), 0);
    assert_int_equal(waitpid(process->pid, NULL, 0), process->pid);
    assert_int_equal(truncate(process->log, 0), 0);
    run_service(process, settings);
    wait_listening(process);
    service_process_wait_ready(process);
}

void service_process_stop(struct service_process *process)
{
    assert_int_equal(kill(process->pid, SIGTERM), 0);
    service_process_finish(process, 0);
}

/* ---- what it says about itself ---- */

int64_t service_process_health(const struct service_process *process, const char *object,
                               const char *member)
{
    struct answer answer;
    json_t *body = NULL;
    json_t *number = NULL;
    int64_t value = 0;

    assert_true(service_client_once(process->port, "GET", "/api/spark/health", "", NULL, &answer));
    body = json_loads(answer.body, 0, NULL);
    number = json_object_get(json_object_get(body, object), member);
    assert_true(json_is_integer(number));
    value = json_integer_value(number);
    json_decref(body);
    answer_done(&answer);
    return value;
}

void service_process_wait_health(const struct service_process *process, const char *object,
                                 const char *member, int64_t value)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);

    while (service_process_health(process, object, member) != value) {
        if (monotime_reached(limit, monotime_now()))
            fail_with_log(process, member);
        pause_ms(LOOK_MS);
    }
}

int64_t service_process_rss_bytes(const struct service_process *process)
{
    char path[64];
    long long size = 0;
    long long resident = 0;
    FILE *file = NULL;

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)process->pid);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lld %lld", &size, &resident), 2);
    fclose(file);
    return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

static int entries_of(const char *path)
{
    int count = -2; /* "." and ".." */
    DIR *folder = opendir(path);

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

int64_t service_process_metric(const struct service_process *process, const char *name)
{
    struct answer answer;
    char line[128];
    int64_t value = -1;

    assert_true(service_client_once(process->port, "GET", "/metrics", "", NULL, &answer));
    snprintf(line, sizeof(line), "\nspark_service_%s ", name);
    if (strstr(answer.body, line) != NULL)
        value = atoll(strstr(answer.body, line) + strlen(line));
    answer_done(&answer);
    return value;
}

void write_table_file(const char *table, const char *name, const char *text)
{
    char path[256];
    FILE *file = NULL;

    snprintf(path, sizeof(path), "%s/%s", table, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

const char *service_process_new_table(const struct service_process *process)
{
    static char path[160];
    static int count;

    snprintf(path, sizeof(path), "%s/t%d", process->data, count++);
    assert_int_equal(mkdir(path, 0755), 0);
    write_table_file(path, "a.parquet", "a");
    return path;
}

void service_process_wait_no_spool(const struct service_process *process)
{
    struct monotime limit = monotime_after(monotime_now(), PATIENCE_MS);
    char path[96];

    snprintf(path, sizeof(path), "%s/state/results", process->folder);
    while (entries_of(path) > 0) {
        if (monotime_reached(limit, monotime_now()))
            fail_with_log(process, "results stay on disk");
        pause_ms(LOOK_MS);
    }
}

int service_process_descriptors(const struct service_process *process)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)process->pid);
    return entries_of(path);
}
