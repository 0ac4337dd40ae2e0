#include "mysql_sources.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "mysql_probe.h"
#include "query_syntax.h"
#include "sources_file.h"

#define MAIN "main"
#define DEFAULT_PORT 3306
#define HOSTS_MAX 64

struct host_port {
    char *host;
    int port;
};

/* What a reload replaces. */
struct source_table {
    struct mysql_target *targets; /* of the file */
    size_t count;
    enum mysql_source_state states[SOURCES_FILE_SOURCES_MAX];
};

struct mysql_sources {
    struct host_port allowed[HOSTS_MAX];
    size_t allowed_count;
    char *path;               /* NULL = no file */
    struct mysql_target main; /* of MYSQL_*; host NULL = none */
    pthread_mutex_t lock;
    enum mysql_source_state main_state; /* under lock */
    struct source_table table;          /* under lock */
};

static int fail_memory(struct error *err)
{
    return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
}

static int copy_text(const char *text, char **ret_copy, struct error *err)
{
    char *copy = NULL;

    if (text != NULL && (copy = strdup(text)) == NULL)
        return fail_memory(err);
    *ret_copy = copy;
    return 0;
}

/* ---- settings ---- */

/* "host:port" or "host" of `length` bytes. */
static int parse_host_port(const char *text, size_t length, struct host_port *ret,
                           struct error *err)
{
    char *host = strndup(text, length);
    char *colon = NULL;
    long port = DEFAULT_PORT;

    if (host == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    colon = strrchr(host, ':');
    if (colon != NULL) {
        char *end = NULL;
        port = strtol(colon + 1, &end, 10);
        *colon = '\0';
        if (*end != '\0' || end == colon + 1)
            port = 0;
    }
    if (!query_syntax_is_host(host) || port < 1 || port > 65535) {
        free(host);
        return error_set(err, ERROR_BAD_REQUEST, "MYSQL_HOSTS: '%.*s' is not host:port",
                         (int)length, text);
    }
    ret->host = host;
    ret->port = (int)port;
    return 0;
}

static int parse_allowed(struct mysql_sources *sources, const char *list, struct error *err)
{
    while (*list != '\0') {
        size_t length = strcspn(list, ",");

        while (length > 0 && *list == ' ') {
            list++;
            length--;
        }
        if (length > 0) {
            if (sources->allowed_count == HOSTS_MAX)
                return error_set(err, ERROR_BAD_REQUEST, "MYSQL_HOSTS: more than %d hosts",
                                 HOSTS_MAX);
            if (parse_host_port(list, length, &sources->allowed[sources->allowed_count], err) != 0)
                return -1;
            sources->allowed_count++;
        }
        list += length;
        if (*list == ',')
            list++;
    }
    return 0;
}

static int check_main(const struct settings *settings, struct error *err)
{
    if (!query_syntax_is_host(settings->mysql_host))
        return error_set(err, ERROR_BAD_REQUEST, "MYSQL_HOST: must be a DNS name or an IP address");
    if (settings->mysql_user == NULL)
        return error_set(err, ERROR_BAD_REQUEST, "MYSQL_HOST is set but MYSQL_USER is not");
    if (!query_syntax_is_account_name(settings->mysql_user))
        return error_set(err, ERROR_BAD_REQUEST, "MYSQL_USER: has a character that is not allowed");
    if (settings->mysql_database != NULL && !query_syntax_is_account_name(settings->mysql_database))
        return error_set(err, ERROR_BAD_REQUEST,
                         "MYSQL_DATABASE: has a character that is not allowed");
    return 0;
}

static int fill_main(struct mysql_target *target, const struct settings *settings,
                     struct error *err)
{
    if (settings->mysql_host == NULL)
        return 0;
    if (check_main(settings, err) != 0)
        return -1;
    target->port = (int)settings->mysql_port;
    if (copy_text(MAIN, &target->name, err) != 0 ||
        copy_text(settings->mysql_host, &target->host, err) != 0 ||
        copy_text(settings->mysql_user, &target->user, err) != 0 ||
        copy_text(settings->mysql_password != NULL ? settings->mysql_password : "",
                  &target->password, err) != 0 ||
        copy_text(settings->mysql_database, &target->database, err) != 0)
        return -1;
    return 0;
}

/* ---- the file ---- */

static int read_table(const struct mysql_sources *sources, struct source_table *ret_table,
                      struct error *err)
{
    struct source_table table = {0};

