#include "log_writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deadline.h"
#include "metrics.h"

/* In the ring a line stands behind its length. */
typedef uint32_t line_length;

enum writer_state { WRITER_OFF, WRITER_ON, WRITER_STOPPING, WRITER_OVER };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* made at the start, on the monotonic clock */
    enum writer_state state;
    char *ring;
    size_t size;
    size_t begin;
    size_t used;
    pthread_t thread;
} writer = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void write_line(const char *line, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, line, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            metrics_add(METRIC_LOG_LINES_LOST, 1);
            return;
        }
        line += written;
        length -= (size_t)written;
    }
}

/* ---- the ring, under the lock ---- */

static void copy_in(const void *bytes, size_t length)
{
    size_t end = (writer.begin + writer.used) % writer.size;
    size_t first = length < writer.size - end ? length : writer.size - end;

    memcpy(writer.ring + end, bytes, first);
    memcpy(writer.ring, (const char *)bytes + first, length - first);
    writer.used += length;
}

static void copy_out(void *bytes, size_t length)
{
    size_t first = length < writer.size - writer.begin ? length : writer.size - writer.begin;

    memcpy(bytes, writer.ring + writer.begin, first);
    memcpy((char *)bytes + first, writer.ring, length - first);
    writer.begin = (writer.begin + length) % writer.size;
    writer.used -= length;
}

/* ---- the thread ---- */

/* The next line's length; 0 once stopped and none is left. */
static size_t take_line(char bytes[LOG_LINE_MAX_BYTES])
{
    line_length length = 0;

    pthread_mutex_lock(&writer.lock);
    while (writer.used == 0 && writer.state == WRITER_ON)
        pthread_cond_wait(&writer.changed, &writer.lock);
    if (writer.used > 0) {
        copy_out(&length, sizeof(length));
        copy_out(bytes, length);
    } else {
        writer.state = WRITER_OVER;
        pthread_cond_broadcast(&writer.changed);
    }
    pthread_mutex_unlock(&writer.lock);
    return length;
}

static void *run(void *unused)
{
    char line[LOG_LINE_MAX_BYTES];
    size_t length = 0;

    (void)unused;
    pthread_setname_np(pthread_self(), "log");
    while ((length = take_line(line)) > 0)
        write_line(line, length);
    return NULL;
}

/* Signals are for the threads that expect them. */
static int make_thread(void)
{
    sigset_t all;
    sigset_t before;
    int rc = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&writer.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

/* ---- what others call ---- */

int log_writer_start(size_t bytes_max, struct error *err)
{

    writer.ring = malloc(bytes_max);
    if (writer.ring == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the log");
    writer.size = bytes_max;
    writer.begin = 0;
    writer.used = 0;
    monotime_cond_init(&writer.changed);
    writer.state = WRITER_ON;
    if (make_thread() == 0)
        return 0;
    writer.state = WRITER_OFF;
    pthread_cond_destroy(&writer.changed);
    free(writer.ring);
    return error_set(err, ERROR_ENGINE_ERROR, "no thread for the log");
}

void log_writer_put(const char *line, size_t length)
{
    line_length prefix = (line_length)length;
    enum writer_state state = WRITER_OFF;

    pthread_mutex_lock(&writer.lock);
    state = writer.state;
    if (state == WRITER_ON && sizeof(prefix) + length <= writer.size - writer.used) {
        copy_in(&prefix, sizeof(prefix));
        copy_in(line, length);
        pthread_cond_signal(&writer.changed);
    } else if (state != WRITER_OFF) {
        metrics_add(METRIC_LOG_LINES_LOST, 1);
    }
    pthread_mutex_unlock(&writer.lock);
    if (state == WRITER_OFF)
        write_line(line, length);
}

size_t log_writer_bytes(void)
{
    size_t used = 0;

    pthread_mutex_lock(&writer.lock);
    used = writer.used;
    pthread_mutex_unlock(&writer.lock);
    return used;
}

void log_writer_stop(int64_t patience_ms)
{
    struct timespec until = monotime_timespec(monotime_after(monotime_now(), patience_ms));
    bool over = false;

    pthread_mutex_lock(&writer.lock);
    if (writer.state != WRITER_OFF) {
        if (writer.state == WRITER_ON)
            writer.state = WRITER_STOPPING;
        pthread_cond_broadcast(&writer.changed);
        while (writer.state != WRITER_OVER &&
               pthread_cond_timedwait(&writer.changed, &writer.lock, &until) == 0)
            continue;
        over = writer.state == WRITER_OVER;
    }
    pthread_mutex_unlock(&writer.lock);
    if (!over)
        return;
    pthread_join(writer.thread, NULL);
    pthread_mutex_lock(&writer.lock);
    writer.state = WRITER_OFF;
    pthread_mutex_unlock(&writer.lock);
    pthread_cond_destroy(&writer.changed);
    free(writer.ring);
    writer.ring = NULL;
}
