/*
 * result_schema: a result's columns as JSON, as an envelope and an explanation
 * tell them.   [worker]
 */
#ifndef SERVICE_RESULT_SCHEMA_H
#define SERVICE_RESULT_SCHEMA_H

#include "arrow_c_data.h"
#include "byte_buffer.h"
#include "result_columns.h"

/* `[{"name":"id","type":"BIGINT","nullable":false}]`; `root`, read from the
 * schema, gives the columns' names. */
void result_schema_append(struct byte_buffer *out, const struct ArrowSchema *schema,
                          const struct result_column *root);

#endif
