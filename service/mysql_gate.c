#include "mysql_gate.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define WORD_BYTES 65 /* longer words are cut: no keyword is that long */

static const char *const QUERIES[] = {"SELECT", "WITH", "VALUES", "TABLE", NULL};
/* What else may follow the definitions of a WITH. */
static const char *const WITH_WRITES[] = {"DELETE", "UPDATE", "INSERT", "REPLACE", NULL};
static const char *const SHOWN[] = {"TABLES", "COLUMNS", "FIELDS", NULL};
static const char *const SHOW_MODIFIERS[] = {"FULL", "EXTENDED", NULL};
/* DESCRIBE before one of these is EXPLAIN, which can run a statement. */
static const char *const EXPLAINED[] = {"SELECT",     "INSERT", "UPDATE", "DELETE",  "REPLACE",
                                        "WITH",       "TABLE",  "VALUES", "ANALYZE", "EXTENDED",
                                        "PARTITIONS", "FORMAT", "FOR",    "(",       NULL};
/* How MySQL's and MariaDB's other statements begin. */
static const char *const OTHER_VERBS[] = {
    "ALTER",   "ANALYZE",   "BACKUP",    "BEGIN",   "BINLOG",   "CACHE",    "CALL",
    "CHANGE",  "CHECK",     "CHECKSUM",  "CLONE",   "COMMIT",   "CREATE",   "DEALLOCATE",
    "DELETE",  "DELIMITER", "DO",        "DROP",    "EXECUTE",  "EXPLAIN",  "FLUSH",
    "GET",     "GRANT",     "HANDLER",   "HELP",    "IMPORT",   "INSERT",   "INSTALL",
    "KILL",    "LOAD",      "LOCK",      "MERGE",   "OPTIMIZE", "PREPARE",  "PURGE",
    "RELEASE", "RENAME",    "REPAIR",    "REPLACE", "RESET",    "RESIGNAL", "RESTART",
    "REVOKE",  "ROLLBACK",  "SAVEPOINT", "SET",     "SHUTDOWN", "SIGNAL",   "START",
    "STOP",    "TRUNCATE",  "UNINSTALL", "UNLOCK",  "UPDATE",   "USE",      "XA",
    NULL};
/* Files of the server; and what tells of the statement before, which was another caller's:
 * MariaDB keeps it over a reset of the session. */
static const char *const REFUSED_WORDS[] = {"OUTFILE", "DUMPFILE", "LOAD_FILE", "FOUND_ROWS", NULL};

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words != NULL && strcmp(*words, word) != 0)
        words++;
    return *words != NULL;
}

static int refuse(struct error *err, const char *word)
{
    return error_set(err, ERROR_FORBIDDEN, "This MySQL statement or clause is not allowed: %s",
                     word);
}

static int fail_syntax(struct error *err, int line, const char *format, const char *word)
{
    error_set(err, ERROR_SQL_ERROR, format, word);
    snprintf(err->sqlstate, sizeof(err->sqlstate), "42000");
    err->line = line;
    return -1;
}

static void upper_case(const struct mysql_token *token, char ret_word[WORD_BYTES])
{
    size_t length = token->length < WORD_BYTES - 1 ? token->length : WORD_BYTES - 1;

    for (size_t i = 0; i < length; i++)
        ret_word[i] = (char)toupper((unsigned char)token->start[i]);
    ret_word[length] = '\0';
}

/* The next upper-case word, "(", or "'" for a quoted part; "" at the end. */
static void next_word(struct mysql_lexer *lexer, char ret_word[WORD_BYTES])
{
    for (;;) {
        struct mysql_token token = mysql_lexer_next(lexer);

        ret_word[0] = '\0';
        if (token.kind == MYSQL_TOKEN_END)
            return;
        if (token.kind == MYSQL_TOKEN_WORD) {
            upper_case(&token, ret_word);
            return;
        }
        if (token.kind == MYSQL_TOKEN_QUOTED || *token.start == '(') {
            snprintf(ret_word, WORD_BYTES, "%s", *token.start == '(' ? "(" : "'");
            return;
        }
    }
}

