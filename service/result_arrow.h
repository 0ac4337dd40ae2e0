/*
 * result_arrow: the Arrow IPC stream as an output format: the batches pass
 * through (arrow_ipc_write), no value is touched.   [worker]
 */
#ifndef SERVICE_RESULT_ARROW_H
#define SERVICE_RESULT_ARROW_H

struct result_writer_class;

extern const struct result_writer_class result_arrow_class;

#endif
