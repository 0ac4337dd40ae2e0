#include "arrow_ipc_message.h"

void arrow_ipc_message_begin(struct arrow_ipc_message *message, enum arrow_ipc_header header,
                             int64_t body_bytes, struct byte_buffer *out)
{
    static const char prefix[ARROW_IPC_PREFIX_BYTES] = {0};
    const struct flatbuffer_field fields[MESSAGE_FIELDS] = {
        [MESSAGE_VERSION] = {2, ARROW_IPC_V5},
        [MESSAGE_HEADER_TYPE] = {1, header},
        [MESSAGE_HEADER] = {4, 0},
        [MESSAGE_BODY_LENGTH] = {8, body_bytes},
    };
    size_t slots[FLATBUFFER_FIELDS_MAX];

    message->start = out->length;
    byte_buffer_append(out, prefix, sizeof(prefix));
    flatbuffer_table(&message->writer, flatbuffer_begin(&message->writer, out), fields,
                     MESSAGE_FIELDS, slots);
    message->header_slot = slots[MESSAGE_HEADER];
}

int arrow_ipc_message_end(struct arrow_ipc_message *message, struct error *err)
{
    static const char padding[ARROW_IPC_ALIGNMENT] = {0};
    struct byte_buffer *out = message->writer.out;
    size_t over = (out->length - message->start) % ARROW_IPC_ALIGNMENT;
    uint32_t prefix[2] = {ARROW_IPC_CONTINUATION, 0};

    if (over > 0)
        byte_buffer_append(out, padding, ARROW_IPC_ALIGNMENT - over);
    if (out->failed) {
        out->length = message->start;
        return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the answer");
    }
    prefix[1] = (uint32_t)(out->length - message->start - sizeof(prefix));
    memcpy(out->data + message->start, prefix, sizeof(prefix));
    return 0;
}
