/* SPDX-License-Identifier: MIT */

/* Messages through the coders and back; what peers of other make send is in the whole's tests. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zlib.h>
#include <zstd.h>

#include "codec/coders.h"
#include "random.h"

#define MIB ((size_t)1 << 20)

static const quoit_compression algorithms[] = { QUOIT_DEFLATE, QUOIT_GZIP, QUOIT_ZSTD };

#define ALGORITHMS (sizeof(algorithms) / sizeof(*algorithms))

/* A message, compressed. */
struct packed {
        uint8_t *data;
        size_t size;
};

static struct packed pack(
        struct coders *coders, quoit_compression algorithm, const uint8_t *data, size_t size)
{
        struct packed packed = { .size = size + 1024 };

        packed.data = malloc(packed.size);
        assert_non_null(packed.data);
        assert_int_equal(
                coders_compress(coders, algorithm, data, size, packed.data, &packed.size), 0);
        return packed;
}

/* Text of which half can be guessed. */
static uint8_t *text_new(size_t size)
{
        uint8_t *text = malloc(size + 1);
        uint64_t random = 1;

        assert_non_null(text);
        for (size_t i = 0; i < size; i++)
                text[i] = "etaoinsh"[random_upto(&random, 7)];
        return text;
}

static void test_there_and_back(void **state)
{
        static const size_t sizes[] = { 1, 2, 100, 16383, 16384, 16385, 100000, 5 * MIB };
        struct coders coders = { 0 };

        (void)state;
        for (size_t i = 0; i < ALGORITHMS * sizeof(sizes) / sizeof(*sizes); i++) {
                size_t size = sizes[i / ALGORITHMS], got_size;
                quoit_compression algorithm = algorithms[i % ALGORITHMS];
                uint8_t *text = text_new(size);
                struct packed packed = pack(&coders, algorithm, text, size);
                const uint8_t *got;

                assert_int_equal(coders_decompress(&coders, algorithm, packed.data, packed.size,
                                         size, &got, &got_size),
                        0);
                assert_int_equal(got_size, size);
                assert_memory_equal(got, text, size);
                if (size > 1000)
                        assert_true(packed.size < size / 2);
                coders_trim(&coders);
                assert_true(coders.memory_bytes <= CODERS_KEPT_BYTES);
                free(packed.data);
                free(text);
        }
        coders_deinit(&coders);
}

/* What does not become shorter is not worth it. */
static void test_no_room(void **state)
{
        struct coders coders = { 0 };
        uint8_t noise[1000], out[sizeof(noise)];
        uint64_t random = 7;

        (void)state;
        for (size_t i = 0; i < sizeof(noise); i++)
                noise[i] = (uint8_t)random_u64(&random);
        for (size_t i = 0; i < ALGORITHMS; i++) {
                size_t size = sizeof(out) - 1;

                assert_int_equal(
                        coders_compress(&coders, algorithms[i], noise, sizeof(noise), out, &size),
                        -ENOSPC);
                size = 1000;
                memset(out, 'x', sizeof(out)); /* the next one is none the worse for it */
                assert_int_equal(coders_compress(&coders, algorithms[i], (uint8_t[500]){ 0 }, 500,
                                         out, &size),
                        0);
        }
        coders_deinit(&coders);
}

/* A bomb: the limit holds to the byte, and so does the memory that it takes. */
static void test_bombs(void **state)
{
        uint8_t *zeros = calloc(64, MIB);

        (void)state;
        assert_non_null(zeros);
        for (size_t i = 0; i < ALGORITHMS; i++) {
                struct coders coders = { 0 };
                struct packed packed = pack(&coders, algorithms[i], zeros, 64 * MIB);
                const uint8_t *got = NULL;
                size_t size = 0;

                assert_true(packed.size < MIB);
                assert_int_equal(coders_decompress(&coders, algorithms[i], packed.data, packed.size,
                                         100000, &got, &size),
                        -EMSGSIZE);
                assert_int_equal(coders.memory_bytes, 100001);
                assert_int_equal(coders_decompress(&coders, algorithms[i], packed.data, packed.size,
                                         64 * MIB - 1, &got, &size),
                        -EMSGSIZE);
                assert_null(got);
                assert_int_equal(coders_decompress(&coders, algorithms[i], packed.data, packed.size,
                                         64 * MIB, &got, &size),
                        0);
                assert_int_equal(size, 64 * MIB);
                free(packed.data);
                coders_deinit(&coders);
        }
        free(zeros);
}

