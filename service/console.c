#include "console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "byte_buffer.h"
#include "http_reply.h"
#include "json_text.h"
#include "settings.h"

/* The assembler puts a file's bytes between two labels (gas manual, .incbin). */
#define EMBED(name, file)                                                                          \
    __asm__(".section .rodata\n"                                                                   \
            "console_" #name "_begin:\n"                                                           \
            ".incbin \"service/console/" file "\"\n"                                               \
            "console_" #name "_end:\n"                                                             \
            ".previous\n");                                                                        \
    extern const char console_##name##_begin[];                                                    \
    extern const char console_##name##_end[]

EMBED(page, "index.html");
EMBED(style, "console.css");
EMBED(script, "console.js");

/* Everything is refused but the two parts and questions to this very service. */
#define CONTENT_SECURITY_POLICY                                                                    \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; " \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

struct console {
    char *facts; /* JSON */
    size_t facts_length;
};

/* ---- the parts ---- */

static void answer_part(struct http_exchange *exchange, const char *type, const char *begin,
                        const char *end)
{
    const struct http_header headers[] = {
        {"Cache-Control", "no-cache"},
        {"Content-Security-Policy", CONTENT_SECURITY_POLICY},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Referrer-Policy", "no-referrer"},
        {"X-Content-Type-Options", "nosniff"},
    };

    http_reply_send_static(exchange, 200, type, headers, sizeof(headers) / sizeof(headers[0]),
                           begin, (size_t)(end - begin));
}

void console_answer_page(struct http_exchange *exchange)
{
    answer_part(exchange, "text/html; charset=utf-8", console_page_begin, console_page_end);
}

void console_answer_style(struct http_exchange *exchange)
{
    answer_part(exchange, "text/css; charset=utf-8", console_style_begin, console_style_end);
}

void console_answer_script(struct http_exchange *exchange)
{
    answer_part(exchange, "text/javascript; charset=utf-8", console_script_begin,
                console_script_end);
}

/* ---- the facts ---- */

static void append_text(struct byte_buffer *out, const char *text)
{
    json_text_append_string(out, text, strlen(text));
}

static bool is_local_folder(const char *path)
{
    struct stat found;

    return path[0] == '/' && stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/* "/data/parquet" is a root of one source alone. */
static bool is_root_of(const char *root, const char *source)
{
    const char *name = strrchr(root, '/');

    return name != NULL && strcmp(name + 1, source) == 0;
}

/* The first root that has <source>/users, as `make sample` lays tables out, or
 * users below a root of that source, as in the compose stack. */
static void append_sample(struct byte_buffer *out, const char *source, char *const *roots,
                          const char **comma)
{
    char path[4096];

    for (; *roots != NULL; roots++) {
        snprintf(path, sizeof(path), "%s%s%s/users", *roots, is_root_of(*roots, source) ? "" : "/",
                 is_root_of(*roots, source) ? "" : source);
        if (!is_local_folder(path))
            continue;
        byte_buffer_append_format(out, "%s\"%s\":", *comma, source);
        append_text(out, path);
        *comma = ",";
        return;
    }
}

static void append_facts(struct byte_buffer *out, const struct settings *settings,
                         char *const *roots)
{
    static const char *const SOURCES[] = {"parquet", "delta", "iceberg"};
    const char *comma = "";

    byte_buffer_append_text(out, "{\"version\":");
    append_text(out, SPARK_SERVICE_VERSION);
    byte_buffer_append_text(out, ",\"spark_line\":");
    append_text(out, settings->spark_line);
    byte_buffer_append_text(out, ",\"roots\":[");
    for (size_t i = 0; roots[i] != NULL; i++) {
        byte_buffer_append_text(out, i > 0 ? "," : "");
        append_text(out, roots[i]);
    }
    byte_buffer_append_format(out, "],\"mysql\":%s,\"samples\":{",
                              settings->mysql_host != NULL ? "true" : "false");
    for (size_t i = 0; i < sizeof(SOURCES) / sizeof(SOURCES[0]); i++)
        append_sample(out, SOURCES[i], roots, &comma);
    byte_buffer_append_text(out, "}}");
}

/* Cuts a copy of the setting at its commas; the list and its text are one block. */
static char **split_roots(const char *text)
{
    size_t length = strlen(text) + 1;
    size_t most = 2; /* one, and the NULL */
    char **list = NULL;
    char *rest = NULL;
    char *root = NULL;

    for (const char *at = text; (at = strchr(at, ',')) != NULL; at++)
        most++;
    list = malloc(most * sizeof(*list) + length);
    if (list == NULL)
        return NULL;
    rest = memcpy((char *)(list + most), text, length);
    most = 0;
    while ((root = strsep(&rest, ",")) != NULL) {
        size_t end = strlen(root);

        while (end > 1 && root[end - 1] == '/')
            root[--end] = '\0';
        list[most++] = root;
    }
    list[most] = NULL;
    return list;
}

int console_new(const struct settings *settings, struct console **ret_console, struct error *err)
{
    struct console *console = calloc(1, sizeof(*console));
    char **roots = split_roots(settings->data_roots);
    struct byte_buffer facts = {0};

    if (console != NULL && roots != NULL)
        append_facts(&facts, settings, roots);
    free(roots);
    if (console == NULL || facts.length == 0 || facts.failed) {
        byte_buffer_done(&facts);
        free(console);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    }
    console->facts = facts.data;
    console->facts_length = facts.length;
    *ret_console = console;
    return 0;
}

void console_free(struct console *console)
{
    if (console == NULL)
        return;
    free(console->facts);
    free(console);
}

void console_answer_facts(const struct console *console, struct http_exchange *exchange)
{
    const struct http_header headers[] = {{"Cache-Control", "no-store"}};

    http_reply_send(exchange, 200, "application/json", headers, 1, console->facts,
                    console->facts_length);
}
