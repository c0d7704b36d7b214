/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/framing.h"
#include "random.h"

#include <errno.h>

#define MIB ((size_t)1 << 20)

/* An allocator that counts, and fails past a limit. */
struct counted_alloc {
        upb_alloc alloc;
        size_t bytes, bytes_max, calls;
};

static void *counted_function(
        upb_alloc *alloc, void *memory, size_t old_size, size_t size, size_t *actual_size)
{
        struct counted_alloc *counted = (struct counted_alloc *)alloc;

        (void)old_size;
        (void)actual_size;
        if (memory) {
                free(memory);
                return NULL;
        }
        counted->calls++;
        counted->bytes += size;
        return counted->bytes > counted->bytes_max ? NULL : malloc(size);
}

static struct counted_alloc counted(size_t bytes_max)
{
        return (struct counted_alloc){ .alloc = { counted_function }, .bytes_max = bytes_max };
}

static size_t put_message(uint8_t *out, bool compressed, const void *data, size_t size)
{
        framing_write_prefix(out, compressed, (uint32_t)size);
        memcpy(out + FRAMING_PREFIX_BYTES, data, size);
        return FRAMING_PREFIX_BYTES + size;
}

static void test_prefix(void **state)
{
        uint8_t out[5];

        (void)state;
        framing_write_prefix(out, false, 0x01020304);
        assert_memory_equal(out, "\0\1\2\3\4", 5);
        framing_write_prefix(out, true, UINT32_MAX);
        assert_memory_equal(out, "\1\xff\xff\xff\xff", 5);
}

static void test_whole_messages_in_one_chunk(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        struct framing framing;
        struct framing_message message;
        uint8_t wire[64];
        const uint8_t *data = wire;
        size_t size = 0;

        (void)state;
        size += put_message(wire + size, false, "hello", 5);
        size += put_message(wire + size, true, "", 0);
        size += put_message(wire + size, false, "x", 1);
        framing_init(&framing, 5);

        assert_int_equal(framing_feed(&framing, arena, &data, &size, &message), 1);
        assert_int_equal(message.size, 5);
        assert_memory_equal(message.data, "hello", 5);
        assert_false(message.compressed);
        assert_int_equal(framing_feed(&framing, arena, &data, &size, &message), 1);
        assert_int_equal(message.size, 0);
        assert_non_null(message.data);
        assert_true(message.compressed);
        assert_true(framing_idle(&framing));
        assert_int_equal(framing_feed(&framing, arena, &data, &size, &message), 1);
        assert_int_equal(message.data[0], 'x');
        assert_int_equal(framing_feed(&framing, arena, &data, &size, &message), 0);
        assert_int_equal(size, 0);
        assert_ptr_equal(data, wire + 21);
        assert_true(framing_idle(&framing));
        upb_Arena_Free(arena);
}

/* The stream may end only where framing_idle() says so. */
static void test_idle_at_boundaries_only(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        struct framing framing;
        struct framing_message message;
        uint8_t wire[16];
        size_t total = put_message(wire, false, "abc", 3);

        (void)state;
        framing_init(&framing, 100);
        for (size_t i = 0; i < total; i++) {
                const uint8_t *data = wire + i;
                size_t size = 1;

                assert_int_equal(framing_idle(&framing), i == 0);
                assert_int_equal(framing_feed(&framing, arena, &data, &size, &message),
                        i == total - 1 ? 1 : 0);
        }
        assert_true(framing_idle(&framing));
        upb_Arena_Free(arena);
}

static int feed_one(size_t limit, const void *bytes, size_t size, upb_Arena *arena)
{
        struct framing framing;
        struct framing_message message;
        const uint8_t *data = bytes;

        framing_init(&framing, limit);
        return framing_feed(&framing, arena, &data, &size, &message);
}

static void test_errors(void **state)
{
        struct counted_alloc alloc = counted(MIB);
        upb_Arena *arena = upb_Arena_Init(NULL, 0, &alloc.alloc);
        size_t bytes = alloc.bytes;
        uint8_t prefix[5] = { 0 };

        (void)state;
        assert_int_equal(feed_one(3, "\0\0\0\0\3", 5, arena), 0);
        assert_int_equal(feed_one(3, "\0\0\0\0\4", 5, arena), -EMSGSIZE);
        assert_int_equal(feed_one(0, "\0\0\0\0\0", 5, arena), 1);
        assert_int_equal(feed_one(0, "\0\0\0\0\1", 5, arena), -EMSGSIZE);
        assert_int_equal(feed_one(4 * MIB, "\0\xff\xff\xff\xff", 5, arena), -EMSGSIZE);
        for (unsigned int flag = 0; flag < 256; flag++) {
                prefix[0] = (uint8_t)flag;
                assert_int_equal(feed_one(3, prefix, 5, arena), flag > 1 ? -EPROTO : 1);
        }
        assert_int_equal(alloc.bytes, bytes);
        upb_Arena_Free(arena);
}

