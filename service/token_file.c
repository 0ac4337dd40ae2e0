#include "token_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOKEN_PREFIX "sps_"
#define LINE_MAX_BYTES ((size_t)4096)

/* ---- fields ---- */

enum field_bit {
    FIELD_NAME = 1,
    FIELD_ID = 2,
    FIELD_SCOPE = 4,
    FIELD_SOURCE = 8,
    FIELD_RATE = 16,
    FIELD_CONCURRENCY = 32,
    FIELD_ADDED = 64,
    FIELD_SALT = 128,
    FIELD_SHA256 = 256,
    FIELD_ALL = 511
};

static bool is_name(const char *text, size_t max_length)
{
    size_t length = strlen(text);

    if (length == 0 || length > max_length)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("._-", text[i]) == NULL)
            return false;
    }
    return true;
}

static bool set_name(struct token_entry *entry, const char *value)
{
    if (!is_name(value, CALLER_NAME_BYTES - 1))
        return false;
    snprintf(entry->name, sizeof(entry->name), "%s", value);
    return true;
}

static bool set_id(struct token_entry *entry, const char *value)
{
    unsigned char bytes[(TOKEN_ID_BYTES - 1) / 2];

    if (strlen(value) != TOKEN_ID_BYTES - 1 || !hex_parse(value, sizeof(bytes), bytes))
        return false;
    memcpy(entry->id, value, TOKEN_ID_BYTES);
    return true;
}

static const struct {
    const char *name;
    unsigned bit;
} SCOPES[] = {
    {"query", SCOPE_QUERY},
    {"cancel", SCOPE_CANCEL},
    {"metrics", SCOPE_METRICS},
    {"admin", SCOPE_ADMIN},
};

static unsigned scope_bit(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(SCOPES) / sizeof(SCOPES[0]); i++) {
        if (strlen(SCOPES[i].name) == length && memcmp(SCOPES[i].name, name, length) == 0)
            return SCOPES[i].bit;
    }
    return 0;
}

static bool set_scope(struct token_entry *entry, const char *value)
{
    unsigned scopes = 0;

    for (;;) {
        size_t length = strcspn(value, ",");
        unsigned bit = scope_bit(value, length);

        if (bit == 0)
            return false;
        scopes |= bit;
        if (value[length] == '\0')
            break;
        value += length + 1;
    }
    entry->scopes = scopes;
    return true;
}

void token_scopes_format(unsigned scopes, char *ret_text, size_t size)
{
    size_t length = 0;

    ret_text[0] = '\0';
    for (size_t i = 0; i < sizeof(SCOPES) / sizeof(SCOPES[0]) && length < size; i++) {
        if ((scopes & SCOPES[i].bit) != 0)
            length += (size_t)snprintf(ret_text + length, size - length, "%s%s",
                                       length > 0 ? "," : "", SCOPES[i].name);
    }
}

static bool set_source(struct token_entry *entry, const char *value)
{
    char name[TOKEN_SOURCES_BYTES];
    const char *at = value;

    if (strlen(value) >= sizeof(entry->sources))
        return false;
    for (; strcmp(value, "*") != 0;) {
        size_t length = strcspn(at, ",");

        memcpy(name, at, length);
        name[length] = '\0';
        if (!is_name(name, sizeof(name) - 1))
            return false;
        if (at[length] == '\0')
            break;
        at += length + 1;
    }
    snprintf(entry->sources, sizeof(entry->sources), "%s", value);
    return true;
}

bool token_entry_may_use(const struct token_entry *entry, const char *source)
{
    const char *at = entry->sources;
    size_t wanted = strlen(source);

    if (strcmp(at, "*") == 0)
        return true;
    for (;;) {
        size_t length = strcspn(at, ",");

        if (length == wanted && memcmp(at, source, length) == 0)
            return true;
        if (at[length] == '\0')
            return false;
        at += length + 1;
    }
}

static bool set_rate(struct token_entry *entry, const char *value)
{
    return rate_parse(value, &entry->rate);
}

