/*
 * mysql_explain: what MySQL itself says about a statement: the columns of its
 * prepared form, and the plan of EXPLAIN FORMAT=JSON. The statement doesn't run.
 */
#ifndef SERVICE_MYSQL_EXPLAIN_H
#define SERVICE_MYSQL_EXPLAIN_H

#include "error.h"
#include "explanation.h"
#include "mysql_engine.h"

/* The columns alone, of any statement that may run: not each has a plan (SHOW).
 * 0: explanation_done is the caller's. -1: *err as of mysql_cursor_open.   [worker] */
int mysql_describe(struct mysql_engine *engine, const struct mysql_query *query,
                   struct explanation *ret_explanation, struct error *err);

/* 0: explanation_done is the caller's. -1: *err as of mysql_cursor_open.   [worker] */
int mysql_explain(struct mysql_engine *engine, const struct mysql_query *query,
                  struct explanation *ret_explanation, struct error *err);

#endif
