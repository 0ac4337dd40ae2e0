/*
 * sql_type: the SQL name of a column's type, from its Arrow type and the
 * field metadata "sql_type", which says it outright (MySQL's own names).
 * Else the names are Spark's: "DECIMAL(10,2)", "ARRAY<STRUCT<a: INT>>".   [any]
 */
#ifndef SERVICE_SQL_TYPE_H
#define SERVICE_SQL_TYPE_H

#include "arrow_c_data.h"
#include "byte_buffer.h"

/* Appends the name; of a type unknown here, its Arrow format. */
void sql_type_append(struct byte_buffer *out, const struct ArrowSchema *field);

#endif