/* Every prefix of it, and every byte of it otherwise: an error, or by chance other data; never a crash, never success where it is short. */
static struct packed pack_zlib_flushed(
        int format, int memory, const uint8_t *text, size_t size, size_t each)
{
        struct packed packed = { .data = malloc(MIB + 2 * size) };
        z_stream stream = { .next_out = packed.data, .avail_out = (uInt)(MIB + 2 * size) };

        assert_non_null(packed.data);
        assert_int_equal(
                deflateInit2(&stream, 1, Z_DEFLATED, format, memory, Z_DEFAULT_STRATEGY), Z_OK);
        for (size_t at = 0; at < size; at += each) {
                stream.next_in = (Bytef *)text + at;
                stream.avail_in = (uInt)(size - at < each ? size - at : each);
                assert_int_equal(deflate(&stream, Z_FULL_FLUSH), Z_OK);
        }
        assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
        packed.size = stream.total_out;
        deflateEnd(&stream);
        return packed;
}

static struct packed pack_zstd_flushed(const uint8_t *text, size_t size, size_t each)
{
        struct packed packed = { .data = malloc(MIB + 8 * size) };
        ZSTD_outBuffer out = { packed.data, MIB + 8 * size, 0 };
        ZSTD_CCtx *context = ZSTD_createCCtx();

        assert_non_null(packed.data);
        for (size_t at = 0; at < size; at += each) {
                ZSTD_inBuffer in = { text + at, size - at < each ? size - at : each, 0 };

                assert_int_equal(ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush), 0);
        }
        assert_int_equal(ZSTD_compressStream2(context, &out, &(ZSTD_inBuffer){ 0 }, ZSTD_e_end), 0);
        packed.size = out.pos;
        ZSTD_freeCCtx(context);
        return packed;
}

static struct packed pack_flushed(
        quoit_compression algorithm, const uint8_t *text, size_t size, size_t each)
{
        if (algorithm == QUOIT_ZSTD)
                return pack_zstd_flushed(text, size, each);
        return pack_zlib_flushed(algorithm == QUOIT_GZIP ? 31 : 15, 8, text, size, each);
}

/* Each block takes time, whatever is in it: some that hold next to nothing are taken, very many are not. */
static void test_blocks(void **state)
{
        static const struct {
                size_t size, each;
                int error;
        } cases[] = { { 400, 1, 0 }, { 100000, 1, -E2BIG }, { MIB, 4096, 0 } };
        uint8_t *text = text_new(MIB);
        struct coders coders = { 0 };

        (void)state;
        for (size_t a = 0; a < ALGORITHMS; a++) {
                for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                        struct packed packed =
                                pack_flushed(algorithms[a], text, cases[i].size, cases[i].each);
                        const uint8_t *plain;
                        size_t size;

                        assert_int_equal(coders_decompress(&coders, algorithms[a], packed.data,
                                                 packed.size, 4 * MIB, &plain, &size),
                                cases[i].error);
                        if (cases[i].error == 0) {
                                assert_int_equal(size, cases[i].size);
                                assert_memory_equal(plain, text, size);
                        }
                        free(packed.data);
                }
        }
        coders_deinit(&coders);
        free(text);
}

