/*
 * temp_folder: a folder of a test's own below /tmp, one at a time.
 */
#ifndef TEST_TEMP_FOLDER_H
#define TEST_TEMP_FOLDER_H

#include <limits.h>

/* Without links. */
extern char temp_folder[PATH_MAX];

/* Both 0 or -1. `name` is the test's, for who looks into /tmp. */
int temp_folder_make(const char *name);
int temp_folder_remove(void);

/* `name` below the folder; the last four results are valid at once. */
const char *temp_at(const char *name);

void temp_make_folder(const char *name);

#endif