    if (sources->path != NULL &&
        sources_file_read(sources->path, &table.targets, &table.count, err) != 0)
        return -1;
    for (size_t i = 0; i < table.count && sources->main.host != NULL; i++) {
        if (strcmp(table.targets[i].name, MAIN) == 0) {
            sources_file_done(table.targets, table.count);
            return error_set(err, ERROR_BAD_REQUEST,
                             "SOURCES_FILE: sources.main: MYSQL_HOST has set it already");
        }
    }
    *ret_table = table;
    return 0;
}

int mysql_sources_reload(struct mysql_sources *sources, struct error *err)
{
    struct source_table table;
    struct source_table old;

    if (read_table(sources, &table, err) != 0)
        return -1;
    pthread_mutex_lock(&sources->lock);
    old = sources->table;
    sources->table = table;
    pthread_mutex_unlock(&sources->lock);
    sources_file_done(old.targets, old.count);
    return 0;
}

/* ---- life ---- */

int mysql_sources_new(const struct settings *settings, struct mysql_sources **ret_sources,
                      struct error *err)
{
    struct mysql_sources *sources = calloc(1, sizeof(*sources));
    bool has_file = settings->sources_file != NULL && settings->sources_file[0] != '\0';

    if (sources == NULL)
        return fail_memory(err);
    pthread_mutex_init(&sources->lock, NULL);
    if (fill_main(&sources->main, settings, err) != 0 ||
        parse_allowed(sources, settings->mysql_hosts, err) != 0 ||
        copy_text(has_file ? settings->sources_file : NULL, &sources->path, err) != 0 ||
        mysql_sources_reload(sources, err) != 0) {
        mysql_sources_free(sources);
        return -1;
    }
    *ret_sources = sources;
    return 0;
}

void mysql_sources_free(struct mysql_sources *sources)
{
    if (sources == NULL)
        return;
    for (size_t i = 0; i < sources->allowed_count; i++)
        free(sources->allowed[i].host);
    mysql_target_done(&sources->main);
    sources_file_done(sources->table.targets, sources->table.count);
    pthread_mutex_destroy(&sources->lock);
    free(sources->path);
    free(sources);
}

/* ---- picking one ---- */

const char *mysql_sources_name_of(const struct query_mysql_config *config)
{
    if (config->host != NULL)
        return NULL;
    return config->source != NULL ? config->source : MAIN;
}

static const struct mysql_target *find_locked(const struct mysql_sources *sources, const char *name)
{
    if (sources->main.host != NULL && strcmp(name, MAIN) == 0)
        return &sources->main;
    for (size_t i = 0; i < sources->table.count; i++) {
        if (strcmp(sources->table.targets[i].name, name) == 0)
            return &sources->table.targets[i];
    }
    return NULL;
}

static int copy_named(struct mysql_sources *sources, const char *name,
                      struct mysql_target *ret_target, bool *ret_found)
{
    const struct mysql_target *target = NULL;
    int rc = 0;

    pthread_mutex_lock(&sources->lock);
    target = find_locked(sources, name);
    *ret_found = target != NULL;
    if (target != NULL)
        rc = mysql_target_copy(target, ret_target);
    pthread_mutex_unlock(&sources->lock);
    return rc;
}

static int resolve_named(struct mysql_sources *sources, const struct query_mysql_config *config,
                         struct mysql_target *ret_target, struct error *err)
{
    bool found = false;

