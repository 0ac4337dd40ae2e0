#include "query_request.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "query_params.h"
#include "query_syntax.h"

#define PATH_MAX_BYTES 4096
#define NAME_MAX_BYTES 512
#define PASSWORD_MAX_BYTES 512
#define QUEUE_TIMEOUT_MS_MAX 600000

#define IN(source) (1u << QUERY_##source)
#define IN_FILES (IN(PARQUET) | IN(DELTA) | IN(ICEBERG))
#define IN_ALL (IN_FILES | IN(MYSQL))

struct reader {
    struct query_request *request;
    const struct query_limits *limits;
    struct error *err;
    bool has_on_wait;
};

static int fail(struct reader *reader, const char *field, const char *reason)
{
    return error_set(reader->err, ERROR_BAD_REQUEST, "%.128s: %s", field, reason);
}

static int fail_memory(struct reader *reader)
{
    return error_set(reader->err, ERROR_ENGINE_ERROR, "out of memory for the request");
}

/* Gives a copy of a string of 1..max_bytes bytes. It has no NUL: read_fields refuses them. */
static int read_text(struct reader *reader, const char *field, const json_t *value,
                     size_t max_bytes, char **ret_text)
{
    if (!json_is_string(value))
        return fail(reader, field, "must be a string");
    if (json_string_length(value) == 0)
        return fail(reader, field, "must not be empty");
    if (json_string_length(value) > max_bytes)
        return error_set(reader->err, ERROR_BAD_REQUEST, "%.128s: must have at most %zu bytes",
                         field, max_bytes);
    char *text = strdup(json_string_value(value));
    if (text == NULL)
        return fail_memory(reader);
    *ret_text = text;
    return 0;
}

static int read_checked(struct reader *reader, const char *field, const json_t *value,
                        bool (*is_valid)(const char *), const char *rule, char **ret_text)
{
    if (json_is_string(value) && json_string_length(value) > 0 &&
        json_string_length(value) <= NAME_MAX_BYTES && !is_valid(json_string_value(value)))
        return fail(reader, field, rule);
    return read_text(reader, field, value, NAME_MAX_BYTES, ret_text);
}

static int read_integer(struct reader *reader, const char *field, const json_t *value,
                        int64_t minimum, int64_t maximum, int64_t *ret_number)
{
    if (json_is_integer(value) && json_integer_value(value) >= minimum &&
        json_integer_value(value) <= maximum) {
        *ret_number = json_integer_value(value);
        return 0;
    }
    if (maximum == INT64_MAX)
        return error_set(reader->err, ERROR_BAD_REQUEST,
                         "%.128s: must be an integer, at least %lld", field, (long long)minimum);
    return error_set(reader->err, ERROR_BAD_REQUEST, "%.128s: must be an integer from %lld to %lld",
                     field, (long long)minimum, (long long)maximum);
}

/* Finds a string among `names`; its place is the enum's value. */
static int read_choice(struct reader *reader, const char *field, const json_t *value,
                       const char *const *names, int count, const char *rule, int *ret_choice)
{
    for (int i = 0; json_is_string(value) && i < count; i++) {
        if (strcmp(json_string_value(value), names[i]) == 0) {
            *ret_choice = i;
            return 0;
        }
    }
    return fail(reader, field, rule);
}

static int read_sql(struct reader *reader, const json_t *value)
{
    if (read_text(reader, "sql", value, QUERY_SQL_MAX_BYTES, &reader->request->sql) < 0)
        return -1;
    if (reader->request->sql[strspn(reader->request->sql, " \t\r\n")] == '\0')
        return fail(reader, "sql", "must not be empty");
    return 0;
}

static bool holds_nul(const json_t *value)
{
    const json_t *item;
    const char *key;
    size_t i;

    if (json_is_string(value))
        return strlen(json_string_value(value)) != json_string_length(value);
    json_array_foreach(value, i, item)
    {
        if (holds_nul(item))
            return true;
    }
    json_object_foreach((json_t *)value, key, item)
    {
        if (holds_nul(item))
            return true;
    }
    return false;
}

