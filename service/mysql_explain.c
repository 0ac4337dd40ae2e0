#include "mysql_explain.h"

#include <stdlib.h>
#include <string.h>

#include "byte_buffer.h"
#include "result_columns.h"

int mysql_describe(struct mysql_engine *engine, const struct mysql_query *query,
                   struct explanation *ret_explanation, struct error *err)
{
    struct explanation explanation = {0};
    struct mysql_query described = *query;
    struct mysql_cursor *cursor = NULL;
    int rc = 0;

    described.use = MYSQL_DESCRIBE;
    if (mysql_cursor_open(engine, &described, &cursor, err) != 0)
        return -1;
    rc = mysql_cursor_take_schema(cursor, &explanation.schema, err);
    mysql_cursor_close(cursor);
    if (rc == 0)
        *ret_explanation = explanation;
    return rc;
}

/* The first column of every row, one below the other. */
static int append_rows(struct result_column *root, const struct ArrowArray *batch,
                       struct byte_buffer *text, struct error *err)
{
    const uint8_t *bytes = NULL;
    size_t length = 0;

    if (result_columns_bind(root, batch, err) != 0)
        return -1;
    for (int64_t row = 0; row < batch->length; row++) {
        const struct result_column *column = &root->children[0];
        if (result_column_is_null(column, row))
            continue;
        if (column->type.kind != ARROW_TEXT || !result_column_bytes(column, row, &bytes, &length))
            return error_set(err, ERROR_ENGINE_ERROR, "MySQL's plan is no text");
        if (text->length > 0)
            byte_buffer_append_char(text, '\n');
        byte_buffer_append(text, (const char *)bytes, length);
    }
    return 0;
}

static int read_rows(struct mysql_cursor *cursor, struct byte_buffer *text, struct error *err)
{
    struct result_column *root = NULL;
    int rc = result_columns_new(mysql_cursor_schema(cursor), &root, err);

    while (rc == 0) {
        struct ArrowArray batch = {0};
        int more = mysql_cursor_next(cursor, &batch, err);

        if (more <= 0) {
            rc = more;
            break;
        }
        rc = append_rows(root, &batch, text, err);
        batch.release(&batch);
    }
    result_columns_free(root);
    return rc;
}

static int read_plan(struct mysql_engine *engine, const struct mysql_query *query,
                     struct explanation *explanation, struct error *err)
{
    struct mysql_query explained = *query;
    struct mysql_cursor *cursor = NULL;
    struct byte_buffer text = {0};
    int rc = -1;

    explained.use = MYSQL_EXPLAIN;
    if (mysql_cursor_open(engine, &explained, &cursor, err) != 0)
        return -1;
    if (read_rows(cursor, &text, err) == 0) {
        byte_buffer_append_char(&text, '\0');
        rc = text.failed ? error_set(err, ERROR_ENGINE_ERROR, "out of memory for a plan") : 0;
    }
    mysql_cursor_close(cursor);
    if (rc != 0) {
        byte_buffer_done(&text);
        return -1;
    }
    explanation->plan = text.data;
    return 0;
}

int mysql_explain(struct mysql_engine *engine, const struct mysql_query *query,
                  struct explanation *ret_explanation, struct error *err)
{
    struct explanation explanation = {0};

    if (mysql_describe(engine, query, &explanation, err) != 0 ||
        read_plan(engine, query, &explanation, err) != 0) {
        explanation_done(&explanation);
        return -1;
    }
    *ret_explanation = explanation;
    return 0;
}
