/*
 * path_syntax: which texts can be a place at all, before any file system is
 * asked. A path is decoded once, by the JSON that held it: what a second
 * decoder, a shell or Hadoop's globs would change is refused. Pure.   [any]
 */
#ifndef SERVICE_PATH_SYNTAX_H
#define SERVICE_PATH_SYNTAX_H

#include <stdbool.h>

#define PATH_SYNTAX_MAX_BYTES 4095
#define PATH_SYNTAX_NAME_MAX_BYTES 255

/* Why a text can't be a path here, or NULL. */
const char *path_syntax_fault(const char *text);

bool path_syntax_is_s3a(const char *text);

/* The rest behind "s3a://bucket", or NULL when the bucket is malformed. */
const char *path_syntax_s3a_key(const char *text);

#endif
