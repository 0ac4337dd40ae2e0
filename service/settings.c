#include "settings.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "memory_limit.h"
#include "secret_file.h"
#include "settings_table.h"

extern char **environ;

static char **text_slot(struct settings *settings, const struct setting *setting)
{
    return (char **)((char *)settings + setting->offset);
}

static int set_text(char **slot, const char *value, struct error *err)
{
    char *copy = strdup(value);

    if (copy == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    free(*slot);
    *slot = copy;
    return 0;
}

static bool parse_integer(const char *text, int64_t *ret_value)
{
    char *end = NULL;
    long long value = 0;

    if (!isdigit((unsigned char)text[0]) && !(text[0] == '-' && isdigit((unsigned char)text[1])))
        return false;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *ret_value = value;
    return true;
}

static bool parse_bool(const char *text, bool *ret_value)
{
    static const char *const YES[] = {"1", "true", "yes", "on"};
    static const char *const NO[] = {"0", "false", "no", "off", ""};

    for (size_t i = 0; i < sizeof(YES) / sizeof(YES[0]); i++) {
        if (strcasecmp(text, YES[i]) == 0) {
            *ret_value = true;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(NO) / sizeof(NO[0]); i++) {
        if (strcasecmp(text, NO[i]) == 0) {
            *ret_value = false;
            return true;
        }
    }
    return false;
}

/* `origin` is how the value came in, for the message: a flag, a variable, a line. */
static int setting_assign(struct settings *settings, const struct setting *setting,
                          const char *value, const char *origin, struct error *err)
{
    void *slot = (char *)settings + setting->offset;
    int64_t number = 0;

    switch (setting->type) {
    case TYPE_TEXT:
        return set_text(slot, value, err);
    case TYPE_INTEGER:
        if (!parse_integer(value, &number) || number < setting->min || number > setting->max)
            return error_set(err, ERROR_BAD_REQUEST,
                             "%s: '%s' is not a whole number from %lld to %lld", origin, value,
                             (long long)setting->min, (long long)setting->max);
        *(int64_t *)slot = number;
        return 0;
    case TYPE_BOOL:
        if (!parse_bool(value, slot))
            return error_set(err, ERROR_BAD_REQUEST, "%s: '%s' is neither 1 nor 0", origin, value);
        return 0;
    }
    return 0;
}

/* Compares a setting's NAME with a flag or file spelling (data-roots, DATA_ROOTS). */
static bool name_matches(const char *name, const char *spelling, size_t length)
{
    if (strlen(name) != length)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = spelling[i] == '-' ? '_' : (char)toupper((unsigned char)spelling[i]);
        if (c != name[i])
            return false;
    }
    return true;
}

static const struct setting *setting_find(const char *spelling, size_t length)
{
    for (size_t i = 0; i < settings_table_length; i++) {
        if (name_matches(settings_table[i].name, spelling, length))
            return &settings_table[i];
    }
    return NULL;
}

/* ---- the file ---- */

static char *trim(char *text)
{
    char *end = NULL;

    while (isspace((unsigned char)*text))
        text++;
    end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    return text;
}

static int load_file_line(struct settings *settings, const char *path, int line_number, char *line,
                          struct error *err)
{
    const struct setting *setting = NULL;
    char *text = trim(line);
    char *equals = strchr(text, '=');
    char origin[512];

    if (*text == '\0' || *text == '#')
        return 0;
    if (equals == NULL)
        return error_set(err, ERROR_BAD_REQUEST, "%s:%d: not NAME=value", path, line_number);
    *equals = '\0';
    text = trim(text);
    if (strncmp(text, SETTINGS_ENV_PREFIX, strlen(SETTINGS_ENV_PREFIX)) == 0)
        text += strlen(SETTINGS_ENV_PREFIX);
    setting = setting_find(text, strlen(text));
    if (setting == NULL)
        return error_set(err, ERROR_BAD_REQUEST, "%s:%d: unknown setting '%s'", path, line_number,
                         text);
    snprintf(origin, sizeof(origin), "%s:%d: %s", path, line_number, setting->name);
    return setting_assign(settings, setting, trim(equals + 1), origin, err);
}

static int load_file(struct settings *settings, const char *path, struct error *err)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    int line_number = 0;
    int rc = 0;

    if (file == NULL)
        return error_set(err, ERROR_BAD_REQUEST, SETTINGS_ENV_PREFIX "CONFIG: can't read %s: %s",
                         path, strerror(errno));
    while (rc == 0 && getline(&line, &capacity, file) >= 0)
        rc = load_file_line(settings, path, ++line_number, line, err);
    free(line);
    fclose(file);
    return rc;
}

