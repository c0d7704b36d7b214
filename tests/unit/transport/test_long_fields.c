/* SPDX-License-Identifier: MIT */

/*
 * Names and values of any length cost their stream, never the connection: what is too long is skipped, and the dynamic table
 * stays what the peer takes it for. Bundled nghttp2 only: subprojects/packagefiles/nghttp2.
 */

#include "harness.h"

#include <errno.h>
#include <string.h>

#ifdef NGHTTP2_HAS_MAX_HEADER_STRING

#define BLOCK_MAX ((size_t)400000)
#define ALLOWED_BYTES 16384 /* joint_limits.header_bytes_hard_max */
#define INDEXED 0x40 /* a literal that goes into the dynamic table, under a new name */
#define NEWEST 62 /* of the dynamic table's entries */

/* A field that is too long in one way or the other. */
struct variant {
        size_t size;
        bool is_name;
        bool huffman;
        bool indexed;
};

static size_t put_length(uint8_t *out, size_t length, uint8_t flag)
{
        size_t size = 1;

        if (length < 127) {
                *out = flag | (uint8_t)length;
                return 1;
        }
        *out = flag | 127;
        for (length -= 127; length >= 128; length >>= 7)
                out[size++] = (uint8_t)(length | 128);
        out[size++] = (uint8_t)length;
        return size;
}

/* @length times "0", whose Huffman code is five zeros. */
static size_t put_zeros(uint8_t *out, size_t length, bool huffman)
{
        size_t coded = huffman ? (length * 5 + 7) / 8 : length;
        size_t size = put_length(out, coded, huffman ? 0x80 : 0);

        memset(out + size, huffman ? 0 : '0', coded);
        if (huffman)
                out[size + coded - 1] = (uint8_t)((1u << (coded * 8 - length * 5)) - 1);
        return size + coded;
}

static size_t put_variant(uint8_t *out, const struct variant *variant)
{
        size_t size = 0;

        out[size++] = variant->indexed ? INDEXED : 0;
        size += put_zeros(out + size, variant->is_name ? variant->size : 3, variant->huffman);
        return size + put_zeros(out + size, variant->is_name ? 3 : variant->size, variant->huffman);
}

static size_t put_indexed(uint8_t *out, const char *name, const char *value)
{
        size_t size = hpack_field(out, name, value);

        *out = INDEXED;
        return size;
}

static size_t put_rest_of_request(uint8_t *out)
{
        size_t size = hpack_field(out, ":method", "POST");

        size += hpack_field(out + size, ":scheme", "http");
        return size + hpack_field(out + size, ":authority", "localhost");
}

/* As HEADERS and as many CONTINUATION frames as it takes. */
static int feed_block(struct joint *joint, int32_t id, const uint8_t *block, size_t size)
{
        uint8_t type = NGHTTP2_HEADERS, head[9];
        size_t frame_bytes = joint->limits.frame_bytes_max;
        int r = 0;

        for (size_t at = 0; at < size && r == 0; at += frame_bytes, type = NGHTTP2_CONTINUATION) {
                size_t piece = size - at < frame_bytes ? size - at : frame_bytes;
                uint8_t flags = type == NGHTTP2_HEADERS ? NGHTTP2_FLAG_END_STREAM : 0;

                if (at + piece == size)
                        flags |= NGHTTP2_FLAG_END_HEADERS;
                frame_head(head, (uint32_t)piece, type, flags, id);
                r = joint_feed(joint, head, sizeof(head));
                if (r == 0)
                        r = joint_feed(joint, block + at, piece);
        }
        return r;
}

/* Its path goes into the table ahead of the long field, another field behind it. */
static void feed_long(struct joint *joint, const struct variant *variant)
{
        static uint8_t block[BLOCK_MAX];
        size_t size = put_rest_of_request(block);

        size += put_indexed(block + size, ":path", "/kept");
        size += put_variant(block + size, variant);
        size += put_indexed(block + size, "behind", "it");
        assert_true(size < BLOCK_MAX);
        assert_int_equal(feed_block(joint, 1, block, size), 0);
}

