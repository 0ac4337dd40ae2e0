/*
 * A MySQL statement -> tokens, the gate's verdict and the prepared form. First
 * byte: the sql_mode. What is prepared must read as the same tokens, with `?`
 * where a name stood.
 */
#include <string.h>

#include "../../service/mysql_gate.h"
#include "../../service/mysql_statement.h"
#include "input.h"

/* Tokens lie in the text, one behind the other; counts what a parameter may be. */
static size_t count_tokens(const char *text, struct mysql_modes modes, enum mysql_token_kind kind)
{
    struct mysql_lexer lexer;
    const char *behind = text;
    const char *end = text + strlen(text);
    size_t count = 0;

    mysql_lexer_init(&lexer, text, modes);
    for (;;) {
        struct mysql_token token = mysql_lexer_next(&lexer);

        if (token.kind == MYSQL_TOKEN_END)
            return count;
        fuzz_check(token.start >= behind && token.length > 0);
        fuzz_check(token.length <= (size_t)(end - token.start));
        behind = token.start + token.length;
        count += token.kind == kind;
    }
}

static void check_prepared(const char *sql, struct mysql_modes modes,
                           const struct mysql_statement *statement)
{
    size_t names = 0;

    fuzz_check(count_tokens(sql, modes, MYSQL_TOKEN_PARAMETER) == statement->count);
    fuzz_check(count_tokens(statement->text, modes, MYSQL_TOKEN_MARKER) == statement->count);
    fuzz_check(count_tokens(statement->text, modes, MYSQL_TOKEN_PARAMETER) == 0);
    fuzz_check(count_tokens(statement->text, modes, MYSQL_TOKEN_QUOTED) ==
               count_tokens(sql, modes, MYSQL_TOKEN_QUOTED));
    for (size_t i = 0; i < statement->count; i++)
        names += statement->names[i][0] != '\0';
    fuzz_check(names == statement->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint8_t bits = fuzz_take_byte(&input);
    const struct mysql_modes modes = {bits & 1, (bits & 2) != 0};
    struct mysql_statement statement = {0};
    struct error err = {0};
    size_t length = 0;
    char *sql = fuzz_take_rest(&input, &length);

    count_tokens(sql, modes, MYSQL_TOKEN_WORD);
    if (mysql_statement_parse(sql, modes, &statement, &err) == 0) {
        check_prepared(sql, modes, &statement);
        mysql_statement_done(&statement);
    } else {
        fuzz_check(err.code == ERROR_SQL_ERROR);
    }
    if (mysql_gate_check(sql, modes, &err) != 0)
        fuzz_check(err.code == ERROR_FORBIDDEN || err.code == ERROR_SQL_ERROR);
    mysql_statement_is_same_in_all_modes(sql);
    mysql_modes_parse(sql);
    free(sql);
    return 0;
}
