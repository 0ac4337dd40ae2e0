/*
 * Rows a second of result_json on one core: 1 M rows of 7 plain columns, from
 * batches of 4096 rows as an engine would give them, each into a reused buffer.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../service/result_writer.h"
#include "bench_batch.h"

#define TOTAL_ROWS 1000000

int main(void)
{
    struct arrow_built *batch = bench_batch_new(0);
    struct result_writer *writer = NULL;
    struct byte_buffer out = {0};
    struct error err;
    int64_t rows = 0;
    size_t bytes = 0;
    double start = bench_now_s();

    if (result_writer_new(&batch->schema, &(struct result_options){0}, &writer, &err) < 0)
        goto failed;
    while (rows < TOTAL_ROWS) {
        byte_buffer_reset(&out);
        if (result_writer_rows(writer, &batch->array, 0, BENCH_BATCH_ROWS, &out, &err) < 0)
            goto failed;
        rows += BENCH_BATCH_ROWS;
        bytes += out.length;
    }
    double took = bench_now_s() - start;
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
