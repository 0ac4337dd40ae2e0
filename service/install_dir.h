/*
 * install_dir: where the program finds its own files: <dir of the program>/..,
 * so that it runs from any folder.   [any]
 */
#ifndef SERVICE_INSTALL_DIR_H
#define SERVICE_INSTALL_DIR_H

#include <stddef.h>

#include "error.h"

/* lib/spark-<line> beside bin/: jars, jvm.options, CDS archive. -1:
 * ERROR_BAD_REQUEST when that line isn't built; the detail says how to build it. */
int install_dir_spark_home(const char *line, char *ret_path, size_t size, struct error *err);

#endif
