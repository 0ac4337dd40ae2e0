/* openapi: service/openapi.json as linked into the program.   [any] */
#ifndef SERVICE_OPENAPI_H
#define SERVICE_OPENAPI_H

#include <stddef.h>

const char *openapi_json(void); /* not NUL-terminated */
size_t openapi_json_length(void);

#endif
