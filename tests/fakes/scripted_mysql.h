/*
 * scripted_mysql: a MySQL server on loopback that lets everybody in and answers
 * statements by a table, prepared or as text, so that the direct engine can be watched by
 * sanitizers without a server (MySQL client/server protocol, without TLS and
 * without CLIENT_DEPRECATE_EOF).   [any]
 */
#ifndef TESTS_SCRIPTED_MYSQL_H
#define TESTS_SCRIPTED_MYSQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As in a column definition packet. */
struct scripted_column {
    const char *name;
    uint8_t type;
    uint16_t flags;
    uint16_t charset;
    uint32_t length;
    uint8_t decimals;
};

enum scripted_end {
    SCRIPTED_ENDS,          /* with the last row */
    SCRIPTED_FAILS,         /* instead of more rows: error 1205 */
    SCRIPTED_HANGS,         /* nothing more comes */
    SCRIPTED_WAITS,         /* behind the last row, until it is told to go on */
    SCRIPTED_WAITS_FIRST,   /* the same before the answer begins */
    SCRIPTED_LEAVES,        /* behind the last row the connection ends */
    SCRIPTED_REFUSES,       /* at the prepare: error 1146 */
    SCRIPTED_REFUSES_TO_RUN /* at the execute: error 1792 */
};

struct scripted_answer {
    const char *sql; /* as the server must get it, word for word */
    uint16_t parameters;
    const struct scripted_column *columns;
    size_t column_count; /* 0: a statement without rows */
    const char *row;     /* binary protocol, behind the leading 0 */
    size_t row_bytes;
    size_t row_count; /* the row so many times */
    const char *text; /* text protocol, the whole row; NULL: as a query it's an empty OK */
    size_t text_bytes;
    enum scripted_end end;
};

struct scripted_mysql;

/* `answers` ends with a NULL sql; what they point to is borrowed. Anything else is an empty OK.
 * `sql_mode` is what it says its sessions have. */
struct scripted_mysql *scripted_mysql_start(const struct scripted_answer *answers,
                                            const char *sql_mode);

/* From the next statement on this one stands in the place of that with its sql. */
void scripted_mysql_change(struct scripted_mysql *server, const struct scripted_answer *answer);

/* Those that wait go on, and no other will wait. */
void scripted_mysql_go_on(struct scripted_mysql *server);

int scripted_mysql_port(const struct scripted_mysql *server);

/* Ends all connections, as a restart does; new ones are taken. */
void scripted_mysql_hang_up(struct scripted_mysql *server);

/* How many connections there were, how many of them said who they are, and how
 * often `text` began a statement: one that was prepared or came as text. */
size_t scripted_mysql_connections(struct scripted_mysql *server);
size_t scripted_mysql_logins(struct scripted_mysql *server);
size_t scripted_mysql_count(struct scripted_mysql *server, const char *text);

/* How many statements were executed that had been prepared. */
size_t scripted_mysql_executes(struct scripted_mysql *server);

/* The last COM_STMT_EXECUTE, from its command byte on; copied, at most `size`. */
size_t scripted_mysql_last_execute(struct scripted_mysql *server, unsigned char *ret, size_t size);

void scripted_mysql_stop(struct scripted_mysql *server);

#endif
