#include "sources_file.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query_syntax.h"
#include "secret_file.h"
#include "utf8.h"

#define FILE_MAX_BYTES (256 * 1024)
#define PEM_MAX_BYTES (1024 * 1024)
#define PASSWORD_MAX_BYTES 512
#define PATH_MAX_BYTES 4000
#define TIMEOUT_MAX_MS 86400000
#define CONNECT_TIMEOUT_MAX_MS 60000
#define POOL_SIZE_MAX 256
#define DEFAULT_PORT 3306

/* What a member is read into, and where in the file we are. */
struct reader {
    char place[160]; /* "sources.main.tls" */
    bool is_private; /* the file may hold a password */
    struct mysql_target *target;
    struct error *err;
};

struct member {
    const char *name;
    int (*read)(struct reader *reader, const char *name, const json_t *value);
};

__attribute__((format(printf, 3, 4))) static int fail(const struct reader *reader, const char *name,
                                                      const char *format, ...)
{
    char why[256];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    return error_set(reader->err, ERROR_BAD_REQUEST, "SOURCES_FILE: %s%s%s: %s", reader->place,
                     name[0] != '\0' ? "." : "", name, why);
}

/* ---- values ---- */

static int take_text(struct reader *reader, const char *name, const json_t *value, size_t max_bytes,
                     char **slot)
{
    const char *text = json_string_value(value);

    if (text == NULL)
        return fail(reader, name, "must be a string");
    if (strlen(text) != json_string_length(value))
        return fail(reader, name, "has a NUL");
    if (strlen(text) > max_bytes)
        return fail(reader, name, "is longer than %zu bytes", max_bytes);
    *slot = strdup(text);
    return *slot != NULL ? 0 : error_set(reader->err, ERROR_ENGINE_ERROR, "out of memory");
}

static int take_checked(struct reader *reader, const char *name, const json_t *value,
                        bool (*check)(const char *text), const char *wanted, char **slot)
{
    if (take_text(reader, name, value, PATH_MAX_BYTES, slot) != 0)
        return -1;
    return check(*slot) ? 0 : fail(reader, name, "%s", wanted);
}

static int take_number(struct reader *reader, const char *name, const json_t *value,
                       int64_t minimum, int64_t maximum, int64_t *ret_number)
{
    if (!json_is_integer(value) || json_integer_value(value) < minimum ||
        json_integer_value(value) > maximum)
        return fail(reader, name, "must be a whole number from %lld to %lld", (long long)minimum,
                    (long long)maximum);
    *ret_number = json_integer_value(value);
    return 0;
}

/* A PEM file (RFC 7468) that has a part of that label. */
static int take_pem(struct reader *reader, const char *name, const json_t *value, const char *label,
                    char **slot)
{
    char begin[64];
    char place[200];
    struct secret_file file;
    bool found = false;

    if (take_text(reader, name, value, PATH_MAX_BYTES, slot) != 0)
        return -1;
    if ((*slot)[0] != '/')
        return fail(reader, name, "must be an absolute path");
    snprintf(place, sizeof(place), "SOURCES_FILE: %s.%s", reader->place, name);
    if (secret_file_read(place, *slot, PEM_MAX_BYTES, &file, reader->err) != 0)
        return -1;
    snprintf(begin, sizeof(begin), "-----BEGIN %s-----", label);
    found = strstr(file.text, begin) != NULL;
    secret_file_done(&file);
    return found ? 0 : fail(reader, name, "%s has no '%s'", *slot, begin);
}

/* ---- the members ---- */

static int read_host(struct reader *reader, const char *name, const json_t *value)
{
    return take_checked(reader, name, value, query_syntax_is_host,
                        "must be a DNS name or an IP address", &reader->target->host);
}

static int read_port(struct reader *reader, const char *name, const json_t *value)
{
    int64_t port = 0;

    if (take_number(reader, name, value, 1, 65535, &port) != 0)
        return -1;
    reader->target->port = (int)port;
    return 0;
}

static int read_user(struct reader *reader, const char *name, const json_t *value)
{
    return take_checked(reader, name, value, query_syntax_is_account_name,
                        "has a character that is not allowed", &reader->target->user);
}

static int read_database(struct reader *reader, const char *name, const json_t *value)
{
    return take_checked(reader, name, value, query_syntax_is_account_name,
                        "has a character that is not allowed", &reader->target->database);
}

static int fail_second_password(const struct reader *reader, const char *name)
{
    return fail(reader, name, "password and password_file are both given");
}

static int read_password(struct reader *reader, const char *name, const json_t *value)
{
    if (!reader->is_private)
        return fail(reader, name,
                    "the file can be read by others than its owner; use password_file, or mode "
                    "0600");
    if (reader->target->password != NULL)
        return fail_second_password(reader, name);
    return take_text(reader, name, value, PASSWORD_MAX_BYTES, &reader->target->password);
}