/* Looks at the whole text for what is refused wherever it stands. */
static int check_everywhere(const char *sql, struct mysql_modes modes, struct error *err)
{
    struct mysql_lexer lexer;
    struct mysql_token token;
    char word[WORD_BYTES];

    mysql_lexer_init(&lexer, sql, modes);
    while ((token = mysql_lexer_next(&lexer)).kind != MYSQL_TOKEN_END) {
        if (token.kind == MYSQL_TOKEN_EXECUTED)
            return refuse(err, "executable comment");
        if (token.kind != MYSQL_TOKEN_WORD)
            continue;
        upper_case(&token, word);
        if (is_one_of(word, REFUSED_WORDS))
            return refuse(err, word);
    }
    return 0;
}

static bool is_allowed_show(struct mysql_lexer *rest)
{
    char word[WORD_BYTES];

    do
        next_word(rest, word);
    while (is_one_of(word, SHOW_MODIFIERS));
    return is_one_of(word, SHOWN);
}

static bool is_allowed_describe(struct mysql_lexer *rest)
{
    char word[WORD_BYTES];

    next_word(rest, word);
    return word[0] != '\0' && !is_one_of(word, EXPLAINED);
}

/* The verb behind the definitions of a WITH, which are all in brackets; "" for a query in
 * brackets. */
static void verb_after_with(struct mysql_lexer *lexer, char ret_word[WORD_BYTES])
{
    int depth = 0;

    for (;;) {
        struct mysql_token token = mysql_lexer_next(lexer);

        ret_word[0] = '\0';
        if (token.kind == MYSQL_TOKEN_END)
            return;
        if (token.kind == MYSQL_TOKEN_OTHER)
            depth += (*token.start == '(') - (*token.start == ')');
        if (token.kind != MYSQL_TOKEN_WORD || depth != 0)
            continue;
        upper_case(&token, ret_word);
        if (is_one_of(ret_word, QUERIES) || is_one_of(ret_word, WITH_WRITES))
            return;
    }
}

static int check_with(struct mysql_lexer *rest, struct error *err)
{
    char verb[WORD_BYTES];

    verb_after_with(rest, verb);
    return is_one_of(verb, WITH_WRITES) ? refuse(err, verb) : 0;
}

static int check_verb(const char *sql, struct mysql_modes modes, struct error *err)
{
    struct mysql_lexer lexer;
    char verb[WORD_BYTES];
    bool in_brackets = false;

    mysql_lexer_init(&lexer, sql, modes);
    for (next_word(&lexer, verb); strcmp(verb, "(") == 0; next_word(&lexer, verb))
        in_brackets = true;
    if (verb[0] == '\0')
        return fail_syntax(err, 0, "%s", "The statement is empty.");
    if (strcmp(verb, "WITH") == 0)
        return check_with(&lexer, err);
    if (is_one_of(verb, QUERIES))
        return 0;
    if (!in_brackets && strcmp(verb, "SHOW") == 0)
        return is_allowed_show(&lexer) ? 0 : refuse(err, verb);
    if (!in_brackets && (strcmp(verb, "DESCRIBE") == 0 || strcmp(verb, "DESC") == 0) &&
        is_allowed_describe(&lexer))
        return 0;
    if (is_one_of(verb, OTHER_VERBS) || strncmp(verb, "DESC", 4) == 0)
        return refuse(err, verb);
    return fail_syntax(err, 1,
                       "A query begins with SELECT, WITH, VALUES, TABLE, SHOW or DESCRIBE, "
                       "not with %s.",
                       verb);
}

int mysql_gate_check(const char *sql, struct mysql_modes modes, struct error *err)
{
    if (check_everywhere(sql, modes, err) != 0)
        return -1;
    return check_verb(sql, modes, err);
}
