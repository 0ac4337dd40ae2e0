/*
 * json_check: what result_json makes of built Arrow columns.
 */
#ifndef TESTS_JSON_CHECK_H
#define TESTS_JSON_CHECK_H

#include "../../service/error.h"
#include "../../service/json_column.h"
#include "../../service/result_writer.h"
#include "arrow_build.h"

/* The whole answer for one batch as malloc'd text; NULL and *err when it is refused. */
char *json_check_write(const struct arrow_built *batch, const struct json_options *options,
                       struct error *err);

/* Takes `column`, which must be named "c", and checks the text of every cell:
 * as it is, from an offset of its own, and from an offset of the batch. */
void json_check_cells(struct arrow_built *column, const char *const *cells);
void json_check_cells_with(struct arrow_built *column, const struct json_options *options,
                           const char *const *cells);

/* Takes `column` and checks that its batch is an engine error whose detail has
 * `reason` in it, and that nothing is written. */
void json_check_refused(struct arrow_built *column, const char *reason);

#endif
