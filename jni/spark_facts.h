/*
 * spark_facts: what the engine tells about itself and its queries, as values.
 * Apart from spark_engine.h, so that the loop can hold them without a way to
 * call the engine.
 */
#ifndef JNI_SPARK_FACTS_H
#define JNI_SPARK_FACTS_H

#include <stddef.h>
#include <stdint.h>

#define SPARK_TAG_BYTES 64     /* of a query's tag, with its NUL */
#define SPARK_VERSION_BYTES 32 /* of a table's version, with its NUL */

/* How far a query is. The totals grow while adaptive execution adds stages; a
 * stage whose output was already there is not counted. */
struct spark_progress {
    int64_t stages_done;
    int64_t stages;
    int64_t tasks_done;
    int64_t tasks;
};

struct spark_query_progress {
    char tag[SPARK_TAG_BYTES];
    struct spark_progress progress;
};

/* Where the JVM's memory is. Arrow's buffers are its own allocations, in none of
 * the other areas. */
enum spark_memory_area {
    SPARK_MEMORY_HEAP,
    SPARK_MEMORY_NONHEAP,
    SPARK_MEMORY_DIRECT,
    SPARK_MEMORY_MAPPED,
    SPARK_MEMORY_ARROW,
    SPARK_MEMORY_AREAS
};

struct spark_memory {
    int64_t used_bytes;
    int64_t committed_bytes; /* -1 = no such figure of this area */
    int64_t max_bytes;       /* -1 = no such figure, or no bound */
};

/* What the engine keeps between queries, and how often it was of use. */
struct spark_reuse {
    int64_t sources;      /* tables known as they are */
    int64_t source_bytes; /* rows of small ones; in the heap */
    int64_t source_hits;
    int64_t source_misses;
    int64_t plans; /* statements */
    int64_t plan_hits;
    int64_t plan_misses;
};

struct spark_facts {
    struct spark_memory memory[SPARK_MEMORY_AREAS];
    int64_t waiting_bytes; /* batches in memory that no cursor has taken yet; in the heap */
    int64_t spooled_bytes; /* batches in the bridge's spool files */
    struct spark_reuse reuse;
    struct spark_query_progress *queries; /* malloc'd; of every query with an open cursor */
    size_t query_count;
};

/* What planning knows of a query's source; counts are -1 when it doesn't. */
struct spark_source_facts {
    char version[SPARK_VERSION_BYTES]; /* Delta version, Iceberg snapshot id; "" = none */
    int64_t files_read;                /* after pruning */
    int64_t files_total;
    int64_t bytes_read; /* of those files */
    int64_t bytes_total;
};

#endif
