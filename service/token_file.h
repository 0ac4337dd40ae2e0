/*
 * token_file: the tokens file, one token a line, and the text of a token.
 *
 *   name=app id=5f2c09a1be44 scope=query,cancel source=main,parquet rate=50/s concurrency=8
 *   added=2026-01-31T09:57:06Z salt=<32 hex digits> sha256=<64 hex digits>
 *
 * (one line), all nine fields once, in any order, with single spaces between them; an
 * empty line and one that begins with '#' are skipped. `source` is a list or `*`; `rate`
 * and `concurrency` are `-` without a limit. A name has at most two lines, so that a
 * caller can change over from one token to the next.
 *
 * A token is "sps_" id "_" secret; the id names the line and is no secret. sha256 is
 * that of the 16 bytes of salt and the 64 characters of the secret. The secret is 256
 * random bits: there is nothing to guess, so a slow hash, made for passwords, would
 * only make each request slow; the salt keeps equal lines of two files apart.   [any]
 */
#ifndef SERVICE_TOKEN_FILE_H
#define SERVICE_TOKEN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "error.h"
#include "rate_limit.h"

#define CALLER_NAME_BYTES 33 /* 32 of a-z A-Z 0-9 . _ -, and NUL */
#define TOKEN_ID_BYTES 13    /* 12 hex digits and NUL */
#define TOKEN_SALT_BYTES 16
#define TOKEN_SECRET_LENGTH 64 /* hex digits */
#define TOKEN_TEXT_BYTES (4 + TOKEN_ID_BYTES + TOKEN_SECRET_LENGTH + 1)
#define TOKEN_SOURCES_BYTES 1024
#define TOKEN_CONCURRENCY_MAX 100000
#define TOKENS_MAX 1000
#define TOKENS_PER_NAME 2

/* What a route asks for; bits. */
enum caller_scope {
    SCOPE_QUERY = 1,
    SCOPE_CANCEL = 2,
    SCOPE_METRICS = 4,
    SCOPE_ADMIN = 8, /* opens no route: widens query and cancel to everybody's queries */
    SCOPE_ALL = 15
};

struct token_entry {
    char name[CALLER_NAME_BYTES];
    char id[TOKEN_ID_BYTES];
    unsigned scopes;
    char sources[TOKEN_SOURCES_BYTES]; /* "main,parquet"; "*" */
    struct rate rate;
    int64_t concurrency; /* queries at once; 0 = no limit */
    char added[21];      /* "2026-01-31T09:57:06Z" */
    unsigned char salt[TOKEN_SALT_BYTES];
    unsigned char sha256[SHA256_BYTES];
};

struct token_list {
    struct token_entry *entries; /* owned */
    size_t count;
};

/* -1: ERROR_BAD_REQUEST; the detail names file and line, never what stands there. */
int token_list_parse(const char *text, size_t length, const char *path, struct token_list *ret_list,
                     struct error *err);
int token_list_read(const char *path, struct token_list *ret_list, struct error *err);
void token_list_done(struct token_list *list);

/* Replaces the file at once or not at all, mode 0600, with the owner it had. */
int token_list_write(const char *path, const struct token_list *list, struct error *err);

/* Appends a copy. -1: without memory, a third one of its name, over TOKENS_MAX. */
int token_list_add(struct token_list *list, const struct token_entry *entry, struct error *err);

/* Fields as the file has them; used by the command line too. -1 names the field. */
int token_entry_set(struct token_entry *entry, const char *field, const char *value,
                    struct error *err);

/* "query,cancel" */
void token_scopes_format(unsigned scopes, char *ret_text, size_t size);

bool token_entry_may_use(const struct token_entry *entry, const char *source);

/* Draws id, salt and secret; *ret_text is the only place where the secret is. */
int token_entry_draw(struct token_entry *entry, char ret_text[TOKEN_TEXT_BYTES], struct error *err);

/* Cuts "sps_<id>_<secret>" into its parts; both borrowed from `text`, not terminated. */
bool token_text_split(const char *text, const char **ret_id, const char **ret_secret);

/* The hash of a secret under a salt; false without memory. */
bool token_secret_hash(const unsigned char salt[TOKEN_SALT_BYTES], const char *secret,
                       unsigned char ret_hash[SHA256_BYTES]);

#endif
