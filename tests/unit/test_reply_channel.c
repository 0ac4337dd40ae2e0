#include <event2/event.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../service/reply_channel.h"

#define SENDERS 8
#define MAILS_EACH 5000

/* ---- the mailbox ---- */

struct numbered_mail {
    struct mail mail; /* first */
    size_t sender;
    size_t number;
};

static struct event_base *base;
static struct reply_channel *channel;
static size_t received[SENDERS]; /* written by deliver, on the loop */
static size_t out_of_order;
static size_t total;

static int open_channel(void **state)
{
    struct error err;

    (void)state;
    base = event_base_new();
    for (size_t i = 0; i < SENDERS; i++)
        received[i] = 0;
    out_of_order = 0;
    total = 0;
    return base == NULL ? -1 : reply_channel_new(base, &channel, &err);
}

static int close_base(void **state)
{
    (void)state;
    event_base_free(base);
    return 0;
}

static void deliver(struct mail *mail)
{
    struct numbered_mail *message = (struct numbered_mail *)mail;

    if (received[message->sender]++ != message->number)
        out_of_order++;
    total++;
    free(message);
}

static void send_mail(size_t sender, size_t number)
{
    struct numbered_mail *message = calloc(1, sizeof(*message));

    if (message == NULL)
        abort();
    message->mail.deliver = deliver;
    message->sender = sender;
    message->number = number;
    reply_channel_post(channel, &message->mail);
}

static void *send_many(void *argument)
{
    size_t sender = (size_t)(uintptr_t)argument;

    for (size_t i = 0; i < MAILS_EACH; i++)
        send_mail(sender, i);
    return NULL;
}

/* Nothing is lost, even when a mail arrives while the list is being emptied. */
static void test_many_senders(void **state)
{
    pthread_t threads[SENDERS];

    (void)state;
    for (size_t i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, send_many, (void *)(uintptr_t)i), 0);
    while (total < (size_t)SENDERS * MAILS_EACH)
        assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    for (size_t i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(out_of_order, 0);
    assert_int_equal(total, (size_t)SENDERS * MAILS_EACH);
    reply_channel_free(channel);
}

static void test_order_of_one_sender(void **state)
{
    (void)state;
    send_mail(0, 0);
    send_mail(0, 1);
    assert_int_equal(total, 0); /* only the loop delivers */
    assert_int_equal(event_base_loop(base, EVLOOP_NONBLOCK), 0);
    assert_int_equal(total, 2);
    send_mail(0, 2);
    assert_int_equal(event_base_loop(base, EVLOOP_NONBLOCK), 0);
    assert_int_equal(total, 3);
    assert_int_equal(out_of_order, 0);
    reply_channel_free(channel);
}

static void post_two(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    (void)user;
    send_mail(0, 0);
    send_mail(0, 1);
    assert_int_equal(total, 0); /* behind what the loop is doing */
}

static void test_the_loops_own_come_in_the_same_turn(void **state)
{
    struct event *now = event_new(base, -1, 0, post_two, NULL);

    (void)state;
    assert_non_null(now);
    event_active(now, EV_TIMEOUT, 0);
    assert_int_equal(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
    assert_int_equal(total, 2);
    assert_int_equal(out_of_order, 0);
    event_free(now);
    reply_channel_free(channel);
}

static void deliver_and_answer(struct mail *mail)
{
    struct numbered_mail *message = (struct numbered_mail *)mail;

    send_mail(message->sender, 0);
    free(message);
}

/* No lock is held while a mail is delivered. */
static void test_post_while_delivering(void **state)
{
    struct numbered_mail *message = calloc(1, sizeof(*message));

    (void)state;
    assert_non_null(message);
    message->mail.deliver = deliver_and_answer;
    reply_channel_post(channel, &message->mail);
    while (total == 0)
        assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    reply_channel_free(channel);
}

static void test_free_delivers_the_rest(void **state)
{
    (void)state;
    send_mail(1, 0);
    send_mail(1, 1);
    reply_channel_free(channel);
    assert_int_equal(total, 2);
    reply_channel_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_many_senders, open_channel, close_base),
        cmocka_unit_test_setup_teardown(test_order_of_one_sender, open_channel, close_base),
        cmocka_unit_test_setup_teardown(test_the_loops_own_come_in_the_same_turn, open_channel,
                                        close_base),
        cmocka_unit_test_setup_teardown(test_post_while_delivering, open_channel, close_base),
        cmocka_unit_test_setup_teardown(test_free_delivers_the_rest, open_channel, close_base),
    };

    return cmocka_run_group_tests_name("reply_channel", tests, NULL, NULL);
}