/* The smallest blocks that zlib makes by itself: as many as a message's limit holds. */
static void test_the_smallest_blocks(void **state)
{
        uint8_t *noise = malloc(MIB);
        struct coders coders = { 0 };
        struct packed packed;
        const uint8_t *plain;
        uint64_t random = 1;
        size_t size;

        (void)state;
        assert_non_null(noise);
        for (size_t i = 0; i < MIB; i++)
                noise[i] = (uint8_t)random_upto(&random, 250);
        packed = pack_zlib_flushed(15, 1, noise, MIB, MIB);
        assert_int_equal(coders_decompress(&coders, QUOIT_DEFLATE, packed.data, packed.size, MIB,
                                 &plain, &size),
                0);
        assert_int_equal(size, MIB);
        free(packed.data);
        coders_deinit(&coders);
        free(noise);
}

static void test_corrupt(void **state)
{
        struct coders coders = { 0 };
        uint8_t *text = text_new(300);

        (void)state;
        for (size_t i = 0; i < ALGORITHMS; i++) {
                struct packed packed = pack(&coders, algorithms[i], text, 300);
                const uint8_t *got;
                size_t size;

                for (size_t cut = 1; cut < packed.size; cut++)
                        assert_int_equal(coders_decompress(&coders, algorithms[i], packed.data, cut,
                                                 MIB, &got, &size),
                                -EBADMSG);
                for (size_t at = 0; at < packed.size; at++) {
                        int r;

                        packed.data[at] ^= 0x55;
                        r = coders_decompress(
                                &coders, algorithms[i], packed.data, packed.size, MIB, &got, &size);
                        assert_true(r == 0 || r == -EBADMSG || r == -EMSGSIZE);
                        packed.data[at] ^= 0x55;
                }
                assert_int_equal(coders_decompress(&coders, algorithms[i], packed.data, packed.size,
                                         MIB, &got, &size),
                        0);
                free(packed.data);
        }
        free(text);
        coders_deinit(&coders);
}

static void test_other_formats(void **state)
{
        struct coders coders = { 0 };
        const uint8_t *got;
        size_t size;

        (void)state;
        for (size_t i = 0; i < ALGORITHMS; i++) {
                struct packed packed = pack(&coders, algorithms[i], (const uint8_t *)"hello", 5);

                for (size_t j = 0; j < ALGORITHMS; j++) {
                        assert_int_equal(coders_decompress(&coders, algorithms[j], packed.data,
                                                 packed.size, MIB, &got, &size),
                                i == j ? 0 : -EBADMSG);
                }
                free(packed.data);
        }
        coders_deinit(&coders);
}

/* One message in several members or frames; "deflate" has none, and nothing else may follow. */
static void test_what_follows(void **state)
{
        struct coders coders = { 0 };

        (void)state;
        for (size_t i = 0; i < ALGORITHMS; i++) {
                struct packed packed = pack(&coders, algorithms[i], (const uint8_t *)"hello", 5);
                uint8_t twice[256];
                const uint8_t *got;
                size_t size;
                int r;

                memcpy(twice, packed.data, packed.size);
                memcpy(twice + packed.size, packed.data, packed.size);
                r = coders_decompress(
                        &coders, algorithms[i], twice, 2 * packed.size, 10, &got, &size);
                if (algorithms[i] == QUOIT_DEFLATE) {
                        assert_int_equal(r, -EBADMSG);
                } else {
                        assert_int_equal(r, 0);
                        assert_int_equal(size, 10);
                        assert_memory_equal(got, "hellohello", 10);
                        assert_int_equal(coders_decompress(&coders, algorithms[i], twice,
                                                 2 * packed.size, 9, &got, &size),
                                -EMSGSIZE);
                }
                twice[packed.size] = 'x';
                assert_int_equal(coders_decompress(&coders, algorithms[i], twice, packed.size + 1,
                                         10, &got, &size),
                        -EBADMSG);
                free(packed.data);
        }
        coders_deinit(&coders);
}

