/*
 * answer_basis: what an answer rests on, as the engine told it: the tables that
 * were read, and whether the statement has the same answer as long as they are
 * the same.   [any]
 */
#ifndef SERVICE_ANSWER_BASIS_H
#define SERVICE_ANSWER_BASIS_H

#include <stdbool.h>
#include <stddef.h>

#include "source_identity.h"

struct answer_basis {
    bool repeatable; /* false: it draws lots or looks at a clock, or nobody knows */
    struct source_read *reads;
    size_t read_count;
};

/* Adds a copy of `read`; -1 without memory. */
int answer_basis_add(struct answer_basis *basis, const struct source_read *read);

/* Frees the contents; fine on a zeroed struct. */
void answer_basis_done(struct answer_basis *basis);

#endif
