/*
 * arrow_format: the text parts of an ArrowSchema: format string and metadata,
 * as the Arrow C Data Interface specification gives them.   [any]
 */
#ifndef SERVICE_ARROW_FORMAT_H
#define SERVICE_ARROW_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum arrow_kind {
    ARROW_NULL,
    ARROW_BOOLEAN,
    ARROW_INT8,
    ARROW_UINT8,
    ARROW_INT16,
    ARROW_UINT16,
    ARROW_INT32,
    ARROW_UINT32,
    ARROW_INT64,
    ARROW_UINT64,
    ARROW_FLOAT16,
    ARROW_FLOAT32,
    ARROW_FLOAT64,
    ARROW_DECIMAL,   /* value_bytes, scale */
    ARROW_TEXT,      /* layout */
    ARROW_BINARY,    /* layout; value_bytes when fixed */
    ARROW_DATE_DAYS, /* int32 */
    ARROW_DATE_MS,   /* int64 */
    ARROW_TIME,      /* value_bytes 4 or 8, units_per_second */
    ARROW_TIMESTAMP, /* units_per_second, has_zone */
    ARROW_DURATION,  /* units_per_second */
    ARROW_INTERVAL_MONTHS,
    ARROW_INTERVAL_DAYS_MS,
    ARROW_INTERVAL_MONTHS_DAYS_NS,
    ARROW_LIST, /* layout; list_size when fixed */
    ARROW_STRUCT,
    ARROW_MAP
};

/* How the cells of one array lie in memory. */
enum arrow_layout {
    ARROW_FIXED,     /* value_bytes a cell (ARROW_BOOLEAN: one bit) */
    ARROW_OFFSETS32, /* int32 offsets into bytes or into the child */
    ARROW_OFFSETS64,
    ARROW_VIEWS /* 16-byte views into several buffers of bytes */
};

struct arrow_type {
    enum arrow_kind kind;
    enum arrow_layout layout;
    int value_bytes;
    int scale;
    int64_t units_per_second;
    bool has_zone;
    int64_t list_size;
};

/* False: a type that this service doesn't read (unions, run-end encoding, list views). */
bool arrow_format_parse(const char *format, struct arrow_type *ret_type);

/* How many buffers an array of that type has (Arrow columnar format, "Buffer
 * listing for each layout"); views: at least so many. */
int arrow_type_buffers(const struct arrow_type *type);

/* Finds one key in a metadata block (NULL is an empty one). The value isn't
 * NUL-terminated; borrowed from the block. False: absent or malformed. */
bool arrow_metadata_find(const char *metadata, const char *key, const char **ret_value,
                         size_t *ret_length);

#endif
