/*
 * fake_engine: a scripted engine behind jni/spark_engine.h, without a JVM, so
 * that sanitizers, races and fuzzers can watch the whole C side. The SQL text
 * is the script, words in order:
 *
 *   rows N      N rows of one BIGINT column "n", counting from 0, 1000 a batch
 *   sleep MS    waits; a cancel ends it
 *   stuck MS    waits and ignores cancels (a lost slot)
 *   until PATH  waits until that file exists; a cancel ends it
 *   fail CODE   fails with that code (CODE/CLASS: and error class); before the first batch, or after `rows`
 *   echo        one row with the query's own tag (who am I)
 *   stages D/T  progress: D of T stages done, and ten tasks for each stage
 *   source V    facts of planning: version V, 1 of 4 files, 4096 of 16384 bytes
 *   reads PATH  the rows rest on the Parquet files at PATH, and on nothing else
 *
 * Environment: FAKE_START_MS delays the start, FAKE_START_FAIL=1 lets it fail,
 * FAKE_CANARY_FAIL_AFTER=N lets canaries fail after the N-th, -1 each.
 * FAKE_CANARY_FROM=FILE: canaries wait until that file is there.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deadline.h"
#include "spark_engine.h"

#define BATCH_ROWS 1000
#define TAGS_MAX 512
#define TASKS_PER_STAGE 10

struct running_tag {
    char tag[SPARK_TAG_BYTES];
    bool cancelled;
    struct spark_progress progress;
};

struct spark_engine {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct running_tag running[TAGS_MAX]; /* under lock; "" = free */
    atomic_int attached;
    atomic_int canaries;
};

struct spark_thread {
    struct spark_engine *engine;
};

struct spark_cursor {
    struct spark_engine *engine;
    struct running_tag *mine;
    struct ArrowSchema schema;
    struct ArrowSchema column;
    struct ArrowSchema *columns[1];
    struct spark_source_facts source;
    struct answer_basis basis;
    char *script;
    char *rest;
    int64_t rows_left;
    int64_t next_value;
    bool echo;
};

/* ---- start, stop, threads ---- */

static long environment_number(const char *name)
{
    const char *text = getenv(name);

    return text != NULL ? atol(text) : 0;
}

int spark_engine_start(const struct spark_engine_config *config, struct spark_engine **ret_engine,
                       struct error *err)
{
    struct spark_engine *engine = NULL;
    pthread_condattr_t attributes;
    struct timespec until;