/* A request on stream 3 with a field of the dynamic table. */
static int feed_from_table(struct joint *joint, uint8_t index, const char *path)
{
        uint8_t block[200];
        size_t size = put_rest_of_request(block);

        if (path)
                size += hpack_field(block + size, ":path", path);
        block[size++] = 0x80 | index;
        return feed_block(joint, 3, block, size);
}

static void assert_cost(struct joint *joint, const struct variant *variant)
{
        const struct server_stream *stream = joint->streams;
        struct frame_seen frame;

        if (variant->size < 8000) {
                assert_false(stream->oversize);
                assert_int_equal(stream->fields, 6);
        } else if (variant->size < ALLOWED_BYTES - 1000) {
                assert_int_equal(stream->headers, 1);
        } else {
                assert_int_equal(stream->headers, 0);
                joint_to_client(joint);
                assert_int_equal(joint_count_frames(joint, NGHTTP2_RST_STREAM, 1, &frame), 1);
                assert_int_equal(frame.code, NGHTTP2_ENHANCE_YOUR_CALM);
                assert_int_equal(stream->closes, 1);
        }
}

static void assert_in_step(struct joint *joint, const struct variant *variant)
{
        bool emptied = variant->indexed && variant->size > 4096;
        uint8_t path = NEWEST + 1 + (variant->indexed && !emptied);

        if (emptied) {
                assert_int_equal(feed_from_table(joint, NEWEST, "/kept"), 0);
                assert_int_equal(joint->streams[1].fields, 5);
        } else {
                assert_int_equal(feed_from_table(joint, path, NULL), 0);
        }
        assert_int_equal(joint->stream_count, 2);
        assert_string_equal(joint->streams[1].path, "/kept");
        assert_int_equal(joint->streams[1].ends, 1);
        assert_int_equal(joint->goaway_code, UINT32_MAX);
}

/* What was in the table before an entry that it has no room for is gone. */
static void assert_nothing_else(struct joint *joint)
{
        assert_int_equal(feed_from_table(joint, NEWEST + 1, NULL), 0);
        joint_to_client(joint);
        assert_int_equal(joint->goaway_code, NGHTTP2_COMPRESSION_ERROR);
}

static struct joint *joint_ready(uint64_t seed)
{
        static const size_t pieces[] = { 7, 100, 5000, 100000 };
        struct joint *joint = joint_new(NULL, seed);

        joint->piece_bytes_max = pieces[seed % 4];
        joint_run(joint);
        return joint;
}

static void try_variant(const struct variant *variant, uint64_t seed)
{
        struct joint *joint = joint_ready(seed);

        feed_long(joint, variant);
        assert_cost(joint, variant);
        assert_in_step(joint, variant);
        joint_free(joint);
        if (!variant->indexed || variant->size <= 4096)
                return;
        joint = joint_ready(seed);
        feed_long(joint, variant);
        assert_nothing_else(joint);
        joint_free(joint);
}

static void test_lengths(void **state)
{
        static const size_t sizes[] = { 100, 2000, 3500, 9000, 15000, 16383, 16384, 16385, 20000,
                65535, 65536, 65537, 104000, 105000, 131072, 250000 };

        (void)state;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
                for (unsigned how = 0; how < 8; how++) {
                        struct variant variant = { sizes[i], how & 1, how & 2, how & 4 };

                        try_variant(&variant, i * 8 + how + 1 + i);
                }
        }
}

/* One after the other in one block, of both sorts. */
static void test_many(void **state)
{
        static uint8_t block[BLOCK_MAX];
        struct joint *joint = joint_ready(3);
        size_t size = put_rest_of_request(block);

        (void)state;
        size += put_indexed(block + size, ":path", "/kept");
        for (unsigned i = 0; i < 6; i++) {
                struct variant variant = { i % 2 ? 60000 : 9000, i == 2, false, false };

                size += put_variant(block + size, &variant);
        }
        assert_int_equal(feed_block(joint, 1, block, size), 0);
        assert_int_equal(feed_from_table(joint, NEWEST, NULL), 0);
        assert_string_equal(joint->streams[1].path, "/kept");
        joint_free(joint);
}

