/*
 * answer_basis: what an answer rests on, as the engine told it: the tables that
 * were read, and whether the statement has the same answer as long as they are
 * the same.   [any]
 */
#ifndef SERVICE_ANSWER_BASIS_H
#define SERVICE_ANSWER_BASIS_H

#include <stdbool.h>
#include <stddef.h>

/* Where the state of a table is. */
enum source_layout {
    SOURCE_FILES,   /* all files below a folder, or one file: Parquet */
    SOURCE_DELTA,   /* _delta_log decides (Delta protocol: commits are only added) */
    SOURCE_ICEBERG, /* metadata decides (Iceberg specification, "File System Tables") */
};

/* One table as a query read it. */
struct source_read {
    enum source_layout layout;
    const char *asked;    /* absolute path as the caller named it */
    const char *location; /* the same without links, where it was read */
    size_t asked_root;    /* how many bytes of each name the data root; what is above is */
    size_t location_root; /* the operator's to change. 0 where that isn't known */
};

struct answer_basis {
    bool repeatable;           /* false: it draws lots or looks at a clock, or nobody knows */
    struct source_read *reads; /* with texts of their own */
    size_t read_count;
};

/* Adds a copy of `read`; -1 without memory. */
int answer_basis_add(struct answer_basis *basis, const struct source_read *read);

/* Frees the contents; fine on a zeroed struct. */
void answer_basis_done(struct answer_basis *basis);

#endif
