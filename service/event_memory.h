/*
 * event_memory: notices when libevent gets no memory. Some of its functions go
 * on without and don't say so (bufferevent_socket_new makes a stream that never
 * writes), so a caller looks whether the count has changed.
 */
#ifndef SERVICE_EVENT_MEMORY_H
#define SERVICE_EVENT_MEMORY_H

#include <stdbool.h>

/* Once, before libevent is used and any thread is made. */
void event_memory_watch(void);

/* Allocations of libevent that failed so far; 0 when nobody watches.   [any] */
unsigned long event_memory_failures(void);

/* Sets memory aside for the next allocations of libevent in this thread: enough to make a stream, as
 * libevent 2.1.12 doesn't survive that it can't (bufferevent_openssl_new_impl frees what it hasn't
 * begun). It is used where there is no other, and kept. False: it couldn't be had.   [any] */
bool event_memory_reserve(void);

#endif
