#include "spark_attach.h"

#include <stdlib.h>

#include "../../jni/spark_engine.h"

int spark_thread_attach(struct spark_engine *engine, const char *name,
                        struct spark_thread **ret_thread, struct error *err)
{
    struct spark_attach *attach = (struct spark_attach *)engine;

    if (attach->refuses)
        return error_set(err, ERROR_ENGINE_ERROR, "%s may not attach", name);
    *ret_thread = calloc(1, sizeof(**ret_thread));
    if (*ret_thread == NULL)
        abort();
    (*ret_thread)->engine = engine;
    atomic_fetch_add(&attach->count, 1);
    return 0;
}

void spark_thread_detach(struct spark_thread *thread)
{
    atomic_fetch_sub(&((struct spark_attach *)thread->engine)->count, 1);
    free(thread);
}
