/*
 * jvm: the one Java VM of the process: finds libjvm, reads the options file,
 * builds the class path, creates the VM. Knows nothing of Spark.
 *
 * A VM can be made once in a process and never be unloaded (JNI specification,
 * "The Invocation API").
 */
#ifndef JNI_JVM_H
#define JNI_JVM_H

#include <jni.h>
#include <stdbool.h>

#include "../service/error.h"

/* The lowest version that has all we call. */
#define JVM_JNI_VERSION JNI_VERSION_10

/* Creates the VM on the calling thread and leaves that thread attached.   [vm]
 * `home` holds jars/ and jvm.options, and may hold app.jsa, compiler.directives and java-home.
 * -1: ERROR_ENGINE_ERROR, the detail names what failed and what to do. */
int jvm_create(const char *home, const char *heap, bool check_jni, JavaVM **ret_vm,
               struct error *err);

/* The calling thread's environment; NULL when it isn't attached. */
JNIEnv *jvm_env(JavaVM *vm);

#endif
