#include "kept_answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "delivery.h"
#include "http_reply.h"
#include "query.h"
#include "query_metrics.h"
#include "query_reply.h"
#include "result_cache.h"

struct play {
    struct kept_answers *answers;
    struct delivery *delivery;
    struct cached_answer answer; /* the delivery holds its file */
    int64_t bytes;
    char query_id[QUERY_ID_BYTES];
    struct play *previous;
    struct play *next;
};

struct kept_answers {
    struct delivery_host *deliveries;
    void (*on_left)(void *user);
    void *user;
    struct play *plays;
    size_t open;
};

static void free_play(struct play *play)
{
    DL_DELETE2(play->answers->plays, play, previous, next);
    play->answers->open--;
    delivery_free(play->delivery);
    free(play);
}

/* ---- news from the delivery ---- */

static void on_begin(struct delivery *delivery)
{
    const struct play *play = delivery->user;

    if (delivery->exchange != NULL)
        query_reply_cached_begin(delivery->exchange, play->query_id, &play->answer);
}

static void on_gone(struct delivery *delivery, bool stalled)
{
    (void)stalled;
    delivery_stop(delivery);
}

static void answer_end(struct delivery *delivery, const struct play *play)
{
    struct http_exchange *exchange = delivery_detach(delivery);

    if (delivery->tally.err.code == ERROR_NONE) {
        query_metrics_fetched(play->answer.rows, play->bytes);
        query_reply_cached_end(exchange, &play->answer);
    } else if (delivery->streaming) {
        http_reply_abort(exchange);
    } else {
        query_reply_refusal(exchange, &delivery->tally.err);
    }
}

static void on_over(struct delivery *delivery, struct result_page last)
{
    struct play *play = delivery->user;
    const struct kept_answers *answers = play->answers;

    free(last.data);
    if (delivery->exchange != NULL)
        answer_end(delivery, play);
    free_play(play);
    answers->on_left(answers->user);
}

static const struct delivery_events EVENTS = {on_begin, on_gone, on_over};

/* ---- what others call ---- */

struct kept_answers *kept_answers_new(struct delivery_host *deliveries, void (*on_left)(void *user),
                                      void *user)
{
    struct kept_answers *answers = calloc(1, sizeof(*answers));

    if (answers != NULL)
        *answers = (struct kept_answers){deliveries, on_left, user, NULL, 0};
    return answers;
}

void kept_answers_free(struct kept_answers *answers)
{
    if (answers == NULL)
        return;
    while (answers->plays != NULL)
        free_play(answers->plays);
    free(answers);
}

int kept_answers_send(struct kept_answers *answers, struct http_exchange *exchange,
                      const char *query_id, const struct cached_answer *answer, struct error *err)
{
    const struct result_limits limits = {.rows = -1, .bytes = -1};
    struct play *play = calloc(1, sizeof(*play));
    struct result_options options = {0};

    if (play == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    play->answers = answers;
    play->answer = *answer;
    play->bytes = cached_answer_bytes(answer);
    snprintf(play->query_id, sizeof(play->query_id), "%s", query_id);
    options.query_id = play->query_id;
    if (delivery_new(answers->deliveries, &EVENTS, play, exchange, &options, &limits,
                     &play->delivery, err) != 0) {
        free(play);
        return -1;
    }
    DL_APPEND2(answers->plays, play, previous, next);
    answers->open++;
    delivery_play(play->delivery, answer->file);
    return 0;
}

void kept_answers_cut(struct kept_answers *answers)
{
    struct play *play = NULL;

    DL_FOREACH2(answers->plays, play, next)
    {
        struct http_exchange *exchange = delivery_detach(play->delivery);

        delivery_stop(play->delivery);
        if (exchange != NULL)
            http_reply_abort(exchange);
    }
}

size_t kept_answers_open(const struct kept_answers *answers)
{
    return answers->open;
}