    if (copy_named(sources, mysql_sources_name_of(config), ret_target, &found) != 0)
        return fail_memory(err);
    if (found)
        return 0;
    if (config->source != NULL)
        return error_set(err, ERROR_BAD_REQUEST, "config.source: no source of that name");
    return error_set(err, ERROR_BAD_REQUEST,
                     "config: no MySQL source is set up as 'main'; name one with config.source, or "
                     "start the service with MYSQL_HOST");
}

static bool host_is_allowed(const struct mysql_sources *sources, const char *host, int port)
{
    if (sources->main.host != NULL && sources->main.port == port &&
        strcasecmp(sources->main.host, host) == 0)
        return true;
    for (size_t i = 0; i < sources->allowed_count; i++) {
        if (sources->allowed[i].port == port && strcasecmp(sources->allowed[i].host, host) == 0)
            return true;
    }
    return false;
}

static int resolve_own_host(const struct mysql_sources *sources,
                            const struct query_mysql_config *config,
                            struct mysql_target *ret_target, struct error *err)
{
    struct mysql_target target = {.port = config->port != 0 ? config->port : DEFAULT_PORT};

    if (!host_is_allowed(sources, config->host, target.port))
        return error_set(err, ERROR_FORBIDDEN,
                         "config.host: %s:%d is not an allowed MySQL host (MYSQL_HOSTS)",
                         config->host, target.port);
    if (config->user == NULL)
        return error_set(err, ERROR_BAD_REQUEST, "config.user: is missing");
    if (copy_text(config->host, &target.host, err) != 0 ||
        copy_text(config->user, &target.user, err) != 0 ||
        copy_text(config->password != NULL ? config->password : "", &target.password, err) != 0 ||
        copy_text(config->database, &target.database, err) != 0) {
        mysql_target_done(&target);
        return -1;
    }
    *ret_target = target;
    return 0;
}

int mysql_sources_resolve(struct mysql_sources *sources, const struct query_mysql_config *config,
                          struct mysql_target *ret_target, struct error *err)
{
    if (config->host != NULL)
        return resolve_own_host(sources, config, ret_target, err);
    return resolve_named(sources, config, ret_target, err);
}

/* ---- how they are ---- */

size_t mysql_sources_count(struct mysql_sources *sources)
{
    size_t count = 0;

    pthread_mutex_lock(&sources->lock);
    count = sources->table.count + (sources->main.host != NULL);
    pthread_mutex_unlock(&sources->lock);
    return count;
}

void mysql_sources_each(struct mysql_sources *sources,
                        void (*each)(const char *name, enum mysql_source_state state, void *user),
                        void *user)
{
    pthread_mutex_lock(&sources->lock);
    if (sources->main.host != NULL)
        each(MAIN, sources->main_state, user);
    for (size_t i = 0; i < sources->table.count; i++)
        each(sources->table.targets[i].name, sources->table.states[i], user);
    pthread_mutex_unlock(&sources->lock);
}

/* The index-th source, `main` of MYSQL_* first; NULL when there is none. */
static const struct mysql_target *at_locked(struct mysql_sources *sources, size_t index,
                                            enum mysql_source_state **ret_state)
{
    if (sources->main.host != NULL) {
        *ret_state = &sources->main_state;
        if (index == 0)
            return &sources->main;
        index--;
    }
    if (index >= sources->table.count)
        return NULL;
    *ret_state = &sources->table.states[index];
    return &sources->table.targets[index];
}

/* Nobody may have reloaded meanwhile, or the state would be another server's. */
static void note_state(struct mysql_sources *sources, size_t index, const struct mysql_target *seen,
                       bool is_ok)
{
    enum mysql_source_state *state = NULL;
    const struct mysql_target *target = NULL;

    pthread_mutex_lock(&sources->lock);
    target = at_locked(sources, index, &state);
    if (target != NULL && mysql_target_is_same(target, seen))
        *state = is_ok ? MYSQL_SOURCE_OK : MYSQL_SOURCE_UNREACHABLE;
    pthread_mutex_unlock(&sources->lock);
}

bool mysql_sources_probe(struct mysql_sources *sources, size_t index, int timeout_ms)
{
    const struct mysql_target *target = NULL;
    struct mysql_target seen = {0};
    enum mysql_source_state *state = NULL;
    bool found = false;
    bool copied = false;

    pthread_mutex_lock(&sources->lock);
    target = at_locked(sources, index, &state);
    found = target != NULL;
    copied = found && mysql_target_copy(target, &seen) == 0;
    pthread_mutex_unlock(&sources->lock);
    if (copied)
        note_state(sources, index, &seen, mysql_probe(seen.host, seen.port, timeout_ms));
    mysql_target_done(&seen);
    return found;
}
