/*
 * A caller's path -> a place below the roots, or a refusal. Below the root are
 * folders, a file and links that stay inside, leave and go round in circles;
 * "@" in the input stands for the root, so that the fuzzer need not guess it.
 */
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../service/byte_buffer.h"
#include "../../service/data_roots.h"
#include "input.h"

static char base[PATH_MAX];
static char root[PATH_MAX + 8];
static struct data_roots *roots;

static const char *at(const char *name)
{
    static char path[2 * PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", base, name);
    return path;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static void clean_up(void)
{
    data_roots_free(roots);
    nftw(base, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void link_to(const char *to, const char *name)
{
    fuzz_check(symlink(to, at(name)) == 0);
}

static void set_up(void)
{
    char pattern[] = "/tmp/fuzz_data_roots.XXXXXX";
    static const char *const folders[] = {"root",     "root/a",  "root/a/b", "root/ü",
                                          "root-two", "outside", "outside/x"};
    char text[PATH_MAX + 64];
    struct error err;

    fuzz_check(mkdtemp(pattern) != NULL && realpath(pattern, base) != NULL);
    atexit(clean_up);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        fuzz_check(mkdir(at(folders[i]), 0755) == 0);
    FILE *file = fopen(at("root/a/f"), "we");
    fuzz_check(file != NULL && fclose(file) == 0);
    link_to("a", "root/in");
    link_to("../outside", "root/up");
    link_to("/etc", "root/etc");
    link_to("a/gone", "root/gone");
    link_to("loop", "root/loop");
    link_to("up", "root/chain");
    snprintf(root, sizeof(root), "%s/root", base);
    snprintf(text, sizeof(text), "%s,s3a://bucket/prefix", root);
    fuzz_check(data_roots_new(text, &roots, &err) == 0);
}

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool has_component(const char *path, const char *name)
{
    size_t length = strlen(name);

    for (const char *found = path; (found = strstr(found, name)) != NULL; found++) {
        if ((found == path || found[-1] == '/') && (found[length] == '/' || found[length] == '\0'))
            return true;
    }
    return false;
}

static void check_place(const char *place)
{
    char real[PATH_MAX];

    fuzz_check(!has_component(place, "..") && !has_component(place, "."));
    if (is_below(place, "s3a://bucket/prefix"))
        return;
    fuzz_check(is_below(place, root));
    fuzz_check(realpath(place, real) != NULL && strcmp(real, place) == 0);
}

static char *expand(const char *text)
{
    struct byte_buffer path = {0};

    for (; *text != '\0'; text++) {
        if (*text == '@')
            byte_buffer_append_text(&path, root);
        else
            byte_buffer_append_char(&path, *text);
    }
    byte_buffer_append_char(&path, '\0');
    fuzz_check(!path.failed);
    return path.data;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char *place = NULL;
    struct error err;
    size_t length = 0;

    if (roots == NULL)
        set_up();
    char *text = fuzz_take_rest(&input, &length);
    char *path = expand(text);

    if (data_roots_resolve(roots, path, &place, &err) == 0)
        check_place(place);
    else
        fuzz_check(err.code == ERROR_FORBIDDEN || err.code == ERROR_NOT_FOUND);
    free(place);
    free(path);
    free(text);
    return 0;
}
