/*
 * mysql_gate: what a statement of the mysql endpoint may be, by its words
 * outside comments and quotes; the bridge's StatementGate says the same.
 *
 * The statement runs in a read-only session of an account that the operator
 * chose, and one at a time is prepared; the gate is for a clear answer and for
 * what a read-only session lets through (INTO OUTFILE, administration).  [any]
 */
#ifndef SERVICE_MYSQL_GATE_H
#define SERVICE_MYSQL_GATE_H

#include "error.h"
#include "mysql_lexer.h"

/* -1: ERROR_FORBIDDEN naming the word; ERROR_SQL_ERROR (42000) for what is no
 * statement at all. */
int mysql_gate_check(const char *sql, struct mysql_modes modes, struct error *err);

#endif
