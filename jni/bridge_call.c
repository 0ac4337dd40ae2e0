#include "bridge_call.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define BRIDGE_CLASS "sparkservice/bridge/Bridge"
#define THREADS_CLASS "sparkservice/bridge/TaskThreads"
/* References one call makes: its argument and its answer, with room. */
#define FRAME_REFERENCES 8

/* Takes a pending exception, clears it, then looks at it. The text is for the
 * log of a defect, so toString() is enough. */
static int take_exception(JNIEnv *env, const char *where, struct error *err)
{
    jthrowable thrown = (*env)->ExceptionOccurred(env);
    jclass class = NULL;
    jmethodID to_string = NULL;
    jstring text = NULL;
    const char *chars = NULL;

    (*env)->ExceptionClear(env);
    class = (*env)->FindClass(env, "java/lang/Object");
    if (class != NULL)
        to_string = (*env)->GetMethodID(env, class, "toString", "()Ljava/lang/String;");
    if (to_string != NULL && thrown != NULL)
        text = (*env)->CallObjectMethod(env, thrown, to_string);
    if ((*env)->ExceptionCheck(env))
        (*env)->ExceptionClear(env);
    else if (text != NULL)
        chars = (*env)->GetStringUTFChars(env, text, NULL);
    error_set(err, ERROR_ENGINE_ERROR, "%s: %s", where,
              chars != NULL ? chars : "a Java exception without a text");
    if (chars != NULL)
        (*env)->ReleaseStringUTFChars(env, text, chars);
    return -1;
}

/* For Linux 0 is the calling thread. A process that stands back further already stays there. */
static void lower_priority(JNIEnv *env, jclass class, jint nice)
{
    (void)env;
    (void)class;
    (void)setpriority(PRIO_PROCESS, 0, nice);
}

static int register_threads(JNIEnv *env, struct error *err)
{
    char name[] = "lowerPriority";
    char signature[] = "(I)V";
    const JNINativeMethod method = {name, signature, (void *)lower_priority};
    jclass class = (*env)->FindClass(env, THREADS_CLASS);

    if (class == NULL || (*env)->RegisterNatives(env, class, &method, 1) != JNI_OK)
        return take_exception(env, "natives of " THREADS_CLASS, err);
    return 0;
}

int bridge_class_load(JNIEnv *env, struct bridge_class *ret_bridge, struct error *err)
{
    struct bridge_class bridge = {0};
    const struct {
        const char *name;
        const char *signature;
        jmethodID *id;
    } methods[] = {
        {"start", "([B)[B", &bridge.start},      {"open", "([BJ)[B", &bridge.open},
        {"explain", "([BJ)[B", &bridge.explain}, {"next", "(JJ)[B", &bridge.next},
        {"close", "(J)[B", &bridge.close},       {"cancel", "([B)[B", &bridge.cancel},
        {"canary", "()[B", &bridge.canary},      {"facts", "()[B", &bridge.facts},
        {"stop", "()[B", &bridge.stop},          {"warmUp", "(J)[B", &bridge.warm_up},
    };
    jclass local = NULL;

    if ((*env)->PushLocalFrame(env, FRAME_REFERENCES) != 0)
        return take_exception(env, "PushLocalFrame", err);
    local = (*env)->FindClass(env, BRIDGE_CLASS);
    if (local == NULL) {
        take_exception(env, "class " BRIDGE_CLASS, err);
        goto fail;
    }
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        *methods[i].id =
            (*env)->GetStaticMethodID(env, local, methods[i].name, methods[i].signature);
        if (*methods[i].id == NULL) {
            char where[128];
            snprintf(where, sizeof(where), "method %s.%s%s", BRIDGE_CLASS, methods[i].name,
                     methods[i].signature);
            take_exception(env, where, err);
            goto fail;
        }
    }
    if (register_threads(env, err) != 0)
        goto fail;
    bridge.class = (*env)->NewGlobalRef(env, local);
    if (bridge.class == NULL) {
        error_set(err, ERROR_ENGINE_ERROR, "NewGlobalRef: out of memory");
        goto fail;
    }
    (*env)->PopLocalFrame(env, NULL);
    *ret_bridge = bridge;
    return 0;
fail:
    (*env)->PopLocalFrame(env, NULL);
    return -1;
}

/* Text crosses as UTF-8 bytes: NewStringUTF wants modified UTF-8. */
static int make_bytes(JNIEnv *env, const char *text, jbyteArray *ret_array, struct error *err)
{
    size_t length = strlen(text);
    jbyteArray array = length <= INT32_MAX ? (*env)->NewByteArray(env, (jsize)length) : NULL;

    if (array == NULL)
        return take_exception(env, "NewByteArray", err);
    (*env)->SetByteArrayRegion(env, array, 0, (jsize)length, (const jbyte *)text);
    if ((*env)->ExceptionCheck(env))
        return take_exception(env, "SetByteArrayRegion", err);
    *ret_array = array;
    return 0;
}

