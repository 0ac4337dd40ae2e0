/*
 * kept_answers: long answers of the result cache on their way to those who asked. Each is a
 * delivery of its own, out of the answer's file, with the head and the trailers that the first
 * one had.   [loop]
 */
#ifndef SERVICE_KEPT_ANSWERS_H
#define SERVICE_KEPT_ANSWERS_H

#include <stddef.h>

#include "error.h"

struct cached_answer;
struct delivery_host;
struct http_exchange;
struct kept_answers;

/* Borrows the host. on_left: one is over, whatever its end,
 * but not by kept_answers_free. NULL: no memory. */
struct kept_answers *kept_answers_new(struct delivery_host *deliveries, void (*on_left)(void *user),
                                      void *user);

/* Frees those whose producer will say no more, too. */
void kept_answers_free(struct kept_answers *answers);

/* Answers the exchange with the bytes of answer->file, which it holds. -1: no memory, and
 * the exchange is the caller's. */
int kept_answers_send(struct kept_answers *answers, struct http_exchange *exchange,
                      const char *query_id, const struct cached_answer *answer, struct error *err);

/* Breaks off what is under way. */
void kept_answers_cut(struct kept_answers *answers);

size_t kept_answers_open(const struct kept_answers *answers);

#endif