    if (config->progress != NULL)
        config->progress("fake engine", config->progress_user);
    if (environment_number("FAKE_START_FAIL") != 0)
        return error_set(err, ERROR_ENGINE_ERROR, "told to fail");
    engine = calloc(1, sizeof(*engine));
    if (engine == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    pthread_mutex_init(&engine->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&engine->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    until = monotime_timespec(monotime_after(monotime_now(), environment_number("FAKE_START_MS")));
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
        ;
    *ret_engine = engine;
    return 0;
}

/* Over as soon as the file FAKE_WARM_UP_UNTIL is there. */
int spark_engine_warm_up(struct spark_engine *engine, int64_t wait_ms, struct error *err)
{
    const char *file = getenv("FAKE_WARM_UP_UNTIL");
    struct timespec until = monotime_timespec(monotime_after(monotime_now(), wait_ms));

    (void)engine;
    (void)err;
    if (file == NULL || access(file, F_OK) == 0)
        return 1;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
        ;
    return 0;
}

void spark_engine_stop(struct spark_engine *engine)
{
    if (engine == NULL)
        return;
    if (atomic_load(&engine->attached) != 0)
        abort(); /* the contract: no thread is left */
    pthread_cond_destroy(&engine->changed);
    pthread_mutex_destroy(&engine->lock);
    free(engine);
}

const char *spark_engine_version(const struct spark_engine *engine)
{
    (void)engine;
    return "0.0.0-fake";
}

void spark_engine_leave(int code)
{
    exit(code);
}

int spark_thread_attach(struct spark_engine *engine, const char *name,
                        struct spark_thread **ret_thread, struct error *err)
{
    struct spark_thread *thread = calloc(1, sizeof(*thread));

    (void)name;
    if (thread == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    thread->engine = engine;
    atomic_fetch_add(&engine->attached, 1);
    *ret_thread = thread;
    return 0;
}

void spark_thread_detach(struct spark_thread *thread)
{
    if (thread == NULL)
        return;
    atomic_fetch_sub(&thread->engine->attached, 1);
    free(thread);
}

/* ---- tags ---- */

static struct running_tag *register_tag(struct spark_engine *engine, const char *tag)
{
    struct running_tag *mine = NULL;

    pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; i < TAGS_MAX && mine == NULL; i++) {
        if (engine->running[i].tag[0] == '\0')
            mine = &engine->running[i];
    }
    if (mine == NULL)
        abort();
    snprintf(mine->tag, sizeof(mine->tag), "%s", tag);
    mine->cancelled = false;
    mine->progress = (struct spark_progress){0};
    pthread_mutex_unlock(&engine->lock);
    return mine;
}

static void unregister_tag(struct spark_engine *engine, struct running_tag *mine)
{
    pthread_mutex_lock(&engine->lock);
    mine->tag[0] = '\0';
    pthread_mutex_unlock(&engine->lock);
}

void spark_engine_cancel(struct spark_thread *thread, const char *tag)
{
    struct spark_engine *engine = thread->engine;

    pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; i < TAGS_MAX; i++) {
        if (strcmp(engine->running[i].tag, tag) == 0)
            engine->running[i].cancelled = true;
    }
    pthread_cond_broadcast(&engine->changed);
    pthread_mutex_unlock(&engine->lock);
}

/* False when cancelled before the time was over. */
static bool wait_ms(struct spark_engine *engine, const struct running_tag *mine, int64_t span_ms,
                    bool heeds_cancel)
{
    struct monotime end = monotime_after(monotime_now(), span_ms);
    struct timespec until = monotime_timespec(end);
    bool cancelled = false;

    pthread_mutex_lock(&engine->lock);
    while (!monotime_reached(end, monotime_now()) && !(heeds_cancel && mine->cancelled))
        pthread_cond_timedwait(&engine->changed, &engine->lock, &until);
    cancelled = heeds_cancel && mine->cancelled;
    pthread_mutex_unlock(&engine->lock);
    return !cancelled;
}

/* ---- Arrow ---- */

static void release_column_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void fill_schema(struct spark_cursor *cursor)
{
    cursor->column = (struct ArrowSchema){.format = cursor->echo ? "u" : "l",
                                          .name = cursor->echo ? "tag" : "n",
                                          .release = release_column_schema};
    cursor->columns[0] = &cursor->column;
    cursor->schema = (struct ArrowSchema){.format = "+s",
                                          .name = "",
                                          .n_children = 1,
                                          .children = cursor->columns,
                                          .release = release_column_schema};
}

/* Everything one batch owns, freed as one. */
struct batch {
    struct ArrowArray column;
    struct ArrowArray *columns[1];
    const void *struct_buffers[1];
    const void *buffers[3];
    int32_t text_offsets[2];
    char text[64];
    int64_t values[];
};

static void release_batch(struct ArrowArray *array)
{
    free(array->private_data);
    array->release = NULL;
}

static struct batch *make_batch(struct ArrowArray *ret_array, int64_t rows, int64_t n_buffers)
{
    struct batch *batch = calloc(1, sizeof(*batch) + (size_t)rows * sizeof(batch->values[0]));

    if (batch == NULL)
        return NULL;
    batch->column = (struct ArrowArray){.length = rows,
                                        .n_buffers = n_buffers,
                                        .buffers = batch->buffers,
                                        .release = release_batch};
    batch->columns[0] = &batch->column;
    *ret_array = (struct ArrowArray){.length = rows,
                                     .n_buffers = 1,
                                     .buffers = batch->struct_buffers,
                                     .n_children = 1,
                                     .children = batch->columns,
                                     .release = release_batch,
                                     .private_data = batch};
    return batch;
}

static int fail_without_memory(struct error *err)
{
    return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
}

/* 1, or -1 without memory, as the next one. */
static int make_numbers(struct spark_cursor *cursor, struct ArrowArray *ret_array,
                        struct error *err)
{
    int64_t rows = cursor->rows_left < BATCH_ROWS ? cursor->rows_left : BATCH_ROWS;
    struct batch *batch = make_batch(ret_array, rows, 2);

