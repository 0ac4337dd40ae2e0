/*
 * spool_disposal: gives spools, and files of kept answers, back away from the loop. The last
 * holder of one removes its file, and to remove some hundred megabytes takes the file system tens
 * of milliseconds.   [loop]
 */
#ifndef SERVICE_SPOOL_DISPOSAL_H
#define SERVICE_SPOOL_DISPOSAL_H

struct delivery_pool;
struct kept_file;
struct reply_channel;
struct result_spool;
struct spool_disposal;

/* Borrows both. NULL: no memory. */
struct spool_disposal *spool_disposal_new(struct delivery_pool *pool,
                                          struct reply_channel *channel);

/* Takes the holder's part in the spool (NULL is fine); without a disposal, or once
 * stopped, gives it back here and now. */
void spool_disposal_take(struct spool_disposal *disposal, struct result_spool *spool);
void spool_disposal_take_file(struct spool_disposal *disposal, struct kept_file *file);

/* The pool is about to stop. NULL is fine. */
void spool_disposal_stop(struct spool_disposal *disposal);

/* Gives back what is left; the pool has stopped. NULL is fine. */
void spool_disposal_free(struct spool_disposal *disposal);

#endif
