#include "mysql_connection.h"

#include <mysql.h>
#ifdef MARIADB_BASE_VERSION
#include <ma_pvio.h>
#endif
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "deadline.h"
#include "metrics.h"
#include "mysql_errors.h"
#include "mysql_greeting.h"
#include "mysql_steps.h"

/* Longest value that is taken from a server; its own default. */
#define PACKET_MAX_BYTES (64UL * 1024 * 1024)
#define SQL_MODE_MAX_BYTES 1024

struct mysql_connection {
    MYSQL *handle;
    struct mysql_modes modes;
    int64_t row_limit; /* the session's; -1 = none */
    struct monotime new_since;
    bool is_used; /* a statement was run since then */
    bool may_be_reused;
    struct mysql_shapes shapes;
    char session[SQL_MODE_MAX_BYTES + 256]; /* the statement that sets the session up */
};

static int fail(MYSQL *handle, struct error *err)
{
    return mysql_errors_set(err, mysql_errno(handle), mysql_sqlstate(handle), mysql_error(handle));
}

static unsigned to_seconds(int64_t span_ms)
{
    return (unsigned)((span_ms + 999) / 1000);
}

/* ---- connecting ---- */

#ifdef MARIADB_BASE_VERSION
/* With a ca the chain is checked whatever `verify` says; `verify` adds the host's name.
 * The server names the login method: none that sends the password as it is, which
 * caching_sha2_password does when it takes the line for a safe one. */
static void set_tls(MYSQL *handle, const struct mysql_tls *tls, enum mysql_tls_mode mode)
{
    const my_bool verify = mode == MYSQL_TLS_VERIFY_IDENTITY;
    const char *methods = mode == MYSQL_TLS_DISABLED
                              ? "mysql_native_password,client_ed25519"
                              : "mysql_native_password,client_ed25519,caching_sha2_password";

    if (mode != MYSQL_TLS_DISABLED)
        (void)mysql_ssl_set(handle, tls->key, tls->cert, tls->ca, NULL, NULL);
    (void)mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    (void)mysql_options(handle, MARIADB_OPT_RESTRICTED_AUTH, methods);
}
#else
static void set_tls(MYSQL *handle, const struct mysql_tls *tls, enum mysql_tls_mode mode)
{
    static const unsigned modes[] = {
        [MYSQL_TLS_PREFERRED] = SSL_MODE_PREFERRED,
        [MYSQL_TLS_DISABLED] = SSL_MODE_DISABLED,
        [MYSQL_TLS_REQUIRED] = SSL_MODE_REQUIRED,
        [MYSQL_TLS_VERIFY_CA] = SSL_MODE_VERIFY_CA,
        [MYSQL_TLS_VERIFY_IDENTITY] = SSL_MODE_VERIFY_IDENTITY,
    };

    (void)mysql_options(handle, MYSQL_OPT_SSL_MODE, &modes[mode]);
    (void)mysql_options(handle, MYSQL_OPT_SSL_CA, tls->ca);
    (void)mysql_options(handle, MYSQL_OPT_SSL_CERT, tls->cert);
    (void)mysql_options(handle, MYSQL_OPT_SSL_KEY, tls->key);
}
#endif

static void set_options(MYSQL *handle, const struct mysql_connection_limits *limits)
{
    const unsigned connect_timeout_s = to_seconds(limits->connect_ms);
    const unsigned local_infile = 0;
    const unsigned protocol = MYSQL_PROTOCOL_TCP; /* `localhost` is no socket file here */
    const unsigned long packet = PACKET_MAX_BYTES;

    (void)mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout_s);
    (void)mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &connect_timeout_s);
    (void)mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &local_infile);
    (void)mysql_options(handle, MYSQL_OPT_PROTOCOL, &protocol);
    (void)mysql_options(handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    (void)mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    (void)mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "spark-service");
}

#ifdef MARIADB_BASE_VERSION
/* Exported for the library's plugins, in none of its headers. */
extern int ma_pvio_register_callback(my_bool adds,
                                     void (*callback)(int mode, MYSQL *handle,
                                                      const unsigned char *bytes, size_t length));

