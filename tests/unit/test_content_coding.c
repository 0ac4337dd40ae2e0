/* needs: unit/decode.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../service/content_coding.h"
#include "decode.h"

#define MIB ((size_t)1024 * 1024)

static const enum content_coding CODINGS[] = {CODING_GZIP, CODING_ZSTD};

#define EACH_CODING(coding)                                                                        \
    for (size_t coding##_i = 0; coding##_i < sizeof(CODINGS) / sizeof(CODINGS[0]); coding##_i++)   \
        for (enum content_coding coding = CODINGS[coding##_i], *once = &coding; once != NULL;      \
             once = NULL)

static struct content_coder *start(enum content_coding coding)
{
    struct content_coder *coder = NULL;
    struct error err;

    if (content_coder_new(coding, &coder, &err) != 0)
        fail_msg("%s", err.detail);
    return coder;
}

static void put(struct content_coder *coder, const char *bytes, size_t length, bool last,
                struct byte_buffer *out)
{
    struct error err;

    if (content_coder_write(coder, bytes, length, last, out, &err) != 0)
        fail_msg("%s", err.detail);
}

static void check_decoded(enum content_coding coding, const struct byte_buffer *coded,
                          const char *expected, size_t length, bool ended)
{
    struct byte_buffer out = {0};
    bool has_ended = !ended;

    assert_true(decode_bytes(coding, coded->data, coded->length, &out, &has_ended));
    assert_int_equal(out.length, length);
    if (length > 0)
        assert_memory_equal(out.data, expected, length);
    assert_int_equal(has_ended, ended);
    byte_buffer_done(&out);
}

/* Text like an answer's, or noise that can't be made smaller. */
static char *make_bytes(size_t length, bool noise)
{
    char *bytes = malloc(length + 64);
    uint32_t random = 12345;

    assert_non_null(bytes);
    for (size_t at = 0; at < length;) {
        random = random * 1664525 + 1013904223;
        if (noise)
            bytes[at++] = (char)(random >> 24);
        else
            at += (size_t)sprintf(bytes + at, "{\"id\":%zu,\"name\":\"user %u\"},", at, random);
    }
    return bytes;
}

/* After each page everything up to it can be read; the end only after the last. */
static void check_pages(enum content_coding coding, const char *bytes, size_t length,
                        size_t page_bytes)
{
    struct content_coder *coder = start(coding);
    struct byte_buffer coded = {0};

    for (size_t at = 0; at < length; at += page_bytes) {
        size_t part = length - at < page_bytes ? length - at : page_bytes;

        put(coder, bytes + at, part, false, &coded);
        check_decoded(coding, &coded, bytes, at + part, false);
    }
    put(coder, NULL, 0, true, &coded);
    check_decoded(coding, &coded, bytes, length, true);
    byte_buffer_done(&coded);
    content_coder_free(coder);
}

static void test_every_page_can_be_read(void **state)
{
    (void)state;
    EACH_CODING(coding)
    {
        char *text = make_bytes(MIB, false);
        char *noise = make_bytes(MIB, true);

        check_pages(coding, text, MIB, 256 * 1024);
        check_pages(coding, noise, MIB, 256 * 1024);
        check_pages(coding, text, 2000, 1);
        check_pages(coding, text, 3 * 16384, 16384);
        check_pages(coding, noise, 100000, 33333);
        free(text);
        free(noise);
    }
}

static void test_in_one_piece(void **state)
{
    static const size_t LENGTHS[] = {0, 1, 1024, 16383, 16384, 16385, 300000};

    (void)state;
    EACH_CODING(coding)
    {
        char *text = make_bytes(300000, false);

        for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(LENGTHS[0]); i++) {
            struct content_coder *coder = start(coding);
            struct byte_buffer coded = {0};

            put(coder, text, LENGTHS[i], true, &coded);
            check_decoded(coding, &coded, text, LENGTHS[i], true);
            if (LENGTHS[i] >= 1024)
                assert_true(coded.length < LENGTHS[i]);
            byte_buffer_done(&coded);
            content_coder_free(coder);
        }
        free(text);
    }
}

/* Every byte missing at the end is seen: a stream that breaks off isn't whole. */
static void test_cut_anywhere_is_not_whole(void **state)
{
    (void)state;
    EACH_CODING(coding)
    {
        struct content_coder *coder = start(coding);
        struct byte_buffer coded = {0};
        struct byte_buffer out = {0};
        bool ended = true;
        char *text = make_bytes(5000, false);

        put(coder, text, 2500, false, &coded);
        put(coder, text + 2500, 2500, true, &coded);
        for (size_t length = 0; length < coded.length; length++) {
            byte_buffer_reset(&out);
            if (decode_bytes(coding, coded.data, length, &out, &ended))
                assert_false(ended);
            assert_true(out.length <= 5000);
        }
        byte_buffer_done(&out);
        byte_buffer_done(&coded);
        content_coder_free(coder);
        free(text);
    }
}

static void test_stored_behind_a_page(void **state)
{
    static const size_t LENGTHS[] = {0, 1, 100, 65535};

    (void)state;
    EACH_CODING(coding)
    {
        char *text = make_bytes(70000, false);

        for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(LENGTHS[0]); i++) {
            struct content_coder *coder = start(coding);
            struct byte_buffer coded = {0};

            put(coder, text, 1000, false, &coded);
            content_coding_append_stored(coding, text + 1000, LENGTHS[i], &coded);
            check_decoded(coding, &coded, text, 1000 + LENGTHS[i], false);
            byte_buffer_done(&coded);
            content_coder_free(coder);
        }
        free(text);
    }
}

static void test_stored_without_coding(void **state)
{
    struct byte_buffer out = {0};

    (void)state;
    content_coding_append_stored(CODING_IDENTITY, "[1]\n", 4, &out);
    assert_int_equal(out.length, 4);
    assert_memory_equal(out.data, "[1]\n", 4);
    byte_buffer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_page_can_be_read),
        cmocka_unit_test(test_in_one_piece),
        cmocka_unit_test(test_cut_anywhere_is_not_whole),
        cmocka_unit_test(test_stored_behind_a_page),
        cmocka_unit_test(test_stored_without_coding),
    };

    return cmocka_run_group_tests_name("content_coding", tests, NULL, NULL);
}