/* Trailers, and those of a stream that is over, are the same. */
static void test_trailers(void **state)
{
        static uint8_t block[BLOCK_MAX];
        struct variant variant = { 100000, false, false, true };
        struct joint *joint = joint_ready(5);
        struct frame_seen frame;
        size_t size = put_rest_of_request(block);

        (void)state;
        size += hpack_field(block + size, ":path", "/a.B/c");
        frame_head(block + size, (uint32_t)size, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1);
        assert_int_equal(joint_feed(joint, block + size, 9), 0);
        assert_int_equal(joint_feed(joint, block, size), 0);
        for (unsigned i = 0; i < 3; i++) {
                size = put_variant(block, &variant);
                size += put_indexed(block + size, ":path", "/kept");
                assert_int_equal(feed_block(joint, 1, block, size), 0);
                joint_to_client(joint);
        }
        assert_int_equal(joint_count_frames(joint, NGHTTP2_RST_STREAM, 1, &frame), 1);
        assert_int_equal(frame.code, NGHTTP2_ENHANCE_YOUR_CALM);
        assert_int_equal(feed_from_table(joint, NEWEST, NULL), 0);
        assert_string_equal(joint->streams[1].path, "/kept");
        joint_free(joint);
}

/* A length that no block has room for: the block ends before its string does. */
static void test_longer_than_the_block(void **state)
{
        uint8_t block[300];
        struct joint *joint = joint_ready(1);
        size_t size = put_rest_of_request(block);

        (void)state;
        block[size++] = 0;
        block[size++] = 1;
        block[size++] = 'x';
        size += put_length(block + size, INT32_MAX - 1, 0);
        memset(block + size, 'y', 100);
        (void)feed_block(joint, 1, block, size + 100);
        joint_to_client(joint);
        assert_int_equal(joint->goaway_code, NGHTTP2_COMPRESSION_ERROR);
        joint_free(joint);
}

/* Who allows for more gets more. */
static void test_a_larger_limit(void **state)
{
        quoit_limits limits = joint_limits;
        struct variant variant = { 200000, false, false, true };
        struct joint *joint;

        (void)state;
        limits.header_bytes_max = limits.header_bytes_hard_max = 250000;
        joint = joint_new(&limits, 1);
        joint_run(joint);
        feed_long(joint, &variant);
        assert_int_equal(joint->streams[0].headers, 1);
        assert_false(joint->streams[0].oversize);
        assert_int_equal(joint->streams[0].fields, 6);
        assert_in_step(joint, &variant);
        joint_free(joint);
}

/* Each part of a block that would make one as large as is taken counts as a reset, in whatever state its stream is. */
static void test_blocks_that_are_too_large_are_counted(void **state)
{
        static uint8_t block[BLOCK_MAX];
        struct joint *joint = joint_ready(2);
        size_t size = put_rest_of_request(block);
        struct variant variant = { 250000, false, false, false };

        (void)state;
        size += hpack_field(block + size, ":path", "/a.B/c");
        assert_int_equal(feed_block(joint, 1, block, size), 0);
        assert_int_equal(joint->server.resets, 0);
        size += put_variant(block + size, &variant);
        assert_int_equal(feed_block(joint, 3, block, size), 0);
        joint_to_client(joint);
        assert_int_equal(joint->server.resets, size / joint_limits.header_bytes_max + 1);
        joint->server.resets = 0;
        assert_int_equal(feed_block(joint, 3, block, size), 0);
        assert_int_equal(joint->server.resets, size / joint_limits.header_bytes_max);
        joint_free(joint);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lengths),
                cmocka_unit_test(test_many),
                cmocka_unit_test(test_trailers),
                cmocka_unit_test(test_longer_than_the_block),
                cmocka_unit_test(test_a_larger_limit),
                cmocka_unit_test(test_blocks_that_are_too_large_are_counted),
        };

        return cmocka_run_group_tests_name("transport/long_fields", tests, NULL, NULL);
}

#else

int main(void)
{
        return 77; /* skipped */
}

#endif
