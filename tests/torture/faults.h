/*
 * faults: makes the calls of a process fail that may fail: allocations, and
 * what it does with sockets and files. Linked into a program, its functions
 * stand before the C library's for the program and for all its libraries.
 *
 * The tester maps the file that TORTURE_FILE names and says when to begin, which
 * call fails and whether those after it do as well.
 */
#ifndef TESTS_TORTURE_FAULTS_H
#define TESTS_TORTURE_FAULTS_H

#include <stdatomic.h>
#include <stdint.h>

/* Shared with tests/torture/torture.py: eight bytes each, in this order. */
struct faults_order {
    atomic_llong armed;   /* 1: calls are counted */
    atomic_llong count;   /* calls since it was armed */
    atomic_llong fail_at; /* the count at which a call fails, 0: none */
    atomic_llong for_good;
    atomic_llong failed; /* how many failed */
    atomic_llong caller; /* where in the program the first one was asked for */
    char name[64];       /* the function of the first one */
};

#endif
