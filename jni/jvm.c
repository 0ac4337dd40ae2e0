#include "jvm.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../service/byte_buffer.h"

#define OPTIONS_MAX 128
#define PATH_BYTES 4096

typedef jint (*create_vm_function)(JavaVM **, void **, void *);

/* Texts of the options, owned until the VM is made. */
struct option_list {
    JavaVMOption options[OPTIONS_MAX];
    size_t count;
    bool failed;
};

static void add_option(struct option_list *list, const char *text)
{
    char *copy = list->count < OPTIONS_MAX ? strdup(text) : NULL;

    if (copy == NULL) {
        list->failed = true;
        return;
    }
    list->options[list->count++].optionString = copy;
}

static void free_options(struct option_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->options[i].optionString);
}

/* First line of a small file, without its end; false when absent or empty. */
static bool read_line(const char *path, char *ret_line, size_t size)
{
    FILE *file = fopen(path, "re");
    bool ok = false;

    if (file == NULL)
        return false;
    if (fgets(ret_line, (int)size, file) != NULL) {
        ret_line[strcspn(ret_line, "\r\n")] = '\0';
        ok = ret_line[0] != '\0';
    }
    fclose(file);
    return ok;
}

/* ---- libjvm ---- */

static void *open_in(const char *java_home)
{
    char path[PATH_BYTES + 32];

    snprintf(path, sizeof(path), "%s/lib/server/libjvm.so", java_home);
    return access(path, R_OK) == 0 ? dlopen(path, RTLD_NOW | RTLD_GLOBAL) : NULL;
}

/* The JVM the CDS archive was made with first: another build ignores the archive. */
static int open_libjvm(const char *home, void **ret_library, struct error *err)
{
    static const char *const USUAL[] = {"/usr/lib/jvm/java-17-openjdk-amd64",
                                        "/usr/lib/jvm/java-17-openjdk-arm64",
                                        "/usr/lib/jvm/java-17-openjdk",
                                        "/usr/lib/jvm/temurin-17-jdk-amd64",
                                        "/opt/java/openjdk",
                                        "/usr/lib/jvm/default-java"};
    char recorded[PATH_BYTES];
    char file[PATH_BYTES];
    const char *java_home = getenv("JAVA_HOME");
    void *library = NULL;

    snprintf(file, sizeof(file), "%s/java-home", home);
    if (read_line(file, recorded, sizeof(recorded)))
        library = open_in(recorded);
    if (library == NULL && java_home != NULL && *java_home != '\0')
        library = open_in(java_home);
    for (size_t i = 0; i < sizeof(USUAL) / sizeof(USUAL[0]) && library == NULL; i++)
        library = open_in(USUAL[i]);
    if (library == NULL)
        return error_set(err, ERROR_ENGINE_ERROR,
                         "no libjvm.so of Java 17 found; install openjdk-17-jre-headless or set "
                         "JAVA_HOME");
    *ret_library = library;
    return 0;
}

/* ---- class path ---- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_jar(const char *name)
{
    size_t length = strlen(name);

    return length > 4 && strcmp(name + length - 4, ".jar") == 0;
}

/* JNI expands no "*": every jar by name, sorted, as the CDS archive recorded them. */
static int build_class_path(const char *home, struct byte_buffer *path, struct error *err)
{
    char folder[PATH_BYTES];
    char *names[1024];
    size_t count = 0;
    DIR *dir = NULL;
    struct dirent *entry = NULL;

    snprintf(folder, sizeof(folder), "%s/jars", home);
    dir = opendir(folder);
    if (dir == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "%s: %s", folder, strerror(errno));
    while ((entry = readdir(dir)) != NULL && count < sizeof(names) / sizeof(names[0])) {
        if (is_jar(entry->d_name) && (names[count] = strdup(entry->d_name)) != NULL)
            count++;
    }
    closedir(dir);
    qsort(names, count, sizeof(names[0]), compare_texts);
    byte_buffer_append_text(path, "-Djava.class.path=");
    for (size_t i = 0; i < count; i++) {
        byte_buffer_append_format(path, "%s%s/%s", i > 0 ? ":" : "", folder, names[i]);
        free(names[i]);
    }
    byte_buffer_append_char(path, '\0');
    if (path->failed)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    return count > 0 ? 0 : error_set(err, ERROR_ENGINE_ERROR, "no jar in %s", folder);
}

