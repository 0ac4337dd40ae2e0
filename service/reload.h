/*
 * reload: what SIGHUP reads anew. Each file for itself: a broken one keeps what was
 * in force and is said so in the log, at level error.   [loop]
 */
#ifndef SERVICE_RELOAD_H
#define SERVICE_RELOAD_H

struct service;

void reload_files(struct service *service);

#endif
