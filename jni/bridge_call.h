/*
 * bridge_call: C's view of the Java class sparkservice.bridge.Bridge, one
 * function for each of its static methods. The only file that makes JNI calls
 * into Java.
 *
 * The bridge never throws; should it all the same, the exception is taken,
 * cleared, and becomes an error here. Every call runs in its own local frame.
 */
#ifndef JNI_BRIDGE_CALL_H
#define JNI_BRIDGE_CALL_H

#include <jni.h>
#include <stddef.h>

#include "../service/error.h"

struct bridge_class {
    jclass class; /* global reference */
    jmethodID start;
    jmethodID open;
    jmethodID explain;
    jmethodID next;
    jmethodID close;
    jmethodID cancel;
    jmethodID canary;
    jmethodID facts;
    jmethodID stop;
    jmethodID warm_up;
};

/* Bytes that Java answered; data NULL: Java answered null. Free with free(data). */
struct bridge_bytes {
    char *data;
    size_t length;
};

/* Resolves the class and every method once. -1 names the missing one. */
int bridge_class_load(JNIEnv *env, struct bridge_class *ret_bridge, struct error *err);

/* All of these: 0, or -1 when the call itself failed (no memory, the bridge threw). */
int bridge_call_start(JNIEnv *env, const struct bridge_class *bridge, const char *config_json,
                      struct bridge_bytes *ret_bytes, struct error *err);
int bridge_call_open(JNIEnv *env, const struct bridge_class *bridge, const char *query_json,
                     void *schema, struct bridge_bytes *ret_bytes, struct error *err);
int bridge_call_explain(JNIEnv *env, const struct bridge_class *bridge, const char *query_json,
                        void *schema, struct bridge_bytes *ret_bytes, struct error *err);
int bridge_call_next(JNIEnv *env, const struct bridge_class *bridge, jlong cursor, void *array,
                     struct bridge_bytes *ret_bytes, struct error *err);
int bridge_call_close(JNIEnv *env, const struct bridge_class *bridge, jlong cursor,
                      struct bridge_bytes *ret_bytes, struct error *err);
int bridge_call_cancel(JNIEnv *env, const struct bridge_class *bridge, const char *tag,
                       struct bridge_bytes *ret_bytes, struct error *err);
int bridge_call_canary(JNIEnv *env, const struct bridge_class *bridge,
                       struct bridge_bytes *ret_bytes, struct error *err);
int bridge_call_warm_up(JNIEnv *env, const struct bridge_class *bridge, jlong wait_ms,
                        struct bridge_bytes *ret_bytes, struct error *err);
int bridge_call_facts(JNIEnv *env, const struct bridge_class *bridge,
                      struct bridge_bytes *ret_bytes, struct error *err);
int bridge_call_stop(JNIEnv *env, const struct bridge_class *bridge, struct bridge_bytes *ret_bytes,
                     struct error *err);

#endif
