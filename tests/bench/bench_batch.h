/*
 * bench_batch: the rows that benches of the formats write: 7 plain columns, in
 * batches of the size that an engine gives.
 */
#ifndef TESTS_BENCH_BATCH_H
#define TESTS_BENCH_BATCH_H

#include <stdint.h>

#include "../unit/arrow_build.h"

#define BENCH_BATCH_ROWS 4096

/* Rows from `first` on. Of one thread: the columns are put together in static memory. */
struct arrow_built *bench_batch_new(int64_t first);

/* Monotonic. */
double bench_now_s(void);

#endif
