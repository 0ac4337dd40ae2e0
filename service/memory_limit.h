/*
 * memory_limit: how much memory this process may use, from cgroup v2, cgroup
 * v1 or the machine, whichever is least.   [any]
 */
#ifndef SERVICE_MEMORY_LIMIT_H
#define SERVICE_MEMORY_LIMIT_H

#include <stdint.h>

/* Bytes; never 0. */
int64_t memory_limit_bytes(void);

/* Half the limit, between 512 MiB and 4 GiB: the other half is metaspace, code,
 * direct buffers, thread stacks and the C side. */
int64_t memory_limit_default_heap_mib(void);

#endif
