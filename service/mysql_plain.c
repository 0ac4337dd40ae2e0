#include "mysql_plain.h"

#include <ctype.h>
#include <string.h>

#define DEPTH_MAX 16
#define WORD_BYTES 24 /* longer words are none of those below */

/* Built in since MySQL 5.5 and MariaDB 5.5, so that no function of somebody's own can have the
 * name; they go by their arguments, or by the time. */
static const char *const FUNCTIONS[] = {
    "ABS",       "AVG",      "CAST",      "CEIL",       "CEILING",     "CHAR_LENGTH",
    "COALESCE",  "CONCAT",   "CONCAT_WS", "COUNT",      "CURDATE",     "DATE",
    "DATEDIFF",  "DATE_ADD", "DATE_SUB",  "DAYOFMONTH", "DATE_FORMAT", "DAYOFWEEK",
    "DAYOFYEAR", "EXTRACT",  "FIELD",     "FLOOR",      "GREATEST",    "GROUP_CONCAT",
    "HEX",       "HOUR",     "IF",        "IFNULL",     "INSTR",       "LEAST",
    "LEFT",      "LENGTH",   "LOCATE",    "LOWER",      "LPAD",        "LTRIM",
    "MAX",       "MD5",      "MIN",       "MINUTE",     "MOD",         "MONTH",
    "NOW",       "NULLIF",   "POW",       "POWER",      "QUARTER",     "REPLACE",
    "REVERSE",   "RIGHT",    "ROUND",     "RPAD",       "RTRIM",       "SECOND",
    "SIGN",      "SQRT",     "SUBSTR",    "SUBSTRING",  "SUM",         "TRIM",
    "TRUNCATE",  "UNHEX",    "UPPER",     "WEEK",       "YEAR",        NULL};
/* Reserved words, none of them a function's name, that a bracket may follow. */
static const char *const BEFORE_BRACKET[] = {
    "ALL",      "AND",   "AS",    "BETWEEN", "BY",    "CASE",   "CHAR", "DECIMAL",
    "DISTINCT", "DIV",   "ELSE",  "EXISTS",  "FROM",  "HAVING", "IN",   "INDEX",
    "INTERVAL", "JOIN",  "LIKE",  "LIMIT",   "NOT",   "ON",     "OR",   "SELECT",
    "THEN",     "UNION", "USING", "WHEN",    "WHERE", "XOR",    NULL};
/* What reads or changes a session without a bracket behind it. */
static const char *const REFUSED[] = {"FOR",       "INTO",    "LOCK",      "CURRVAL",
                                      "LASTVAL",   "NEXTVAL", "PROCEDURE", "SQL_CALC_FOUND_ROWS",
                                      "RETURNING", NULL};
/* Reserved in each server: behind these stands no table any more. */
static const char *const AFTER_TABLES[] = {"WHERE", "GROUP", "HAVING", "ORDER",
                                           "LIMIT", "UNION", NULL};
static const char *const BEFORE_TABLE[] = {"FROM", "JOIN", "STRAIGHT_JOIN", NULL};

struct reader {
    struct mysql_lexer lexer;
    struct mysql_token token; /* the one looked at */
    struct mysql_token next;
    char last; /* the last token if it was one character, else 0 */
    bool ansi_quotes;
    bool in_tables[DEPTH_MAX]; /* at each depth of brackets: a list of tables goes on */
    size_t depth;
    struct mysql_plain *plain;
};

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words != NULL && strcmp(*words, word) != 0)
        words++;
    return *words != NULL;
}

static void upper_case(const struct mysql_token *token, char ret_word[WORD_BYTES])
{
    bool fits = token->kind == MYSQL_TOKEN_WORD && token->length < WORD_BYTES;

    for (size_t i = 0; fits && i < token->length; i++)
        ret_word[i] = (char)toupper((unsigned char)token->start[i]);
    ret_word[fits ? token->length : 0] = '\0';
}

static bool is_char(const struct mysql_token *token, char c)
{
    return token->kind == MYSQL_TOKEN_OTHER && token->length == 1 && *token->start == c;
}

static bool has_gap(const struct reader *reader)
{
    return reader->token.start + reader->token.length != reader->next.start;
}

static bool is_literal(const struct reader *reader)
{
    char quote = *reader->token.start;

    return reader->token.kind == MYSQL_TOKEN_QUOTED &&
           (quote == '\'' || (quote == '"' && !reader->ansi_quotes));
}

/* ---- the shape ---- */

/* Strings are '', runs of digits 0; a gap is one blank, comments are gaps. */
static void append_to_shape(struct reader *reader)
{
    struct byte_buffer *shape = &reader->plain->shape;
    const struct mysql_token *token = &reader->token;

    if (is_literal(reader)) {
        byte_buffer_append_text(shape, "''");
    } else if (token->kind == MYSQL_TOKEN_OTHER && isdigit((unsigned char)*token->start)) {
        if (!isdigit((unsigned char)reader->last) || shape->length == 0 ||
            shape->data[shape->length - 1] == ' ')
            byte_buffer_append_char(shape, '0');
    } else {
        byte_buffer_append(shape, token->start, token->length);
    }
    if (has_gap(reader))
        byte_buffer_append_char(shape, ' ');
}

/* ---- tables ---- */

static void step(struct reader *reader)
{
    append_to_shape(reader);
    reader->last = reader->token.kind == MYSQL_TOKEN_OTHER ? *reader->token.start : '\0';
    reader->token = reader->next;
    reader->next = mysql_lexer_next(&reader->lexer);
}

