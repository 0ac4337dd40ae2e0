/*
 * Bytes -> Arrow structs, and on into every format: whatever the bytes are,
 * each count, length and offset of what comes out is within bounds, so that
 * the writers may trust it.
 *
 * Two bytes: the length of the schema message, little endian; the schema
 * message; the batch message.
 */
#include <string.h>

#include "../../service/arrow_ipc_read.h"
#include "../../service/result_writer.h"
#include "input.h"

#define ROWS_MAX 4096

static void *exact_copy(const uint8_t *bytes, size_t length)
{
    void *copy = malloc(length + (length == 0));

    fuzz_check(copy != NULL);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

/* The same bytes in one go and row by row, in all formats that have rows. */
static void write_rows(const struct ArrowSchema *schema, const struct ArrowArray *batch,
                       enum result_format format)
{
    const struct result_options options = {.choice = {.format = format}, .query_id = "q"};
    struct byte_buffer whole = {0};
    struct byte_buffer stepped = {0};
    struct result_writer *writers[2] = {NULL, NULL};
    struct error err;
    int rc = 0;

    if (result_writer_new(schema, &options, &writers[0], &err) != 0)
        return;
    fuzz_check(result_writer_new(schema, &options, &writers[1], &err) == 0);
    result_writer_begin(writers[0], &whole);
    result_writer_begin(writers[1], &stepped);
    rc = result_writer_rows(writers[0], batch, 0, batch->length, &whole, &err);
    if (rc != 0)
        fuzz_check(err.code == ERROR_ENGINE_ERROR);
    for (int64_t row = 0; rc == 0 && row < batch->length; row++)
        fuzz_check(result_writer_rows(writers[1], batch, row, 1, &stepped, &err) == 0);
    if (rc == 0 && format != RESULT_ARROW) {
        fuzz_check(stepped.length == whole.length);
        fuzz_check(whole.length == 0 || memcmp(stepped.data, whole.data, whole.length) == 0);
    }
    byte_buffer_done(&whole);
    byte_buffer_done(&stepped);
    result_writer_free(writers[0]);
    result_writer_free(writers[1]);
}

static void read_batch(struct ArrowSchema *schema, const uint8_t *bytes, size_t length)
{
    void *message = exact_copy(bytes, length);
    struct ArrowArray batch;
    struct error err;

    if (arrow_ipc_read_batch(schema, message, length, &batch, &err) != 0) {
        fuzz_check(err.code == ERROR_ENGINE_ERROR);
        free(message);
        return;
    }
    /* Columns without bytes (null, empty structs) can have any number of rows. */
    for (int format = 0; batch.length <= ROWS_MAX && format < RESULT_FORMAT_COUNT; format++)
        write_rows(schema, &batch, (enum result_format)format);
    batch.release(&batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ArrowSchema schema;
    struct error err;
    size_t schema_length = 0;
    void *message = NULL;

    if (size < 2)
        return 0;
    schema_length = (size_t)data[0] | (size_t)data[1] << 8;
    if (schema_length > size - 2)
        schema_length = size - 2;
    message = exact_copy(data + 2, schema_length);
    if (arrow_ipc_read_schema(message, schema_length, &schema, &err) == 0) {
        read_batch(&schema, data + 2 + schema_length, size - 2 - schema_length);
        schema.release(&schema);
    } else {
        fuzz_check(err.code == ERROR_ENGINE_ERROR);
    }
    free(message);
    return 0;
}
