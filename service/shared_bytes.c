#include "shared_bytes.h"

#include <stdlib.h>

struct shared_bytes *shared_bytes_new(char *data, size_t length)
{
    struct shared_bytes *bytes = malloc(sizeof(*bytes));

    if (bytes != NULL)
        *bytes = (struct shared_bytes){data, length, 1};
    return bytes;
}

struct shared_bytes *shared_bytes_hold(struct shared_bytes *bytes)
{
    bytes->holders++;
    return bytes;
}

bool shared_bytes_take_back(struct shared_bytes *bytes, char **ret_data)
{
    if (bytes->holders > 1)
        return false;
    *ret_data = bytes->data;
    free(bytes);
    return true;
}

void shared_bytes_release(struct shared_bytes *bytes)
{
    if (bytes == NULL || --bytes->holders > 0)
        return;
    free(bytes->data);
    free(bytes);
}