/* A name as it is, its quotes taken off. */
static bool read_name(const struct reader *reader, char ret_name[MYSQL_PLAIN_NAME_BYTES])
{
    const struct mysql_token *token = &reader->token;
    bool quoted = token->kind == MYSQL_TOKEN_QUOTED && !is_literal(reader);
    const char *start = token->start + quoted;
    size_t length = token->length;

    if (!quoted && token->kind != MYSQL_TOKEN_WORD)
        return false;
    if (quoted && (length < 3 || token->start[length - 1] != *token->start))
        return false;
    if (reader->next.kind == MYSQL_TOKEN_QUOTED && !has_gap(reader)) /* a doubled quote */
        return false;
    length -= quoted ? 2 : 0;
    if (length >= MYSQL_PLAIN_NAME_BYTES)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isascii((unsigned char)start[i]) ||
            (!isalnum((unsigned char)start[i]) && start[i] != '_' && start[i] != '$'))
            return false;
    }
    memcpy(ret_name, start, length);
    ret_name[length] = '\0';
    return true;
}

/* At the word before a table: `name`, `schema.name`, or a bracket with a SELECT in it. */
static bool read_table(struct reader *reader)
{
    struct mysql_plain *plain = reader->plain;
    struct mysql_plain_table table = {.schema = ""};
    char word[WORD_BYTES];

    step(reader);
    if (is_char(&reader->token, '(')) {
        upper_case(&reader->next, word);
        return strcmp(word, "SELECT") == 0;
    }
    if (plain->table_count == MYSQL_PLAIN_TABLES_MAX || !read_name(reader, table.name))
        return false;
    if (is_char(&reader->next, '.')) {
        memcpy(table.schema, table.name, sizeof(table.schema));
        step(reader);
        step(reader);
        if (!read_name(reader, table.name))
            return false;
    }
    if (is_char(&reader->next, '.') || is_char(&reader->next, '('))
        return false;
    plain->tables[plain->table_count++] = table;
    step(reader);
    return true;
}

/* ---- one token ---- */

static bool read_word(struct reader *reader)
{
    char word[WORD_BYTES];
    bool before_bracket = is_char(&reader->next, '(');

    upper_case(&reader->token, word);
    if (reader->last == '.') { /* a name, whatever it is */
        step(reader);
        return !before_bracket;
    }
    if (is_one_of(word, REFUSED))
        return false;
    /* With a blank before its bracket a name may be taken for somebody's own function. */
    if (before_bracket && !is_one_of(word, BEFORE_BRACKET) &&
        (has_gap(reader) || !is_one_of(word, FUNCTIONS)))
        return false;
    if (is_one_of(word, AFTER_TABLES))
        reader->in_tables[reader->depth] = false;
    if (is_one_of(word, BEFORE_TABLE)) {
        reader->in_tables[reader->depth] = true;
        return read_table(reader);
    }
    step(reader);
    return true;
}

static bool read_quoted(struct reader *reader)
{
    bool before_bracket = is_char(&reader->next, '(');

    step(reader);
    return !before_bracket;
}

static bool read_other(struct reader *reader)
{
    char c = *reader->token.start;

    if (reader->token.length != 1)
        return false;
    if (c == '(') {
        if (++reader->depth == DEPTH_MAX)
            return false;
        reader->in_tables[reader->depth] = false;
    } else if (c == ')') {
        if (reader->depth-- == 0)
            return false;
    } else if (c == ',') {
        if (reader->in_tables[reader->depth])
            return false;
    } else if (c == ';') {
        if (reader->next.kind != MYSQL_TOKEN_END)
            return false;
    } else if (!isdigit((unsigned char)c) && strchr(".=<>!+-*/%&|^~", c) == NULL) {
        return false;
    }
    step(reader);
    return true;
}

static bool read_token(struct reader *reader)
{
    switch (reader->token.kind) {
    case MYSQL_TOKEN_WORD:
        return read_word(reader);
    case MYSQL_TOKEN_QUOTED:
        return read_quoted(reader);
    case MYSQL_TOKEN_OTHER:
        return read_other(reader);
    case MYSQL_TOKEN_PARAMETER:
        step(reader);
        return true;
    case MYSQL_TOKEN_END:
    case MYSQL_TOKEN_MARKER:
    case MYSQL_TOKEN_EXECUTED:
        return false;
    }
    return false;
}

static bool read_all(struct reader *reader)
{
    char word[WORD_BYTES];

    upper_case(&reader->token, word);
    if (strcmp(word, "SELECT") != 0)
        return false;
    while (reader->token.kind != MYSQL_TOKEN_END) {
        if (!read_token(reader))
            return false;
    }
    byte_buffer_append_char(&reader->plain->shape, '\0');
    return reader->depth == 0 && reader->plain->table_count > 0 && !reader->plain->shape.failed;
}

bool mysql_plain_read(const char *sql, struct mysql_modes modes, struct mysql_plain *ret_plain)
{
    struct mysql_plain plain = {.table_count = 0};
    struct reader reader = {.ansi_quotes = modes.ansi_quotes, .plain = &plain};

    mysql_lexer_init(&reader.lexer, sql, modes);
    reader.token = mysql_lexer_next(&reader.lexer);
    reader.next = mysql_lexer_next(&reader.lexer);
    if (!read_all(&reader)) {
        mysql_plain_done(&plain);
        return false;
    }
    *ret_plain = plain;
    return true;
}

void mysql_plain_done(struct mysql_plain *plain)
{
    byte_buffer_done(&plain->shape);
    *plain = (struct mysql_plain){.table_count = 0};
}