static int read_path(struct reader *reader, const json_t *value)
{
    if (holds_nul(value))
        return error_set(reader->err, ERROR_FORBIDDEN, "path has a NUL character");
    return read_text(reader, "path", value, PATH_MAX_BYTES, &reader->request->path);
}

static int read_table(struct reader *reader, const json_t *value)
{
    return read_checked(reader, "table", value, query_syntax_is_table,
                        "must be db.table or catalog.db.table", &reader->request->table);
}

static int read_params(struct reader *reader, const json_t *value)
{
    return query_params_check(value, &reader->request->params_json, reader->err);
}

static int read_config_source(struct reader *reader, const json_t *value)
{
    return read_checked(reader, "config.source", value, query_syntax_is_source_name,
                        "must be the name of a source", &reader->request->config.source);
}

static int read_config_host(struct reader *reader, const json_t *value)
{
    return read_checked(reader, "config.host", value, query_syntax_is_host,
                        "must be a DNS name or an IP address", &reader->request->config.host);
}

static int read_config_port(struct reader *reader, const json_t *value)
{
    int64_t port = 0;

    if (read_integer(reader, "config.port", value, 1, 65535, &port) < 0)
        return -1;
    reader->request->config.port = (int)port;
    return 0;
}

static int read_config_user(struct reader *reader, const json_t *value)
{
    return read_checked(reader, "config.user", value, query_syntax_is_account_name,
                        "has a character that is not allowed", &reader->request->config.user);
}

/* An account without a password has the empty one. */
static int read_config_password(struct reader *reader, const json_t *value)
{
    if (json_is_string(value) && json_string_length(value) == 0) {
        reader->request->config.password = strdup("");
        return reader->request->config.password != NULL ? 0 : fail_memory(reader);
    }
    return read_text(reader, "config.password", value, PASSWORD_MAX_BYTES,
                     &reader->request->config.password);
}

static int read_config_database(struct reader *reader, const json_t *value)
{
    return read_checked(reader, "config.database", value, query_syntax_is_account_name,
                        "has a character that is not allowed", &reader->request->config.database);
}

static int read_version(struct reader *reader, const json_t *value)
{
    reader->request->as_of.has_version = true;
    return read_integer(reader, "as_of.version", value, 0, INT64_MAX,
                        &reader->request->as_of.version);
}