/* This thread's handshake. */
static _Thread_local struct {
    struct monotime limit; /* when it has to be over; unset: none is under way */
    bool needs_tls;
    bool lacks_tls; /* cut, because the server offers none */
    bool answered;  /* what comes now is no greeting */
    struct mysql_greeting greeting;
} handshake;

/* After each read and write. A server that says a byte now and then never runs into a
 * timeout for one read. One without TLS is cut before we say who we are: the library would
 * log in in the clear, and caching_sha2_password take it for safe that TLS was wanted. */
static void look_at_handshake(int mode, MYSQL *handle, const unsigned char *bytes, size_t length)
{
    if (!monotime_is_set(handshake.limit))
        return;
    if (mode == 0 && !handshake.answered && length <= SSIZE_MAX) { /* above: the read has failed */
        mysql_greeting_add(&handshake.greeting, bytes, length);
        handshake.lacks_tls = handshake.needs_tls && mysql_greeting_lacks_tls(&handshake.greeting);
    }
    handshake.answered |= mode != 0;
    if (handshake.lacks_tls || monotime_reached(handshake.limit, monotime_now()))
        (void)shutdown((int)mysql_get_socket(handle), SHUT_RDWR);
}

/* From the first packet to a session that is set up: each silence is short, and all
 * together are no longer than `connect_ms`. */
static void begin_handshake(MYSQL *handle, enum mysql_tls_mode mode,
                            const struct mysql_connection_limits *limits)
{
    const unsigned silence_s = to_seconds(limits->connect_ms);

    (void)mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &silence_s);
    handshake.limit = monotime_after(monotime_now(), (int64_t)silence_s * 1000);
    handshake.needs_tls = mode != MYSQL_TLS_DISABLED;
    handshake.lacks_tls = false;
    handshake.answered = false;
    handshake.greeting.length = 0;
}

/* What comes later is the query's own time. `handle` NULL: there is nothing later. */
static void end_handshake(MYSQL *handle, const struct mysql_connection_limits *limits)
{
    handshake.limit = (struct monotime){0};
    if (handle != NULL)
        (void)handle->net.pvio->methods->set_timeout(handle->net.pvio, PVIO_READ_TIMEOUT,
                                                     (int)to_seconds(limits->read_ms) * 1000);
}

static bool handshake_lacked_tls(void)
{
    return handshake.lacks_tls;
}
#else
static void begin_handshake(MYSQL *handle, enum mysql_tls_mode mode,
                            const struct mysql_connection_limits *limits)
{
    const unsigned read_timeout_s = to_seconds(limits->read_ms);

    (void)mode;
    (void)mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &read_timeout_s);
}

static void end_handshake(MYSQL *handle, const struct mysql_connection_limits *limits)
{
    (void)handle;
    (void)limits;
}

static bool handshake_lacked_tls(void)
{
    return false; /* the library goes by the mode itself */
}
#endif

static int connect_once(const struct mysql_target *target, enum mysql_tls_mode mode,
                        const struct mysql_connection_limits *limits, MYSQL **ret_handle,
                        struct error *err)
{
    MYSQL *handle = mysql_init(NULL);

    if (handle == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for a connection");
    set_options(handle, limits);
    set_tls(handle, &target->tls, mode);
    begin_handshake(handle, mode, limits);
    if (mysql_real_connect(handle, target->host, target->user, target->password, target->database,
                           (unsigned)target->port, NULL, 0) == NULL) {
        fail(handle, err);
        mysql_close(handle);
        return -1;
    }
    *ret_handle = handle;
    return 0;
}

/* The handshake goes on until end_handshake. */
static int connect_to(const struct mysql_target *target,
                      const struct mysql_connection_limits *limits, MYSQL **ret_handle,
                      struct error *err)
{
    enum mysql_tls_mode mode = target->tls.mode;
    MYSQL *handle = NULL;
    struct error first;
    int rc = connect_once(target, mode, limits, &handle, &first);