static bool set_concurrency(struct token_entry *entry, const char *value)
{
    char *end = NULL;
    long long number = 0;

    if (strcmp(value, "-") == 0) {
        entry->concurrency = 0;
        return true;
    }
    if (!isdigit((unsigned char)value[0]))
        return false;
    number = strtoll(value, &end, 10);
    if (*end != '\0' || number < 1 || number > TOKEN_CONCURRENCY_MAX)
        return false;
    entry->concurrency = number;
    return true;
}

static bool set_added(struct token_entry *entry, const char *value)
{
    struct tm utc = {0};
    const char *end = strptime(value, "%Y-%m-%dT%H:%M:%SZ", &utc);

    if (strlen(value) != sizeof(entry->added) - 1 || end == NULL || *end != '\0')
        return false;
    memcpy(entry->added, value, sizeof(entry->added));
    return true;
}

static bool set_salt(struct token_entry *entry, const char *value)
{
    return strlen(value) == sizeof(entry->salt) * 2 &&
           hex_parse(value, sizeof(entry->salt), entry->salt);
}

static bool set_sha256(struct token_entry *entry, const char *value)
{
    return strlen(value) == sizeof(entry->sha256) * 2 &&
           hex_parse(value, sizeof(entry->sha256), entry->sha256);
}

static const struct field {
    const char *name;
    unsigned bit;
    bool (*set)(struct token_entry *entry, const char *value);
    const char *form;
} FIELDS[] = {
    {"name", FIELD_NAME, set_name, "1 to 32 of letters, digits, '.', '_' and '-'"},
    {"id", FIELD_ID, set_id, "12 hexadecimal digits"},
    {"scope", FIELD_SCOPE, set_scope, "some of query,cancel,metrics,admin"},
    {"source", FIELD_SOURCE, set_source, "names of sources, or *"},
    {"rate", FIELD_RATE, set_rate,
     "requests a second, minute or hour as 50/s, 600/m, 1000/h, or -"},
    {"concurrency", FIELD_CONCURRENCY, set_concurrency, "1 to 100000 queries, or -"},
    {"added", FIELD_ADDED, set_added, "a time as 2026-01-31T09:57:06Z"},
    {"salt", FIELD_SALT, set_salt, "32 hexadecimal digits"},
    {"sha256", FIELD_SHA256, set_sha256, "64 hexadecimal digits"},
};

static const struct field *find_field(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++) {
        if (strlen(FIELDS[i].name) == length && memcmp(FIELDS[i].name, name, length) == 0)
            return &FIELDS[i];
    }
    return NULL;
}

int token_entry_set(struct token_entry *entry, const char *field, const char *value,
                    struct error *err)
{
    const struct field *found = find_field(field, strlen(field));

    if (found == NULL)
        return error_set(err, ERROR_BAD_REQUEST, "no such field");
    if (!found->set(entry, value))
        return error_set(err, ERROR_BAD_REQUEST, "%s: has to be %s", found->name, found->form);
    return 0;
}

/* ---- lines ---- */

/* `line` is cut at its spaces. Values are not repeated in messages: one may be a token
 * that somebody put there by mistake. */
static int parse_line(char *line, struct token_entry *ret_entry, struct error *err)
{
    struct token_entry entry = {0};
    unsigned seen = 0;
    char *word = NULL;

    while ((word = strsep(&line, " ")) != NULL) {
        char *equals = strchr(word, '=');
        const struct field *field =
            equals != NULL ? find_field(word, (size_t)(equals - word)) : NULL;

        if (field == NULL)
            return error_set(err, ERROR_BAD_REQUEST, "not a field of a token");
        if ((seen & field->bit) != 0)
            return error_set(err, ERROR_BAD_REQUEST, "%s: is there twice", field->name);
        if (!field->set(&entry, equals + 1))
            return error_set(err, ERROR_BAD_REQUEST, "%s: has to be %s", field->name, field->form);
        seen |= field->bit;
    }
    for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++) {
        if ((seen & FIELDS[i].bit) == 0)
            return error_set(err, ERROR_BAD_REQUEST, "%s: is missing", FIELDS[i].name);
    }
    *ret_entry = entry;
    return 0;
}

