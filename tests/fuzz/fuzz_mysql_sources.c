/*
 * The `config` of a MySQL request -> a server, or a refusal. What gets through
 * must be on the list and unable to be anything but one part of a URL.
 */
#include <string.h>
#include <strings.h>

#include "../../service/byte_buffer.h"
#include "../../service/mysql_sources.h"
#include "input.h"

static char hosts[] = "db.example:3306,10.0.0.5:3307,::1:3308,a-b.c_d:1";
static char main_host[] = "main.example";
static char main_user[] = "reader";
static char main_password[] = "s3cret";
static char main_database[] = "shop";

static const struct {
    const char *host;
    int port;
} REACHABLE[] = {
    {"db.example", 3306}, {"10.0.0.5", 3307}, {"::1", 3308}, {"a-b.c_d", 1}, {main_host, 3309}};

static void check_text(const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        fuzz_check((unsigned char)*text > ' ' &&
                   strchr("/\\?#&%=@,;()'\"`<>[]{}|^*\177", *text) == NULL);
}

static void check_target(const struct query_mysql_config *config, const struct mysql_target *target)
{
    bool found = false;

    for (size_t i = 0; i < sizeof(REACHABLE) / sizeof(REACHABLE[0]); i++)
        found |=
            strcasecmp(REACHABLE[i].host, target->host) == 0 && REACHABLE[i].port == target->port;
    fuzz_check(found);
    fuzz_check(target->user != NULL && target->user[0] != '\0' && target->password != NULL);
    check_text(target->user);
    check_text(target->database);
    /* The operator's password goes only where the operator said. */
    if (config->host != NULL)
        fuzz_check(strcmp(target->password, config->password != NULL ? config->password : "") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct query_limits limits = {30000, 600000, 10000, -1};
    const struct settings settings = {.mysql_hosts = hosts,
                                      .mysql_host = main_host,
                                      .mysql_port = 3309,
                                      .mysql_user = main_user,
                                      .mysql_password = main_password,
                                      .mysql_database = main_database};
    struct byte_buffer body = {0};
    struct query_request request;
    struct mysql_sources *sources = NULL;
    struct mysql_target target;
    struct error err;

    byte_buffer_append_text(&body, "{\"sql\":\"SELECT 1\",\"config\":");
    byte_buffer_append(&body, data, size);
    byte_buffer_append_char(&body, '}');
    fuzz_check(mysql_sources_new(&settings, &sources, &err) == 0);
    if (query_request_parse(QUERY_MYSQL, body.data, body.length, &limits, &request, &err) == 0) {
        if (mysql_sources_resolve(sources, &request.config, &target, &err) == 0) {
            check_target(&request.config, &target);
            mysql_target_done(&target);
        } else {
            fuzz_check(err.code == ERROR_FORBIDDEN || err.code == ERROR_BAD_REQUEST);
        }
        query_request_done(&request);
    }
    mysql_sources_free(sources);
    byte_buffer_done(&body);
    return 0;
}
