/*
 * spark_request: a query in the form that the JVM takes.   [worker]
 */
#ifndef SERVICE_SPARK_REQUEST_H
#define SERVICE_SPARK_REQUEST_H

#include "../jni/spark_engine.h"
#include "error.h"
#include "mysql_statement.h"

struct query;

struct spark_request {
    struct spark_query query; /* borrows from the rest, the query and its path */
    struct mysql_statement statement;
    char *values_json;
    char snapshot_id[24];
};

/* Borrows the query and its checked path (or NULL). A MySQL statement is checked
 * and bound here. -1: *err as the reply; nothing to free. */
int spark_request_init(struct spark_request *request, const struct query *query, const char *path,
                       struct error *err);
void spark_request_done(struct spark_request *request);

#endif
