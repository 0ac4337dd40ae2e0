#include "token_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "deadline.h"
#include "token_file.h"

#define EXIT_BAD_COMMAND 2

static const char USAGE[] =
    "usage: spark-service token add NAME [--scope query,cancel,metrics,admin] [--source NAME,...]\n"
    "                                   [--rate 50/s] [--concurrency 8]\n"
    "       spark-service token list\n"
    "       spark-service token remove NAME [--older]\n"
    "with --tokens-file FILE, or SPARK_SERVICE_TOKENS_FILE. `add` prints the token, once; what is\n"
    "not said is as in NAME's other token, else: scope query,cancel, any source, no limits.\n";

struct command {
    const char *path;
    const char *verb;
    const char *name;
    bool older;
    const char *scope; /* these four: NULL = not said */
    const char *source;
    const char *rate;
    const char *concurrency;
};

/* ---- the command line ---- */

static int parse_flag(struct command *command, const char *flag, const char *value,
                      struct error *err)
{
    const struct {
        const char *name;
        const char **slot;
    } flags[] = {
        {"--tokens-file", &command->path},        {"--scope", &command->scope},
        {"--source", &command->source},           {"--rate", &command->rate},
        {"--concurrency", &command->concurrency},
    };

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (strcmp(flags[i].name, flag) != 0)
            continue;
        if (value == NULL)
            return error_set(err, ERROR_BAD_REQUEST, "%s: needs a value", flag);
        *flags[i].slot = value;
        return 0;
    }
    return error_set(err, ERROR_BAD_REQUEST, "%.64s: no such flag\n%s", flag, USAGE);
}

static int parse_word(struct command *command, const char *word, struct error *err)
{
    if (command->verb == NULL)
        command->verb = word;
    else if (command->name == NULL)
        command->name = word;
    else
        return error_set(err, ERROR_BAD_REQUEST, "%.64s: one word too many\n%s", word, USAGE);
    return 0;
}

static int parse(struct command *command, int argc, char **argv, struct error *err)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--older") == 0) {
            command->older = true;
        } else if (strncmp(argv[i], "--", 2) == 0) {
            if (parse_flag(command, argv[i], i + 1 < argc ? argv[i + 1] : NULL, err) != 0)
                return -1;
            i++;
        } else if (parse_word(command, argv[i], err) != 0) {
            return -1;
        }
    }
    if (command->verb == NULL)
        return error_set(err, ERROR_BAD_REQUEST, "token: say what to do\n%s", USAGE);
    if (command->path == NULL || command->path[0] == '\0')
        return error_set(err, ERROR_BAD_REQUEST,
                         "token: say --tokens-file or set "
                         "SPARK_SERVICE_TOKENS_FILE");
    return 0;
}

/* ---- the verbs ---- */

/* The newest token of that name, NULL when there is none. */
static const struct token_entry *newest(const struct token_list *list, const char *name)
{
    const struct token_entry *found = NULL;

    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->entries[i].name, name) == 0)
            found = &list->entries[i];
    }
    return found;
}

static int fill_entry(const struct command *command, const struct token_list *list,
                      struct token_entry *ret_entry, struct error *err)
{
    const struct token_entry *model = newest(list, command->name);
    const struct {
        const char *field;
        const char *said;
        const char *otherwise;
    } fields[] = {
        {"scope", command->scope, "query,cancel"},
        {"source", command->source, "*"},
        {"rate", command->rate, "-"},
        {"concurrency", command->concurrency, "-"},
    };
    char now[32];

