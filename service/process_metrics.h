/*
 * process_metrics: the process_* families that Prometheus client libraries
 * share (https://prometheus.io/docs/instrumenting/writing_clientlibs/), read
 * from /proc/self when asked.   [any]
 */
#ifndef SERVICE_PROCESS_METRICS_H
#define SERVICE_PROCESS_METRICS_H

#include "byte_buffer.h"

/* What can't be read is left out. */
void process_metrics_write(struct byte_buffer *out);

#endif
