/* needs: unit/arrow_build.c */
/*
 * Rows a second of result_json on one core: 1 M rows of 7 plain columns, from
 * batches of 4096 rows as an engine would give them, each into a reused buffer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../service/result_writer.h"
#include "../unit/arrow_build.h"

#define BATCH_ROWS 4096
#define TOTAL_ROWS 1000000

static struct arrow_built *build_batch(void)
{
    static int64_t ids[BATCH_ROWS];
    static int32_t ages[BATCH_ROWS];
    static double scores[BATCH_ROWS];
    static int64_t times[BATCH_ROWS];
    static __int128 prices[BATCH_ROWS];
    static const char *names[BATCH_ROWS];
    static char texts[BATCH_ROWS][40];
    static char bits[BATCH_ROWS + 1];

    for (int i = 0; i < BATCH_ROWS; i++) {
        ids[i] = 1000000 + i;
        ages[i] = i % 90;
        scores[i] = (double)i / 7;
        times[i] = INT64_C(1706695026123456) + i * INT64_C(1000003);
        prices[i] = i * 137;
        snprintf(texts[i], sizeof(texts[i]), "user number %d of the table", i);
        names[i] = texts[i];
        bits[i] = i % 3 == 0 ? '1' : '0';
    }
    struct arrow_built *columns[] = {
        arrow_build_fixed("id", "l", 8, ids, BATCH_ROWS, NULL),
        arrow_build_bytes("name", "u", names, NULL, BATCH_ROWS),
        arrow_build_fixed("age", "i", 4, ages, BATCH_ROWS, NULL),
        arrow_build_fixed("score", "g", 8, scores, BATCH_ROWS, NULL),
        arrow_build_fixed("created_at", "tsu:UTC", 8, times, BATCH_ROWS, NULL),
        arrow_build_fixed("price", "d:10,2", 16, prices, BATCH_ROWS, NULL),
        arrow_build_boolean("active", bits, NULL),
    };
    return arrow_build_struct("", BATCH_ROWS, NULL, 7, columns);
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(void)
{
    struct arrow_built *batch = build_batch();
    struct result_writer *writer = NULL;
    struct byte_buffer out = {0};
    struct error err;
    int64_t rows = 0;
    size_t bytes = 0;
    double start = now_s();

    if (result_writer_new(&batch->schema, &(struct result_options){0}, &writer, &err) < 0)
        goto failed;
    while (rows < TOTAL_ROWS) {
        byte_buffer_reset(&out);
        if (result_writer_rows(writer, &batch->array, 0, BATCH_ROWS, &out, &err) < 0)
            goto failed;
        rows += BATCH_ROWS;
        bytes += out.length;
    }
    double took = now_s() - start;
    printf("result_json: %lld rows x 7 columns, %.1f MB in %.3f s: %.2f M rows/s, %.0f MB/s\n",
           (long long)rows, (double)bytes / 1e6, took, (double)rows / took / 1e6,
           (double)bytes / took / 1e6);
    result_writer_free(writer);
    byte_buffer_done(&out);
    arrow_build_free(batch);
    return 0;
failed:
    fprintf(stderr, "bench_result_json: %s\n", err.detail);
    return 1;
}
