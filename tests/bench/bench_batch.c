#include "bench_batch.h"

#include <stdio.h>
#include <time.h>

struct arrow_built *bench_batch_new(int64_t first)
{
    static int64_t ids[BENCH_BATCH_ROWS];
    static int32_t ages[BENCH_BATCH_ROWS];
    static double scores[BENCH_BATCH_ROWS];
    static int64_t times[BENCH_BATCH_ROWS];
    static __int128 prices[BENCH_BATCH_ROWS];
    static const char *names[BENCH_BATCH_ROWS];
    static char texts[BENCH_BATCH_ROWS][40];
    static char bits[BENCH_BATCH_ROWS + 1];

    for (int i = 0; i < BENCH_BATCH_ROWS; i++) {
        ids[i] = 1000000 + first + i;
        ages[i] = (int32_t)((first + i) * 31 % 90);
        scores[i] = (double)(first + i) / 7;
        times[i] = INT64_C(1706695026123456) + (first + i) * INT64_C(1000003);
        prices[i] = (first + i) * 137;
        snprintf(texts[i], sizeof(texts[i]), "user number %lld of the table",
                 (long long)(first + i));
        names[i] = texts[i];
        bits[i] = (first + i) % 3 == 0 ? '1' : '0';
    }
    struct arrow_built *columns[] = {
        arrow_build_fixed("id", "l", 8, ids, BENCH_BATCH_ROWS, NULL),
        arrow_build_bytes("name", "u", names, NULL, BENCH_BATCH_ROWS),
        arrow_build_fixed("age", "i", 4, ages, BENCH_BATCH_ROWS, NULL),
        arrow_build_fixed("score", "g", 8, scores, BENCH_BATCH_ROWS, NULL),
        arrow_build_fixed("created_at", "tsu:UTC", 8, times, BENCH_BATCH_ROWS, NULL),
        arrow_build_fixed("price", "d:10,2", 16, prices, BENCH_BATCH_ROWS, NULL),
        arrow_build_boolean("active", bits, NULL),
    };
    return arrow_build_struct("", BENCH_BATCH_ROWS, NULL, 7, columns);
}

double bench_now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