/* JavaScript can't hold a snapshot id in a number, so a string does as well. */
static int read_snapshot_id(struct reader *reader, const json_t *value)
{
    const char *text = json_string_value(value);
    char *end = NULL;

    reader->request->as_of.has_snapshot_id = true;
    if (text == NULL)
        return read_integer(reader, "as_of.snapshot_id", value, 0, INT64_MAX,
                            &reader->request->as_of.snapshot_id);
    errno = 0;
    long long id = strtoll(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
        return fail(reader, "as_of.snapshot_id", "must be a decimal number of at most 64 bits");
    reader->request->as_of.snapshot_id = id;
    return 0;
}

static int read_timestamp(struct reader *reader, const json_t *value)
{
    return read_checked(reader, "as_of.timestamp", value, query_syntax_is_timestamp,
                        "must be a UTC time like 2024-01-31T09:57:06Z",
                        &reader->request->as_of.timestamp);
}

static int read_engine(struct reader *reader, const json_t *value)
{
    static const char *const names[] = {
        [ENGINE_AUTO] = "auto", [ENGINE_DIRECT] = "direct", [ENGINE_SPARK] = "spark"};
    int choice = 0;

    if (read_choice(reader, "engine", value, names, 3, "must be auto, direct or spark", &choice) <
        0)
        return -1;
    reader->request->engine = (enum query_engine)choice;
    if (reader->request->engine != ENGINE_AUTO)
        reader->request->engine_reason = ENGINE_ASKED;
    return 0;
}

static int read_timeout(struct reader *reader, const json_t *value)
{
    return read_integer(reader, "timeout_ms", value, 1, reader->limits->timeout_ms_max,
                        &reader->request->timeout_ms);
}

static int read_queue_timeout(struct reader *reader, const json_t *value)
{
    return read_integer(reader, "queue_timeout_ms", value, 0, QUEUE_TIMEOUT_MS_MAX,
                        &reader->request->queue_timeout_ms);
}

static int read_row_limit(struct reader *reader, const json_t *value)
{
    return read_integer(reader, "row_limit", value, 0, INT64_MAX, &reader->request->row_limit);
}

static int read_byte_limit(struct reader *reader, const json_t *value)
{
    return read_integer(reader, "byte_limit", value, 1, INT64_MAX, &reader->request->byte_limit);
}

static int read_wait(struct reader *reader, const json_t *value)
{
    reader->request->wait_preferred = false;
    return read_integer(reader, "wait_ms", value, 0, QUERY_WAIT_MS_MAX, &reader->request->wait_ms);
}

static int read_on_wait(struct reader *reader, const json_t *value)
{
    static const char *const names[] = {[WAIT_CONTINUE] = "continue", [WAIT_CANCEL] = "cancel"};
    int choice = 0;

    if (read_choice(reader, "on_wait", value, names, 2, "must be continue or cancel", &choice) < 0)
        return -1;
    reader->request->on_wait = (enum query_on_wait)choice;
    reader->has_on_wait = true;
    return 0;
}

static int read_query_id(struct reader *reader, const json_t *value)
{
    if (read_checked(reader, "query_id", value, query_syntax_is_uuid, "must be a UUID",
                     &reader->request->query_id) < 0)
        return -1;
    for (char *c = reader->request->query_id; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c - 'A' + 'a');
    }
    return 0;
}

static int read_tags(struct reader *reader, const json_t *value)
{
    struct query_request *request = reader->request;
    const json_t *item;
    size_t i;

    if (!json_is_array(value) || json_array_size(value) > QUERY_TAGS_MAX)
        return error_set(reader->err, ERROR_BAD_REQUEST,
                         "tags: must be an array of at most %d strings", QUERY_TAGS_MAX);
    json_array_foreach(value, i, item)
    {
        if (json_is_string(item) && !query_syntax_is_tag(json_string_value(item)))
            return fail(reader, "tags", "a tag must not have spaces or control characters");
        if (read_text(reader, "tags", item, QUERY_TAG_MAX_BYTES, &request->tags[i]) < 0)
            return -1;
        request->tag_count = i + 1;
    }
    return 0;
}

static int read_cache(struct reader *reader, const json_t *value)
{
    static const char *const names[] = {
        [CACHE_USE] = "use", [CACHE_REFRESH] = "refresh", [CACHE_OFF] = "off"};
    int choice = 0;

    if (read_choice(reader, "cache", value, names, 3, "must be use, refresh or off", &choice) < 0)
        return -1;
    reader->request->cache = (enum query_cache_mode)choice;
    return 0;
}

static int read_numbers(struct reader *reader, const json_t *value)
{
    static const char *const names[] = {"native", "string"};
    int choice = 0;

    if (read_choice(reader, "numbers", value, names, 2, "must be native or string", &choice) < 0)
        return -1;
    reader->request->numbers_as_strings = choice == 1;
    return 0;
}

static int read_config(struct reader *reader, const json_t *value);
static int read_as_of(struct reader *reader, const json_t *value);

/* Everything a caller may send, and where. */
struct field {
    const char *name; /* with the object it is in, as messages say it */
    unsigned sources;
    int (*read)(struct reader *reader, const json_t *value);
};

