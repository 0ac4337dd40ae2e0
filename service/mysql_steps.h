/*
 * mysql_steps: a statement sent as text and its answer, read in steps that never
 * block: a step for which bytes are still to come is suspended until they are
 * there. Who mustn't block looks again then; who may block waits for it.
 *
 * By one thread at a time: the loop, or the worker that took over from it.
 */
#ifndef SERVICE_MYSQL_STEPS_H
#define SERVICE_MYSQL_STEPS_H

#include <stdbool.h>
#include <stddef.h>

struct st_mysql;     /* MYSQL of mysql.h */
struct st_mysql_res; /* MYSQL_RES of mysql.h */

/* The widest row that a step may be about. */
#define MYSQL_STEP_ROW_BYTES ((size_t)512 * 1024)

enum mysql_step { MYSQL_STEP_NONE, MYSQL_STEP_SEND, MYSQL_STEP_RESULT, MYSQL_STEP_ROW };

struct mysql_steps {
    struct st_mysql *handle;     /* borrowed */
    struct st_mysql_res *result; /* of MYSQL_STEP_ROW; borrowed */
    enum mysql_step suspended;
    int wants;   /* what the suspended one waits for, as the library says it */
    bool failed; /* the step that is over; the handle knows why */
    char **row;  /* of MYSQL_STEP_ROW: NULL at the end, and when it failed */
};

/* Once each, with the client library's own begin and end.   [loop] */
void mysql_steps_library_begin(void);
void mysql_steps_library_end(void);

/* False: the library can't, or there is no memory. */
bool mysql_steps_begin(struct mysql_steps *steps, struct st_mysql *handle);

/* Each begins a step, or goes on with it when it is suspended. True: it is over. A server
 * that sends more in one step than an honest one would is cut off. */
bool mysql_steps_send(struct mysql_steps *steps, const char *text, size_t length);
bool mysql_steps_result(struct mysql_steps *steps);
bool mysql_steps_row(struct mysql_steps *steps, struct st_mysql_res *result);

/* Waits until the suspended step is over, if one is.   [worker] */
void mysql_steps_finish(struct mysql_steps *steps);

#endif
