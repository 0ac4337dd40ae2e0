#include "event_memory.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

/* A stream is a struct of 700 bytes, two buffers and a callback. */
#define RESERVE_BLOCKS 8
#define RESERVE_BLOCK_BYTES ((size_t)2048)

static atomic_ulong failures;
static _Thread_local void *reserve[RESERVE_BLOCKS];
static _Thread_local size_t reserve_count;

static void *counted(void *memory)
{
    if (memory == NULL)
        atomic_fetch_add(&failures, 1);
    return memory;
}

static void *from_reserve(size_t size)
{
    return reserve_count > 0 && size <= RESERVE_BLOCK_BYTES ? reserve[--reserve_count] : NULL;
}

static void *allocate(size_t size)
{
    void *memory = malloc(size);

    return counted(memory != NULL ? memory : from_reserve(size));
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

bool event_memory_reserve(void)
{
    while (reserve_count < RESERVE_BLOCKS) {
        void *block = malloc(RESERVE_BLOCK_BYTES);
        if (block == NULL)
            return false;
        reserve[reserve_count++] = block;
    }
    return true;
}
