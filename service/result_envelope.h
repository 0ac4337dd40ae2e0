/*
 * result_envelope: what stands before and behind the rows of an
 * application/vnd.spark-service.result+json answer.   [worker]
 */
#ifndef SERVICE_RESULT_ENVELOPE_H
#define SERVICE_RESULT_ENVELOPE_H

#include "arrow_c_data.h"
#include "byte_buffer.h"
#include "result_columns.h"
#include "result_writer.h"

#define RESULT_ENVELOPE_TAIL_BYTES_MAX ((size_t)640)

/* `{"query_id":...,"schema":[...],"data":[`; `root` gives the columns' names. */
void result_envelope_head(struct byte_buffer *out, const char *query_id,
                          const struct ArrowSchema *schema, const struct result_column *root);

/* `],"row_count":...}`; what is unknown is left out. */
void result_envelope_tail(struct byte_buffer *out, const struct result_end *end);

#endif
