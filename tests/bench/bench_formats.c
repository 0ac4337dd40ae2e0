/*
 * Rows a second of every format in every content coding on one core, through
 * result_pages as an answer goes: 1 M rows of 7 plain columns, page by page.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../service/result_pages.h"
#include "bench_batch.h"

#define TOTAL_ROWS 1000000
/* Other rows in each: the same ones again would lie within zstd's window. */
#define BATCHES 32

static int take(struct result_pages *pages, struct error *err)
{
    struct result_page page;

    if (result_pages_take(pages, &page, err) != 0)
        return -1;
    free(page.data);
    return 0;
}

static int write_answer(struct arrow_built *const *batches, struct result_pages *pages,
                        struct error *err)
{
    const struct result_end end = RESULT_END_UNKNOWN;

    for (size_t i = 0; result_pages_rows(pages) < TOTAL_ROWS; i++) {
        for (int64_t row = 0; row < BENCH_BATCH_ROWS;) {
            int64_t done = result_pages_add(pages, &batches[i % BATCHES]->array, row, err);

            if (done < 0 || (result_pages_is_ready(pages) && take(pages, err) != 0))
                return -1;
            row += done;
        }
    }
    return result_pages_end(pages, &end, err) == 0 ? take(pages, err) : -1;
}

static int measure(struct arrow_built *const *batches, enum result_format format,
                   enum content_coding coding, struct error *err)
{
    const struct result_options options = {.choice = {.format = format, .coding = coding}};
    const struct result_limits limits = {.rows = -1, .bytes = -1};
    const char *name = content_coding_name(coding);
    struct result_pages *pages = NULL;
    double start = bench_now_s();

    if (result_pages_new(&batches[0]->schema, &options, &limits, &pages, err) != 0)
        return -1;
    if (write_answer(batches, pages, err) != 0) {
        result_pages_free(pages);
        return -1;
    }
    double took = bench_now_s() - start;
    printf("%-8s %-8s %6.2f M rows/s, %5.0f MB/s of body, %6.1f MB -> %6.1f MB\n",
           result_format_name(format), name != NULL ? name : "plain",
           (double)result_pages_rows(pages) / took / 1e6,
           (double)result_pages_body_bytes(pages) / took / 1e6,
           (double)result_pages_body_bytes(pages) / 1e6,
           (double)result_pages_taken_bytes(pages) / 1e6);
    result_pages_free(pages);
    return 0;
}

int main(void)
{
    struct arrow_built *batches[BATCHES];
    struct error err;

    for (int i = 0; i < BATCHES; i++)
        batches[i] = bench_batch_new(i * BENCH_BATCH_ROWS);
    for (int format = 0; format < RESULT_FORMAT_COUNT; format++) {
        for (int coding = 0; coding < CONTENT_CODING_COUNT; coding++) {
            if (measure(batches, (enum result_format)format, (enum content_coding)coding, &err) !=
                0) {
                fprintf(stderr, "bench_formats: %s\n", err.detail);
                return 1;
            }
        }
    }
    for (int i = 0; i < BATCHES; i++)
        arrow_build_free(batches[i]);
    return 0;
}
