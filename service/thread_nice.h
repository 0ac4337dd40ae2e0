/*
 * thread_nice: threads of this process that stand back for others, found by their names.
 */
#ifndef SERVICE_THREAD_NICE_H
#define SERVICE_THREAD_NICE_H

#include <stddef.h>

/* Gives every thread whose name begins so this nice value, and returns how many there are.
 * Nobody without a privilege can take that back; threads they make inherit it.   [any] */
size_t thread_nice_set(const char *name_begin, int nice);

#endif
