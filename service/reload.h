/*
 * reload: what SIGHUP reads anew. Each file is taken as a whole or stays as it was;
 * what went wrong is in the log, at level error, and counted.   [loop]
 */
#ifndef SERVICE_RELOAD_H
#define SERVICE_RELOAD_H

struct service;

/* Small local files only: the loop waits for the disk meanwhile. */
void reload_files(struct service *service);

#endif