/* ---- environment and flags ---- */

static int load_environment(struct settings *settings, struct error *err)
{
    for (char **entry = environ; *entry != NULL; entry++) {
        const struct setting *setting = NULL;
        const char *name = *entry + strlen(SETTINGS_ENV_PREFIX);
        const char *equals = strchr(*entry, '=');
        char origin[128];

        if (strncmp(*entry, SETTINGS_ENV_PREFIX, strlen(SETTINGS_ENV_PREFIX)) != 0 ||
            equals == NULL)
            continue;
        setting = setting_find(name, (size_t)(equals - name));
        snprintf(origin, sizeof(origin), "%.*s", (int)(equals - *entry), *entry);
        if (setting == NULL)
            return error_set(err, ERROR_BAD_REQUEST, "%s: no such setting; --help lists them",
                             origin);
        if (setting_assign(settings, setting, equals + 1, origin, err) != 0)
            return -1;
    }
    return 0;
}

static int parse_action(int *index, int argc, char **argv, enum settings_action *ret_action,
                        struct error *err)
{
    const char *word = argv[*index];

    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        *ret_action = SETTINGS_HELP;
        return 1;
    }
    if (strcmp(word, "--version") == 0) {
        *ret_action = SETTINGS_VERSION;
        return 1;
    }
    if (strcmp(word, "--check-config") == 0) {
        *ret_action = SETTINGS_CHECK_CONFIG;
        return 1;
    }
    if (strcmp(word, "probe") == 0) {
        const char *what = *index + 1 < argc ? argv[++*index] : "";
        if (strcmp(what, "ready") != 0 && strcmp(what, "live") != 0)
            return error_set(err, ERROR_BAD_REQUEST, "probe: say 'probe ready' or 'probe live'");
        *ret_action = what[0] == 'r' ? SETTINGS_PROBE_READY : SETTINGS_PROBE_LIVE;
        return 1;
    }
    return 0;
}