/* One allocation a message, of its size, and only once it has begun. */
static void test_a_message_is_one_allocation(void **state)
{
        struct counted_alloc alloc = counted(SIZE_MAX);
        upb_Arena *arena = upb_Arena_Init(NULL, 0, &alloc.alloc);
        struct framing framing;
        struct framing_message message;
        uint8_t wire[1024] = { 0, 0, 0x10, 0, 0 };
        size_t left = MIB, before = alloc.bytes;

        (void)state;
        framing_init(&framing, SIZE_MAX);
        for (int feeds = 0; left > 0; feeds++) {
                const uint8_t *data = wire;
                size_t size = feeds == 0 ? FRAMING_PREFIX_BYTES : left < 1000 ? left : 1000;

                left -= feeds == 0 ? 0 : size;
                assert_int_equal(framing_feed(&framing, arena, &data, &size, &message), left == 0);
                assert_in_range(alloc.bytes, before + (feeds == 0 ? 0 : MIB),
                        before + (feeds == 0 ? 0 : MIB + 1024));
                assert_int_equal(framing_reserved(&framing), feeds == 0 || left == 0 ? 0 : MIB);
        }
        assert_int_equal(message.size, MIB);
        upb_Arena_Free(arena);
}

static void test_no_memory(void **state)
{
        static uint8_t wire[100000];
        struct framing framing;
        struct framing_message message;

        (void)state;
        framing_write_prefix(wire, false, sizeof(wire) - FRAMING_PREFIX_BYTES);
        for (size_t limit = 1000; limit < 200000; limit += 1000) {
                struct counted_alloc alloc = counted(limit);
                upb_Arena *arena = upb_Arena_Init(NULL, 0, &alloc.alloc);
                int r = 0;

                framing_init(&framing, sizeof(wire));
                for (size_t at = 0; at < sizeof(wire) && r == 0; at += 1000) {
                        const uint8_t *data = wire + at;
                        size_t size = 1000;

                        r = framing_feed(&framing, arena, &data, &size, &message);
                }
                assert_int_equal(r, limit < sizeof(wire) ? -ENOMEM : r);
                assert_true(r == 1 || r == -ENOMEM);
                upb_Arena_Free(arena);
        }
}

/* A message that is whole costs exactly its size. */
static void test_whole_message_is_one_exact_allocation(void **state)
{
        static uint8_t wire[50000];
        struct counted_alloc alloc = counted(SIZE_MAX);
        upb_Arena *arena = upb_Arena_Init(NULL, 0, &alloc.alloc);
        struct framing framing;
        struct framing_message message;
        const uint8_t *data = wire;
        size_t size = sizeof(wire), calls = alloc.calls, bytes = alloc.bytes;

        (void)state;
        framing_write_prefix(wire, false, sizeof(wire) - FRAMING_PREFIX_BYTES);
        framing_init(&framing, sizeof(wire));
        assert_int_equal(framing_feed(&framing, arena, &data, &size, &message), 1);
        assert_int_equal(alloc.calls, calls + 1);
        assert_true(alloc.bytes - bytes < sizeof(wire) + 100);
        upb_Arena_Free(arena);
}

#define WIRE_MAX 20000
#define MESSAGES_MAX 20

struct stream {
        uint8_t wire[WIRE_MAX];
        size_t size, n_messages;
        struct framing_message messages[MESSAGES_MAX];
};

static void stream_init(struct stream *stream, uint64_t *random)
{
        stream->size = 0;
        stream->n_messages = random_upto(random, MESSAGES_MAX);
        for (size_t i = 0; i < stream->n_messages; i++) {
                uint8_t body[900];
                size_t size = random_upto(random, random_upto(random, sizeof(body)));
                bool compressed = random_upto(random, 1);

                random_fill(random, body, size);
                stream->messages[i] = (struct framing_message){
                        .data = stream->wire + stream->size + FRAMING_PREFIX_BYTES,
                        .size = size,
                        .compressed = compressed,
                };
                stream->size += put_message(stream->wire + stream->size, compressed, body, size);
        }
}

