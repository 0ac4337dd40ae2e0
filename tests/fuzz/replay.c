/*
 * replay: a fuzz target without libFuzzer: runs it over its committed corpus
 * (tests/fuzz/corpus/<target>), or over the files that are named.
 *
 *   build/obj/asan/fuzz/fuzz_http_reader [FILE...]
 */
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "input.h"

#define PATH_BYTES 4096
#define INPUT_SECONDS 10

static const char *target; /* "http_reader" */
static char current[PATH_BYTES];

/* Says which input it was, whatever ended the program. */
static void tell_current(int signal_number)
{
    static const char text[] = "fuzz input: ";

    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ||
        write(STDERR_FILENO, current, strlen(current)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
        _exit(1);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rbe");
    uint8_t *bytes = NULL;
    long length = 0;

    snprintf(current, sizeof(current), "%s", path);
    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (length = ftell(file)) < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(2);
    }
    rewind(file);
    /* Of its exact size, so that AddressSanitizer sees its end. */
    bytes = malloc((size_t)length + (length == 0));
    fuzz_check(bytes != NULL && fread(bytes, 1, (size_t)length, file) == (size_t)length);
    fclose(file);
    alarm(INPUT_SECONDS);
    LLVMFuzzerTestOneInput(bytes, (size_t)length);
    alarm(0);
    free(bytes);
}

static void test_corpus(void **state)
{
    char folder[PATH_BYTES / 2];
    struct dirent **entries = NULL;
    int count = 0;
    int inputs = 0;

    (void)state;
    snprintf(folder, sizeof(folder), "tests/fuzz/corpus/%s", target);
    count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[PATH_BYTES];

        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            run_file(path);
            inputs++;
        }
        free(entries[i]);
    }
    free(entries);
    assert_true(inputs > 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus)};
    char group[64];

    signal(SIGABRT, tell_current);
    signal(SIGALRM, tell_current);
    target = basename(argv[0]);
    if (strncmp(target, "fuzz_", 5) == 0)
        target += 5;
    for (int i = 1; i < argc; i++)
        run_file(argv[i]);
    if (argc > 1)
        return 0;
    snprintf(group, sizeof(group), "fuzz_%s", target);
    return cmocka_run_group_tests_name(group, tests, NULL, NULL);
}