/* ---- options ---- */

/* jvm.options: one option a line, '#' starts a comment line. */
static int add_file_options(struct option_list *list, const char *home, struct error *err)
{
    char path[PATH_BYTES];
    char *line = NULL;
    size_t capacity = 0;
    FILE *file = NULL;

    snprintf(path, sizeof(path), "%s/jvm.options", home);
    file = fopen(path, "re");
    if (file == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "%s: %s", path, strerror(errno));
    while (getline(&line, &capacity, file) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '\0' && line[0] != '#')
            add_option(list, line);
    }
    free(line);
    fclose(file);
    return 0;
}

static void add_computed_options(struct option_list *list, const char *home, const char *heap,
                                 bool check_jni)
{
    char text[PATH_BYTES + 64];
    char file[PATH_BYTES];

    snprintf(text, sizeof(text), "-Xmx%s", heap);
    add_option(list, text);
    snprintf(file, sizeof(file), "%s/app.jsa", home);
    if (access(file, R_OK) == 0) {
        snprintf(text, sizeof(text), "-XX:SharedArchiveFile=%s", file);
        add_option(list, text);
    }
    snprintf(file, sizeof(file), "%s/compiler.directives", home);
    if (access(file, R_OK) == 0) {
        snprintf(text, sizeof(text), "-XX:CompilerDirectivesFile=%s", file);
        add_option(list, "-XX:+UnlockDiagnosticVMOptions"); /* without it the next one is unknown */
        add_option(list, text);
    }
    if (check_jni)
        add_option(list, "-Xcheck:jni");
}

static const char *create_error_text(jint code)
{
    switch (code) {
    case JNI_EVERSION:
        return "the JVM is too old";
    case JNI_ENOMEM:
        return "not enough memory for the heap";
    case JNI_EEXIST:
        return "a JVM exists already";
    case JNI_EINVAL:
        return "an option is not known to this JVM";
    default:
        return "the JVM said why above";
    }
}

int jvm_create(const char *home, const char *heap, bool check_jni, JavaVM **ret_vm,
               struct error *err)
{
    struct option_list list = {0};
    struct byte_buffer class_path = {0};
    create_vm_function create = NULL;
    void *library = NULL;
    void *env = NULL;
    JavaVM *vm = NULL;
    JavaVMInitArgs args = {.version = JVM_JNI_VERSION, .ignoreUnrecognized = JNI_FALSE};
    jint code = JNI_OK;
    int rc = -1;

    if (open_libjvm(home, &library, err) != 0)
        return -1;
    *(void **)&create = dlsym(library, "JNI_CreateJavaVM"); /* POSIX's own idiom for dlsym */
    if (create == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "libjvm.so: %s", dlerror());
    if (build_class_path(home, &class_path, err) != 0 || add_file_options(&list, home, err) != 0)
        goto out;
    add_option(&list, class_path.data);
    add_computed_options(&list, home, heap, check_jni);
    if (list.failed) {
        error_set(err, ERROR_ENGINE_ERROR, "more than %d JVM options, or out of memory",
                  OPTIONS_MAX);
        goto out;
    }
    args.options = list.options;
    args.nOptions = (jint)list.count;
    code = create(&vm, &env, &args);
    if (code != JNI_OK) {
        error_set(err, ERROR_ENGINE_ERROR, "JNI_CreateJavaVM: %s (%d)", create_error_text(code),
                  (int)code);
        goto out;
    }
    *ret_vm = vm;
    rc = 0;
out:
    free_options(&list);
    byte_buffer_done(&class_path);
    return rc;
}

JNIEnv *jvm_env(JavaVM *vm)
{
    void *env = NULL;

    return (*vm)->GetEnv(vm, &env, JVM_JNI_VERSION) == JNI_OK ? env : NULL;
}
