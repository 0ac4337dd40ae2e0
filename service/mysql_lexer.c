#include "mysql_lexer.h"

#include <ctype.h>
#include <string.h>

static bool is_word_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name_part(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool is_word_part(char c)
{
    return is_name_part(c) || c == '$' || (unsigned char)c >= 0x80;
}

/* Two dashes begin a comment only before white space, a control character or the end. */
static bool is_line_comment(const char *at)
{
    return *at == '#' || (at[0] == '-' && at[1] == '-' && (unsigned char)at[2] <= ' ');
}

static bool is_executed_comment(const char *at)
{
    return strncmp(at, "/*!", 3) == 0 || strncmp(at, "/*M!", 4) == 0;
}

static const char *after(const char *from, const char *end)
{
    const char *found = strstr(from, end);

    return found != NULL ? found + strlen(end) : from + strlen(from);
}

static const char *skip_blank(const char *at)
{
    for (;;) {
        if (isspace((unsigned char)*at))
            at++;
        else if (is_line_comment(at))
            at = after(at, "\n");
        else if (at[0] == '/' && at[1] == '*' && !is_executed_comment(at))
            at = after(at + 2, "*/");
        else
            return at;
    }
}

/* Doubled quotes need no care: they end one quoted part and begin the next. */
static const char *after_quoted(const char *at, struct mysql_modes modes)
{
    char quote = *at++;
    bool is_name = quote == '`' || (quote == '"' && modes.ansi_quotes);
    bool escapes = !is_name && !modes.no_backslash_escapes;

    while (*at != '\0' && *at != quote) {
        if (*at == '\\' && escapes && at[1] != '\0')
            at++;
        at++;
    }
    return *at == quote ? at + 1 : at;
}

static const char *after_colon(const char *at, enum mysql_token_kind *ret_kind)
{
    *ret_kind = MYSQL_TOKEN_OTHER;
    at++;
    if (*at == ':' || *at == '=')
        return at + 1;
    if (!isalpha((unsigned char)*at) && *at != '_')
        return at;
    *ret_kind = MYSQL_TOKEN_PARAMETER;
    while (is_name_part(*at))
        at++;
    return at;
}

void mysql_lexer_init(struct mysql_lexer *lexer, const char *text, struct mysql_modes modes)
{
    lexer->at = text;
    lexer->modes = modes;
}

struct mysql_token mysql_lexer_next(struct mysql_lexer *lexer)
{
    const char *start = skip_blank(lexer->at);
    const char *end = start + 1;
    enum mysql_token_kind kind = MYSQL_TOKEN_OTHER;

    if (*start == '\0') {
        kind = MYSQL_TOKEN_END;
        end = start;
    } else if (*start == '\'' || *start == '"' || *start == '`') {
        kind = MYSQL_TOKEN_QUOTED;
        end = after_quoted(start, lexer->modes);
    } else if (is_executed_comment(start)) {
        kind = MYSQL_TOKEN_EXECUTED;
        end = after(start + 2, "*/");
    } else if (is_word_start(*start)) {
        kind = MYSQL_TOKEN_WORD;
        while (is_word_part(*end))
            end++;
    } else if (*start == ':') {
        end = after_colon(start, &kind);
    } else if (*start == '?') {
        kind = MYSQL_TOKEN_MARKER;
    }
    lexer->at = end;
    return (struct mysql_token){kind, start, (size_t)(end - start)};
}

struct mysql_modes mysql_modes_parse(const char *sql_mode)
{
    struct mysql_modes modes = {0};

    while (*sql_mode != '\0') {
        size_t length = strcspn(sql_mode, ",");

        if (length == strlen("ANSI_QUOTES") && strncasecmp(sql_mode, "ANSI_QUOTES", length) == 0)
            modes.ansi_quotes = true;
        if (length == strlen("NO_BACKSLASH_ESCAPES") &&
            strncasecmp(sql_mode, "NO_BACKSLASH_ESCAPES", length) == 0)
            modes.no_backslash_escapes = true;
        sql_mode += length;
        if (*sql_mode == ',')
            sql_mode++;
    }
    return modes;
}
