/*
 * The sources file -> MySQL servers, or a refusal that repeats no value. What
 * gets through must be as harmless as what mysql_sources lets through.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../service/query_syntax.h"
#include "../../service/sources_file.h"
#include "input.h"

#define PASSWORD "sesam0123456789" /* what no message may repeat */

static void check_target(const struct mysql_target *target)
{
    fuzz_check(target->name != NULL && query_syntax_is_source_name(target->name));
    fuzz_check(target->host != NULL && query_syntax_is_host(target->host));
    fuzz_check(target->port >= 1 && target->port <= 65535);
    fuzz_check(target->user != NULL && query_syntax_is_account_name(target->user));
    fuzz_check(target->database == NULL || query_syntax_is_account_name(target->database));
    fuzz_check(target->connect_ms >= 0 && target->socket_ms >= 0 && target->query_ms >= 0);
    fuzz_check(target->pool_size >= 0);
    fuzz_check(mysql_tls_mode_name(target->tls.mode) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    char path[64];
    struct mysql_target *targets = NULL;
    size_t count = 0;
    struct error err;

    if (fd < 0)
        fd = memfd_create("sources", MFD_CLOEXEC);
    fuzz_check(fd >= 0 && fchmod(fd, 0600) == 0 && ftruncate(fd, 0) == 0);
    fuzz_check(pwrite(fd, data, size, 0) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (sources_file_read(path, &targets, &count, &err) != 0) {
        fuzz_check(err.code == ERROR_BAD_REQUEST && err.detail[0] != '\0');
        fuzz_check(strstr(err.detail, PASSWORD) == NULL);
        return 0;
    }
    fuzz_check(count <= SOURCES_FILE_SOURCES_MAX);
    for (size_t i = 0; i < count; i++)
        check_target(&targets[i]);
    sources_file_done(targets, count);
    return 0;
}
