/*
 * handle_journal: the ids of asynchronous queries that callers were given, on
 * disk, so that after a restart such an id is told "gone" and not "unknown".
 *
 * An append-only file of fixed lines (36 characters of UUID and a newline),
 * written and synced by a thread of its own, several ids at once when they come
 * at once. Past twice its length it is rewritten with the newest ids only (write,
 * fsync, rename, fsync of the folder). A torn last line is cut off at the start.
 */
#ifndef SERVICE_HANDLE_JOURNAL_H
#define SERVICE_HANDLE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct handle_journal;
struct reply_channel;

enum handle_origin { HANDLE_UNKNOWN, HANDLE_OF_THIS_RUN, HANDLE_OF_EARLIER_RUN };

/* `err` NULL: the id is on disk. Else ERROR_STORAGE_FULL or ERROR_ENGINE_ERROR. */
typedef void handle_written(void *user, const char *id, const struct error *err);

/* Reads the newest `length` ids of the file (made when it isn't there) and starts
 * the thread. `on_written` runs once for each write. Borrows the channel.
 * -1: ERROR_BAD_REQUEST, the file can't be used.   [loop] */
int handle_journal_open(const char *path, size_t length, struct reply_channel *channel,
                        handle_written *on_written, void *user, struct handle_journal **ret_journal,
                        struct error *err);

/* Writes what is left and ends the thread; its last news are in the channel then,
 * which is to be freed (and so delivered) before handle_journal_free. False when the
 * disk hangs for longer than limit_ms, rounded up to seconds: the thread is left behind, with all that it
 * borrows. NULL is fine.  [loop] */
bool handle_journal_stop(struct handle_journal *journal, int64_t limit_ms);
void handle_journal_free(struct handle_journal *journal);

/* Asks for the id to be written. -1: no memory, and on_written won't run.   [loop] */
int handle_journal_write(struct handle_journal *journal, const char *id, struct error *err);

/* Among the newest `length` ids.   [loop] */
enum handle_origin handle_journal_find(const struct handle_journal *journal, const char *id);

/* How many ids it knows.   [loop] */
size_t handle_journal_count(const struct handle_journal *journal);

#endif
