/*
 * run_history: how long statements ran lately, to guess how long the next run of one
 * takes. A statement is known by its text and where it reads, its parameters left out;
 * of one that never ran the guess is what other statements took there, when that is
 * little. Guesses order the queue; no answer depends on them.
 *
 * Bounded: two statements of one place share it.   [loop]
 */
#ifndef SERVICE_RUN_HISTORY_H
#define SERVICE_RUN_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query_request.h"

struct run_history;

/* What is expected of a run. */
enum run_size {
    RUN_SMALL,
    RUN_MIDDLE, /* nobody knows */
    RUN_HEAVY,
    RUN_SIZE_COUNT
};

struct run_guess {
    enum run_size size;
    int64_t span_ms; /* of a MIDDLE one: small_ms */
};

/* A run up to small_ms is small. NULL without memory. */
struct run_history *run_history_new(int64_t small_ms);
void run_history_free(struct run_history *history);

struct run_guess run_history_guess(const struct run_history *history,
                                   const struct query_request *request);

/* It held its slot for so long; cut short: it would have taken longer. */
void run_history_note(struct run_history *history, const struct query_request *request,
                      int64_t span_ms, bool cut_short);

/* In how many seconds so many waiting runs are likely to have a slot, of so many slots;
 * at least 1. As the last runs took. */
int run_history_wait_s(const struct run_history *history, size_t waiting, size_t slots);

#endif