static int read_password_file(struct reader *reader, const char *name, const json_t *value)
{
    char *path = NULL;
    char place[200];
    int rc = take_text(reader, name, value, PATH_MAX_BYTES, &path);

    snprintf(place, sizeof(place), "SOURCES_FILE: %s.%s", reader->place, name);
    if (rc == 0 && path[0] != '/')
        rc = fail(reader, name, "must be an absolute path");
    if (rc == 0 && reader->target->password != NULL)
        rc = fail_second_password(reader, name);
    if (rc == 0)
        rc = secret_file_read_line(place, path, &reader->target->password, reader->err);
    if (rc == 0 && (strlen(reader->target->password) > PASSWORD_MAX_BYTES ||
                    !utf8_is_valid(reader->target->password, strlen(reader->target->password))))
        rc = fail(reader, name, "the password is longer than %d bytes or not UTF-8",
                  PASSWORD_MAX_BYTES);
    free(path);
    return rc;
}

static int read_pool_size(struct reader *reader, const char *name, const json_t *value)
{
    return take_number(reader, name, value, 1, POOL_SIZE_MAX, &reader->target->pool_size);
}

static int read_engine(struct reader *reader, const char *name, const json_t *value)
{
    const char *text = json_string_value(value);

    if (text != NULL && strcmp(text, "auto") == 0)
        reader->target->engine = ENGINE_AUTO;
    else if (text != NULL && strcmp(text, "direct") == 0)
        reader->target->engine = ENGINE_DIRECT;
    else if (text != NULL && strcmp(text, "spark") == 0)
        reader->target->engine = ENGINE_SPARK;
    else
        return fail(reader, name, "must be auto, direct or spark");
    return 0;
}

static int read_read_only(struct reader *reader, const char *name, const json_t *value)
{
    if (!json_is_boolean(value))
        return fail(reader, name, "must be true or false");
    reader->target->writes = json_is_false(value);
    return 0;
}

static int read_tls_mode(struct reader *reader, const char *name, const json_t *value)
{
    const char *text = json_string_value(value);

    if (text == NULL || !mysql_tls_mode_parse(text, &reader->target->tls.mode))
        return fail(reader, name,
                    "must be disabled, preferred, required, verify_ca or verify_identity");
    return 0;
}

static int read_tls_ca(struct reader *reader, const char *name, const json_t *value)
{
    return take_pem(reader, name, value, "CERTIFICATE", &reader->target->tls.ca);
}

static int read_tls_cert(struct reader *reader, const char *name, const json_t *value)
{
    return take_pem(reader, name, value, "CERTIFICATE", &reader->target->tls.cert);
}

static int read_tls_key(struct reader *reader, const char *name, const json_t *value)
{
    return take_pem(reader, name, value, "PRIVATE KEY", &reader->target->tls.key);
}

static int read_connect_ms(struct reader *reader, const char *name, const json_t *value)
{
    return take_number(reader, name, value, 1, CONNECT_TIMEOUT_MAX_MS, &reader->target->connect_ms);
}

static int read_socket_ms(struct reader *reader, const char *name, const json_t *value)
{
    return take_number(reader, name, value, 1, TIMEOUT_MAX_MS, &reader->target->socket_ms);
}

static int read_query_ms(struct reader *reader, const char *name, const json_t *value)
{
    return take_number(reader, name, value, 1, TIMEOUT_MAX_MS, &reader->target->query_ms);
}

/* ---- objects ---- */

/* Reads each member of `value` by `members`; `name` is the object's own. */
static int read_members(struct reader *reader, const char *name, const json_t *value,
                        const struct member *members)
{
    size_t outer = strlen(reader->place);
    const char *key = NULL;
    json_t *item = NULL;

    if (!json_is_object(value))
        return fail(reader, name, "must be an object");
    if (name[0] != '\0')
        snprintf(reader->place + outer, sizeof(reader->place) - outer, ".%s", name);
    json_object_foreach((json_t *)value, key, item)
    {
        const struct member *member = members;

        while (member->name != NULL && strcmp(member->name, key) != 0)
            member++;
        if (member->name == NULL)
            return fail(reader, "", "'%.64s' is not a member", key);
        if (member->read(reader, key, item) != 0)
            return -1;
    }
    reader->place[outer] = '\0';
    return 0;
}

static int read_tls(struct reader *reader, const char *name, const json_t *value)
{
    static const struct member members[] = {{"mode", read_tls_mode},
                                            {"ca", read_tls_ca},
                                            {"cert", read_tls_cert},
                                            {"key", read_tls_key},
                                            {NULL, NULL}};
    const struct mysql_tls *tls = &reader->target->tls;

    if (read_members(reader, name, value, members) != 0)
        return -1;
    if ((tls->cert == NULL) != (tls->key == NULL))
        return fail(reader, name, "cert and key belong together");
    if ((tls->mode == MYSQL_TLS_VERIFY_CA || tls->mode == MYSQL_TLS_VERIFY_IDENTITY) &&
        tls->ca == NULL)
        return fail(reader, name, "verify_ca and verify_identity need a ca");
    if (tls->mode == MYSQL_TLS_DISABLED && (tls->ca != NULL || tls->cert != NULL))
        return fail(reader, name, "is disabled, yet has certificates");
    return 0;
}

