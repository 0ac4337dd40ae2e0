#include "run_history.h"

#include <stdlib.h>
#include <string.h>

/* Powers of two. */
#define STATEMENT_PLACES 4096
#define SOURCE_PLACES 256
/* Longer advice than that helps nobody. */
#define WAIT_S_MAX 120

struct run_history {
    int64_t small_ms;
    int64_t mean_ms; /* of all runs, the last ones counting most; -1: none yet */
    struct place {
        uint64_t hash; /* 0: empty */
        int64_t span_ms;
    } statements[STATEMENT_PLACES], sources[SOURCE_PLACES];
};

struct run_history *run_history_new(int64_t small_ms)
{
    struct run_history *history = calloc(1, sizeof(*history));

    if (history == NULL)
        return NULL;
    history->small_ms = small_ms;
    history->mean_ms = -1;
    return history;
}

void run_history_free(struct run_history *history)
{
    free(history);
}

/* FNV-1a, 64 bits, over a text with its NUL. */
static uint64_t add_text(uint64_t hash, const char *text)
{
    const char *rest = text != NULL ? text : "";

    do
        hash = (hash ^ (unsigned char)*rest) * UINT64_C(0x100000001b3);
    while (*rest++ != '\0');
    return hash;
}

static uint64_t source_hash(const struct query_request *request)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) + (uint64_t)request->source;

    hash = add_text(hash, request->path);
    hash = add_text(hash, request->table);
    hash = add_text(hash, request->config.source);
    return add_text(hash, request->config.host) | 1;
}

static uint64_t statement_hash(const struct query_request *request)
{
    return add_text(source_hash(request), request->sql) | 1;
}

/* The lowest bit is always set. */
static size_t place_of(uint64_t hash, size_t places)
{
    return (size_t)(hash >> 1) & (places - 1);
}

static const struct place *find(const struct place *places, size_t count, uint64_t hash)
{
    const struct place *place = &places[place_of(hash, count)];

    return place->hash == hash ? place : NULL;
}

struct run_guess run_history_guess(const struct run_history *history,
                                   const struct query_request *request)
{
    const struct place *place =
        find(history->statements, STATEMENT_PLACES, statement_hash(request));
    struct run_guess guess = {RUN_MIDDLE, history->small_ms};

    if (place != NULL) {
        guess.span_ms = place->span_ms;
        guess.size = place->span_ms > history->small_ms ? RUN_HEAVY : RUN_SMALL;
        return guess;
    }
    place = find(history->sources, SOURCE_PLACES, source_hash(request));
    if (place != NULL && place->span_ms <= history->small_ms)
        guess = (struct run_guess){RUN_SMALL, place->span_ms};
    return guess;
}

/* Down quickly, up slowly: the first runs of a statement are its slowest. */
static int64_t blend(int64_t known_ms, int64_t span_ms)
{
    return span_ms < known_ms ? (known_ms + 3 * span_ms) / 4 : (known_ms + span_ms) / 2;
}

static void note(struct place *places, size_t count, uint64_t hash, int64_t span_ms, bool cut_short)
{
    struct place *place = &places[place_of(hash, count)];

    if (place->hash != hash)
        *place = (struct place){hash, span_ms};
    else if (!cut_short || span_ms > place->span_ms)
        place->span_ms = blend(place->span_ms, span_ms);
}

void run_history_note(struct run_history *history, const struct query_request *request,
                      int64_t span_ms, bool cut_short)
{
    uint64_t statement = statement_hash(request);

    history->mean_ms = history->mean_ms < 0 ? span_ms : (7 * history->mean_ms + span_ms) / 8;
    if (cut_short && span_ms <= history->small_ms &&
        find(history->statements, STATEMENT_PLACES, statement) == NULL)
        return; /* it says nothing */
    note(history->statements, STATEMENT_PLACES, statement, span_ms, cut_short);
    note(history->sources, SOURCE_PLACES, source_hash(request), span_ms, cut_short);
}

int run_history_wait_s(const struct run_history *history, size_t waiting, size_t slots)
{
    int64_t mean_ms = history->mean_ms > 0 ? history->mean_ms : 0;
    int64_t turns = (int64_t)(waiting / (slots > 0 ? slots : 1)) + 1;
    int64_t wait_s = 0;

    if (mean_ms > WAIT_S_MAX * 1000 / turns)
        return WAIT_S_MAX;
    wait_s = (turns * mean_ms + 999) / 1000;
    return wait_s > 1 ? (int)wait_s : 1;
}
