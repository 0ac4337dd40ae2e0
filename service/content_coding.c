#include "content_coding.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "metrics.h"

/* An answer must not wait for its coding: the quick end of both. */
#define GZIP_LEVEL 1
#define ZSTD_LEVEL 1
/* 15 bits of window (the most), 16 more for the gzip frame (zlib manual, deflateInit2). */
#define GZIP_WINDOW_BITS (15 + 16)
#define GZIP_MEMORY_LEVEL 8
/* 64 KiB: RFC 9659 allows 8 MiB; half a MiB of memory instead of two for a tenth more bytes. */
#define ZSTD_WINDOW_LOG 16
#define ROOM_BYTES ((size_t)16 * 1024)
#define STORED_BYTES_MAX ((size_t)0xFFFF)

static atomic_int_fast64_t slots_limit = INT64_MAX;
static atomic_int_fast64_t slots_taken;

void content_coding_set_limit(int64_t slots)
{
    atomic_store(&slots_limit, slots);
}

bool content_coding_take_slot(void)
{
    if (atomic_fetch_add(&slots_taken, 1) < atomic_load(&slots_limit)) {
        metrics_add(METRIC_CODED_ANSWERS, 1);
        return true;
    }
    atomic_fetch_sub(&slots_taken, 1);
    metrics_add(METRIC_ANSWERS_NOT_CODED, 1);
    return false;
}

void content_coding_return_slot(void)
{
    atomic_fetch_sub(&slots_taken, 1);
    metrics_add(METRIC_CODED_ANSWERS, -1);
}

struct content_coder {
    enum content_coding coding;
    z_stream gzip;
    ZSTD_CCtx *zstd;
};

static bool start_gzip(struct content_coder *coder)
{
    return deflateInit2(&coder->gzip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW_BITS, GZIP_MEMORY_LEVEL,
                        Z_DEFAULT_STRATEGY) == Z_OK;
}

static bool start_zstd(struct content_coder *coder)
{
    coder->zstd = ZSTD_createCCtx();
    return coder->zstd != NULL &&
           !ZSTD_isError(
               ZSTD_CCtx_setParameter(coder->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(coder->zstd, ZSTD_c_windowLog, ZSTD_WINDOW_LOG)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(coder->zstd, ZSTD_c_checksumFlag, 1));
}

int content_coder_new(enum content_coding coding, struct content_coder **ret_coder,
                      struct error *err)
{
    struct content_coder *coder = calloc(1, sizeof(*coder));

    if (coder != NULL) {
        coder->coding = coding;
        if (coding == CODING_GZIP ? start_gzip(coder) : start_zstd(coder)) {
            *ret_coder = coder;
            return 0;
        }
        content_coder_free(coder);
    }
    return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the content coding");
}

void content_coder_free(struct content_coder *coder)
{
    if (coder == NULL)
        return;
    if (coder->coding == CODING_GZIP)
        deflateEnd(&coder->gzip); /* fine on a stream that didn't start */
    ZSTD_freeCCtx(coder->zstd);
    free(coder);
}

static int fail_memory(struct error *err)
{
    return error_set(err, ERROR_ENGINE_ERROR, "out of memory for the content coding");
}

/* deflate takes unsigned counts; a page is far below, a single huge row may not be. */
static int write_gzip(struct content_coder *coder, const void *bytes, size_t length, bool last,
                      struct byte_buffer *out, struct error *err)
{
    z_stream *gzip = &coder->gzip;
    int rc = Z_OK;

    gzip->next_in = (Bytef *)(uintptr_t)bytes;
    do {
        if (gzip->avail_in == 0) {
            uInt part = length < UINT32_MAX / 2 ? (uInt)length : UINT32_MAX / 2;
            gzip->avail_in = part;
            length -= part;
        }
        if (!byte_buffer_reserve(out, ROOM_BYTES))
            return fail_memory(err);
        gzip->next_out = (Bytef *)out->data + out->length;
        gzip->avail_out = (uInt)(out->capacity - out->length);
        rc = deflate(gzip, length > 0 ? Z_NO_FLUSH : last ? Z_FINISH : Z_SYNC_FLUSH);
        out->length = (size_t)((char *)gzip->next_out - out->data);
    } while (gzip->avail_in > 0 || length > 0 || gzip->avail_out == 0);
    /* Z_BUF_ERROR: nothing was left to do. */
    if (rc == (last ? Z_STREAM_END : Z_OK) || (!last && rc == Z_BUF_ERROR))
        return 0;
    return error_set(err, ERROR_ENGINE_ERROR, "gzip: deflate says %d", rc);
}

static int write_zstd(struct content_coder *coder, const void *bytes, size_t length, bool last,
                      struct byte_buffer *out, struct error *err)
{
    ZSTD_inBuffer input = {.src = bytes, .size = length};
    size_t left = 0;

    do {
        if (!byte_buffer_reserve(out, ROOM_BYTES))
            return fail_memory(err);
        ZSTD_outBuffer output = {.dst = out->data, .size = out->capacity, .pos = out->length};

        left = ZSTD_compressStream2(coder->zstd, &output, &input, last ? ZSTD_e_end : ZSTD_e_flush);
        out->length = output.pos;
        if (ZSTD_isError(left))
            return error_set(err, ERROR_ENGINE_ERROR, "zstd: %s", ZSTD_getErrorName(left));
    } while (left > 0 || input.pos < input.size);
    return 0;
}

int content_coder_write(struct content_coder *coder, const void *bytes, size_t length, bool last,
                        struct byte_buffer *out, struct error *err)
{
    if (coder->coding == CODING_GZIP)
        return write_gzip(coder, bytes, length, last, out, err);
    return write_zstd(coder, bytes, length, last, out, err);
}

void content_coding_append_stored(enum content_coding coding, const void *bytes, size_t length,
                                  struct byte_buffer *out)
{
    unsigned char head[5];

    if (length > STORED_BYTES_MAX)
        length = STORED_BYTES_MAX;
    if (coding == CODING_GZIP) {
        /* RFC 1951 §3.2.4: BFINAL 0, BTYPE 00 at a byte's border; LEN and its complement. */
        head[0] = 0;
        head[1] = (unsigned char)(length & 0xFF);
        head[2] = (unsigned char)(length >> 8);
        head[3] = (unsigned char)~head[1];
        head[4] = (unsigned char)~head[2];
        byte_buffer_append(out, head, 5);
    } else if (coding == CODING_ZSTD) {
        /* RFC 8878 §3.1.1.2: Last_Block 0, Block_Type 0 (raw), Block_Size; little endian. */
        head[0] = (unsigned char)(length << 3 & 0xFF);
        head[1] = (unsigned char)(length >> 5 & 0xFF);
        head[2] = (unsigned char)(length >> 13 & 0xFF);
        byte_buffer_append(out, head, 3);
    }
    byte_buffer_append(out, bytes, length);
}
