/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "../codec/random.h"
#include "core/poison.h"
#include "transport/pages.h"

#define PAGE_BYTES ((uintptr_t)4096)

static uintptr_t page_of(const void *bytes)
{
        return (uintptr_t)bytes / PAGE_BYTES;
}

static int compare(const void *left, const void *right)
{
        uintptr_t a = *(const uintptr_t *)left, b = *(const uintptr_t *)right;

        return (a > b) - (a < b);
}

static size_t distinct(uintptr_t *pages, size_t count)
{
        size_t found = count > 0;

        qsort(pages, count, sizeof(*pages), compare);
        for (size_t i = 1; i < count; i++)
                found += pages[i] != pages[i - 1];
        return found;
}

/* More than a region's worth of everything, each written over from end to end. */
static void test_cuts_are_aligned_and_apart(void **state)
{
        enum { COUNT = 2000 };
        static uint8_t *cuts[COUNT];
        static size_t sizes[COUNT];
        struct pages pages;
        uint64_t seed = 7;

        (void)state;
        pages_init(&pages);
        for (size_t i = 0; i < COUNT; i++) {
                bool is_frame = random_upto(&seed, 8) == 0;

                sizes[i] = is_frame ? PAGES_FRAME_BYTES
                                    : 8 + random_upto(&seed, PAGES_CUT_BYTES_MAX - 8) / 8 * 8;
                cuts[i] = is_frame ? pages_cut_frame(&pages) : pages_cut(&pages, sizes[i]);
                assert_non_null(cuts[i]);
                assert_int_equal((uintptr_t)cuts[i] % 8, 0);
                memset(cuts[i], (int)i, sizes[i]);
        }
        for (size_t i = 0; i < COUNT; i++)
                for (size_t j = 0; j < sizes[i]; j++)
                        assert_int_equal(cuts[i][j], i & 0xff);
        pages_deinit(&pages);
}

/* What pages.c is for: a frame buffer whose head alone is in use costs a part of a page. */
static void test_frame_buffers_share_pages(void **state)
{
        enum { COUNT = 300, CUTS = 3 };
        static uintptr_t touched[COUNT * (CUTS + 1)];
        struct pages pages;
        size_t count = 0;

        (void)state;
        if (sysconf(_SC_PAGESIZE) != (long)PAGE_BYTES) {
                print_message("this machine's pages are larger\n");
                skip();
        }
        pages_init(&pages);
        for (size_t i = 0; i < COUNT; i++) {
                uint8_t *frame = pages_cut_frame(&pages);
                unsigned char is_resident[PAGES_FRAME_BYTES / PAGE_BYTES];

                memset(frame, 1, 200);
                touched[count++] = page_of(frame);
                assert_int_equal(page_of(frame + 199), page_of(frame));
                for (size_t j = 0; j < CUTS; j++) {
                        uint8_t *cut = pages_cut(&pages, PAGES_CUT_BYTES_MAX / CUTS);

                        memset(cut, 1, PAGES_CUT_BYTES_MAX / CUTS);
                        touched[count++] = page_of(cut);
                }
                assert_int_equal(mincore((void *)((page_of(frame) + 1) * PAGE_BYTES),
                                         PAGES_FRAME_BYTES / PAGE_BYTES * PAGE_BYTES, is_resident),
                        0);
                for (size_t j = 0; j < sizeof(is_resident); j++)
                        assert_int_equal(is_resident[j] & 1, 0);
        }
        assert_int_equal(distinct(touched, count), COUNT);
        pages_deinit(&pages);
}

/* The large blocks of many sessions first, their small ones later: these find what those left. */
static void test_rests_are_used(void **state)
{
        enum { SESSIONS = 200, SMALL = 9 };
        static uintptr_t touched[SESSIONS * (3 + SMALL)];
        struct pages pages;
        size_t count = 0, bytes = SESSIONS * (3080 + 2 * 1032 + SMALL * 88);

        (void)state;
        pages_init(&pages);
        for (size_t i = 0; i < SESSIONS; i++) {
                touched[count++] = page_of(pages_cut(&pages, 3080));
                touched[count++] = page_of(pages_cut(&pages, 1032));
                touched[count++] = page_of(pages_cut(&pages, 1032));
        }
        for (size_t i = 0; i < SESSIONS * SMALL; i++)
                touched[count++] = page_of(pages_cut(&pages, 88));
        assert_true(distinct(touched, count) * PAGES_CUT_BYTES_MAX < bytes + bytes / 8);
        pages_deinit(&pages);
}

