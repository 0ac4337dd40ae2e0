#include "reply_channel.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct reply_channel {
    pthread_mutex_t lock;
    struct mail *first; /* under lock */
    struct mail **last; /* under lock */
    int wake_fd;
    struct event *wake_event;
    pthread_t loop;
};

static struct mail *take_all(struct reply_channel *channel)
{
    struct mail *mail = NULL;

    pthread_mutex_lock(&channel->lock);
    mail = channel->first;
    channel->first = NULL;
    channel->last = &channel->first;
    pthread_mutex_unlock(&channel->lock);
    return mail;
}

static void deliver_all(struct reply_channel *channel)
{
    struct mail *mail = take_all(channel);

    while (mail != NULL) {
        struct mail *next = mail->next;
        mail->deliver(mail);
        mail = next;
    }
}

/* The eventfd is drained before the list is taken: a mail posted in between
 * finds an empty list and wakes us again. */
static void on_wake(evutil_socket_t fd, short what, void *user)
{
    uint64_t count = 0;

    if ((what & EV_READ) != 0)
        (void)!read(fd, &count, sizeof(count));
    deliver_all(user);
}

int reply_channel_new(struct event_base *base, struct reply_channel **ret_channel,
                      struct error *err)
{
    struct reply_channel *channel = calloc(1, sizeof(*channel));

    if (channel == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    pthread_mutex_init(&channel->lock, NULL);
    channel->last = &channel->first;
    channel->loop = pthread_self();
    channel->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (channel->wake_fd < 0) {
        error_set(err, ERROR_ENGINE_ERROR, "eventfd: %s", strerror(errno));
        goto fail;
    }
    channel->wake_event = event_new(base, channel->wake_fd, EV_READ | EV_PERSIST, on_wake, channel);
    if (channel->wake_event == NULL || event_add(channel->wake_event, NULL) != 0) {
        error_set(err, ERROR_ENGINE_ERROR, "event for the mailbox: out of memory");
        goto fail;
    }
    *ret_channel = channel;
    return 0;
fail:
    reply_channel_free(channel);
    return -1;
}

void reply_channel_free(struct reply_channel *channel)
{
    if (channel == NULL)
        return;
    deliver_all(channel);
    if (channel->wake_event != NULL)
        event_free(channel->wake_event);
    if (channel->wake_fd >= 0)
        close(channel->wake_fd);
    pthread_mutex_destroy(&channel->lock);
    free(channel);
}

void reply_channel_post(struct reply_channel *channel, struct mail *mail)
{
    bool was_empty = false;
    uint64_t one = 1;

    mail->next = NULL;
    pthread_mutex_lock(&channel->lock);
    was_empty = channel->first == NULL;
    *channel->last = mail;
    channel->last = &mail->next;
    pthread_mutex_unlock(&channel->lock);
    if (was_empty && pthread_equal(pthread_self(), channel->loop))
        event_active(channel->wake_event, EV_TIMEOUT, 0);
    else if (was_empty)
        (void)!write(channel->wake_fd, &one, sizeof(one));
}
