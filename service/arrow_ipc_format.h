/*
 * arrow_ipc_format: the numbers of the Arrow IPC format that writer and reader
 * share, as format/Message.fbs and format/Schema.fbs of the Arrow columnar
 * format (1.x) give them. Field numbers of a table count from 0 in its order.
 */
#ifndef SERVICE_ARROW_IPC_FORMAT_H
#define SERVICE_ARROW_IPC_FORMAT_H

/* An encapsulated message: this mark, int32 size of the metadata (padding
 * included), metadata, body; each part is a multiple of 8 bytes long. */
#define ARROW_IPC_CONTINUATION 0xFFFFFFFFu
#define ARROW_IPC_PREFIX_BYTES ((size_t)8)
#define ARROW_IPC_ALIGNMENT ((size_t)8)
/* Deeper nesting is refused, as result_columns does. */
#define ARROW_IPC_DEPTH_MAX 64

enum arrow_ipc_version { ARROW_IPC_V5 = 4 };
enum arrow_ipc_header { ARROW_IPC_SCHEMA = 1, ARROW_IPC_RECORD_BATCH = 3 };

enum arrow_ipc_type {
    ARROW_IPC_NULL = 1,
    ARROW_IPC_INT = 2,
    ARROW_IPC_FLOAT = 3,
    ARROW_IPC_BINARY = 4,
    ARROW_IPC_UTF8 = 5,
    ARROW_IPC_BOOL = 6,
    ARROW_IPC_DECIMAL = 7,
    ARROW_IPC_DATE = 8,
    ARROW_IPC_TIME = 9,
    ARROW_IPC_TIMESTAMP = 10,
    ARROW_IPC_INTERVAL = 11,
    ARROW_IPC_LIST = 12,
    ARROW_IPC_STRUCT = 13,
    ARROW_IPC_FIXED_BINARY = 15,
    ARROW_IPC_FIXED_LIST = 16,
    ARROW_IPC_MAP = 17,
    ARROW_IPC_DURATION = 18,
    ARROW_IPC_LARGE_BINARY = 19,
    ARROW_IPC_LARGE_UTF8 = 20,
    ARROW_IPC_LARGE_LIST = 21
};

/* Units of Time, Timestamp and Duration count in this order. */
#define ARROW_IPC_UNITS "smun"

enum { MESSAGE_VERSION, MESSAGE_HEADER_TYPE, MESSAGE_HEADER, MESSAGE_BODY_LENGTH, MESSAGE_FIELDS };
enum { SCHEMA_ENDIANNESS, SCHEMA_COLUMNS, SCHEMA_FIELDS };
enum {
    FIELD_NAME,
    FIELD_NULLABLE,
    FIELD_TYPE_TYPE,
    FIELD_TYPE,
    FIELD_DICTIONARY,
    FIELD_CHILDREN,
    FIELD_METADATA,
    FIELD_FIELDS
};
enum { PAIR_KEY, PAIR_VALUE, PAIR_FIELDS };
enum {
    BATCH_LENGTH,
    BATCH_NODES,
    BATCH_BUFFERS,
    BATCH_COMPRESSION,
    BATCH_VIEW_COUNTS,
    BATCH_FIELDS
};

/* A FieldNode is (length, null count), a Buffer (offset, length): two int64 each. */
#define ARROW_IPC_PAIR_BYTES ((size_t)16)

#endif