static bool is_resident(const void *bytes)
{
        unsigned char resident;

        assert_int_equal(mincore((void *)(page_of(bytes) * PAGE_BYTES), PAGE_BYTES, &resident), 0);
        return resident & 1;
}

/* A front and a frame buffer of one slot go by themselves: the page they share when both are free. */
static void test_what_is_free_goes_back(void **state)
{
        enum { COUNT = 300, HALF = 1600 };
        static uint8_t *halves[COUNT], *others[COUNT], *frames[COUNT];
        struct pages pages;

        (void)state;
        if (sysconf(_SC_PAGESIZE) != (long)PAGE_BYTES) {
                print_message("this machine's pages are larger\n");
                skip();
        }
        pages_init(&pages);
        for (size_t i = 0; i < COUNT; i++) {
                halves[i] = pages_cut(&pages, HALF);
                others[i] = pages_cut(&pages, HALF);
                frames[i] = pages_cut_frame(&pages);
                memset(halves[i], 1, HALF);
                memset(others[i], 2, HALF);
                memset(frames[i], 3, PAGES_FRAME_BYTES);
                assert_int_equal(page_of(halves[i]), page_of(others[i]));
                assert_int_equal(page_of(halves[i]), page_of(frames[i]));
        }
        assert_int_equal(pages.fronts, COUNT);
        assert_int_equal(pages.frames, COUNT);
        /* thirds: but for one half all is free; all but the frame; all. The ends stay, so do the regions. */
        for (size_t i = 1; i < COUNT - 1; i++) {
                pages_count_idle(halves[i], HALF);
                if (i % 3 != 0)
                        pages_count_idle(others[i], HALF);
        }
        for (size_t i = 1; i < COUNT - 1; i++)
                assert_int_equal(pages_is_idle(halves[i]), i % 3 != 0);
        pages_free_idle(&pages);
        for (size_t i = 1; i < COUNT - 1; i++)
                if (i % 3 != 1)
                        pages_free_frame(&pages, frames[i]);
        pages_give_back(&pages);
        for (size_t i = 1; i < COUNT - 1; i++) {
                size_t third = i % 3;

                if (i / 102 == 1) /* the region in the middle is as the others */
                        assert_int_equal(is_resident(frames[i] + 2 * PAGE_BYTES), third == 1);
                if (third == 0)
                        assert_int_equal(others[i][HALF - 1], 2);
                if (third == 1)
                        assert_int_equal(frames[i][PAGES_FRAME_BYTES - 1], 3);
                if (third < 2)
                        assert_true(is_resident(halves[i]));
                else
                        assert_false(is_resident(halves[i]));
        }
        pages_deinit(&pages);
}

static void test_no_memory(void **state)
{
#ifdef POISON_ASAN
        (void)state;
        print_message("AddressSanitizer maps memory of its own, which must not fail\n");
        skip();
#else
        struct rlimit limit, none;
        struct pages pages;

        (void)state;
        pages_init(&pages);
        assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
        none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
        assert_null(pages_cut(&pages, 8));
        assert_null(pages_cut_frame(&pages));
        assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
        assert_non_null(pages_cut(&pages, 8));
        assert_non_null(pages_cut_frame(&pages));
        pages_deinit(&pages);
#endif
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cuts_are_aligned_and_apart),
                cmocka_unit_test(test_frame_buffers_share_pages),
                cmocka_unit_test(test_rests_are_used),
                cmocka_unit_test(test_what_is_free_goes_back),
                cmocka_unit_test(test_no_memory),
        };

        return cmocka_run_group_tests_name("transport/pages", tests, NULL, NULL);
}