static const struct field body_fields[] = {
    {"sql", IN_ALL, read_sql},
    {"path", IN_FILES, read_path},
    {"table", IN(DELTA) | IN(ICEBERG), read_table},
    {"config", IN(MYSQL), read_config},
    {"params", IN_ALL, read_params},
    {"as_of", IN(DELTA) | IN(ICEBERG), read_as_of},
    {"engine", IN(MYSQL), read_engine},
    {"timeout_ms", IN_ALL, read_timeout},
    {"queue_timeout_ms", IN_ALL, read_queue_timeout},
    {"row_limit", IN_ALL, read_row_limit},
    {"byte_limit", IN_ALL, read_byte_limit},
    {"wait_ms", IN_ALL, read_wait},
    {"on_wait", IN_ALL, read_on_wait},
    {"query_id", IN_ALL, read_query_id},
    {"tags", IN_ALL, read_tags},
    {"cache", IN_ALL, read_cache},
    {"numbers", IN_ALL, read_numbers},
    {NULL, 0, NULL},
};

static const struct field config_fields[] = {
    {"config.source", IN(MYSQL), read_config_source},
    {"config.host", IN(MYSQL), read_config_host},
    {"config.port", IN(MYSQL), read_config_port},
    {"config.user", IN(MYSQL), read_config_user},
    {"config.password", IN(MYSQL), read_config_password},
    {"config.database", IN(MYSQL), read_config_database},
    {NULL, 0, NULL},
};

static const struct field as_of_fields[] = {
    {"as_of.version", IN(DELTA), read_version},
    {"as_of.snapshot_id", IN(ICEBERG), read_snapshot_id},
    {"as_of.timestamp", IN(DELTA) | IN(ICEBERG), read_timestamp},
    {NULL, 0, NULL},
};

/* `prefix` is what the table's names have before the object's own keys: "", "config.". */
static int read_fields(struct reader *reader, const json_t *object, const char *prefix,
                       const struct field *fields)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        const struct field *field = fields;

        while (field->name != NULL && strcmp(field->name + strlen(prefix), key) != 0)
            field++;
        if (field->name == NULL)
            return error_set(reader->err, ERROR_BAD_REQUEST, "unknown field %s%.128s", prefix, key);
        if ((field->sources & 1u << reader->request->source) == 0)
            return error_set(reader->err, ERROR_BAD_REQUEST, "%s: is not a field of %s queries",
                             field->name, query_source_name(reader->request->source));
        if (field->read != read_path && holds_nul(value))
            return fail(reader, field->name, "must not have a NUL character");
        if (field->read(reader, value) < 0)
            return -1;
    }
    return 0;
}

static int read_config(struct reader *reader, const json_t *value)
{
    const struct query_mysql_config *config = &reader->request->config;

    if (!json_is_object(value))
        return fail(reader, "config", "must be an object");
    if (read_fields(reader, value, "config.", config_fields) < 0)
        return -1;
    if (config->source != NULL && json_object_size(value) > 1)
        return fail(reader, "config.source",
                    "stands alone, without host, port, user, password "
                    "and database");
    if (config->source == NULL && config->host == NULL && json_object_size(value) > 0)
        return fail(reader, "config.host", "is required unless config.source is given");
    return 0;
}

static int read_as_of(struct reader *reader, const json_t *value)
{
    if (!json_is_object(value))
        return fail(reader, "as_of", "must be an object");
    if (read_fields(reader, value, "as_of.", as_of_fields) < 0)
        return -1;
    if (json_object_size(value) != 1)
        return fail(reader, "as_of", "must have exactly one field");
    return 0;
}

static int check_together(struct reader *reader)
{
    const struct query_request *request = reader->request;

    if (request->sql == NULL)
        return fail(reader, "sql", "is required");
    if (request->source == QUERY_PARQUET && request->path == NULL)
        return fail(reader, "path", "is required");
    if (request->path != NULL && request->table != NULL)
        return fail(reader, "table", "can't be given together with path");
    if (reader->has_on_wait && request->wait_ms < 0)
        return fail(reader, "on_wait", "needs wait_ms, or the header Prefer: wait");
    return 0;
}

/* The parser quotes the text it stumbled over, which may be a password; only
 * the name of a field that is there twice is worth repeating. */