int token_list_add(struct token_list *list, const struct token_entry *entry, struct error *err)
{
    struct token_entry *grown = NULL;
    size_t namesakes = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->entries[i].id, entry->id) == 0)
            return error_set(err, ERROR_BAD_REQUEST, "id: is another line's too");
        namesakes += strcmp(list->entries[i].name, entry->name) == 0;
    }
    if (namesakes >= TOKENS_PER_NAME)
        return error_set(err, ERROR_BAD_REQUEST, "%s has two tokens already; remove the older",
                         entry->name);
    if (list->count >= TOKENS_MAX)
        return error_set(err, ERROR_BAD_REQUEST, "more than %d tokens", TOKENS_MAX);
    grown = reallocarray(list->entries, list->count + 1, sizeof(*grown));
    if (grown == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    list->entries = grown;
    list->entries[list->count++] = *entry;
    return 0;
}

/* One line of the file, not terminated. */
static int parse_one(const char *text, size_t length, struct token_list *list, struct error *err)
{
    struct token_entry entry;
    char line[LINE_MAX_BYTES];

    if (length >= sizeof(line) || memchr(text, '\0', length) != NULL)
        return error_set(err, ERROR_BAD_REQUEST, "not a line of text, or too long");
    if (length == 0 || text[0] == '#')
        return 0;
    memcpy(line, text, length);
    line[length] = '\0';
    if (parse_line(line, &entry, err) != 0)
        return -1;
    return token_list_add(list, &entry, err);
}

int token_list_parse(const char *text, size_t length, const char *path, struct token_list *ret_list,
                     struct error *err)
{
    struct token_list list = {0};
    struct error inner;
    size_t at = 0;

    for (int number = 1; at < length; number++) {
        const char *newline = memchr(text + at, '\n', length - at);
        size_t end = newline != NULL ? (size_t)(newline - text) : length;

        if (parse_one(text + at, end - at, &list, &inner) != 0) {
            token_list_done(&list);
            return error_set(err, inner.code, "%s:%d: %s", path, number, inner.detail);
        }
        at = end + 1;
    }
    *ret_list = list;
    return 0;
}

void token_list_done(struct token_list *list)
{
    free(list->entries);
    *list = (struct token_list){0};
}

/* ---- the token's text ---- */

int token_entry_draw(struct token_entry *entry, char ret_text[TOKEN_TEXT_BYTES], struct error *err)
{
    unsigned char id[(TOKEN_ID_BYTES - 1) / 2];
    unsigned char secret[TOKEN_SECRET_LENGTH / 2];
    char secret_text[TOKEN_SECRET_LENGTH + 1];

    if (!random_bytes(id, sizeof(id)) || !random_bytes(secret, sizeof(secret)) ||
        !random_bytes(entry->salt, sizeof(entry->salt)))
        return error_set(err, ERROR_ENGINE_ERROR, "the kernel gives no random bytes");
    hex_format(id, sizeof(id), entry->id);
    hex_format(secret, sizeof(secret), secret_text);
    snprintf(ret_text, TOKEN_TEXT_BYTES, TOKEN_PREFIX "%s_%s", entry->id, secret_text);
    explicit_bzero(secret, sizeof(secret));
    if (!token_secret_hash(entry->salt, secret_text, entry->sha256))
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    explicit_bzero(secret_text, sizeof(secret_text));
    return 0;
}

bool token_text_split(const char *text, const char **ret_id, const char **ret_secret)
{
    const size_t prefix = strlen(TOKEN_PREFIX);

    if (strlen(text) != TOKEN_TEXT_BYTES - 1 || memcmp(text, TOKEN_PREFIX, prefix) != 0 ||
        text[prefix + TOKEN_ID_BYTES - 1] != '_')
        return false;
    *ret_id = text + prefix;
    *ret_secret = text + prefix + TOKEN_ID_BYTES;
    return true;
}

bool token_secret_hash(const unsigned char salt[TOKEN_SALT_BYTES], const char *secret,
                       unsigned char ret_hash[SHA256_BYTES])
{
    unsigned char salted[TOKEN_SALT_BYTES + TOKEN_SECRET_LENGTH];
    bool hashed = false;

    memcpy(salted, salt, TOKEN_SALT_BYTES);
    memcpy(salted + TOKEN_SALT_BYTES, secret, TOKEN_SECRET_LENGTH);
    hashed = digest_sha256(salted, sizeof(salted), ret_hash);
    explicit_bzero(salted, sizeof(salted));
    return hashed;
}
