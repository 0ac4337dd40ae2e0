/*
 * log_writer: lines on their way to stderr. A line waits 2 ms for others; up to 4 KiB
 * go with one write(2), which a pipe takes whole.
 *
 * Whoever writes to a full pipe waits for its reader. Once started, that is a
 * thread of this module and nobody else: lines wait in a ring of so many bytes,
 * and what doesn't fit is counted (log_lines_lost_total) and gone. Before the
 * start and behind the stop a line is written where it is put.
 */
#ifndef SERVICE_LOG_WRITER_H
#define SERVICE_LOG_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define LOG_LINE_MAX_BYTES 8192

/* -1: no memory or no thread (ERROR_ENGINE_ERROR); lines are then written as before. */
int log_writer_start(size_t bytes_max, struct error *err);

/* A line of at most LOG_LINE_MAX_BYTES, its newline included. Never waits for
 * stderr once started.   [any] */
void log_writer_put(const char *line, size_t length);

/* Bytes that wait.   [any] */
size_t log_writer_bytes(void);

/* Writes what waits, for so long at most. When that isn't enough, what is left
 * and what comes later is lost: the process is about to end. */
void log_writer_stop(int64_t patience_ms);

#endif
