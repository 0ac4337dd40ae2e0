#include "answer_basis.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void free_read(struct source_read *read)
{
    free((void *)(uintptr_t)read->asked);
    free((void *)(uintptr_t)read->location);
}

int answer_basis_add(struct answer_basis *basis, const struct source_read *read)
{
    struct source_read copy = {read->layout, strdup(read->asked), strdup(read->location), 0, 0};
    struct source_read *reads =
        realloc(basis->reads, (basis->read_count + 1) * sizeof(*basis->reads));

    if (reads != NULL)
        basis->reads = reads;
    if (reads == NULL || copy.asked == NULL || copy.location == NULL) {
        free_read(&copy);
        return -1;
    }
    basis->reads[basis->read_count++] = copy;
    return 0;
}

void answer_basis_done(struct answer_basis *basis)
{
    for (size_t i = 0; i < basis->read_count; i++)
        free_read(&basis->reads[i]);
    free(basis->reads);
    *basis = (struct answer_basis){0};
}