    if (!handshake_lacked_tls()) {
        if (rc == 0)
            *ret_handle = handle;
        else
            *err = first;
        return rc;
    }
    if (rc == 0) /* the server's welcome was faster than the cut */
        mysql_close(handle);
    if (mode == MYSQL_TLS_PREFERRED)
        return connect_once(target, MYSQL_TLS_DISABLED, limits, ret_handle, err);
    return error_set(err, ERROR_SOURCE_ERROR, "MySQL offers no TLS, and this source requires it.");
}

/* ---- the session ---- */

static int read_sql_mode(MYSQL *handle, char ret_mode[SQL_MODE_MAX_BYTES], struct error *err)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW row = NULL;

    if (mysql_query(handle, "SELECT @@SESSION.sql_mode") != 0 ||
        (result = mysql_store_result(handle)) == NULL)
        return fail(handle, err);
    row = mysql_fetch_row(result);
    snprintf(ret_mode, SQL_MODE_MAX_BYTES, "%s", row != NULL && row[0] != NULL ? row[0] : "");
    mysql_free_result(result);
    if (strspn(ret_mode, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789,") != strlen(ret_mode))
        return error_set(err, ERROR_SOURCE_ERROR, "MySQL's sql_mode is not understood.");
    return 0;
}

/* sql_mode is pinned to what the lexer goes by, though somebody sets the global one. */
static int set_up_session(struct mysql_connection *connection, bool writes, struct error *err)
{
    char mode[SQL_MODE_MAX_BYTES];
    bool mariadb = strstr(mysql_get_server_info(connection->handle), "MariaDB") != NULL;

    if (read_sql_mode(connection->handle, mode, err) != 0)
        return -1;
    connection->modes = mysql_modes_parse(mode);
    connection->may_be_reused = strstr(mode, "ORACLE") == NULL;
    snprintf(connection->session, sizeof(connection->session),
             "SET NAMES utf8mb4, autocommit = 1, time_zone = '+00:00', sql_mode = '%s', "
             "SESSION %s = %d",
             mode, mariadb ? "tx_read_only" : "transaction_read_only", !writes);
    return mysql_query(connection->handle, connection->session) == 0
               ? 0
               : fail(connection->handle, err);
}

int mysql_connection_open(const struct mysql_target *target,
                          const struct mysql_connection_limits *limits,
                          struct mysql_connection **ret_connection, struct error *err)
{
    struct mysql_connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for a connection");
    if (mysql_shapes_init(&connection->shapes, limits->shapes) != 0) {
        mysql_connection_close(connection);
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for a connection");
    }
    if (connect_to(target, limits, &connection->handle, err) != 0 ||
        set_up_session(connection, target->writes, err) != 0) {
        end_handshake(NULL, limits);
        mysql_connection_close(connection);
        return -1;
    }
    end_handshake(connection->handle, limits);
    connection->row_limit = -1;
    connection->new_since = monotime_now();
    *ret_connection = connection;
    return 0;
}

void mysql_connection_close(struct mysql_connection *connection)
{
    if (connection == NULL)
        return;
    if (connection->handle != NULL)
        mysql_close(connection->handle);
    mysql_shapes_done(&connection->shapes);
    free(connection);
}

MYSQL *mysql_connection_handle(const struct mysql_connection *connection)
{
    return connection->handle;
}

int mysql_connection_fd(const struct mysql_connection *connection)
{
#ifdef MARIADB_BASE_VERSION
    return (int)mysql_get_socket(connection->handle);
#else
    return connection->handle->net.fd;
#endif
}

struct mysql_modes mysql_connection_modes(const struct mysql_connection *connection)
{
    return connection->modes;
}

bool mysql_connection_is_quiet(const struct mysql_connection *connection)
{
    struct pollfd poll_fd = {.fd = mysql_connection_fd(connection), .events = POLLIN};

    return poll(&poll_fd, 1, 0) == 0;
}

bool mysql_connection_limits_to(const struct mysql_connection *connection, int64_t rows)
{
    return connection->row_limit == rows;
}

int mysql_connection_limit_rows(struct mysql_connection *connection, int64_t rows,
                                struct error *err)
{
    char statement[64];

    if (connection->row_limit == rows)
        return 0;
    if (rows < 0)
        snprintf(statement, sizeof(statement), "SET SESSION sql_select_limit = DEFAULT");
    else
        snprintf(statement, sizeof(statement), "SET SESSION sql_select_limit = %lld",
                 (long long)rows);
    if (mysql_query(connection->handle, statement) != 0)
        return fail(connection->handle, err);
    connection->row_limit = rows;
    connection->is_used = true;
    return 0;
}

struct monotime mysql_connection_new_since(const struct mysql_connection *connection)
{
    return connection->new_since;
}

void mysql_connection_use(struct mysql_connection *connection)
{
    connection->is_used = true;
}

bool mysql_connection_renew(struct mysql_connection *connection)
{
    if (!connection->is_used)
        return true;
    if (mysql_reset_connection(connection->handle) != 0 ||
        mysql_query(connection->handle, connection->session) != 0)
        return false;
    metrics_add(METRIC_MYSQL_SESSIONS_RENEWED, 1);
    connection->row_limit = -1;
    connection->new_since = monotime_now();
    connection->is_used = false;
    return true;
}

bool mysql_connection_may_be_reused(const struct mysql_connection *connection)
{
    return connection->may_be_reused;
}

struct mysql_shapes *mysql_connection_shapes(struct mysql_connection *connection)
{
    return &connection->shapes;
}

/* The close that follows resets: after a mere FIN a server that writes into a full
 * window doesn't notice before its next window probe, seconds later. */
void mysql_connection_cut(struct mysql_connection *connection)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int fd = mysql_connection_fd(connection);

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    (void)shutdown(fd, SHUT_RDWR);
}

void mysql_connection_kill(struct mysql_connection *connection, const struct mysql_target *target,
                           int64_t timeout_ms)
{
    char statement[48];
    const struct mysql_connection_limits limits = {timeout_ms, timeout_ms, 0};
    MYSQL *second = NULL;
    struct error err; /* a server that can't be reached runs nothing worth a word */

    snprintf(statement, sizeof(statement), "KILL QUERY %lu", mysql_thread_id(connection->handle));
    mysql_connection_cut(connection);
    if (connect_to(target, &limits, &second, &err) == 0 && mysql_query(second, statement) == 0)
        metrics_add(METRIC_MYSQL_KILLS, 1);
    else
        metrics_add(METRIC_MYSQL_KILL_FAILURES, 1);
    end_handshake(NULL, &limits);
    if (second != NULL)
        mysql_close(second);
}

unsigned mysql_connection_statement_errno(MYSQL_STMT *statement)
{
    unsigned number = mysql_stmt_errno(statement);

    return number != 0 ? number : mysql_errno(statement->mysql);
}

int mysql_connection_check(MYSQL *handle, struct error *err)
{
    return mysql_errno(handle) == 0 ? 0 : fail(handle, err);
}

int mysql_connection_statement_fail(MYSQL_STMT *statement, struct error *err)
{
    if (mysql_stmt_errno(statement) == 0)
        return fail(statement->mysql, err);
    return mysql_errors_set(err, mysql_stmt_errno(statement), mysql_stmt_sqlstate(statement),
                            mysql_stmt_error(statement));
}

int mysql_connection_library_begin(struct error *err)
{
    if (mysql_library_init(0, NULL, NULL) != 0)
        return error_set(err, ERROR_ENGINE_ERROR, "MySQL's client library did not start");
#ifdef MARIADB_BASE_VERSION
    (void)ma_pvio_register_callback(1, look_at_handshake);
#endif
    mysql_steps_library_begin();
    return 0;
}

void mysql_connection_library_end(void)
{
    mysql_steps_library_end();
#ifdef MARIADB_BASE_VERSION
    (void)ma_pvio_register_callback(0, look_at_handshake);
#endif
    mysql_library_end();
}

void mysql_connection_thread_end(void)
{
    mysql_thread_end();
}
