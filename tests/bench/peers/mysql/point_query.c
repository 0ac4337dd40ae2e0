/*
 * point_query: a MySQL client that does nothing else: statements from stdin over one connection,
 * each timed here. `time SQL` is answered by its nanoseconds, `rows SQL` by a JSON array of its rows.
 *
 *     MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD, MYSQL_DATABASE; no arguments
 */
#include <inttypes.h>
#include <jansson.h>
#include <mysql.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void fail(MYSQL *mysql)
{
    fprintf(stderr, "point_query: %s\n", mysql_error(mysql));
    exit(1);
}

/* As the service's own connections do when the server can. */
static void use_tls(MYSQL *mysql)
{
#ifdef MARIADB_BASE_VERSION
    my_bool enforced = 1;
    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &enforced);
#else
    unsigned mode = SSL_MODE_REQUIRED;
    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
#endif
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static json_t *value(const MYSQL_FIELD *field, const char *text)
{
    if (text == NULL)
        return json_null();
    switch (field->type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
        return json_integer(strtoll(text, NULL, 10));
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
        return json_real(strtod(text, NULL));
    default:
        return json_string(text);
    }
}

static void print_rows(MYSQL_RES *result)
{
    json_t *rows = json_array();
    MYSQL_FIELD *fields = mysql_fetch_fields(result);
    for (MYSQL_ROW row; (row = mysql_fetch_row(result)) != NULL;) {
        json_t *object = json_object();
        for (unsigned i = 0; i < mysql_num_fields(result); i++)
            json_object_set_new(object, fields[i].name, value(&fields[i], row[i]));
        json_array_append_new(rows, object);
    }
    json_dumpf(rows, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(rows);
}

int main(void)
{
    MYSQL *mysql = mysql_init(NULL);
    if (mysql == NULL)
        return 1;
    use_tls(mysql);
    if (mysql_real_connect(mysql, getenv("MYSQL_HOST"), getenv("MYSQL_USER"),
                           getenv("MYSQL_PASSWORD"), getenv("MYSQL_DATABASE"),
                           (unsigned)atoi(getenv("MYSQL_PORT")), NULL, 0) == NULL)
        fail(mysql);
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        const char *sql = strchr(line, ' ') + 1;
        int64_t begin = now_ns();
        if (mysql_real_query(mysql, sql, strlen(sql)) != 0)
            fail(mysql);
        MYSQL_RES *result = mysql_store_result(mysql);
        if (result == NULL)
            fail(mysql);
        int64_t spent = now_ns() - begin;
        if (strncmp(line, "rows ", 5) == 0)
            print_rows(result);
        else
            printf("%" PRId64 "\n", spent);
        mysql_free_result(result);
    }
    mysql_close(mysql);
    return 0;
}