    if (batch == NULL)
        return fail_without_memory(err);
    for (int64_t i = 0; i < rows; i++)
        batch->values[i] = cursor->next_value++;
    batch->buffers[1] = batch->values;
    cursor->rows_left -= rows;
    return 1;
}

static int make_echo(struct spark_cursor *cursor, struct ArrowArray *ret_array, struct error *err)
{
    struct batch *batch = make_batch(ret_array, 1, 3);

    if (batch == NULL)
        return fail_without_memory(err);
    snprintf(batch->text, sizeof(batch->text), "%s", cursor->mine->tag);
    batch->text_offsets[1] = (int32_t)strlen(batch->text);
    batch->buffers[1] = batch->text_offsets;
    batch->buffers[2] = batch->text;
    return 1;
}

/* ---- the script ---- */

/* False when cancelled before it was there. */
static bool wait_for_file(struct spark_engine *engine, const struct running_tag *mine,
                          const char *path)
{
    while (access(path, F_OK) != 0)
        if (!wait_ms(engine, mine, 2, true))
            return false;
    return wait_ms(engine, mine, 0, true);
}

static void set_progress(struct spark_cursor *cursor, const char *argument)
{
    const char *slash = strchr(argument, '/');
    struct spark_progress progress = {.stages_done = atoll(argument),
                                      .stages = slash != NULL ? atoll(slash + 1) : 0};

    progress.tasks_done = progress.stages_done * TASKS_PER_STAGE;
    progress.tasks = progress.stages * TASKS_PER_STAGE;
    pthread_mutex_lock(&cursor->engine->lock);
    cursor->mine->progress = progress;
    pthread_mutex_unlock(&cursor->engine->lock);
}

static void add_read(struct spark_cursor *cursor, const char *path)
{
    const struct source_read read = {SOURCE_FILES, path, path, 0, 0};

    cursor->basis.repeatable = answer_basis_add(&cursor->basis, &read) == 0;
}

static void set_source(struct spark_cursor *cursor, const char *version)
{
    cursor->source = (struct spark_source_facts){
        .files_read = 1, .files_total = 4, .bytes_read = 4096, .bytes_total = 16384};
    snprintf(cursor->source.version, sizeof(cursor->source.version), "%s", version);
}

/* 1: rows are to be made, 0: script over, -1: *err. */
/* "CODE" or "CODE/CLASS". */
static int fail_as_told(char *argument, struct error *err)
{
    char *class = strchr(argument, '/');

    if (class != NULL)
        *class ++ = '\0';
    error_set(err, error_code_from_name(argument), "told to fail");
    if (class != NULL)
        snprintf(err->error_class, sizeof(err->error_class), "%s", class);
    return -1;
}

static int run_script(struct spark_cursor *cursor, struct error *err)
{
    char *verb = NULL;

    while ((verb = strsep(&cursor->rest, " ")) != NULL) {
        char *argument = NULL;

        if (strcmp(verb, "echo") == 0)
            return 1;
        argument = strsep(&cursor->rest, " ");
        if (argument == NULL)
            return error_set(err, ERROR_SQL_ERROR, "no such script");
        if (strcmp(verb, "rows") == 0) {
            cursor->rows_left = atoll(argument);
            return 1;
        }
        if (strcmp(verb, "fail") == 0)
            return fail_as_told(argument, err);
        if (strcmp(verb, "stages") == 0)
            set_progress(cursor, argument);
        else if (strcmp(verb, "reads") == 0)
            add_read(cursor, argument);
        else if (strcmp(verb, "source") == 0)
            set_source(cursor, argument);
        else if (strcmp(verb, "until") == 0 ? !wait_for_file(cursor->engine, cursor->mine, argument)
                                            : !wait_ms(cursor->engine, cursor->mine,
                                                       atoll(argument), strcmp(verb, "stuck") != 0))
            return error_set(err, ERROR_CANCELLED, "cancelled");
    }
    return 0;
}

int spark_cursor_open(struct spark_thread *thread, const struct spark_query *query,
                      struct spark_cursor **ret_cursor, struct error *err)
{
    struct spark_cursor *cursor = calloc(1, sizeof(*cursor));

    if (cursor == NULL || (cursor->script = strdup(query->sql)) == NULL) {
        free(cursor);
        return fail_without_memory(err);
    }
    cursor->engine = thread->engine;
    cursor->rest = cursor->script;
    cursor->source = (struct spark_source_facts){
        .files_read = -1, .files_total = -1, .bytes_read = -1, .bytes_total = -1};
    cursor->echo = strstr(query->sql, "echo") != NULL;
    cursor->mine = register_tag(thread->engine, query->tag);
    fill_schema(cursor);
    if (run_script(cursor, err) < 0) {
        spark_cursor_close(cursor);
        return -1;
    }
    *ret_cursor = cursor;
    return 0;
}

static void release_own_schema(struct ArrowSchema *schema)
{
    free(schema->private_data);
    schema->release = NULL;
}

/* The script is the plan; one filter of each kind. Sleeps and failures are as in a query. */
int spark_engine_explain(struct spark_thread *thread, const struct spark_query *query,
                         struct explanation *ret_explanation, struct error *err)
{
    struct spark_cursor *cursor = NULL;
    struct explanation explanation = {.has_filters = true, .has_source = true};
    struct {
        struct ArrowSchema column;
        struct ArrowSchema *columns[1];
    } *schema = NULL;

