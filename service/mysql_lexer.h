/*
 * mysql_lexer: MySQL's SQL text as the few tokens that matter here: words,
 * brackets, quoted parts, parameters. Comments vanish, but for those that the
 * server executes. What a backslash and a double quote mean depends on the
 * session's sql_mode (MySQL Reference Manual, "String Literals").   [any]
 */
#ifndef SERVICE_MYSQL_LEXER_H
#define SERVICE_MYSQL_LEXER_H

#include <stdbool.h>
#include <stddef.h>

/* The parts of sql_mode that move the border of a quoted part. */
struct mysql_modes {
    bool ansi_quotes;          /* "x" is a name: a backslash in it is a character */
    bool no_backslash_escapes; /* a backslash in a string is a character */
};

enum mysql_token_kind {
    MYSQL_TOKEN_END,
    MYSQL_TOKEN_WORD,
    MYSQL_TOKEN_QUOTED,    /* string or quoted name, quotes included */
    MYSQL_TOKEN_PARAMETER, /* :name */
    MYSQL_TOKEN_MARKER,    /* ? */
    MYSQL_TOKEN_EXECUTED,  /* a comment that the server executes */
    MYSQL_TOKEN_OTHER      /* one character, or := or :: */
};

struct mysql_token {
    enum mysql_token_kind kind;
    const char *start; /* borrowed from the text */
    size_t length;
};

struct mysql_lexer {
    const char *at;
    struct mysql_modes modes;
};

/* Borrows the text, NUL-terminated UTF-8. */
void mysql_lexer_init(struct mysql_lexer *lexer, const char *text, struct mysql_modes modes);

/* A part that isn't closed reaches to the end; the server will say so. */
struct mysql_token mysql_lexer_next(struct mysql_lexer *lexer);

/* Reads the value of @@sql_mode. */
struct mysql_modes mysql_modes_parse(const char *sql_mode);

#endif
