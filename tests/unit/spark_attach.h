/*
 * spark_attach: the threads of an engine that is a test's own. The test defines
 * struct spark_engine, with a struct spark_attach as its first member.
 */
#ifndef TEST_SPARK_ATTACH_H
#define TEST_SPARK_ATTACH_H

#include <stdatomic.h>
#include <stdbool.h>

struct spark_attach {
    atomic_int count; /* of threads attached now */
    bool refuses;
};

struct spark_engine;

struct spark_thread {
    struct spark_engine *engine;
};

#endif
