#include "log_writer.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deadline.h"
#include "metrics.h"

/* Lines written with one call: a pipe takes so much at once or not at all, so that what
 * others write to it stands between lines. A longer line is written alone. */
#define BATCH_BYTES PIPE_BUF
_Static_assert(LOG_LINE_MAX_BYTES >= BATCH_BYTES, "any line fits where a batch does");

/* How long the first line waits for others: a wake of the thread for each line costs
 * whoever logs much more than the line. */
#define GATHER_MS 2

/* In the ring a line stands behind its length. */
typedef uint32_t line_length;

enum writer_state { WRITER_OFF, WRITER_ON, WRITER_STOPPING, WRITER_OVER };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* made at the start, on the monotonic clock */
    enum writer_state state;
    bool waits; /* the thread, for `changed` once more than wakes_above bytes are used */
    size_t wakes_above;
    char *ring;
    size_t size;
    size_t begin;
    size_t used;
    pthread_t thread;
} writer = {.lock = PTHREAD_MUTEX_INITIALIZER};

static size_t count_lines(const char *bytes, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += bytes[i] == '\n';
    return count;
}

static void write_lines(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            metrics_add(METRIC_LOG_LINES_LOST, (int64_t)count_lines(bytes, length));
            return;
        }
        bytes += written;
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

/* Until more than so many bytes are used, or the end; `limit` unset: however long. */
static void wait_for(size_t bytes, struct monotime limit)
{
    struct timespec until = monotime_timespec(limit);
    int rc = 0;

    writer.waits = true;
    writer.wakes_above = bytes;
    while (writer.used <= bytes && writer.state == WRITER_ON && rc == 0)
        rc = monotime_is_set(limit) ? pthread_cond_timedwait(&writer.changed, &writer.lock, &until)
                                    : pthread_cond_wait(&writer.changed, &writer.lock);
    writer.waits = false;
}

static line_length next_length(void)
{
    line_length length = 0;

    for (size_t i = 0; i < sizeof(length); i++)
        ((char *)&length)[i] = writer.ring[(writer.begin + i) % writer.size];
    return length;
}

/* The next lines, as many as are written at once; 0 once stopped and none is left. */
static size_t take_lines(char bytes[LOG_LINE_MAX_BYTES])
{
    line_length length = 0;
    size_t taken = 0;

    pthread_mutex_lock(&writer.lock);
    if (writer.used == 0) {
        wait_for(0, (struct monotime){0});
        wait_for(writer.size / 2, monotime_after(monotime_now(), GATHER_MS));
    }
    while (writer.used > 0 && (taken == 0 || taken + next_length() <= BATCH_BYTES)) {
        copy_out(&length, sizeof(length));
        copy_out(bytes + taken, length);
        taken += length;
    }
    if (taken == 0) {
        writer.state = WRITER_OVER;
        pthread_cond_broadcast(&writer.changed);
    }
    pthread_mutex_unlock(&writer.lock);
    return taken;
}

static void *run(void *unused)
{
    char lines[LOG_LINE_MAX_BYTES];
    size_t length = 0;

    (void)unused;
    pthread_setname_np(pthread_self(), "log");
    while ((length = take_lines(lines)) > 0)
        write_lines(lines, length);
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
        if (writer.waits && writer.used > writer.wakes_above)
            pthread_cond_signal(&writer.changed);
    } else if (state != WRITER_OFF) {
        metrics_add(METRIC_LOG_LINES_LOST, 1);
    }
    pthread_mutex_unlock(&writer.lock);
    if (state == WRITER_OFF)
        write_lines(line, length);
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