static bool same(const struct framing_message *a, const struct framing_message *b)
{
        return a->size == b->size && a->compressed == b->compressed &&
               memcmp(a->data, b->data, a->size) == 0;
}

/* Feeds one chunk from an allocation of its own, so that ASan sees a read past its end. */
static size_t feed_chunk(struct framing *framing, upb_Arena *arena, const uint8_t *bytes,
        size_t size, struct framing_message *messages, size_t n_messages)
{
        uint8_t *chunk = malloc(size);
        const uint8_t *data = chunk;
        int r;

        if (size)
                memcpy(chunk, bytes, size);
        while (n_messages < MESSAGES_MAX + 1 &&
                (r = framing_feed(framing, arena, &data, &size, &messages[n_messages])))
                n_messages += r == 1 ? 1 : MESSAGES_MAX + 1;
        free(chunk);
        return n_messages;
}

static void test_random_splits(void **state)
{
        static struct stream stream;

        (void)state;
        for (uint64_t seed = 1; seed <= 3000; seed++) {
                struct framing_message messages[MESSAGES_MAX + 1];
                uint64_t random = seed;
                upb_Arena *arena = upb_Arena_New();
                struct framing framing;
                size_t n = 0, chunk_max = (size_t[]){ 1, 7, 100, WIRE_MAX }[seed % 4];

                stream_init(&stream, &random);
                framing_init(&framing, 900);
                for (size_t at = 0; at < stream.size;) {
                        size_t size = random_upto(&random, chunk_max);

                        if (size > stream.size - at)
                                size = stream.size - at;
                        n = feed_chunk(&framing, arena, stream.wire + at, size, messages, n);
                        at += size;
                }
                if (n != stream.n_messages || !framing_idle(&framing))
                        fail_msg("seed %d: %zu messages, not %zu", (int)seed, n, stream.n_messages);
                for (size_t i = 0; i < n; i++)
                        if (!same(&messages[i], &stream.messages[i]))
                                fail_msg("seed %d: message %zu differs", (int)seed, i);
                upb_Arena_Free(arena);
        }
}

/* Every way to cut a short stream in three. */
static void test_every_split(void **state)
{
        struct framing_message messages[MESSAGES_MAX + 1];
        uint8_t wire[40];
        size_t size = 0;

        (void)state;
        size += put_message(wire + size, false, "abcdefgh", 8);
        size += put_message(wire + size, true, "", 0);
        size += put_message(wire + size, false, "ij", 2);
        for (size_t a = 0; a <= size; a++) {
                for (size_t b = a; b <= size; b++) {
                        upb_Arena *arena = upb_Arena_New();
                        struct framing framing;
                        size_t n = 0;

                        framing_init(&framing, 8);
                        n = feed_chunk(&framing, arena, wire, a, messages, n);
                        n = feed_chunk(&framing, arena, wire + a, b - a, messages, n);
                        n = feed_chunk(&framing, arena, wire + b, size - b, messages, n);
                        assert_int_equal(n, 3);
                        assert_memory_equal(messages[0].data, "abcdefgh", 8);
                        assert_int_equal(messages[1].size, 0);
                        assert_memory_equal(messages[2].data, "ij", 2);
                        upb_Arena_Free(arena);
                }
        }
}

/* A scan of the first @size bytes finds @count messages, @bytes in all. */
static void check_scan(const struct framing *framing, const uint8_t *wire, size_t size,
        uint32_t count, size_t bytes)
{
        uint8_t *exact = malloc(size ? size : 1); /* a read behind it is found by a sanitizer */
        uint32_t found;

        memcpy(exact, wire, size);
        assert_int_equal(framing_scan(framing, exact, size, &found), bytes);
        assert_int_equal(found, count);
        free(exact);
}

