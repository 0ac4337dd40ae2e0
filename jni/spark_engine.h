/*
 * spark_engine: the one seam between C and the JVM. No JNI type in it; tests
 * put a scripted engine behind the same header (tests/fakes/fake_engine.c).
 *
 * Threads: start and stop on the vm thread; every other thread that calls in
 * holds a spark_thread (attached for life). Calls of one spark_thread come
 * from that thread only.
 *
 * Pull only: C asks for the next batch, Java never calls C. A batch crosses,
 * never a cell.
 */
#ifndef JNI_SPARK_ENGINE_H
#define JNI_SPARK_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "../service/answer_basis.h"
#include "../service/arrow_c_data.h"
#include "../service/error.h"
#include "../service/explanation.h"
#include "spark_facts.h"

struct spark_engine;
struct spark_thread;
struct spark_cursor;

/* How large a statement and what it makes may get: the settings of these names. */
struct spark_sql_limits {
    int64_t max_depth;
    int64_t max_nodes;
    int64_t max_in_items;
    int64_t max_value_bytes;
    int64_t max_result_rows;
    int64_t memory_percent; /* of the heap after a full collection */
};

/* How much is kept between queries: the settings of these names. */
struct spark_reuse_limits {
    int64_t sources;
    int64_t source_bytes;
    int64_t plans;
};

/* All borrowed for the call of spark_engine_start. */
struct spark_engine_config {
    const char *home;              /* lib/spark-<line>: jars/, jvm.options, app.jsa, java-home */
    const char *master;            /* Spark master URL */
    const char *extra_conf;        /* "k=v,k=v" or NULL; the operator's, never a caller's */
    const char *heap;              /* "2g", "512m" */
    const char *data_roots;        /* comma separated */
    const char *iceberg_warehouse; /* folder or s3a URI of catalog `local` */
    const char *local_dir;         /* Spark's scratch folder, ours alone, wiped at start */
    int64_t spool_bytes;           /* cap of a result spool, bytes */
    struct spark_sql_limits limits;
    struct spark_reuse_limits reuse;
    bool ui; /* Spark UI on loopback */
    int ui_port;
    int task_nice;     /* of the threads of Spark's tasks; 0: as all others */
    int compiler_nice; /* of the JVM's optimising compiler; 0: as all others */
    bool check_jni;    /* -Xcheck:jni */
    /* Called on the vm thread with a short line for each rung of the start; may be NULL. */
    void (*progress)(const char *step, void *user);
    void *progress_user;
};

/* Creates the VM and the SparkSession, 3-30 s.   [vm]
 * -1: ERROR_ENGINE_ERROR; the detail names the rung (libjvm, option, class, session). */
int spark_engine_start(const struct spark_engine_config *config, struct spark_engine **ret_engine,
                       struct error *err);

/* Runs the engine's own statements over tables of its own; the first call begins them,
 * each waits for them for wait_ms. Callers' queries may run beside them.   [vm]
 * 1: they are over, or failed, which is logged. 0: they go on. -1: *err. */
int spark_engine_warm_up(struct spark_engine *engine, int64_t wait_ms, struct error *err);

/* Stops Spark and frees the engine's C side; the VM stays until the process
 * ends (JNI can't unload it). No spark_thread may be left.   [vm] */
void spark_engine_stop(struct spark_engine *engine);

/* "4.1.0"; borrowed, valid until stop.   [any] */
const char *spark_engine_version(const struct spark_engine *engine);

/* Attaches the calling thread under `name` (seen in thread dumps). */
int spark_thread_attach(struct spark_engine *engine, const char *name,
                        struct spark_thread **ret_thread, struct error *err);
void spark_thread_detach(struct spark_thread *thread);

/* Everything of one query that the JVM needs; all borrowed for spark_cursor_open. */
struct spark_query {
    const char *tag;    /* unique per attempt: Spark job tag, cancel handle */
    const char *source; /* "mysql", "parquet", "delta", "iceberg" */
    const char *sql;
    const char *path;  /* resolved and inside a root, or NULL */
    const char *table; /* or NULL */
    /* JSON object or NULL; of a mysql query the values of its `?` in order:
     * [{"kind":"integer|double|boolean|text|decimal|date|datetime|null","value":...}] */
    const char *params_json;
    int64_t as_of_version;         /* -1 = none */
    const char *as_of_snapshot_id; /* decimal text or NULL */
    const char *as_of_timestamp;   /* RFC 3339 or NULL */
    int64_t row_limit;      /* rows wanted at most; the engine may give one more; -1 = none */
    int64_t timeout_ms;     /* what is left of the run time: for JDBC's own timeouts */
    const char *mysql_host; /* mysql only, validated */
    int mysql_port;
    const char *mysql_user;
    const char *mysql_password;
    const char *mysql_database; /* or NULL */
    const char *mysql_tls_mode; /* "preferred", "disabled", "required", "verify_ca", … */
    const char *mysql_tls_ca;   /* PEM files or NULL */
    const char *mysql_tls_cert;
    const char *mysql_tls_key;
    int64_t mysql_connect_ms; /* 0 = the bridge's own, as the next */
    int64_t mysql_socket_ms;
    bool mysql_writes;       /* the session isn't made read-only */
    bool mysql_usual_quotes; /* `sql` holds only without ANSI_QUOTES, NO_BACKSLASH_ESCAPES */
};

/* Parses, gates, binds, analyses, plans and submits. Blocks until the first
 * stage can deliver. 0: *ret_cursor must be closed. -1: *err as the reply. */
int spark_cursor_open(struct spark_thread *thread, const struct spark_query *query,
                      struct spark_cursor **ret_cursor, struct error *err);

/* Parses, gates, binds, analyses and plans like spark_cursor_open, and leaves it
 * there: no job runs. Not for mysql. 0: explanation_done is the caller's. */
int spark_engine_explain(struct spark_thread *thread, const struct spark_query *query,
                         struct explanation *ret_explanation, struct error *err);

/* The schema, filled at open; borrowed until close. */
const struct ArrowSchema *spark_cursor_schema(const struct spark_cursor *cursor);

/* What planning knew of the source; borrowed until close. */
const struct spark_source_facts *spark_cursor_source(const struct spark_cursor *cursor);

/* What its rows rest on, known at open; borrowed until close. */
const struct answer_basis *spark_cursor_basis(const struct spark_cursor *cursor);

/* Next batch in partition order. 1: *ret_batch is filled, the caller releases
 * it exactly once. 0: end. -1: *err. Blocks until one is there. */
int spark_cursor_next(struct spark_cursor *cursor, struct ArrowArray *ret_batch, struct error *err);

/* Ends the query whatever its state (cancels what still runs), clears its tag,
 * frees the cursor. NULL is fine. */
void spark_cursor_close(struct spark_cursor *cursor);

/* Cancels the query of `tag`, queued in the bridge, planning or running;
 * unknown tags do nothing. Called again until the worker is back. Any attached
 * thread but the query's own. */
void spark_engine_cancel(struct spark_thread *thread, const char *tag);

/* Runs one tiny Spark job end to end. 0: a job ran and its answer was right. */
int spark_engine_canary(struct spark_thread *thread, struct error *err);

/* What the engine knows of itself right now; free(ret_facts->queries) is the
 * caller's. Doesn't wait for any query. */
int spark_engine_facts(struct spark_thread *thread, struct spark_facts *ret_facts,
                       struct error *err);

/* Ends the process with `code`, never returns. With a VM in the process static
 * destructors must not run beside its threads, so this is _exit after a flush.  [loop] */
void spark_engine_leave(int code) __attribute__((noreturn));

#endif
