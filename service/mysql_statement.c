#include "mysql_statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byte_buffer.h"

static int fail_memory(struct error *err)
{
    return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the statement");
}

/* Neither parameters nor markers, however it is read. */
static bool is_as_sent(const char *sql)
{
    return strpbrk(sql, ":?") == NULL;
}

static size_t count_parameters(const char *sql, struct mysql_modes modes)
{
    struct mysql_lexer lexer;
    struct mysql_token token;
    size_t count = 0;

    if (is_as_sent(sql))
        return 0;
    mysql_lexer_init(&lexer, sql, modes);
    while ((token = mysql_lexer_next(&lexer)).kind != MYSQL_TOKEN_END)
        count += token.kind == MYSQL_TOKEN_PARAMETER;
    return count;
}

static int fail_marker(struct error *err)
{
    error_set(err, ERROR_SQL_ERROR,
              "The statement has a parameter marker '?'; write :name and give params.");
    snprintf(err->sqlstate, sizeof(err->sqlstate), "07001");
    return -1;
}

/* Copies the text up to each parameter and puts `?` in its place. */
static int fill(const char *sql, struct mysql_modes modes, struct mysql_statement *statement,
                struct byte_buffer *text, struct error *err)
{
    struct mysql_lexer lexer;
    struct mysql_token token;
    const char *copied = sql;
    bool as_sent = is_as_sent(sql);

    mysql_lexer_init(&lexer, sql, modes);
    while (!as_sent && (token = mysql_lexer_next(&lexer)).kind != MYSQL_TOKEN_END) {
        if (token.kind == MYSQL_TOKEN_MARKER)
            return fail_marker(err);
        if (token.kind != MYSQL_TOKEN_PARAMETER)
            continue;
        byte_buffer_append(text, copied, (size_t)(token.start - copied));
        byte_buffer_append_char(text, '?');
        copied = token.start + token.length;
        statement->names[statement->count] = strndup(token.start + 1, token.length - 1);
        if (statement->names[statement->count++] == NULL)
            return fail_memory(err);
    }
    byte_buffer_append_text(text, copied);
    byte_buffer_append_char(text, '\0');
    return text->failed ? fail_memory(err) : 0;
}

int mysql_statement_parse(const char *sql, struct mysql_modes modes,
                          struct mysql_statement *ret_statement, struct error *err)
{
    struct mysql_statement statement = {0};
    struct byte_buffer text = {0};

    statement.names = calloc(count_parameters(sql, modes) + 1, sizeof(*statement.names));
    if (statement.names == NULL)
        return fail_memory(err);
    if (fill(sql, modes, &statement, &text, err) != 0) {
        byte_buffer_done(&text);
        mysql_statement_done(&statement);
        return -1;
    }
    statement.text = text.data;
    *ret_statement = statement;
    return 0;
}

/* Equal texts have equal names: what stands between the `?` is the same. */
static bool same_text(const char *sql, struct mysql_modes one, struct mysql_modes other)
{
    struct mysql_statement first = {0};
    struct mysql_statement second = {0};
    struct error err;
    bool same = false;

    if (mysql_statement_parse(sql, one, &first, &err) == 0 &&
        mysql_statement_parse(sql, other, &second, &err) == 0)
        same = strcmp(first.text, second.text) == 0;
    mysql_statement_done(&first);
    mysql_statement_done(&second);
    return same;
}

bool mysql_statement_is_same_in_all_modes(const char *sql)
{
    const struct mysql_modes usual = {0};

    if (strpbrk(sql, ":?") == NULL || strpbrk(sql, "'\"") == NULL)
        return true;
    return same_text(sql, usual, (struct mysql_modes){true, false}) &&
           same_text(sql, usual, (struct mysql_modes){false, true}) &&
           same_text(sql, usual, (struct mysql_modes){true, true});
}

void mysql_statement_done(struct mysql_statement *statement)
{
    for (size_t i = 0; i < statement->count; i++)
        free(statement->names[i]);
    free(statement->names);
    free(statement->text);
    memset(statement, 0, sizeof(*statement));
}
