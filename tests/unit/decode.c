#include "decode.h"

#include <stdint.h>
#include <zlib.h>
#include <zstd.h>

#define ROOM 65536
#define GZIP_ONLY (15 + 16)

static bool decode_gzip(const char *bytes, size_t length, struct byte_buffer *out, bool *ret_ended)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)length};
    int rc = inflateInit2(&stream, GZIP_ONLY);

    while (rc == Z_OK) {
        if (!byte_buffer_reserve(out, ROOM))
            break;
        stream.next_out = (Bytef *)out->data + out->length;
        stream.avail_out = ROOM;
        rc = inflate(&stream, Z_SYNC_FLUSH);
        out->length += ROOM - stream.avail_out;
        if (stream.avail_in == 0 && stream.avail_out > 0)
            break;
    }
    *ret_ended = rc == Z_STREAM_END && stream.avail_in == 0;
    inflateEnd(&stream);
    return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR;
}

static bool decode_zstd(const char *bytes, size_t length, struct byte_buffer *out, bool *ret_ended)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer input = {.src = bytes, .size = length};
    size_t left = 1;
    bool full = true;

    while (left != 0 && !ZSTD_isError(left) && (input.pos < input.size || full)) {
        byte_buffer_reserve(out, ROOM);
        ZSTD_outBuffer output = {.dst = out->data + out->length, .size = ROOM};

        left = ZSTD_decompressStream(context, &output, &input);
        out->length += output.pos;
        full = output.pos == output.size;
    }
    *ret_ended = left == 0 && input.pos == input.size;
    ZSTD_freeDCtx(context);
    return !ZSTD_isError(left);
}

bool decode_bytes(enum content_coding coding, const char *bytes, size_t length,
                  struct byte_buffer *out, bool *ret_ended)
{
    if (coding == CODING_GZIP)
        return decode_gzip(bytes, length, out, ret_ended);
    if (coding == CODING_ZSTD)
        return decode_zstd(bytes, length, out, ret_ended);
    byte_buffer_append(out, bytes, length);
    *ret_ended = false;
    return true;
}