/* With `settings` NULL only looks for the action and --config. */
static int load_flags(struct settings *settings, const char **ret_config,
                      enum settings_action *ret_action, int argc, char **argv, struct error *err)
{
    for (int i = 1; i < argc; i++) {
        const struct setting *setting = NULL;
        const char *equals = strchr(argv[i], '=');
        const char *value = NULL;
        size_t length = equals != NULL ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        char origin[128];
        int rc = parse_action(&i, argc, argv, ret_action, err);

        if (rc < 0)
            return -1;
        if (rc > 0)
            continue;
        if (strncmp(argv[i], "--", 2) == 0)
            setting = setting_find(argv[i] + 2, length - 2);
        snprintf(origin, sizeof(origin), "%.*s", (int)length, argv[i]);
        if (setting == NULL) /* its value is not repeated: it may be a password */
            return error_set(err, ERROR_BAD_REQUEST, "%s: no such flag; --help lists them", origin);
        if (equals != NULL)
            value = equals + 1;
        else if (i + 1 < argc)
            value = argv[++i];
        else
            return error_set(err, ERROR_BAD_REQUEST, "%s: needs a value", origin);
        if (strcmp(setting->name, "CONFIG") == 0)
            *ret_config = value;
        if (settings != NULL && setting_assign(settings, setting, value, origin, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- the source `main` ---- */

/* The file counts before MYSQL_PASSWORD. */
static int replace_password(struct settings *settings, const char *path, struct error *err)
{
    char *password = NULL;

    if (secret_file_read_line("MYSQL_PASSWORD_FILE", path, &password, err) != 0)
        return -1;
    secret_text_free(settings->mysql_password);
    settings->mysql_password = password;
    return 0;
}

static int load_mysql(struct settings *settings, struct error *err)
{
    const struct {
        const char *name;
        char **slot;
    } texts[] = {
        {"MYSQL_HOST", &settings->mysql_host},
        {"MYSQL_USER", &settings->mysql_user},
        {"MYSQL_PASSWORD", &settings->mysql_password},
        {"MYSQL_DATABASE", &settings->mysql_database},
    };
    const char *port = getenv("MYSQL_PORT");
    const char *password_file = getenv("MYSQL_PASSWORD_FILE");

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *value = getenv(texts[i].name);
        if (value != NULL && *value != '\0' && set_text(texts[i].slot, value, err) != 0)
            return -1;
    }
    settings->mysql_port = 3306;
    if (port != NULL && *port != '\0' &&
        (!parse_integer(port, &settings->mysql_port) || settings->mysql_port < 1 ||
         settings->mysql_port > 65535))
        return error_set(err, ERROR_BAD_REQUEST, "MYSQL_PORT: '%s' is not a port", port);
    if (password_file != NULL && *password_file != '\0')
        return replace_password(settings, password_file, err);
    return 0;
}

/* ---- defaults that are worked out, and checks across settings ---- */

static int fill_state_dir(struct settings *settings, struct error *err)
{
    const char *base = getenv("XDG_STATE_HOME");
    char path[4096];

    if (base != NULL && *base == '/')
        snprintf(path, sizeof(path), "%s/spark-service", base);
    else if ((base = getenv("HOME")) != NULL && *base == '/')
        snprintf(path, sizeof(path), "%s/.local/state/spark-service", base);
    else
        snprintf(path, sizeof(path), "/var/tmp/spark-service-%u", (unsigned)getuid());
    return set_text(&settings->state_dir, path, err);
}

static int fill_warehouse(struct settings *settings, struct error *err)
{
    size_t length = strcspn(settings->data_roots, ",");
    char path[4096];

    while (length > 1 && settings->data_roots[length - 1] == '/')
        length--;
    snprintf(path, sizeof(path), "%.*s/iceberg", (int)length, settings->data_roots);
    return set_text(&settings->iceberg_warehouse, path, err);
}

static bool heap_is_valid(const char *heap)
{
    size_t digits = strspn(heap, "0123456789");

    return digits > 0 && digits < 8 && strchr("kmgKMG", heap[digits]) != NULL &&
           heap[digits] != '\0' && heap[digits + 1] == '\0';
}

static int fill_computed(struct settings *settings, struct error *err)
{
    char text[64];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (*settings->state_dir == '\0' && fill_state_dir(settings, err) != 0)
        return -1;
    if (*settings->iceberg_warehouse == '\0' && fill_warehouse(settings, err) != 0)
        return -1;
    if (*settings->spark_master == '\0') {
        snprintf(text, sizeof(text), "local[%ld]", cores > 2 ? 4 * cores : 8);
        if (set_text(&settings->spark_master, text, err) != 0)
            return -1;
    }
    if (*settings->heap == '\0') {
        snprintf(text, sizeof(text), "%lldm", (long long)memory_limit_default_heap_mib());
        if (set_text(&settings->heap, text, err) != 0)
            return -1;
    }
    return 0;
}

static int check(const struct settings *settings, struct error *err)
{
    enum log_level level;

    if (settings->query_timeout_ms > settings->query_timeout_max_ms)
        return error_set(
            err, ERROR_BAD_REQUEST, "QUERY_TIMEOUT_MS (%lld) is above QUERY_TIMEOUT_MAX_MS (%lld)",
            (long long)settings->query_timeout_ms, (long long)settings->query_timeout_max_ms);
    if (!heap_is_valid(settings->heap))
        return error_set(err, ERROR_BAD_REQUEST, "HEAP: '%s' is not a size such as 2g or 512m",
                         settings->heap);
    if (!log_level_from_name(settings->log_level, &level))
        return error_set(err, ERROR_BAD_REQUEST,
                         "LOG_LEVEL: '%s' is none of debug, info, warn, error",
                         settings->log_level);
    if (strspn(settings->spark_line, "0123456789.") != strlen(settings->spark_line))
        return error_set(err, ERROR_BAD_REQUEST, "SPARK_LINE: '%s' is not a version",
                         settings->spark_line);
    if ((*settings->tls_cert == '\0') != (*settings->tls_key == '\0'))
        return error_set(err, ERROR_BAD_REQUEST, "TLS_CERT and TLS_KEY: one without the other");
    if (!settings->insecure && *settings->tokens_file == '\0' &&
        !settings_listen_is_loopback(settings->listen))
        return error_set(err, ERROR_BAD_REQUEST,
                         "LISTEN: %s is not loopback and callers need no token; set TOKENS_FILE, "
                         "or INSECURE=1 if the network around it is trusted",
                         settings->listen);
    return 0;
}

int settings_load(struct settings *ret_settings, enum settings_action *ret_action, int argc,
                  char **argv, struct error *err)
{
    struct settings settings = {0};
    enum settings_action action = SETTINGS_RUN;
    const char *config = getenv(SETTINGS_ENV_PREFIX "CONFIG");

    for (size_t i = 0; i < settings_table_length; i++) {
        if (setting_assign(&settings, &settings_table[i], settings_table[i].default_text,
                           settings_table[i].name, err) != 0)
            goto fail;
    }
    if (load_flags(NULL, &config, &action, argc, argv, err) != 0)
        goto fail;
    if (action != SETTINGS_HELP && action != SETTINGS_VERSION) {
        if (config != NULL && *config != '\0' && load_file(&settings, config, err) != 0)
            goto fail;
        if (load_environment(&settings, err) != 0 ||
            load_flags(&settings, &config, &action, argc, argv, err) != 0 ||
            load_mysql(&settings, err) != 0 || fill_computed(&settings, err) != 0 ||
            check(&settings, err) != 0)
            goto fail;
    }
    *ret_settings = settings;
    *ret_action = action;
    return 0;
fail:
    settings_done(&settings);
    return -1;
}

void settings_done(struct settings *settings)
{
    for (size_t i = 0; i < settings_table_length; i++) {
        if (settings_table[i].type == TYPE_TEXT)
            free(*text_slot(settings, &settings_table[i]));
    }
    free(settings->mysql_host);
    free(settings->mysql_user);
    secret_text_free(settings->mysql_password);
    free(settings->mysql_database);
    memset(settings, 0, sizeof(*settings));
}

static bool address_is_loopback(const char *address, size_t length)
{
    char host[128];
    struct in_addr v4;
    const char *colon = NULL;

    if (length == 0 || length >= sizeof(host))
        return false;
    memcpy(host, address, length);
    host[length] = '\0';
    if (strncmp(host, "[::1]", 5) == 0)
        return host[5] == '\0' || host[5] == ':';
    colon = strrchr(host, ':');
    if (colon != NULL)
        host[colon - host] = '\0';
    if (strcasecmp(host, "localhost") == 0)
        return true;
    return inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

bool settings_listen_is_loopback(const char *listen)
{
    const char *address = listen;

    for (;;) {
        size_t length = strcspn(address, ",");
        while (length > 0 && *address == ' ') {
            address++;
            length--;
        }
        if (!address_is_loopback(address, length))
            return false;
        if (address[length] == '\0')
            return true;
        address += length + 1;
    }
}
