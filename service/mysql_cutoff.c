#include "mysql_cutoff.h"

#include <sys/socket.h>

void mysql_cutoff_init(struct mysql_cutoff *cutoff)
{
    pthread_mutex_init(&cutoff->lock, NULL);
    cutoff->fd = -1;
    cutoff->cut = false;
}

void mysql_cutoff_done(struct mysql_cutoff *cutoff)
{
    pthread_mutex_destroy(&cutoff->lock);
}

bool mysql_cutoff_arm(struct mysql_cutoff *cutoff, int fd)
{
    bool cut = false;

    pthread_mutex_lock(&cutoff->lock);
    cut = cutoff->cut;
    if (!cut)
        cutoff->fd = fd;
    pthread_mutex_unlock(&cutoff->lock);
    return !cut;
}

bool mysql_cutoff_disarm(struct mysql_cutoff *cutoff)
{
    bool cut = false;

    pthread_mutex_lock(&cutoff->lock);
    cut = cutoff->cut;
    cutoff->fd = -1;
    pthread_mutex_unlock(&cutoff->lock);
    return !cut;
}

bool mysql_cutoff_is_cut(struct mysql_cutoff *cutoff)
{
    bool cut = false;

    pthread_mutex_lock(&cutoff->lock);
    cut = cutoff->cut;
    pthread_mutex_unlock(&cutoff->lock);
    return cut;
}

void mysql_cutoff_cut(struct mysql_cutoff *cutoff)
{
    pthread_mutex_lock(&cutoff->lock);
    cutoff->cut = true;
    if (cutoff->fd >= 0)
        (void)shutdown(cutoff->fd, SHUT_RDWR);
    pthread_mutex_unlock(&cutoff->lock);
}
