#include "mysql_errors.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define SQLSTATE_LINK "08S01" /* communication link failure */

/* Access denied: to a database, to the user, to a table or column, a missing privilege. */
static const unsigned DENIED[] = {1044, 1045, 1142, 1143, 1227, 1370, 1698, 0};
/* Unknown database; too many connections; host blocked; shutdown; killed; packet or lock. */
static const unsigned SOURCE[] = {1049, 1040, 1203, 1226, 1129, 1130, 1053,
                                  1317, 1927, 1153, 1205, 1213, 0};
/* MySQL's max_execution_time, MariaDB's max_statement_time. */
static const unsigned TIMEOUT[] = {3024, 1969, 0};
/* The transaction is read-only. */
static const unsigned READ_ONLY[] = {1792, 1290, 1836, 0};

static bool is_one_of(unsigned number, const unsigned *numbers)
{
    while (*numbers != 0 && *numbers != number)
        numbers++;
    return *numbers != 0;
}

/* The client libraries' ranges: CR_* of both, and MariaDB's CER_*. */
bool mysql_errors_is_client(unsigned number)
{
    return (number >= 2000 && number < 3000) || (number >= 5000 && number < 6000);
}

static enum error_code code_of(unsigned number, const char *sqlstate)
{
    if (is_one_of(number, TIMEOUT))
        return ERROR_TIMEOUT;
    if (is_one_of(number, READ_ONLY))
        return ERROR_FORBIDDEN;
    if (is_one_of(number, DENIED) || is_one_of(number, SOURCE) || number == 0 ||
        strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "28", 2) == 0)
        return ERROR_SOURCE_ERROR;
    return ERROR_SQL_ERROR;
}

int mysql_errors_set(struct error *err, unsigned number, const char *sqlstate, const char *message)
{
    if (number == 0 || mysql_errors_is_client(number))
        sqlstate = SQLSTATE_LINK;
    if (is_one_of(number, DENIED) || strncmp(sqlstate, "28", 2) == 0)
        error_set(err, ERROR_SOURCE_ERROR, "MySQL denied access (error %u).", number);
    else if (strncmp(sqlstate, "08", 2) == 0)
        error_set(err, ERROR_SOURCE_ERROR, "MySQL could not be reached, or the connection broke.");
    else
        error_set(err, code_of(number, sqlstate), "%.*s", (int)strcspn(message, "\r\n"), message);
    if (strlen(sqlstate) == 5)
        snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate);
    return -1;
}

int mysql_errors_set_no_rows(struct error *err)
{
    error_set(err, ERROR_FORBIDDEN,
              "This MySQL statement is not allowed: it does not produce rows.");
    snprintf(err->sqlstate, sizeof(err->sqlstate), "S1009");
    return -1;
}
