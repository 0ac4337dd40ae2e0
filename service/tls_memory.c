#include "tls_memory.h"

#include <openssl/crypto.h>
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

static void *allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size != 0 ? counted(malloc(size)) : NULL;
}

static void release(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

static void *reallocate(void *old, size_t size, const char *file, int line)
{
    if (size != 0)
        return counted(realloc(old, size));
    release(old, file, line);
    return NULL;
}

void tls_memory_watch(void)
{
    CRYPTO_set_mem_functions(allocate, reallocate, release);
}

unsigned long tls_memory_failures(void)
{
    return atomic_load(&failures);
}
