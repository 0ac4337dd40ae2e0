/*
 * spark_engine: the real engine behind the seam. JSON to and from the bridge,
 * attached threads, cursors. The JNI calls themselves are bridge_call.c's.
 */
#include "spark_engine.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../service/no_children.h"
#include "../service/thread_nice.h"
#include "bridge_answer.h"
#include "bridge_call.h"
#include "jvm.h"

/* HotSpot's name for each thread of its second compiler, as far as Linux keeps it. */
#define OPTIMISING_COMPILER "C2 CompilerThre"

struct spark_engine {
    JavaVM *vm;
    struct bridge_class bridge;
    char version[32];
};

/* JNIEnv is looked up at each call, never kept: it belongs to the thread. */
struct spark_thread {
    struct spark_engine *engine;
};

struct spark_cursor {
    struct spark_thread *thread;
    jlong id;
    struct ArrowSchema schema;
    struct spark_source_facts source;
    struct answer_basis basis;
};

/* ---- the bridge's answers ---- */

/* Takes the bytes. 0: *ret_answer (NULL when Java said null) is the caller's;
 * -1: it was an error or no JSON. */
static int take_answer(struct bridge_bytes *bytes, json_t **ret_answer, struct error *err)
{
    int rc = 0;

    *ret_answer = NULL;
    if (bytes->data == NULL)
        return 0;
    rc = bridge_answer_read(bytes->data, bytes->length, ret_answer, err);
    free(bytes->data);
    bytes->data = NULL;
    return rc;
}

/* For calls whose good answer holds nothing we need. */
static int check_answer(struct bridge_bytes *bytes, struct error *err)
{
    json_t *answer = NULL;

    if (take_answer(bytes, &answer, err) != 0)
        return -1;
    json_decref(answer);
    return 0;
}

/* Of a method that answers null (1), nothing (0) or an error (-1). */
static int take_outcome(struct bridge_bytes *bytes, struct error *err)
{
    if (bytes->data == NULL)
        return 1;
    if (bytes->length == 0) {
        free(bytes->data);
        return 0;
    }
    if (check_answer(bytes, err) == 0)
        error_set(err, ERROR_ENGINE_ERROR, "the bridge answered neither null nor error");
    return -1;
}

/* ---- start and stop ---- */

/* "k=v,k=v" -> object. */
static json_t *conf_to_json(const char *conf)
{
    json_t *object = json_object();
    char *copy = strdup(conf != NULL ? conf : "");
    char *rest = copy;
    char *pair = NULL;

    while (copy != NULL && (pair = strsep(&rest, ",")) != NULL) {
        char *equals = strchr(pair, '=');
        if (equals == NULL)
            continue;
        *equals = '\0';
        json_object_set_new(object, pair, json_string(equals + 1));
    }
    free(copy);
    return object;
}

static char *config_to_json(const struct spark_engine_config *config)
{
    json_t *object = json_pack(
        "{s:s, s:o, s:s, s:s, s:s, s:I, s:b, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:i}",
        "master", config->master, "conf", conf_to_json(config->extra_conf), "data_roots",
        config->data_roots, "iceberg_warehouse", config->iceberg_warehouse, "local_dir",
        config->local_dir, "spool_bytes", (json_int_t)config->spool_bytes, "ui", config->ui ? 1 : 0,
        "ui_port", config->ui_port, "max_sql_depth", (json_int_t)config->limits.max_depth,
        "max_sql_nodes", (json_int_t)config->limits.max_nodes, "max_in_items",
        (json_int_t)config->limits.max_in_items, "max_value_bytes",
        (json_int_t)config->limits.max_value_bytes, "max_result_rows",
        (json_int_t)config->limits.max_result_rows, "memory_guard_percent",
        (json_int_t)config->limits.memory_percent, "kept_sources",
        (json_int_t)config->reuse.sources, "kept_source_bytes",
        (json_int_t)config->reuse.source_bytes, "kept_plans", (json_int_t)config->reuse.plans,
        "task_nice", config->task_nice);
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;

    json_decref(object);
    return text;
}

static void report(const struct spark_engine_config *config, const char *step)
{
    if (config->progress != NULL)
        config->progress(step, config->progress_user);
}

