#include "result_pages.h"

#include <stdlib.h>

#include "content_coding.h"

#define STEP_ROWS_MAX 512
#define STEP_BYTES (64 * 1024)

struct result_pages {
    struct result_writer *writer;
    struct result_choice choice;
    struct result_limits limits;
    struct byte_buffer body;     /* not yet taken, not coded */
    struct content_coder *coder; /* from the first coded page on */
    enum content_coding coding;
    int64_t rows;
    int64_t row_bytes;   /* of the rows alone */
    int64_t body_bytes;  /* of the pages taken, before the coding */
    int64_t taken_bytes; /* after it */
    bool has_slot;       /* of content_coding */
    bool is_cut;
    bool has_ended;
};

/* With no slot left an answer goes as it is, if its client takes that. */
static int settle_coding(struct result_pages *pages, struct error *err)
{
    if (pages->choice.coding == CODING_IDENTITY)
        return 0;
    pages->has_slot = content_coding_take_slot();
    if (pages->has_slot)
        pages->coding = pages->choice.coding;
    else if (pages->choice.identity_refused)
        return error_set(err, ERROR_QUEUE_FULL,
                         "too many compressed answers are under way, and identity is refused");
    return 0;
}

int result_pages_new(const struct ArrowSchema *schema, const struct result_options *options,
                     const struct result_limits *limits, struct result_pages **ret_pages,
                     struct error *err)
{
    struct result_pages *pages = calloc(1, sizeof(*pages));

    if (pages == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
    pages->choice = options->choice;
    pages->limits = *limits;
    if (settle_coding(pages, err) != 0 ||
        result_writer_new(schema, options, &pages->writer, err) != 0) {
        result_pages_free(pages);
        return -1;
    }
    result_writer_begin(pages->writer, &pages->body);
    *ret_pages = pages;
    return 0;
}

void result_pages_free(struct result_pages *pages)
{
    if (pages == NULL)
        return;
    result_writer_free(pages->writer);
    content_coder_free(pages->coder);
    if (pages->has_slot)
        content_coding_return_slot();
    byte_buffer_done(&pages->body);
    free(pages);
}

/* About STEP_BYTES, as far as the rows so far can tell: wide ones don't make huge pages. */
static int64_t step_rows(const struct result_pages *pages, int64_t wanted)
{
    int64_t step = pages->rows + 1;

    if (result_writer_takes_whole_batches(pages->writer))
        return wanted;
    if (pages->rows > 0 && step > STEP_BYTES / (pages->row_bytes / pages->rows + 1))
        step = STEP_BYTES / (pages->row_bytes / pages->rows + 1) + 1;
    if (step > STEP_ROWS_MAX)
        step = STEP_ROWS_MAX;
    return step < wanted ? step : wanted;
}

/* Rows written of `count`: fewer when the byte limit leaves no room for all. */
static int64_t write_rows(struct result_pages *pages, const struct ArrowArray *batch,
                          int64_t first_row, int64_t count, struct error *err)
{
    int64_t room = 0;

    if (pages->limits.bytes < 0)
        return result_writer_rows(pages->writer, batch, first_row, count, &pages->body, err) == 0
                   ? count
                   : -1;
    room = pages->limits.bytes - result_pages_body_bytes(pages) -
           (int64_t)result_writer_end_bytes_max(pages->writer);
    if (room <= 0)
        return 0;
    return result_writer_rows_within(pages->writer, batch, first_row, count, (size_t)room,
                                     &pages->body, err);
}

int64_t result_pages_add(struct result_pages *pages, const struct ArrowArray *batch,
                         int64_t first_row, struct error *err)
{
    int64_t wanted = batch->length - first_row;
    int64_t done = 0;
    int64_t step = 0;
    bool row_limit_cuts = false;
    size_t before = pages->body.length;

    if (pages->limits.rows >= 0 && wanted > pages->limits.rows - pages->rows) {
        wanted = pages->limits.rows - pages->rows;
        row_limit_cuts = true;
    }
    step = step_rows(pages, wanted);
    if (step > 0)
        done = write_rows(pages, batch, first_row, step, err);
    if (done < 0)
        return -1;
    pages->rows += done;
    pages->row_bytes += (int64_t)(pages->body.length - before);
    pages->is_cut = done < step || (row_limit_cuts && done == wanted);
    return done;
}

bool result_pages_is_cut(const struct result_pages *pages)
{
    return pages->is_cut;
}

bool result_pages_is_ready(const struct result_pages *pages)
{
    return pages->body.length > (pages->body_bytes == 0 ? RESULT_WHOLE_BYTES : RESULT_PAGE_BYTES);
}

int result_pages_end(struct result_pages *pages, const struct result_end *end, struct error *err)
{
    struct result_end told = *end;

    told.rows = pages->rows;
    told.truncated = end->truncated || pages->is_cut;
    result_writer_end(pages->writer, &told, &pages->body);
    pages->has_ended = true;
    if (pages->body.failed)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
    if (pages->body_bytes == 0 && pages->body.length < RESULT_CODED_BYTES_MIN &&
        !pages->choice.identity_refused)
        pages->coding = CODING_IDENTITY;
    return 0;
}

static int take_coded(struct result_pages *pages, struct byte_buffer *out, struct error *err)
{
    if (pages->coder == NULL && content_coder_new(pages->coding, &pages->coder, err) != 0)
        return -1;
    if (content_coder_write(pages->coder, pages->body.data, pages->body.length, pages->has_ended,
                            out, err) != 0) {
        byte_buffer_done(out);
        return -1;
    }
    byte_buffer_reset(&pages->body);
    return 0;
}

int result_pages_take(struct result_pages *pages, struct result_page *ret_page, struct error *err)
{
    int64_t body_bytes = (int64_t)pages->body.length;
    struct byte_buffer out = {0};

    if (pages->coding == CODING_IDENTITY) {
        out = pages->body;
        pages->body = (struct byte_buffer){0};
        /* A whole page at once: growing to it would copy every page once more. */
        if (!pages->has_ended)
            byte_buffer_reserve(&pages->body, RESULT_PAGE_BYTES + STEP_BYTES);
    } else if (take_coded(pages, &out, err) != 0) {
        return -1;
    }
    pages->body_bytes += body_bytes;
    pages->taken_bytes += (int64_t)out.length;
    *ret_page = (struct result_page){.data = out.data, .length = out.length};
    return 0;
}

enum content_coding result_pages_coding(const struct result_pages *pages)
{
    return pages->coding;
}

int64_t result_pages_rows(const struct result_pages *pages)
{
    return pages->rows;
}

int64_t result_pages_body_bytes(const struct result_pages *pages)
{
    return pages->body_bytes + (int64_t)pages->body.length;
}

int64_t result_pages_taken_bytes(const struct result_pages *pages)
{
    return pages->taken_bytes;
}
