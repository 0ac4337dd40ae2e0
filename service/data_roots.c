#include "data_roots.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "path_beneath.h"
#include "path_syntax.h"

#define LINKS_MAX 40 /* as many as the kernel follows */

struct data_root {
    char *path; /* normalised: "/a/b", "/" or "s3a://bucket/a" */
    bool is_s3a;
};

struct data_roots {
    char *text;
    struct data_root *roots;
    size_t count;
};

static int fail_memory(struct error *err)
{
    return error_set(err, ERROR_ENGINE_ERROR, "out of memory for a path");
}

/* One answer for everything that isn't under a root, so that nothing can be
 * learned about what is there. */
static int fail_outside(struct error *err, const char *path)
{
    return error_set(err, ERROR_FORBIDDEN, "path %.512s is not inside an allowed root", path);
}

/* A path as text that grows and shrinks by components. */
struct path_text {
    char *text; /* `prefix` + "/a/b"; no slash at the end */
    size_t length;
    size_t prefix;
};

static bool path_init(struct path_text *path, const char *prefix, size_t prefix_length)
{
    path->text = strndup(prefix, prefix_length);
    path->length = prefix_length;
    path->prefix = prefix_length;
    return path->text != NULL;
}

static bool path_push(struct path_text *path, const char *name, size_t length)
{
    char *text = realloc(path->text, path->length + length + 2);

    if (text == NULL)
        return false;
    text[path->length] = '/';
    memcpy(text + path->length + 1, name, length);
    path->text = text;
    path->length += length + 1;
    text[path->length] = '\0';
    return true;
}

static void path_pop(struct path_text *path)
{
    while (path->length > path->prefix && path->text[path->length - 1] != '/')
        path->length--;
    if (path->length > path->prefix)
        path->length--;
    path->text[path->length] = '\0';
}

/* The first component at or behind *at; moves *at behind it. NULL at the end. */
static const char *next_component(const char **at, size_t *ret_length)
{
    const char *start = *at + strspn(*at, "/");

    *ret_length = strcspn(start, "/");
    *at = start + *ret_length;
    return *ret_length > 0 ? start : NULL;
}

static bool is_dot(const char *name, size_t length)
{
    return length == 1 && name[0] == '.';
}

static bool is_dot_dot(const char *name, size_t length)
{
    return length == 2 && name[0] == '.' && name[1] == '.';
}

/* Drops empty components, "." and a trailing slash; NULL without memory. */
static char *normalise(const char *prefix, size_t prefix_length, const char *components)
{
    struct path_text path;
    const char *name;
    size_t length;

    if (!path_init(&path, prefix, prefix_length))
        return NULL;
    while ((name = next_component(&components, &length)) != NULL) {
        if (!is_dot(name, length) && !path_push(&path, name, length)) {
            free(path.text);
            return NULL;
        }
    }
    return path.text;
}