static int start_session(struct spark_engine *engine, JNIEnv *env,
                         const struct spark_engine_config *config, struct error *err)
{
    struct bridge_bytes bytes = {0};
    json_t *answer = NULL;
    char *config_json = config_to_json(config);
    int rc = -1;

    if (config_json == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    if (bridge_call_start(env, &engine->bridge, config_json, &bytes, err) == 0 &&
        take_answer(&bytes, &answer, err) == 0) {
        bridge_answer_copy_text(answer, "spark_version", engine->version, sizeof(engine->version));
        rc = 0;
    }
    json_decref(answer);
    free(config_json);
    return rc;
}

int spark_engine_start(const struct spark_engine_config *config, struct spark_engine **ret_engine,
                       struct error *err)
{
    struct spark_engine *engine = calloc(1, sizeof(*engine));
    JNIEnv *env = NULL;

    if (engine == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    if (no_children_from_now(err) != 0) /* an emulated or very old kernel */
        report(config, "going on without seccomp: nothing but the fence keeps children away");
    report(config, "creating the JVM");
    if (jvm_create(config->home, config->heap, config->check_jni, &engine->vm, err) != 0)
        goto fail;
    if (config->compiler_nice > 0)
        (void)thread_nice_set(OPTIMISING_COMPILER, config->compiler_nice);
    env = jvm_env(engine->vm);
    report(config, "loading the bridge");
    if (bridge_class_load(env, &engine->bridge, err) != 0)
        goto fail;
    report(config, "starting the Spark session");
    if (start_session(engine, env, config, err) != 0)
        goto fail;
    *ret_engine = engine;
    return 0;
fail:
    free(engine);
    return -1;
}

int spark_engine_warm_up(struct spark_engine *engine, int64_t wait_ms, struct error *err)
{
    struct bridge_bytes bytes = {0};

    if (bridge_call_warm_up(jvm_env(engine->vm), &engine->bridge, (jlong)wait_ms, &bytes, err) != 0)
        return -1;
    return take_outcome(&bytes, err);
}

void spark_engine_stop(struct spark_engine *engine)
{
    struct bridge_bytes bytes = {0};
    struct error err;
    JNIEnv *env = NULL;

    if (engine == NULL)
        return;
    env = jvm_env(engine->vm);
    (void)bridge_call_stop(env, &engine->bridge, &bytes, &err); /* leaving either way */
    free(bytes.data);
    (*env)->DeleteGlobalRef(env, engine->bridge.class);
    free(engine);
}

const char *spark_engine_version(const struct spark_engine *engine)
{
    return engine->version;
}

void spark_engine_leave(int code)
{
    fflush(NULL);
    _exit(code);
}

/* ---- threads ---- */

int spark_thread_attach(struct spark_engine *engine, const char *name,
                        struct spark_thread **ret_thread, struct error *err)
{
    char name_copy[64];
    JavaVMAttachArgs args = {.version = JVM_JNI_VERSION, .name = name_copy};
    struct spark_thread *thread = calloc(1, sizeof(*thread));
    void *env = NULL;

    if (thread == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    snprintf(name_copy, sizeof(name_copy), "%s", name);
    if ((*engine->vm)->AttachCurrentThreadAsDaemon(engine->vm, &env, &args) != JNI_OK) {
        free(thread);
        return error_set(err, ERROR_ENGINE_ERROR, "thread %s could not be attached to the JVM",
                         name);
    }
    thread->engine = engine;
    *ret_thread = thread;
    return 0;
}

void spark_thread_detach(struct spark_thread *thread)
{
    if (thread == NULL)
        return;
    (*thread->engine->vm)->DetachCurrentThread(thread->engine->vm);
    free(thread);
}

/* ---- queries ---- */

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL)
        json_object_set_new(object, name, json_string(text));
}

static void set_number(json_t *object, const char *name, int64_t number)
{
    if (number >= 0)
        json_object_set_new(object, name, json_integer((json_int_t)number));
}

static char *query_to_json(const struct spark_query *query)
{
    json_t *object = json_object();
    char *text = NULL;

    set_text(object, "tag", query->tag);
    set_text(object, "source", query->source);
    set_text(object, "sql", query->sql);
    set_text(object, "path", query->path);
    set_text(object, "table", query->table);
    set_text(object, "params_json", query->params_json);
    set_number(object, "as_of_version", query->as_of_version);
    set_text(object, "as_of_snapshot_id", query->as_of_snapshot_id);
    set_text(object, "as_of_timestamp", query->as_of_timestamp);
    set_number(object, "row_limit", query->row_limit);
    set_number(object, "timeout_ms", query->timeout_ms);
    if (query->mysql_host != NULL) {
        json_t *mysql = json_object();
        set_text(mysql, "host", query->mysql_host);
        set_number(mysql, "port", query->mysql_port);
        set_text(mysql, "user", query->mysql_user);
        set_text(mysql, "password", query->mysql_password);
        set_text(mysql, "database", query->mysql_database);
        set_text(mysql, "tls_mode", query->mysql_tls_mode);
        set_text(mysql, "tls_ca", query->mysql_tls_ca);
        set_text(mysql, "tls_cert", query->mysql_tls_cert);
        set_text(mysql, "tls_key", query->mysql_tls_key);
        set_number(mysql, "connect_ms", query->mysql_connect_ms);
        set_number(mysql, "socket_ms", query->mysql_socket_ms);
        json_object_set_new(mysql, "writes", json_boolean(query->mysql_writes));
        json_object_set_new(object, "mysql_usual_quotes", json_boolean(query->mysql_usual_quotes));
        json_object_set_new(object, "mysql", mysql);
    }
    text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}

/* It may hold a password. */
static void free_query_json(char *query_json)
{
    if (query_json != NULL)
        explicit_bzero(query_json, strlen(query_json));
    free(query_json);
}

int spark_cursor_open(struct spark_thread *thread, const struct spark_query *query,
                      struct spark_cursor **ret_cursor, struct error *err)
{
    struct spark_cursor *cursor = calloc(1, sizeof(*cursor));
    char *query_json = query_to_json(query);
    struct bridge_bytes bytes = {0};
    json_t *answer = NULL;
    int rc = -1;

    if (cursor == NULL || query_json == NULL) {
        error_set(err, ERROR_ENGINE_ERROR, "out of memory");
        goto out;
    }
    cursor->thread = thread;
    if (bridge_call_open(jvm_env(thread->engine->vm), &thread->engine->bridge, query_json,
                         &cursor->schema, &bytes, err) != 0 ||
        take_answer(&bytes, &answer, err) != 0)
        goto out;
    cursor->id = (jlong)json_integer_value(json_object_get(answer, "cursor"));
    bridge_answer_source(json_object_get(answer, "source"), &cursor->source);
    bridge_answer_basis(answer, &cursor->basis);
    *ret_cursor = cursor;
    cursor = NULL;
    rc = 0;
out:
    if (cursor != NULL && cursor->schema.release != NULL)
        cursor->schema.release(&cursor->schema);
    free(cursor);
    json_decref(answer);
    free_query_json(query_json);
    return rc;
}

int spark_engine_explain(struct spark_thread *thread, const struct spark_query *query,
                         struct explanation *ret_explanation, struct error *err)
{
    struct explanation explanation = {0};
    char *query_json = query_to_json(query);
    struct bridge_bytes bytes = {0};
    json_t *answer = NULL;
    int rc = -1;

    if (query_json == NULL) {
        error_set(err, ERROR_ENGINE_ERROR, "out of memory");
        goto out;
    }
    if (bridge_call_explain(jvm_env(thread->engine->vm), &thread->engine->bridge, query_json,
                            &explanation.schema, &bytes, err) == 0 &&
        take_answer(&bytes, &answer, err) == 0)
        rc = bridge_answer_explanation(answer, &explanation, err);
    if (rc == 0)
        *ret_explanation = explanation;
    else
        explanation_done(&explanation);
out:
    json_decref(answer);
    free_query_json(query_json);
    return rc;
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
    struct spark_engine *engine = cursor->thread->engine;
    struct bridge_bytes bytes = {0};

    memset(ret_batch, 0, sizeof(*ret_batch));
    if (bridge_call_next(jvm_env(engine->vm), &engine->bridge, cursor->id, ret_batch, &bytes,
                         err) != 0)
        return -1;
    return take_outcome(&bytes, err);
}

void spark_cursor_close(struct spark_cursor *cursor)
{
    struct bridge_bytes bytes = {0};
    struct spark_engine *engine = NULL;
    struct error err;

    if (cursor == NULL)
        return;
    engine = cursor->thread->engine;
    (void)bridge_call_close(jvm_env(engine->vm), &engine->bridge, cursor->id, &bytes, &err);
    free(bytes.data);
    if (cursor->schema.release != NULL)
        cursor->schema.release(&cursor->schema);
    answer_basis_done(&cursor->basis);
    free(cursor);
}

void spark_engine_cancel(struct spark_thread *thread, const char *tag)
{
    struct bridge_bytes bytes = {0};
    struct error err;

    /* Asked again in 100 ms, so a failure needs no answer. */
    (void)bridge_call_cancel(jvm_env(thread->engine->vm), &thread->engine->bridge, tag, &bytes,
                             &err);
    free(bytes.data);
}

int spark_engine_canary(struct spark_thread *thread, struct error *err)
{
    struct bridge_bytes bytes = {0};

    if (bridge_call_canary(jvm_env(thread->engine->vm), &thread->engine->bridge, &bytes, err) != 0)
        return -1;
    return check_answer(&bytes, err);
}

/* ---- facts ---- */

int spark_engine_facts(struct spark_thread *thread, struct spark_facts *ret_facts,
                       struct error *err)
{
    struct bridge_bytes bytes = {0};
    json_t *answer = NULL;
    int rc = -1;

    if (bridge_call_facts(jvm_env(thread->engine->vm), &thread->engine->bridge, &bytes, err) == 0 &&
        take_answer(&bytes, &answer, err) == 0)
        rc = bridge_answer_facts(answer, ret_facts, err);
    json_decref(answer);
    return rc;
}