static int read_timeouts(struct reader *reader, const char *name, const json_t *value)
{
    static const struct member members[] = {{"connect_ms", read_connect_ms},
                                            {"socket_ms", read_socket_ms},
                                            {"query_ms", read_query_ms},
                                            {NULL, NULL}};

    return read_members(reader, name, value, members);
}

static const struct member SOURCE_MEMBERS[] = {{"host", read_host},
                                               {"port", read_port},
                                               {"user", read_user},
                                               {"password", read_password},
                                               {"database", read_database},
                                               {"password_file", read_password_file},
                                               {"tls", read_tls},
                                               {"timeouts", read_timeouts},
                                               {"engine", read_engine},
                                               {"pool_size", read_pool_size},
                                               {"read_only", read_read_only},
                                               {NULL, NULL}};

/* Other words of a token's `source`: who may read Parquet must not reach a MySQL of that name. */
static bool is_reserved(const char *name)
{
    static const char *const RESERVED[] = {"parquet", "delta", "iceberg", "config"};

    for (size_t i = 0; i < sizeof(RESERVED) / sizeof(RESERVED[0]); i++) {
        if (strcmp(name, RESERVED[i]) == 0)
            return true;
    }
    return false;
}

static int read_source(struct reader *reader, const char *name, const json_t *value)
{
    struct mysql_target *target = reader->target;

    if (!query_syntax_is_source_name(name))
        return fail(reader, "", "'%.64s' is not a name (letters, digits, _ - .)", name);
    if (strcmp(name, "mysql") == 0)
        return fail(reader, name, "the name stands for all sources together in the health answer");
    if (is_reserved(name))
        return fail(reader, name, "the name stands for something else in a caller's sources");
    target->port = DEFAULT_PORT;
    target->name = strdup(name);
    if (target->name == NULL)
        return error_set(reader->err, ERROR_ENGINE_ERROR, "out of memory");
    if (read_members(reader, name, value, SOURCE_MEMBERS) != 0)
        return -1;
    if (target->host == NULL || target->user == NULL)
        return fail(reader, name, "%s is missing", target->host == NULL ? "host" : "user");
    if (target->password == NULL && (target->password = strdup("")) == NULL)
        return error_set(reader->err, ERROR_ENGINE_ERROR, "out of memory");
    return 0;
}

static int read_sources(struct reader *reader, const json_t *tree, struct mysql_target *targets,
                        size_t *count)
{
    const json_t *sources = json_object_get(tree, "sources");
    const char *key = NULL;
    json_t *item = NULL;

    json_object_foreach((json_t *)tree, key, item)
    {
        if (strcmp(key, "sources") != 0)
            return error_set(reader->err, ERROR_BAD_REQUEST,
                             "SOURCES_FILE: '%.64s' is not a member", key);
    }
    snprintf(reader->place, sizeof(reader->place), "sources");
    if (!json_is_object(sources))
        return fail(reader, "", "must be an object");
    if (json_object_size(sources) > SOURCES_FILE_SOURCES_MAX)
        return fail(reader, "", "more than %d", SOURCES_FILE_SOURCES_MAX);
    json_object_foreach((json_t *)sources, key, item)
    {
        reader->target = &targets[(*count)++];
        if (read_source(reader, key, item) != 0)
            return -1;
    }
    return 0;
}

/* The parsed tree has copies of passwords of its own. */
static void wipe_passwords(const json_t *tree)
{
    const char *key = NULL;
    json_t *item = NULL;

    json_object_foreach(json_object_get(tree, "sources"), key, item)
    {
        const json_t *password = json_object_get(item, "password");

        if (json_is_string(password))
            explicit_bzero((char *)json_string_value(password), json_string_length(password));
    }
}

int sources_file_read(const char *path, struct mysql_target **ret_targets, size_t *ret_count,
                      struct error *err)
{
    struct mysql_target *targets = calloc(SOURCES_FILE_SOURCES_MAX, sizeof(*targets));
    struct reader reader = {.err = err};
    struct secret_file file = {0};
    json_t *tree = NULL;
    json_error_t where;
    size_t count = 0;
    int rc = -1;

    if (targets == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    if (secret_file_read("SOURCES_FILE", path, FILE_MAX_BYTES, &file, err) != 0)
        goto out;
    reader.is_private = file.is_private;
    tree = json_loadb(file.text, file.length, JSON_REJECT_DUPLICATES, &where);
    if (tree == NULL) /* the parser's own words would repeat what it stumbled over */
        error_set(err, ERROR_BAD_REQUEST,
                  "SOURCES_FILE: %s is not valid JSON at line %d, column %d", path, where.line,
                  where.column);
    else if (!json_is_object(tree))
        error_set(err, ERROR_BAD_REQUEST, "SOURCES_FILE: must be an object");
    else
        rc = read_sources(&reader, tree, targets, &count);
out:
    wipe_passwords(tree);
    json_decref(tree);
    secret_file_done(&file);
    if (rc == 0) {
        *ret_targets = targets;
        *ret_count = count;
    } else {
        sources_file_done(targets, count);
    }
    return rc;
}

void sources_file_done(struct mysql_target *targets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mysql_target_done(&targets[i]);
    free(targets);
}