static int copy_bytes(JNIEnv *env, jbyteArray array, struct bridge_bytes *ret_bytes,
                      struct error *err)
{
    jsize length = 0;
    char *data = NULL;

    *ret_bytes = (struct bridge_bytes){0};
    if (array == NULL)
        return 0;
    length = (*env)->GetArrayLength(env, array);
    data = malloc((size_t)length + 1);
    if (data == NULL)
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory");
    (*env)->GetByteArrayRegion(env, array, 0, length, (jbyte *)data);
    if ((*env)->ExceptionCheck(env)) {
        free(data);
        return take_exception(env, "GetByteArrayRegion", err);
    }
    data[length] = '\0';
    *ret_bytes = (struct bridge_bytes){data, (size_t)length};
    return 0;
}

/* One call in its own local frame. `text` NULL: the method takes no byte[]
 * first; the longs follow as the method's signature wants them. */
static int call(JNIEnv *env, const struct bridge_class *bridge, jmethodID method, const char *name,
                const char *text, const jlong *longs, size_t long_count,
                struct bridge_bytes *ret_bytes, struct error *err)
{
    jvalue arguments[3];
    size_t count = 0;
    jbyteArray input = NULL;
    jbyteArray output = NULL;
    int rc = -1;

    if ((*env)->PushLocalFrame(env, FRAME_REFERENCES) != 0)
        return take_exception(env, "PushLocalFrame", err);
    if (text != NULL) {
        if (make_bytes(env, text, &input, err) != 0)
            goto out;
        arguments[count++].l = input;
    }
    for (size_t i = 0; i < long_count; i++)
        arguments[count++].j = longs[i];
    output = (*env)->CallStaticObjectMethodA(env, bridge->class, method, arguments);
    if ((*env)->ExceptionCheck(env))
        take_exception(env, name, err);
    else
        rc = copy_bytes(env, output, ret_bytes, err);
out:
    (*env)->PopLocalFrame(env, NULL);
    return rc;
}

int bridge_call_start(JNIEnv *env, const struct bridge_class *bridge, const char *config_json,
                      struct bridge_bytes *ret_bytes, struct error *err)
{
    return call(env, bridge, bridge->start, "start", config_json, NULL, 0, ret_bytes, err);
}

int bridge_call_open(JNIEnv *env, const struct bridge_class *bridge, const char *query_json,
                     void *schema, struct bridge_bytes *ret_bytes, struct error *err)
{
    const jlong address = (jlong)(uintptr_t)schema;

    return call(env, bridge, bridge->open, "open", query_json, &address, 1, ret_bytes, err);
}

int bridge_call_explain(JNIEnv *env, const struct bridge_class *bridge, const char *query_json,
                        void *schema, struct bridge_bytes *ret_bytes, struct error *err)
{
    const jlong address = (jlong)(uintptr_t)schema;

    return call(env, bridge, bridge->explain, "explain", query_json, &address, 1, ret_bytes, err);
}

int bridge_call_next(JNIEnv *env, const struct bridge_class *bridge, jlong cursor, void *array,
                     struct bridge_bytes *ret_bytes, struct error *err)
{
    const jlong longs[] = {cursor, (jlong)(uintptr_t)array};

    return call(env, bridge, bridge->next, "next", NULL, longs, 2, ret_bytes, err);
}

int bridge_call_close(JNIEnv *env, const struct bridge_class *bridge, jlong cursor,
                      struct bridge_bytes *ret_bytes, struct error *err)
{
    return call(env, bridge, bridge->close, "close", NULL, &cursor, 1, ret_bytes, err);
}

int bridge_call_cancel(JNIEnv *env, const struct bridge_class *bridge, const char *tag,
                       struct bridge_bytes *ret_bytes, struct error *err)
{
    return call(env, bridge, bridge->cancel, "cancel", tag, NULL, 0, ret_bytes, err);
}

int bridge_call_canary(JNIEnv *env, const struct bridge_class *bridge,
                       struct bridge_bytes *ret_bytes, struct error *err)
{
    return call(env, bridge, bridge->canary, "canary", NULL, NULL, 0, ret_bytes, err);
}

int bridge_call_warm_up(JNIEnv *env, const struct bridge_class *bridge, jlong wait_ms,
                        struct bridge_bytes *ret_bytes, struct error *err)
{
    return call(env, bridge, bridge->warm_up, "warmUp", NULL, &wait_ms, 1, ret_bytes, err);
}

int bridge_call_facts(JNIEnv *env, const struct bridge_class *bridge,
                      struct bridge_bytes *ret_bytes, struct error *err)
{
    return call(env, bridge, bridge->facts, "facts", NULL, NULL, 0, ret_bytes, err);
}

int bridge_call_stop(JNIEnv *env, const struct bridge_class *bridge, struct bridge_bytes *ret_bytes,
                     struct error *err)
{
    return call(env, bridge, bridge->stop, "stop", NULL, NULL, 0, ret_bytes, err);
}
