/*
 * no_children: from now on this process starts no other. Nothing in the service
 * needs one; what a caller might talk the JVM into, and what its libraries do by
 * themselves (Hadoop asks `setsid` and `id`), then fails as if there were no
 * such program. Enforced by the kernel (seccomp), in every thread, for good.
 */
#ifndef SERVICE_NO_CHILDREN_H
#define SERVICE_NO_CHILDREN_H

#include "error.h"

/* [any] Threads can still be made. -1 with `err` where the kernel has no seccomp. */
int no_children_from_now(struct error *err);

#endif