    if (model != NULL)
        *ret_entry = *model;
    if (token_entry_set(ret_entry, "name", command->name, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const char *value = fields[i].said;

        if (value == NULL && model == NULL)
            value = fields[i].otherwise;
        if (value != NULL && token_entry_set(ret_entry, fields[i].field, value, err) != 0)
            return -1;
    }
    wall_time_format_ms(wall_time_now_us(), now);
    strcpy(now + strlen("2026-01-31T09:57:06"), "Z");
    return token_entry_set(ret_entry, "added", now, err);
}

static int add(const struct command *command, struct token_list *list, struct error *err)
{
    struct token_entry entry = {0};
    char token[TOKEN_TEXT_BYTES];
    int rc = -1;

    if (fill_entry(command, list, &entry, err) == 0 && token_entry_draw(&entry, token, err) == 0 &&
        token_list_add(list, &entry, err) == 0 && token_list_write(command->path, list, err) == 0) {
        printf("%s\n", token);
        rc = 0;
    }
    explicit_bzero(token, sizeof(token));
    return rc;
}

static void show(const struct token_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct token_entry *entry = &list->entries[i];
        char scopes[64];
        char rate[RATE_TEXT_BYTES];
        char concurrency[24] = "-";

        token_scopes_format(entry->scopes, scopes, sizeof(scopes));
        rate_format(&entry->rate, rate);
        if (entry->concurrency > 0)
            snprintf(concurrency, sizeof(concurrency), "%lld", (long long)entry->concurrency);
        printf("name=%s id=%s scope=%s source=%s rate=%s concurrency=%s added=%s\n", entry->name,
               entry->id, scopes, entry->sources, rate, concurrency, entry->added);
    }
}

/* Lines stand in the order in which they were added. */
static int remove_named(const struct command *command, struct token_list *list, struct error *err)
{
    size_t kept = 0;
    size_t removed = 0;
    size_t namesakes = 0;

    for (size_t i = 0; i < list->count; i++)
        namesakes += strcmp(list->entries[i].name, command->name) == 0;
    if (namesakes == 0)
        return error_set(err, ERROR_BAD_REQUEST, "%.32s has no token", command->name);
    if (command->older && namesakes == 1)
        return error_set(err, ERROR_BAD_REQUEST, "%.32s has only one token", command->name);
    for (size_t i = 0; i < list->count; i++) {
        bool named = strcmp(list->entries[i].name, command->name) == 0;

        if (named && (!command->older || removed == 0))
            removed++;
        else
            list->entries[kept++] = list->entries[i];
    }
    list->count = kept;
    return token_list_write(command->path, list, err);
}

static int run_verb(const struct command *command, struct token_list *list, struct error *err)
{
    if (strcmp(command->verb, "list") == 0 && command->name == NULL) {
        show(list);
        return 0;
    }
    if (command->name == NULL)
        return error_set(err, ERROR_BAD_REQUEST, "token: say a verb and a name\n%s", USAGE);
    if (strcmp(command->verb, "add") == 0)
        return add(command, list, err);
    if (strcmp(command->verb, "remove") == 0)
        return remove_named(command, list, err);
    return error_set(err, ERROR_BAD_REQUEST, "token: say add, list or remove\n%s", USAGE);
}

/* ---- the file ---- */

/* Held while one command reads and replaces the file; the folder's, as the file itself
 * is replaced. -1: none. */
static int lock_folder(const char *path, struct error *err)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    int fd = -1;

    snprintf(folder, sizeof(folder), "%.*s", slash != NULL ? (int)(slash - path + 1) : 1,
             slash != NULL ? path : ".");
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        error_set(err, ERROR_BAD_REQUEST, "can't use the folder %s: %s", folder, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

/* The first `add` makes the file. */
static int read_list(const struct command *command, struct token_list *ret_list, struct error *err)
{
    if (strcmp(command->verb, "add") == 0 && access(command->path, F_OK) != 0 && errno == ENOENT)
        return 0;
    return token_list_read(command->path, ret_list, err);
}

int token_command_run(int argc, char **argv)
{
    struct command command = {.path = getenv("SPARK_SERVICE_TOKENS_FILE")};
    struct token_list list = {0};
    struct error err;
    int lock = -1;
    int rc = parse(&command, argc, argv, &err);

    if (rc == 0)
        rc = lock = lock_folder(command.path, &err);
    if (rc >= 0)
        rc = read_list(&command, &list, &err);
    if (rc == 0)
        rc = run_verb(&command, &list, &err);
    if (rc != 0)
        fprintf(stderr, "spark-service: %s\n", err.detail);
    token_list_done(&list);
    if (lock >= 0)
        close(lock);
    return rc == 0 ? 0 : EXIT_BAD_COMMAND;
}