/* True when `path` is `root` or below it, by component. */
static bool is_inside(const char *path, const char *root)
{
    size_t length = strlen(root);

    return strncmp(path, root, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* Reads the symbolic link `link`; gives its target, followed by `rest`. */
static int expand_link(const char *link, const char *rest, char **ret_text)
{
    char target[PATH_MAX];
    ssize_t length = readlink(link, target, sizeof(target));

    if (length < 0)
        return -errno;
    if ((size_t)length == sizeof(target))
        return -ENAMETOOLONG;
    if (asprintf(ret_text, "%.*s/%s", (int)length, target, rest) < 0)
        return -ENOMEM;
    return 0;
}

/* Where a walk through the file system stands. */
struct walk {
    struct path_text path; /* what is resolved; free of links as far as it exists */
    char *pending;         /* what is still to walk, if a link brought it; owned */
    const char *at;        /* in `pending` or in the text the walk began with */
    int links;
    bool missing; /* something on the way doesn't exist */
};

/* Continues at the target of the link that path now ends with. */
static int walk_link(struct walk *walk)
{
    char *text;

    if (++walk->links > LINKS_MAX)
        return -ELOOP;
    int result = expand_link(walk->path.text, walk->at, &text);
    if (result < 0)
        return result;
    free(walk->pending);
    walk->pending = text;
    walk->at = text;
    path_pop(&walk->path);
    if (text[0] == '/') {
        walk->path.length = 0;
        walk->path.text[0] = '\0';
    }
    return 0;
}

static int walk_component(struct walk *walk, const char *name, size_t length)
{
    struct stat status;

    if (is_dot(name, length))
        return 0;
    if (is_dot_dot(name, length)) {
        path_pop(&walk->path);
        return 0;
    }
    if (!path_push(&walk->path, name, length))
        return -ENOMEM;
    if (lstat(walk->path.text, &status) == 0)
        return S_ISLNK(status.st_mode) ? walk_link(walk) : 0;
    if (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG)
        return -errno;
    walk->missing = true;
    return 0;
}

/* Resolves every link of an absolute path, also below and behind what doesn't
 * exist: unlike realpath(3), which stops there, it tells where a missing leaf
 * would be. Gives "" for "/". A negative errno when it can't be known. */
static int resolve_links(const char *text, char **ret_path, bool *ret_missing)
{
    struct walk walk = {.at = text};
    const char *name;
    size_t length;
    int result = path_init(&walk.path, "", 0) ? 0 : -ENOMEM;

    while (result == 0 && (name = next_component(&walk.at, &length)) != NULL)
        result = walk_component(&walk, name, length);
    free(walk.pending);
    if (result < 0) {
        free(walk.path.text);
        return result;
    }
    *ret_path = walk.path.text;
    *ret_missing = walk.missing;
    return 0;
}

static int add_root(struct data_roots *roots, const char *text, struct error *err)
{
    struct data_root *root = &roots->roots[roots->count];
    const char *fault = path_syntax_fault(text);
    const char *key = text;

    if (fault != NULL)
        return error_set(err, ERROR_BAD_REQUEST, "DATA_ROOTS: %.512s %s", text, fault);
    root->is_s3a = path_syntax_is_s3a(text);
    if (root->is_s3a) {
        key = path_syntax_s3a_key(text);
        if (key == NULL)
            return error_set(err, ERROR_BAD_REQUEST, "DATA_ROOTS: %.512s has no valid bucket",
                             text);
    } else if (text[0] != '/') {
        return error_set(err, ERROR_BAD_REQUEST,
                         "DATA_ROOTS: %.512s is neither an absolute folder nor s3a://bucket/prefix",
                         text);
    }
    root->path = normalise(text, (size_t)(key - text), key);
    if (root->path == NULL)
        return fail_memory(err);
    roots->count++;
    return 0;
}

static int add_roots(struct data_roots *roots, char *list, struct error *err)
{
    char *rest = list;
    char *item;

    while ((item = strsep(&rest, ",")) != NULL) {
        item += strspn(item, " ");
        for (size_t length = strlen(item); length > 0 && item[length - 1] == ' '; length--)
            item[length - 1] = '\0';
        if (*item == '\0')
            return error_set(err, ERROR_BAD_REQUEST, "DATA_ROOTS: an entry is empty");
        if (add_root(roots, item, err) < 0)
            return -1;
    }
    return 0;
}

static size_t count_items(const char *list)
{
    size_t count = 1;

    for (; *list != '\0'; list++)
        count += *list == ',';
    return count;
}

int data_roots_new(const char *text, struct data_roots **ret_roots, struct error *err)
{
    struct data_roots *roots = calloc(1, sizeof(*roots));
    char *list = strdup(text);
    int result = -1;

    if (roots == NULL || list == NULL) {
        fail_memory(err);
        goto out;
    }
    roots->text = strdup(text);
    roots->roots = calloc(count_items(text), sizeof(*roots->roots));
    if (roots->text == NULL || roots->roots == NULL) {
        fail_memory(err);
        goto out;
    }
    result = add_roots(roots, list, err);
out:
    free(list);
    if (result == 0)
        *ret_roots = roots;
    else
        data_roots_free(roots);
    return result;
}

void data_roots_free(struct data_roots *roots)
{
    if (roots == NULL)
        return;
    for (size_t i = 0; i < roots->count; i++)
        free(roots->roots[i].path);
    free(roots->roots);
    free(roots->text);
    free(roots);
}

/* Objects aren't looked for: a prefix that has none is the engine's to report. */
static int resolve_s3a(const struct data_roots *roots, const char *path, char **ret_path,
                       struct error *err)
{
    const char *key = path_syntax_s3a_key(path);

    if (key == NULL)
        return fail_outside(err, path);
    char *normal = normalise(path, (size_t)(key - path), key);
    if (normal == NULL)
        return fail_memory(err);
    for (size_t i = 0; i < roots->count; i++) {
        if (roots->roots[i].is_s3a && is_inside(normal, roots->roots[i].path)) {
            *ret_path = normal;
            return 0;
        }
    }
    free(normal);
    return fail_outside(err, path);
}

/* The root that a path without links is in, itself without links; gives, NULL: none.
 * Resolved anew each time: a root may have been made, or its link moved, since. */
static char *find_root(const struct data_roots *roots, const char *resolved)
{
    for (size_t i = 0; i < roots->count; i++) {
        const struct data_root *root = &roots->roots[i];
        char *resolved_root;
        bool missing;

        if (root->is_s3a || resolve_links(root->path, &resolved_root, &missing) < 0)
            continue;
        if (is_inside(resolved, resolved_root))
            return resolved_root;
        free(resolved_root);
    }
    return NULL;
}

static int fail_missing(struct error *err, const char *path)
{
    return error_set(err, ERROR_NOT_FOUND, "path %.512s does not exist", path);
}

/* Inside a root by name. Now that the names are walked again, in one go, nobody
 * may have put a link in their way. */
static int check_beneath(const struct data_roots *roots, const char *path, const char *resolved,
                         bool missing, struct error *err)
{
    char *root = find_root(roots, resolved);
    int result = 0;

    if (root == NULL)
        return fail_outside(err, path);
    if (missing)
        result = -ENOENT;
    else
        result = path_beneath_check(root[0] == '\0' ? "/" : root, resolved + strlen(root));
    free(root);
    if (result == -ENOENT || result == -ENOTDIR)
        return fail_missing(err, path);
    return result == 0 ? 0 : fail_outside(err, path);
}

static int resolve_local(const struct data_roots *roots, const char *path, char **ret_path,
                         struct error *err)
{
    char *resolved;
    bool missing;
    int result = resolve_links(path, &resolved, &missing);

    if (result == -ENOMEM)
        return fail_memory(err);
    if (result < 0)
        return fail_outside(err, path);
    if (check_beneath(roots, path, resolved, missing, err) != 0) {
        free(resolved);
        return -1;
    }
    if (resolved[0] == '\0') {
        free(resolved);
        resolved = strdup("/");
        if (resolved == NULL)
            return fail_memory(err);
    }
    *ret_path = resolved;
    return 0;
}

int data_roots_resolve(const struct data_roots *roots, const char *path, char **ret_path,
                       struct error *err)
{
    const char *fault = path_syntax_fault(path);

    if (fault != NULL)
        return error_set(err, ERROR_FORBIDDEN, "path %.512s %s", path, fault);
    if (path_syntax_is_s3a(path))
        return resolve_s3a(roots, path, ret_path, err);
    if (path[0] != '/')
        return error_set(err, ERROR_FORBIDDEN,
                         "path %.512s is neither absolute nor of an allowed scheme", path);
    return resolve_local(roots, path, ret_path, err);
}

/* The root's length when the path is it or lies below; 0: it isn't, or the root is "/". */
static size_t prefix_length(const char *root, const char *path)
{
    return root != NULL && strcmp(root, "/") != 0 && is_inside(path, root) ? strlen(root) : 0;
}

size_t data_roots_prefix(const struct data_roots *roots, const char *path)
{
    size_t longest = 0;

    for (size_t i = 0; i < roots->count; i++) {
        const struct data_root *root = &roots->roots[i];
        char *real = root->is_s3a ? NULL : realpath(root->path, NULL);
        size_t given = root->is_s3a ? 0 : prefix_length(root->path, path);
        size_t resolved = prefix_length(real, path);

        free(real);
        if (given > longest)
            longest = given;
        if (resolved > longest)
            longest = resolved;
    }
    return longest;
}

const char *data_roots_text(const struct data_roots *roots)
{
    return roots->text;
}
