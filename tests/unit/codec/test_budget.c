/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "growth.quoit.h"

#define MIB ((size_t)1 << 20)

/* malloc that counts, and hands out a little more than is asked for, as pools do. */
struct counting {
        upb_alloc alloc;
        size_t bytes;
};

static void *count(upb_alloc *alloc, void *block, size_t old_size, size_t size, size_t *actual)
{
        struct counting *counting = (struct counting *)alloc;

        if (block) {
                counting->bytes -= old_size;
                free(block);
                return NULL;
        }
        counting->bytes += size;
        if (actual)
                *actual = size;
        return malloc(size);
}

/* @unit again and again, up to @size bytes; heap. */
static char *repeated(const char *unit, size_t unit_size, size_t *size)
{
        char *bytes = malloc(*size);
        size_t i;

        assert_non_null(bytes);
        for (i = 0; i + unit_size <= *size; i += unit_size)
                memcpy(bytes + i, unit, unit_size);
        *size = i;
        return bytes;
}

#define AGAIN_BYTES 128

/* What is small on the wire and large in memory. Mostly they are an element or more for each. */
static const struct shape {
        const char *name, *unit;
        size_t unit_size;
        bool comes_again; /* counts, too, and takes nothing */
} shapes[] = {
#define SHAPE(name, unit) { name, unit, sizeof(unit) - 1, false }
#define AGAIN(name, unit) { name, unit, sizeof(unit) - 1, true }
        SHAPE("empty submessages", "\x0a\x00"),
        SHAPE("numbers", "\x10\x01"),
        SHAPE("numbers, packed", "\x1a\x04\x01\x01\x01\x01"),
        SHAPE("empty texts", "\x2a\x00"),
        AGAIN("nested", "\x32\x02\x0a\x00"),
        SHAPE("groups", "\x3b\x0a\x00\x3c"),
        SHAPE("narrow", "\x42\x00"),
        SHAPE("known and unknown", "\x42\x00\xa0\x06\x01"),
        SHAPE("unknown groups", "\xa3\x06\xa4\x06\x42\x00"),
        AGAIN("a map's entry", "\x22\x02\x12\x00"),
        AGAIN("a map's number", "\x4a\x00"),
        AGAIN("a map's text", "\x52\x00"),
        AGAIN("an empty part", "\x32\x00"),
        SHAPE("unknown", "\xa0\x06\x01"),
};

static void test_shapes(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
                for (size_t bytes = 1; bytes <= 4 * MIB; bytes = bytes * 3 + 7) {
                        struct counting counting = { .alloc = { .func = count } };
                        upb_Arena *arena = upb_Arena_Init(NULL, 0, &counting.alloc);
                        size_t size = 256 << 10, before = counting.bytes, again;
                        char *wire = repeated(shapes[i].unit, shapes[i].unit_size, &size);
                        quoit_budget budget;
                        growth_Tree *tree;

                        quoit_budget_init(&budget, bytes);
                        upb_Arena_SetBudget(arena, &budget.upb);
                        tree = growth_Tree_parse(wire, size, arena);
                        assert_true(budget.left <= bytes);
                        assert_true(counting.bytes - before <= bytes - budget.left);
                        again = bytes - budget.left - (counting.bytes - before);
                        assert_int_equal(again % AGAIN_BYTES, 0);
                        assert_true(again == 0 || shapes[i].comes_again);
                        if (!tree && !budget.exceeded)
                                fail_msg("%s do not parse", shapes[i].name);
                        assert_true(!tree || !budget.exceeded);
                        assert_ptr_equal(upb_Arena_GetBudget(arena), &budget.upb);
                        upb_Arena_Free(arena);
                        free(wire);
                }
        }
}

static bool parses_within(const char *wire, size_t size, size_t bytes, size_t *ret_taken)
{
        upb_Arena *arena = upb_Arena_New();
        quoit_budget budget;
        bool parses;

        quoit_budget_init(&budget, bytes);
        upb_Arena_SetBudget(arena, &budget.upb);
        parses = growth_Tree_parse(wire, size, arena);
        assert_int_equal(budget.exceeded, !parses);
        *ret_taken = bytes - budget.left;
        upb_Arena_Free(arena);
        return parses;
}

/* To the byte: with what it takes it parses, with one less it does not. */
static void test_exact(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
                size_t size = 64 << 10, taken, again;
                char *wire = repeated(shapes[i].unit, shapes[i].unit_size, &size);

                assert_true(parses_within(wire, size, 256 * MIB, &taken));
                assert_true(taken > 0);
                assert_true(parses_within(wire, size, taken, &again));
                assert_int_equal(again, taken);
                assert_false(parses_within(wire, size, taken - 1, &again));
                free(wire);
        }
}

/* The same key, or another part of the same message, as often as @count: each but the first counts. */
static void test_again(void **state)
{
        static const char *const units[] = { "\x4a\x00", "\x52\x00", "\x32\x00" };

        (void)state;
        for (size_t i = 0; i < 3; i++) {
                for (size_t count = 1; count <= 100000; count *= 10) {
                        size_t size = 2 * count, once_size = 2, once, taken;
                        char *wire = repeated(units[i], 2, &size);

                        assert_true(parses_within(wire, once_size, 256 * MIB, &once));
                        assert_true(parses_within(wire, size, 256 * MIB, &taken));
                        assert_true(taken >= once + (count - 1) * AGAIN_BYTES);
                        if (count > 1)
                                assert_false(parses_within(
                                        wire, size, (count - 1) * AGAIN_BYTES - 1, &once));
                        free(wire);
                }
        }
}

/* Nobody has said anything. */
static void test_default(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        size_t size = 2 * 100000, few = 2 * 10000;
        char *wire = repeated("\x0a\x00", 2, &size);

        (void)state;
        assert_null(growth_Tree_parse(wire, size, arena));
        assert_true(upb_Arena_SpaceAllocated(arena, NULL) < 33 * MIB);
        assert_null(growth_Tree_parse_ex(wire, size, NULL, 0, arena));
        assert_null(upb_Arena_GetBudget(arena));
        assert_non_null(growth_Tree_parse(wire, few, arena));
        upb_Arena_Free(arena);
        free(wire);
        assert_int_equal(quoit_parse_bytes_max(0), 32 * MIB);
        assert_int_equal(quoit_parse_bytes_max(MIB), 64 * MIB);
        assert_int_equal(quoit_parse_bytes_max(SIZE_MAX / 2), SIZE_MAX);
}

/* Several arenas, one budget; and what is not parsed counts as well. */
static void test_shared(void **state)
{
        upb_Arena *arenas[3];
        quoit_budget budget;
        size_t taken = 0;

        (void)state;
        quoit_budget_init(&budget, MIB);
        for (size_t i = 0; i < 3; i++) {
                arenas[i] = upb_Arena_New();
                upb_Arena_SetBudget(arenas[i], &budget.upb);
        }
        while (upb_Arena_Malloc(arenas[taken % 3], 5000))
                taken++;
        assert_true(budget.exceeded);
        assert_in_range(taken, (MIB - 150000) / 5000, MIB / 5000);
        upb_Arena_SetBudget(arenas[0], NULL);
        assert_non_null(upb_Arena_Malloc(arenas[0], 5 * MIB));
        for (size_t i = 0; i < 3; i++)
                upb_Arena_Free(arenas[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_shapes),
                cmocka_unit_test(test_exact),
                cmocka_unit_test(test_again),
                cmocka_unit_test(test_default),
                cmocka_unit_test(test_shared),
        };

        return cmocka_run_group_tests_name("codec/budget", tests, NULL, NULL);
}
