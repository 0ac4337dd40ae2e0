#include "event_memory.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

static atomic_ulong failures;

static void *counted(void *memory)
{
    if (memory == NULL)
        atomic_fetch_add(&failures, 1);
    return memory;
}

static void *allocate(size_t size)
{
    return counted(malloc(size));
}

static void *reallocate(void *old, size_t size)
{
    return counted(realloc(old, size));
}

void event_memory_watch(void)
{
    event_set_mem_functions(allocate, reallocate, free);
}

unsigned long event_memory_failures(void)
{
    return atomic_load(&failures);
}