static int fail_json(struct error *err, const json_error_t *json_error)
{
    enum json_error_code code = json_error_code(json_error);
    const char *near = strstr(json_error->text, " near ");
    int length = (int)(near != NULL ? near - json_error->text : (long)strlen(json_error->text));

    if (code == json_error_duplicate_key)
        length = (int)strlen(json_error->text);
    if (code == json_error_numeric_overflow)
        return error_set(err, ERROR_BAD_REQUEST,
                         "body: a number at line %d, column %d does not fit 64 bits; as a "
                         "parameter, write {\"type\": \"DECIMAL(38,0)\", \"value\": \"...\"}",
                         json_error->line, json_error->column);
    return error_set(err, ERROR_BAD_REQUEST, "body is not valid JSON: %.*s (line %d, column %d)",
                     length, json_error->text, json_error->line, json_error->column);
}

/* The parsed tree has a copy of the password of its own. */
static void wipe_password(const json_t *body)
{
    const json_t *password = json_object_get(json_object_get(body, "config"), "password");

    if (json_is_string(password))
        explicit_bzero((char *)json_string_value(password), json_string_length(password));
}

int query_request_parse(enum query_source source, const char *body, size_t length,
                        const struct query_limits *limits, struct query_request *ret_request,
                        struct error *err)
{
    struct query_request request = {
        .source = source,
        .timeout_ms = limits->timeout_ms_default,
        .queue_timeout_ms = limits->queue_timeout_ms_default,
        .wait_ms = limits->wait_ms_preferred,
        .wait_preferred = limits->wait_ms_preferred >= 0,
        .row_limit = -1,
        .byte_limit = -1,
    };
    struct reader reader = {.request = &request, .limits = limits, .err = err};
    json_error_t json_error;
    json_t *tree = json_loadb(body, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &json_error);
    int result = -1;

    if (tree == NULL)
        return fail_json(err, &json_error);
    if (!json_is_object(tree))
        error_set(err, ERROR_BAD_REQUEST, "body must be a JSON object");
    else if (read_fields(&reader, tree, "", body_fields) == 0)
        result = check_together(&reader);
    wipe_password(tree);
    json_decref(tree);
    if (result == 0)
        *ret_request = request;
    else
        query_request_done(&request);
    return result;
}

bool query_request_is_direct(const struct query_request *request)
{
    return request->source == QUERY_MYSQL && request->engine != ENGINE_SPARK;
}

const char *query_request_engine_reason(const struct query_request *request)
{
    static const char *const REASONS[] = {
        [ENGINE_FOR_READ] = "plain-read",
        [ENGINE_ASKED] = "asked-for",
        [ENGINE_OF_SOURCE] = "source-setting",
    };

    return request->source == QUERY_MYSQL ? REASONS[request->engine_reason] : NULL;
}

const char *query_request_source(const struct query_request *request)
{
    const struct query_mysql_config *config = &request->config;

    if (request->source != QUERY_MYSQL)
        return query_source_name(request->source);
    if (config->host != NULL)
        return "config";
    return config->source != NULL ? config->source : "main";
}

bool query_request_keeps_rows(const struct query_request *request)
{
    return request->wait_ms >= 0 && request->on_wait == WAIT_CONTINUE;
}

void query_request_done(struct query_request *request)
{
    if (request == NULL)
        return;
    if (request->config.password != NULL)
        explicit_bzero(request->config.password, strlen(request->config.password));
    free(request->sql);
    free(request->path);
    free(request->table);
    free(request->config.source);
    free(request->config.host);
    free(request->config.user);
    free(request->config.password);
    free(request->config.database);
    free(request->params_json);
    free(request->as_of.timestamp);
    free(request->query_id);
    for (size_t i = 0; i < request->tag_count; i++)
        free(request->tags[i]);
    memset(request, 0, sizeof(*request));
}

const char *query_source_name(enum query_source source)
{
    static const char *const names[QUERY_SOURCE_COUNT] = {
        [QUERY_MYSQL] = "mysql",
        [QUERY_PARQUET] = "parquet",
        [QUERY_DELTA] = "delta",
        [QUERY_ICEBERG] = "iceberg",
    };

    return names[source];
}
