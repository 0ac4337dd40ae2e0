#include "mysql_steps.h"

#include <mysql.h>

#ifdef MARIADB_BASE_VERSION
#include <ma_pvio.h>
#include <openssl/err.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

/* Thousands of column definitions, or a row of MYSQL_STEP_ROW_BYTES, are less. */
#define STEP_BYTES_MAX ((size_t)4 * 1024 * 1024)

/* Exported for the library's plugins, in none of its headers. */
extern int ma_pvio_register_callback(my_bool adds,
                                     void (*callback)(int mode, MYSQL *handle,
                                                      const unsigned char *bytes, size_t length));

/* This thread's step: while bytes come faster than they are read it doesn't end by itself. */
static _Thread_local struct {
    bool is_bounded;
    size_t bytes_left;
} reading;

/* After each read and write. */
static void look_at_reading(int mode, MYSQL *handle, const unsigned char *bytes, size_t length)
{
    (void)bytes;
    if (!reading.is_bounded || mode != 0 || length > SSIZE_MAX)
        return;
    if (length > reading.bytes_left)
        (void)shutdown((int)mysql_get_socket(handle), SHUT_RDWR);
    else
        reading.bytes_left -= length;
}

void mysql_steps_library_begin(void)
{
    (void)ma_pvio_register_callback(1, look_at_reading);
}

void mysql_steps_library_end(void)
{
    (void)ma_pvio_register_callback(0, look_at_reading);
}

static void begin_reading(const struct mysql_steps *steps)
{
    /* Errors that others left on this thread would be taken for the connection's. */
    if (steps->handle->net.pvio != NULL && steps->handle->net.pvio->ctls != NULL)
        ERR_clear_error();
    reading.is_bounded = true;
    reading.bytes_left = STEP_BYTES_MAX;
}

bool mysql_steps_begin(struct mysql_steps *steps, MYSQL *handle)
{
    MARIADB_PVIO *pvio = handle->net.pvio;
    my_bool is_able = 0;

    *steps = (struct mysql_steps){.handle = handle};
    if (pvio == NULL || mysql_get_optionv(handle, MYSQL_OPT_NONBLOCK, &is_able) != 0 ||
        (!is_able && mysql_options(handle, MYSQL_OPT_NONBLOCK, NULL) != 0))
        return false;
    /* TLS reads the socket as it is; the library's blocking calls set it back. */
    return pvio->methods->blocking(pvio, 0, NULL) == 0;
}

/* `wants` 0: the step is over. */
static bool note(struct mysql_steps *steps, enum mysql_step step, int wants, bool failed)
{
    reading.is_bounded = false;
    steps->wants = wants;
    steps->suspended = wants != 0 ? step : MYSQL_STEP_NONE;
    steps->failed = failed;
    return wants == 0;
}

/* `happened`: what came of what it wants. */
static bool go_on(struct mysql_steps *steps, int happened)
{
    enum mysql_step step = steps->suspended;
    my_bool refused = 0;
    int failed = 0;
    int wants = 0;

    switch (step) {
    case MYSQL_STEP_NONE:
        return true;
    case MYSQL_STEP_SEND:
        wants = mysql_send_query_cont(&failed, steps->handle, happened);
        break;
    case MYSQL_STEP_RESULT:
        wants = mysql_read_query_result_cont(&refused, steps->handle, happened);
        break;
    case MYSQL_STEP_ROW:
        wants = mysql_fetch_row_cont(&steps->row, steps->result, happened);
        break;
    }
    return note(steps, step, wants,
                failed != 0 || refused ||
                    (step == MYSQL_STEP_ROW && wants == 0 && steps->row == NULL &&
                     mysql_errno(steps->handle) != 0));
}

/* Bytes may have come: a step that finds none is suspended again. */
static bool look_again(struct mysql_steps *steps)
{
    begin_reading(steps);
    return go_on(steps, steps->wants & ~MYSQL_WAIT_TIMEOUT);
}

bool mysql_steps_send(struct mysql_steps *steps, const char *text, size_t length)
{
    int failed = 0;
    int wants = 0;

    if (steps->suspended == MYSQL_STEP_SEND)
        return look_again(steps);
    begin_reading(steps);
    wants = mysql_send_query_start(&failed, steps->handle, text, length);
    return note(steps, MYSQL_STEP_SEND, wants, failed != 0);
}

bool mysql_steps_result(struct mysql_steps *steps)
{
    my_bool refused = 0;
    int wants = 0;

    if (steps->suspended == MYSQL_STEP_RESULT)
        return look_again(steps);
    begin_reading(steps);
    wants = mysql_read_query_result_start(&refused, steps->handle);
    return note(steps, MYSQL_STEP_RESULT, wants, refused);
}

bool mysql_steps_row(struct mysql_steps *steps, MYSQL_RES *result)
{
    int wants = 0;

    if (steps->suspended == MYSQL_STEP_ROW)
        return look_again(steps);
    begin_reading(steps);
    steps->result = result;
    wants = mysql_fetch_row_start(&steps->row, result);
    return note(steps, MYSQL_STEP_ROW, wants,
                wants == 0 && steps->row == NULL && mysql_errno(steps->handle) != 0);
}

/* What a wait as the library wants it comes to. */
static int wait_for(const struct mysql_steps *steps)
{
    struct pollfd socket = {.fd = (int)mysql_get_socket(steps->handle)};
    bool ends = (steps->wants & MYSQL_WAIT_TIMEOUT) != 0;

    if ((steps->wants & MYSQL_WAIT_READ) != 0)
        socket.events |= POLLIN;
    if ((steps->wants & MYSQL_WAIT_WRITE) != 0)
        socket.events |= POLLOUT;
    if (poll(&socket, 1, ends ? (int)mysql_get_timeout_value_ms(steps->handle) : -1) == 0)
        return MYSQL_WAIT_TIMEOUT;
    return steps->wants & ~MYSQL_WAIT_TIMEOUT;
}

void mysql_steps_finish(struct mysql_steps *steps)
{
    while (steps->suspended != MYSQL_STEP_NONE)
        (void)go_on(steps, wait_for(steps));
}
#else
void mysql_steps_library_begin(void)
{
}

void mysql_steps_library_end(void)
{
}

bool mysql_steps_begin(struct mysql_steps *steps, MYSQL *handle)
{
    *steps = (struct mysql_steps){.handle = handle};
    return false; /* this library has no such calls */
}

bool mysql_steps_send(struct mysql_steps *steps, const char *text, size_t length)
{
    (void)text;
    (void)length;
    steps->failed = true;
    return true;
}

bool mysql_steps_result(struct mysql_steps *steps)
{
    steps->failed = true;
    return true;
}

bool mysql_steps_row(struct mysql_steps *steps, MYSQL_RES *result)
{
    steps->result = result;
    steps->row = NULL;
    steps->failed = true;
    return true;
}

void mysql_steps_finish(struct mysql_steps *steps)
{
    steps->suspended = MYSQL_STEP_NONE;
}
#endif