static void test_empty(void **state)
{
        struct coders coders = { 0 };

        (void)state;
        for (size_t i = 0; i < ALGORITHMS; i++) {
                uint8_t out[64];
                size_t out_size = sizeof(out), size = 1;
                const uint8_t *got;

                assert_int_equal(coders_decompress(&coders, algorithms[i], (const uint8_t *)"", 0,
                                         10, &got, &size),
                        0);
                assert_int_equal(size, 0);
                assert_int_equal(coders_compress(&coders, algorithms[i], (const uint8_t *)"", 0,
                                         out, &out_size),
                        0);
                size = 1;
                assert_int_equal(
                        coders_decompress(&coders, algorithms[i], out, out_size, 0, &got, &size),
                        0);
                assert_int_equal(size, 0);
                assert_non_null(got);
        }
        coders_deinit(&coders);
}

/* A frame that asks its reader for a window of 128 MiB gets none. */
static void test_a_large_window_is_refused(void **state)
{
        struct coders coders = { 0 };
        ZSTD_CCtx *context = ZSTD_createCCtx();
        uint8_t *zeros = calloc(1, MIB), *out = malloc(MIB);
        ZSTD_inBuffer in = { zeros, MIB, 0 };
        ZSTD_outBuffer packed = { out, MIB, 0 };
        const uint8_t *got;
        size_t size;

        (void)state;
        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 27);
        ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
        ZSTD_compressStream2(context, &packed, &in, ZSTD_e_flush); /* a stream: of unknown size */
        assert_int_equal(ZSTD_compressStream2(context, &packed, &in, ZSTD_e_end), 0);
        assert_int_equal(
                coders_decompress(&coders, QUOIT_ZSTD, out, packed.pos, 2 * MIB, &got, &size),
                -EBADMSG);
        ZSTD_freeCCtx(context);
        free(zeros);
        free(out);
        coders_deinit(&coders);
}

/* Of zstd before its format was settled, which many a libzstd still reads: not what grpc-encoding means. */
static void test_old_formats_are_refused(void **state)
{
        static const uint8_t empty[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x00, 0x01, 0x00, 0x00 };
        static const uint8_t skippable[] = { 0x5f, 0x2a, 0x4d, 0x18, 0x01, 0x00, 0x00, 0x00, 'x' };
        struct coders coders = { 0 };
        const uint8_t *got;
        uint8_t both[sizeof(empty) + sizeof(skippable)];
        size_t size;

        (void)state;
        for (uint8_t version = 0x20; version < 0x30; version++) {
                memcpy(both, skippable, sizeof(skippable));
                memcpy(both + sizeof(skippable), empty, sizeof(empty));
                both[sizeof(skippable)] = version;
                assert_int_equal(coders_decompress(
                                         &coders, QUOIT_ZSTD, both, sizeof(both), MIB, &got, &size),
                        version == 0x28 ? 0 : -EBADMSG);
        }
        coders_deinit(&coders);
}

/* After the first message of a size no memory is taken. */
static void test_memory_is_kept(void **state)
{
        struct coders coders = { 0 };
        uint8_t *text = text_new(4096), *memory;

        (void)state;
        for (size_t i = 0; i < ALGORITHMS; i++) {
                struct packed packed = pack(&coders, algorithms[i], text, 4096);
                const uint8_t *got;
                size_t size;

                for (int times = 0; times < 3; times++) {
                        memory = coders.memory;
                        assert_int_equal(coders_decompress(&coders, algorithms[i], packed.data,
                                                 packed.size, MIB, &got, &size),
                                0);
                        coders_trim(&coders);
                        if (times > 0)
                                assert_ptr_equal(coders.memory, memory);
                }
                free(packed.data);
        }
        free(text);
        coders_deinit(&coders);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_there_and_back),
                cmocka_unit_test(test_no_room),
                cmocka_unit_test(test_bombs),
                cmocka_unit_test(test_blocks),
                cmocka_unit_test(test_the_smallest_blocks),
                cmocka_unit_test(test_corrupt),
                cmocka_unit_test(test_other_formats),
                cmocka_unit_test(test_what_follows),
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_a_large_window_is_refused),
                cmocka_unit_test(test_old_formats_are_refused),
                cmocka_unit_test(test_memory_is_kept),
        };

        return cmocka_run_group_tests_name("codec/coders", tests, NULL, NULL);
}
