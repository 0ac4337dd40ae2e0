/* needs: unit/arrow_build.c */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../service/result_spool.h"
#include "arrow_build.h"

#define BATCH_ROWS 100
#define MANY 200
#define PLENTY ((int64_t)1 << 30)

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/test-result-spool-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails when a spool left its file */
}

static int files_in_folder(void)
{
    DIR *dir = opendir(folder);
    int count = 0;

    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* One column, counting from `from`. */
static struct arrow_built *make_batch(int64_t from)
{
    int64_t values[BATCH_ROWS];

    for (int64_t i = 0; i < BATCH_ROWS; i++)
        values[i] = from + i;
    return arrow_build_struct(
        "", BATCH_ROWS, NULL, 1,
        (struct arrow_built *[]){arrow_build_fixed("n", "l", 8, values, BATCH_ROWS, NULL)});
}

static struct result_spool *make_spool(struct spool_store *store)
{
    struct arrow_built *batch = make_batch(0);
    struct result_spool *spool = NULL;
    struct error err;

    assert_int_equal(result_spool_new(store, &batch->schema, &spool, &err), 0);
    arrow_build_free(batch);
    return spool;
}

static int append(struct result_spool *spool, int64_t from, int64_t first, int64_t count,
                  struct error *err)
{
    struct arrow_built *batch = make_batch(from);
    int rc = result_spool_append(spool, &batch->array, first, count, err);

    arrow_build_free(batch);
    return rc;
}

static void append_many(struct result_spool *spool, int64_t count)
{
    struct error err;

    for (int64_t i = 0; i < count; i++)
        assert_int_equal(append(spool, i * BATCH_ROWS, 0, BATCH_ROWS, &err), 0);
}

static int64_t first_value(const struct ArrowArray *batch)
{
    return ((const int64_t *)batch->children[0]->buffers[1])[0];
}

static void check_batch(struct result_spool *spool, size_t number, int64_t value, int64_t length)
{
    struct ArrowArray batch;
    struct error err;

    assert_int_equal(result_spool_read(spool, number, &batch, &err), SPOOL_BATCH);
    assert_int_equal(batch.length, length);
    assert_int_equal(first_value(&batch), value);
    batch.release(&batch);
}

/* ---- one thread ---- */

static void test_rows_come_back(void **state)
{
    struct spool_store *store = spool_store_new(folder, PLENTY);
    struct result_spool *spool = make_spool(store);
    struct result_end end = RESULT_END_UNKNOWN;
    struct result_spool_facts facts;
    struct ArrowArray batch;
    struct error err;
    char version[] = "12";

    (void)state;
    assert_int_equal(result_spool_read(spool, 0, &batch, &err), SPOOL_NOT_YET);
    append_many(spool, 3);
    assert_int_equal(append(spool, 300, 90, 10, &err), 0);
    assert_int_equal(append(spool, 300, 90, 0, &err), 0);
    check_batch(spool, 3, 390, 10);
    check_batch(spool, 0, 0, BATCH_ROWS);
    assert_int_equal(result_spool_read(spool, 4, &batch, &err), SPOOL_NOT_YET);
    end.run_us = 7;
    end.source_version = version;
    result_spool_finish(spool, &end);
    version[0] = 'x';
    assert_int_equal(result_spool_read(spool, 4, &batch, &err), SPOOL_END);
    check_batch(spool, 2, 200, BATCH_ROWS);
    facts = result_spool_look(spool);
    assert_true(facts.finished && facts.complete);
    assert_int_equal(facts.rows, 310);
    assert_int_equal(facts.batches, 4);
    assert_int_equal(facts.bytes, spool_store_bytes(store));
    assert_int_equal(result_spool_end(spool).run_us, 7);
    assert_string_equal(result_spool_end(spool).source_version, "12");
    assert_string_equal(result_spool_schema(spool)->children[0]->name, "n");
    assert_int_equal(files_in_folder(), 1);
    result_spool_release(spool);
    assert_int_equal(spool_store_bytes(store), 0);
    spool_store_free(store);
}

static void test_a_failed_query_gives_no_rows(void **state)
{
    struct spool_store *store = spool_store_new(folder, PLENTY);
    struct result_spool *spool = make_spool(store);
    struct ArrowArray batch;
    struct error err;

    (void)state;
    append_many(spool, 1);
    result_spool_finish(spool, NULL);
    assert_int_equal(result_spool_read(spool, 0, &batch, &err), SPOOL_FAILED);
    assert_false(result_spool_look(spool).complete);
    result_spool_release(spool);
    spool_store_free(store);
}

static void test_the_last_holder_removes_it(void **state)
{
    struct spool_store *store = spool_store_new(folder, PLENTY);
    struct result_spool *spool = make_spool(store);
    struct result_end end = RESULT_END_UNKNOWN;

    (void)state;
    append_many(spool, 2);
    assert_ptr_equal(result_spool_hold(spool), spool);
    result_spool_finish(spool, &end);
    result_spool_release(spool);
    check_batch(spool, 1, BATCH_ROWS, BATCH_ROWS);
    assert_int_equal(files_in_folder(), 1);
    result_spool_release(spool);
    assert_int_equal(files_in_folder(), 0);
    result_spool_release(NULL);
    spool_store_free(store);
}

/* ---- bounds ---- */

static void test_byte_cap(void **state)
{
    struct spool_store *store = spool_store_new(folder, 4000);
    struct result_spool *spool = make_spool(store);
    struct result_spool *other = make_spool(store);
    struct error err;
    int appended = 0;

    (void)state;
    while (append(spool, 0, 0, BATCH_ROWS, &err) == 0)
        appended++;
    assert_int_equal(err.code, ERROR_STORAGE_FULL);
    assert_true(appended >= 2);
    assert_true(spool_store_bytes(store) <= 4000);
    check_batch(spool, 0, 0, BATCH_ROWS); /* what was there stays */
    assert_int_equal(append(other, 0, 0, BATCH_ROWS, &err), -1);
    assert_int_equal(err.code, ERROR_STORAGE_FULL);
    result_spool_release(spool);
    assert_int_equal(append(other, 0, 0, BATCH_ROWS, &err), 0); /* heals */
    result_spool_release(other);
    assert_int_equal(spool_store_bytes(store), 0);
    spool_store_free(store);
}

/* A file size limit stands in for a full disk: write fails with EFBIG. */
static void test_full_disk(void **state)
{
    struct spool_store *store = spool_store_new(folder, PLENTY);
    struct result_spool *spool = make_spool(store);
    struct rlimit before;
    struct rlimit tight;
    struct error err = {0};
    int rc = 0;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    tight = (struct rlimit){.rlim_cur = 3000, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &tight);
    for (int i = 0; i < 10 && rc == 0; i++)
        rc = append(spool, 0, 0, BATCH_ROWS, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(rc, -1);
    assert_int_equal(err.code, ERROR_STORAGE_FULL);
    result_spool_release(spool);
    assert_int_equal(spool_store_bytes(store), 0);
    spool_store_free(store);
}

static void test_damaged_file(void **state)
{
    struct spool_store *store = spool_store_new(folder, PLENTY);
    struct result_spool *spool = make_spool(store);
    struct ArrowArray batch;
    struct error err;
    char path[128];

    (void)state;
    append_many(spool, 2);
    snprintf(path, sizeof(path), "%s/result-0.spool", folder);
    assert_int_equal(truncate(path, 1000), 0);
    assert_int_equal(result_spool_read(spool, 1, &batch, &err), SPOOL_FAILED);
    assert_int_equal(err.code, ERROR_ENGINE_ERROR);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(result_spool_read(spool, 0, &batch, &err), SPOOL_FAILED);
    result_spool_release(spool);
    spool_store_free(store);
}

/* ---- chunks ---- */

static void test_chunks(void **state)
{
    struct spool_store *store = spool_store_new(folder, PLENTY);
    struct result_spool *spool = make_spool(store);
    struct result_end end = RESULT_END_UNKNOWN;
    int64_t bytes_per_batch = 0;
    size_t batches = 0;
    size_t next = 0;
    size_t chunks = 0;

    (void)state;
    append_many(spool, 1);
    bytes_per_batch = result_spool_look(spool).bytes;
    batches = (size_t)(2 * RESULT_SPOOL_CHUNK_BYTES / bytes_per_batch + 10);
    append_many(spool, (int64_t)batches - 1);
    assert_false(result_spool_chunk(spool, 0, &next, &next)); /* not before the end */
    result_spool_finish(spool, &end);
    next = 0;
    for (size_t first, last; result_spool_chunk(spool, chunks, &first, &last); chunks++) {
        assert_int_equal(first, next);
        if (last < batches)
            assert_in_range((last - first) * (size_t)bytes_per_batch, RESULT_SPOOL_CHUNK_BYTES,
                            RESULT_SPOOL_CHUNK_BYTES + bytes_per_batch);
        next = last;
    }
    assert_int_equal(next, batches);
    assert_int_equal(chunks, 3);
    assert_int_equal(result_spool_look(spool).chunks, 3);
    result_spool_release(spool);

    spool = make_spool(store);
    result_spool_finish(spool, &end);
    assert_int_equal(result_spool_look(spool).chunks, 1);
    assert_true(result_spool_chunk(spool, 0, &next, &batches));
    assert_int_equal(next, batches);
    assert_false(result_spool_chunk(spool, 1, &next, &batches));
    result_spool_release(spool);
    spool_store_free(store);
}

/* ---- many threads ---- */

struct follower {
    struct result_spool *spool;
    struct result_spool_watch watch;
    pthread_mutex_t lock;
    pthread_cond_t news;
    int wakes;
    int64_t rows;
    bool in_order;
};

static void on_news(void *user)
{
    struct follower *follower = user;

    pthread_mutex_lock(&follower->lock);
    follower->wakes++;
    pthread_cond_signal(&follower->news);
    pthread_mutex_unlock(&follower->lock);
}

static void *follow(void *argument)
{
    struct follower *follower = argument;
    struct ArrowArray batch;
    struct error err;
    size_t number = 0;

    for (;;) {
        int wakes = 0;
        enum result_spool_read got;

        pthread_mutex_lock(&follower->lock);
        wakes = follower->wakes;
        pthread_mutex_unlock(&follower->lock);
        got = result_spool_read(follower->spool, number, &batch, &err);
        if (got == SPOOL_NOT_YET) {
            pthread_mutex_lock(&follower->lock);
            while (follower->wakes == wakes)
                pthread_cond_wait(&follower->news, &follower->lock);
            pthread_mutex_unlock(&follower->lock);
            continue;
        }
        if (got != SPOOL_BATCH)
            break;
        follower->in_order &= first_value(&batch) == (int64_t)number * BATCH_ROWS;
        follower->rows += batch.length;
        batch.release(&batch);
        number++;
    }
    result_spool_unwatch(follower->spool, &follower->watch);
    result_spool_release(follower->spool);
    return NULL;
}

static void test_followers(void **state)
{
    struct spool_store *store = spool_store_new(folder, PLENTY);
    struct result_spool *spool = make_spool(store);
    struct result_end end = RESULT_END_UNKNOWN;
    struct follower followers[4] = {0};
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        followers[i].spool = result_spool_hold(spool);
        followers[i].in_order = true;
        followers[i].watch = (struct result_spool_watch){.wake = on_news, .user = &followers[i]};
        pthread_mutex_init(&followers[i].lock, NULL);
        pthread_cond_init(&followers[i].news, NULL);
        result_spool_watch(spool, &followers[i].watch);
        assert_int_equal(pthread_create(&threads[i], NULL, follow, &followers[i]), 0);
    }
    append_many(spool, MANY);
    result_spool_finish(spool, &end);
    result_spool_release(spool);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(followers[i].rows, MANY * BATCH_ROWS);
        assert_true(followers[i].in_order);
        pthread_cond_destroy(&followers[i].news);
        pthread_mutex_destroy(&followers[i].lock);
    }
    assert_int_equal(files_in_folder(), 0);
    spool_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_come_back, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_a_failed_query_gives_no_rows, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_the_last_holder_removes_it, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_byte_cap, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_full_disk, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_damaged_file, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_chunks, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_followers, make_folder, remove_folder),
    };

    return cmocka_run_group_tests_name("result_spool", tests, NULL, NULL);
}
