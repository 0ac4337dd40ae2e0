/*
 * state_dir: the folder this process owns while it runs. Locked, so that two
 * services never share scratch files; scratch is wiped at start, because a
 * killed process leaves some behind (SPARK-21942).   [loop]
 */
#ifndef SERVICE_STATE_DIR_H
#define SERVICE_STATE_DIR_H

#include "error.h"

struct state_dir;

/* Creates what is missing (mode 0700), takes the lock, empties scratch/. -1:
 * ERROR_BAD_REQUEST; the detail says what to do (another service has it, no right). */
int state_dir_open(const char *path, struct state_dir **ret_dir, struct error *err);

/* Spark's scratch folder inside it; borrowed. */
const char *state_dir_scratch(const struct state_dir *dir);

/* The folder of result spools inside it, as empty as scratch at start; borrowed. */
const char *state_dir_results(const struct state_dir *dir);

/* The file with the ids of asynchronous queries, kept from run to run; borrowed. */
const char *state_dir_journal(const struct state_dir *dir);

/* Empties both and lets go of the lock; NULL is fine. */
void state_dir_close(struct state_dir *dir);

#endif