    if (spark_cursor_open(thread, query, &cursor, err) != 0)
        return -1;
    explanation.plan = strdup(query->sql);
    explanation.source = cursor->source;
    spark_cursor_close(cursor);
    schema = calloc(1, sizeof(*schema));
    explanation.filters = calloc(2, sizeof(*explanation.filters));
    if (schema == NULL || explanation.filters == NULL)
        goto fail;
    schema->column =
        (struct ArrowSchema){.format = "l", .name = "n", .release = release_column_schema};
    schema->columns[0] = &schema->column;
    explanation.schema = (struct ArrowSchema){.format = "+s",
                                              .name = "",
                                              .n_children = 1,
                                              .children = schema->columns,
                                              .release = release_own_schema,
                                              .private_data = schema};
    schema = NULL;
    explanation.filter_count = 2;
    explanation.filters[0].text = strdup("(n > 1)");
    explanation.filters[1].text = strdup("(f(n) = \"2\")");
    explanation.filters[1].reason = strdup("the source has no form for it");
    if (explanation.plan == NULL || explanation.filters[0].text == NULL ||
        explanation.filters[1].text == NULL || explanation.filters[1].reason == NULL)
        goto fail;
    *ret_explanation = explanation;
    return 0;
fail:
    free(schema);
    explanation_done(&explanation);
    return fail_without_memory(err);
}

const struct ArrowSchema *spark_cursor_schema(const struct spark_cursor *cursor)
{
    return &cursor->schema;
}

const struct spark_source_facts *spark_cursor_source(const struct spark_cursor *cursor)
{
    return &cursor->source;
}

const struct answer_basis *spark_cursor_basis(const struct spark_cursor *cursor)
{
    return &cursor->basis;
}

int spark_cursor_next(struct spark_cursor *cursor, struct ArrowArray *ret_batch, struct error *err)
{
    bool cancelled = !wait_ms(cursor->engine, cursor->mine, 0, true);
    int rc = 0;

    if (cancelled)
        return error_set(err, ERROR_CANCELLED, "cancelled");
    if (cursor->echo) {
        cursor->echo = false;
        return make_echo(cursor, ret_batch, err);
    }
    if (cursor->rows_left > 0)
        return make_numbers(cursor, ret_batch, err);
    rc = run_script(cursor, err);
    return rc <= 0 ? rc : make_numbers(cursor, ret_batch, err);
}

void spark_cursor_close(struct spark_cursor *cursor)
{
    if (cursor == NULL)
        return;
    unregister_tag(cursor->engine, cursor->mine);
    free(cursor->script);
    answer_basis_done(&cursor->basis);
    free(cursor);
}

int spark_engine_canary(struct spark_thread *thread, struct error *err)
{
    const struct timespec look = {.tv_nsec = 1000000};
    long limit = environment_number("FAKE_CANARY_FAIL_AFTER");
    const char *file = getenv("FAKE_CANARY_FROM");

    while (file != NULL && access(file, F_OK) != 0)
        nanosleep(&look, NULL);
    if (limit != 0 && atomic_fetch_add(&thread->engine->canaries, 1) >= limit)
        return error_set(err, ERROR_ENGINE_ERROR, "told to fail");
    return 0;
}

int spark_engine_facts(struct spark_thread *thread, struct spark_facts *ret_facts,
                       struct error *err)
{
    struct spark_engine *engine = thread->engine;
    struct spark_facts facts = {.waiting_bytes = 1, .spooled_bytes = 2};

    for (int i = 0; i < SPARK_MEMORY_AREAS; i++)
        facts.memory[i] = (struct spark_memory){
            .used_bytes = (i + 1) * 1000, .committed_bytes = (i + 1) * 2000, .max_bytes = -1};
    facts.queries = calloc(TAGS_MAX, sizeof(*facts.queries));
    if (facts.queries == NULL)
        return fail_without_memory(err);
    pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; i < TAGS_MAX; i++) {
        const struct running_tag *running = &engine->running[i];
        struct spark_query_progress *next = &facts.queries[facts.query_count];
        if (running->tag[0] == '\0')
            continue;
        memcpy(next->tag, running->tag, sizeof(next->tag));
        next->progress = running->progress;
        facts.query_count++;
    }
    pthread_mutex_unlock(&engine->lock);
    *ret_facts = facts;
    return 0;
}
