/*
 * explanation: how a statement would run, as an engine told it: the answer of
 * POST /api/spark/explain/{source}.   [worker]
 */
#ifndef SERVICE_EXPLANATION_H
#define SERVICE_EXPLANATION_H

#include <stdbool.h>
#include <stddef.h>

#include "../jni/spark_facts.h"
#include "arrow_c_data.h"
#include "byte_buffer.h"
#include "error.h"

/* A condition of the statement. */
struct explained_filter {
    char *text;
    char *reason; /* why the source doesn't apply it; NULL: it does */
};

/* Zeroed: nothing is known. */
struct explanation {
    char *plan;
    struct ArrowSchema schema; /* of the rows that would come */
    bool has_filters;          /* false: the engine doesn't tell them */
    struct explained_filter *filters;
    size_t filter_count;
    bool has_source;
    struct spark_source_facts source;
};

/* Appends the JSON object of the HTTP contract; what is unknown is left out.
 * -1: a schema that can't be told (ERROR_ENGINE_ERROR), or no memory. */
int explanation_write(const struct explanation *explanation, const char *source_kind,
                      struct byte_buffer *out, struct error *err);

/* Frees the contents and releases the schema; fine on a zeroed struct. */
void explanation_done(struct explanation *explanation);

#endif
