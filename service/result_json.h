/*
 * result_json: Arrow columns -> JSON rows, the type table of the HTTP contract.
 *
 * Input is the Arrow C Data Interface (arrow_c_data.h): a struct array whose
 * children are the columns, Arrow columnar format 1.x. Output is RFC 8259; a
 * DOUBLE is written as RFC 8785 (ECMAScript Number::toString) writes it.
 *
 * A batch crosses, never a cell; formatting runs on worker threads, so that it
 * uses all cores.   [worker]; one writer per query, not shared.
 *
 * Field metadata key "mysql_type" changes how a column is written:
 *   "BIGINT UNSIGNED" (decimal, scale 0) -> number      "JSON" (utf8) -> the document itself
 *   "TIME" (utf8) -> padded to six digits               "DECIMAL" (utf8) -> string as it is
 *   "GEOMETRY" (binary) -> SRID prefix (4 bytes) dropped, base64
 * and "spark_type" = "VARIANT_JSON" (utf8) -> the document itself.
 */
#ifndef SERVICE_RESULT_JSON_H
#define SERVICE_RESULT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "arrow_c_data.h"
#include "byte_buffer.h"
#include "error.h"

struct result_json;

struct result_json_options {
    bool numbers_as_strings; /* integers beyond +-(2^53-1) as strings */
};

/* Reads the schema (borrowed, may be released afterwards). Equal column names
 * become name, name_2, name_3 ... -1: ERROR_ENGINE_ERROR, a type unknown here. */
int result_json_new(const struct ArrowSchema *schema, const struct result_json_options *options,
                    struct result_json **ret_writer, struct error *err);
void result_json_free(struct result_json *writer);

/* Appends "[" once at the start. */
void result_json_begin(struct result_json *writer, struct byte_buffer *out);

/* Appends rows [first_row, first_row + row_count) of the batch, with commas
 * between rows and batches. The batch is borrowed. -1 when the batch doesn't
 * fit the schema (ERROR_ENGINE_ERROR); out then holds no partial row. */
int result_json_write_rows(struct result_json *writer, const struct ArrowArray *batch,
                           int64_t first_row, int64_t row_count, struct byte_buffer *out,
                           struct error *err);

/* Appends "]". */
void result_json_end(struct result_json *writer, struct byte_buffer *out);

#endif
