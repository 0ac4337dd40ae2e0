#include "arrow_ipc_frame.h"

#include <string.h>

int arrow_ipc_frame_fail(const char *reason, struct error *err)
{
    return error_set(err, ERROR_ENGINE_ERROR, "Arrow message: %s", reason);
}

int arrow_ipc_frame_read(const void *message, size_t length, enum arrow_ipc_header expected,
                         struct flatbuffer_table *ret_header, struct flatbuffer_bytes *ret_body,
                         struct error *err)
{
    struct flatbuffer_bytes metadata = {0};
    struct flatbuffer_table root;
    uint32_t prefix[2];
    int64_t version;
    int64_t header;
    int64_t body_bytes;
    bool present = false;

    if (length < sizeof(prefix))
        return arrow_ipc_frame_fail("too short", err);
    memcpy(prefix, message, sizeof(prefix));
    if (prefix[0] != ARROW_IPC_CONTINUATION || prefix[1] % ARROW_IPC_ALIGNMENT != 0 ||
        prefix[1] > length - sizeof(prefix))
        return arrow_ipc_frame_fail("a wrong prefix", err);
    metadata = (struct flatbuffer_bytes){(const uint8_t *)message + sizeof(prefix), prefix[1]};
    if (!flatbuffer_read_root(metadata, &root) ||
        !flatbuffer_read_integer(&root, MESSAGE_VERSION, 2, 0, &version) ||
        !flatbuffer_read_integer(&root, MESSAGE_HEADER_TYPE, 1, 0, &header) ||
        !flatbuffer_read_integer(&root, MESSAGE_BODY_LENGTH, 8, 0, &body_bytes) ||
        !flatbuffer_read_table(&root, MESSAGE_HEADER, ret_header, &present) || !present)
        return arrow_ipc_frame_fail("malformed metadata", err);
    if (version != ARROW_IPC_V5 || header != (int64_t)expected)
        return arrow_ipc_frame_fail("not of the expected kind", err);
    *ret_body = (struct flatbuffer_bytes){metadata.bytes + metadata.length,
                                          length - sizeof(prefix) - metadata.length};
    if (body_bytes < 0 || (uint64_t)body_bytes != ret_body->length)
        return arrow_ipc_frame_fail("a body of another length", err);
    return 0;
}
