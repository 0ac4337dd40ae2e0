/*
 * json_memory: what the JSON library frees is overwritten first, as a parsed
 * request or sources file may hold a password.
 */
#ifndef SERVICE_JSON_MEMORY_H
#define SERVICE_JSON_MEMORY_H

/* Once, before anything is parsed and any thread is made. */
void json_memory_wipe_on_free(void);

#endif