static void test_scan(void **state)
{
        static const size_t ends[] = { 0, 10, 15, 26, SIZE_MAX };
        struct framing framing;
        uint8_t wire[64];
        size_t size = 0, n = 0;

        (void)state;
        size += put_message(wire + size, false, "hello", 5);
        size += put_message(wire + size, false, "", 0);
        size += put_message(wire + size, false, "world!", 6);
        framing_init(&framing, 6);
        for (size_t i = 0; i <= size; i++) {
                n += i == ends[n + 1];
                check_scan(&framing, wire, i, (uint32_t)n, ends[n]);
        }
        assert_int_equal(n, 3);

        framing_init(&framing, 5); /* the third is over the limit, ... */
        check_scan(&framing, wire, size, 2, ends[2]);
        framing_init(&framing, SIZE_MAX);
        wire[ends[1]] = 1; /* ... the second compressed, ... */
        check_scan(&framing, wire, size, 1, ends[1]);
        wire[0] = 2; /* ... the first refused */
        check_scan(&framing, wire, size, 0, 0);
        check_scan(&framing, (const uint8_t *)"\0\xff\xff\xff\xff", 5, 0, 0);
}

/* The body at @data, in pieces of @piece bytes, is one message. */
static void check_body(
        upb_Arena *arena, const uint8_t *data, size_t size, size_t piece, size_t expected)
{
        struct framing_message message;
        struct framing framing;

        framing_init(&framing, 1000);
        for (size_t at = 0; at < size; at += piece) {
                size_t n = size - at < piece ? size - at : piece;

                assert_int_equal(framing_collect(&framing, arena, data + at, n, expected), 0);
                assert_true(framing_reserved(&framing) >= at + n);
                assert_true(framing_reserved(&framing) <= 1000);
        }
        framing_collected(&framing, true, &message);
        assert_int_equal(message.size, size);
        assert_memory_equal(message.data, data, size);
        assert_int_equal(message.compressed, size > 0);
        assert_true(framing_idle(&framing));
        assert_int_equal(framing_reserved(&framing), 0);
}

static void test_bodies(void **state)
{
        static const size_t sizes[] = { 0, 1, 2, 999, 1000 };
        upb_Arena *arena = upb_Arena_New();
        uint8_t data[1000];
        uint64_t random = 1;

        (void)state;
        random_fill(&random, data, sizeof(data));
        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
                for (size_t piece = 1; piece <= 1000; piece *= 3) {
                        check_body(arena, data, sizes[i], piece, 0);
                        check_body(arena, data, sizes[i], piece, sizes[i]);
                        check_body(arena, data, sizes[i], piece, sizes[i] / 2);
                }
        }
        upb_Arena_Free(arena);
}

static void test_large_bodies(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        struct framing framing;
        uint8_t data[101] = { 0 };

        (void)state;
        framing_init(&framing, 100);
        assert_int_equal(
                framing_collect(&framing, arena, data, 1, 101), -EMSGSIZE); /* as it says itself */
        assert_int_equal(framing_collect(&framing, arena, data, 101, 0), -EMSGSIZE);
        assert_int_equal(framing_reserved(&framing), 0);
        assert_int_equal(framing_collect(&framing, arena, data, 60, 0), 0);
        assert_int_equal(framing_collect(&framing, arena, data, 40, 0), 0);
        assert_int_equal(framing_collect(&framing, arena, data, 1, 0), -EMSGSIZE);
        upb_Arena_Free(arena);
}

/* One that is told how large it is takes one allocation. */
static void test_a_body_without_memory(void **state)
{
        struct counted_alloc none = counted(600);
        upb_Arena *arena = upb_Arena_Init(NULL, 0, &none.alloc);
        struct framing framing;
        uint8_t data[64] = { 0 };
        int r = 0;

        (void)state;
        assert_non_null(arena);
        framing_init(&framing, MIB);
        for (int i = 0; i < 100 && r == 0; i++)
                r = framing_collect(&framing, arena, data, sizeof(data), 0);
        assert_int_equal(r, -ENOMEM);
        upb_Arena_Free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_prefix),
                cmocka_unit_test(test_whole_messages_in_one_chunk),
                cmocka_unit_test(test_idle_at_boundaries_only),
                cmocka_unit_test(test_errors),
                cmocka_unit_test(test_a_message_is_one_allocation),
                cmocka_unit_test(test_no_memory),
                cmocka_unit_test(test_whole_message_is_one_exact_allocation),
                cmocka_unit_test(test_random_splits),
                cmocka_unit_test(test_every_split),
                cmocka_unit_test(test_scan),
                cmocka_unit_test(test_bodies),
                cmocka_unit_test(test_large_bodies),
                cmocka_unit_test(test_a_body_without_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
