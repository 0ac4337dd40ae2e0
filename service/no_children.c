#include "no_children.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no_children: which calls start a process here?"
#endif
#define X32_CALLS 0x40000000u /* the x86-64 kernel's third set of numbers */

#define LOAD(member)                                                                               \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, member))
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define REFUSE(number) ANSWER(SECCOMP_RET_ERRNO | (number))
/* The next instruction is for this call only. */
#define ON_CALL(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (name), 0, 1)

/* Calls by other numbers (32-bit, x32) are refused as a whole: nothing here makes them. */
static struct sock_filter rules[] = {
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
    REFUSE(EPERM),
    LOAD(nr),
#if defined(__x86_64__)
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 0, 1),
    REFUSE(EPERM),
#endif
    ON_CALL(SYS_execve),
    REFUSE(EPERM),
    ON_CALL(SYS_execveat),
    REFUSE(EPERM),
#ifdef SYS_fork
    ON_CALL(SYS_fork),
    REFUSE(EPERM),
    ON_CALL(SYS_vfork),
    REFUSE(EPERM),
#endif
    /* Its flags are in memory, which a filter can't see; libc then takes clone. */
    ON_CALL(SYS_clone3),
    REFUSE(ENOSYS),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
    ANSWER(SECCOMP_RET_ALLOW),
    LOAD(args[0]), /* the flags; the lower half, on little-endian machines */
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
    REFUSE(EPERM),
    ANSWER(SECCOMP_RET_ALLOW),
};

int no_children_from_now(struct error *err)
{
    struct sock_fprog program = {.len = sizeof(rules) / sizeof(rules[0]), .filter = rules};

    /* Without it only root may set a filter. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
        return error_set(err, ERROR_ENGINE_ERROR, "seccomp: %s", strerror(errno));
    return 0;
}
