#include "openapi.h"

/* The assembler puts the file's bytes between two labels (gas manual, .incbin). */
__asm__(".section .rodata\n"
        ".global openapi_json_begin\n"
        "openapi_json_begin:\n"
        ".incbin \"service/openapi.json\"\n"
        ".global openapi_json_end\n"
        "openapi_json_end:\n"
        ".previous\n");

extern const char openapi_json_begin[];
extern const char openapi_json_end[];

const char *openapi_json(void)
{
    return openapi_json_begin;
}

size_t openapi_json_length(void)
{
    return (size_t)(openapi_json_end - openapi_json_begin);
}
