/*
 * result_json: Arrow columns -> JSON rows, the type table of the HTTP contract;
 * as a bare array, within the envelope, or one row a line (NDJSON).
 *
 * Input is the Arrow C Data Interface (arrow_c_data.h): a struct array whose
 * children are the columns, Arrow columnar format 1.x. Output is RFC 8259; a
 * DOUBLE is written as RFC 8785 (ECMAScript Number::toString) writes it.
 *
 * A batch crosses, never a cell; formatting runs on worker threads, so that it
 * uses all cores.   [worker]
 *
 * Field metadata key "mysql_type" changes how a column is written:
 *   "BIGINT UNSIGNED" (decimal, scale 0) -> number      "JSON" (utf8) -> the document itself
 *   "TIME" (utf8) -> padded to six digits               "DECIMAL" (utf8) -> string as it is
 *   "GEOMETRY" (binary) -> SRID prefix (4 bytes) dropped, base64
 * and "spark_type" = "VARIANT_JSON" (utf8) -> the document itself.
 */
#ifndef SERVICE_RESULT_JSON_H
#define SERVICE_RESULT_JSON_H

struct result_writer_class;

/* Of RESULT_JSON, RESULT_ENVELOPE and RESULT_NDJSON. */
extern const struct result_writer_class result_json_class;

#endif
