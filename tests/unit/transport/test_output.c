/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/output.h"
#include "transport/stream.h"

static struct output *output_new(size_t bytes_max)
{
        struct output *output = malloc(sizeof(*output));

        assert_non_null(output);
        output_init(output, bytes_max);
        return output;
}

static void test_copies_share_a_place(void **state)
{
        struct output *output = output_new(1000);

        (void)state;
        output_copy(output, "abc", 3);
        output_copy(output, "", 0);
        memcpy(output_extend(output, 2), "de", 2);
        assert_int_equal(output->iov_count, 1);
        assert_int_equal(output->bytes, 5);
        assert_int_equal(output->iov[0].iov_len, 5);
        assert_memory_equal(output->iov[0].iov_base, "abcde", 5);
        assert_int_equal(output->pinned_count, 0);
        free(output);
}

static void test_references_keep_the_order(void **state)
{
        static const uint8_t payload[] = "payload";
        struct output *output = output_new(1000);
        struct stream one = { 0 }, other = { 0 };
        char all[64];
        size_t size = 0;

        (void)state;
        output_copy(output, "<1>", 3);
        output_refer(output, payload, 7, &one);
        output_copy(output, "<2>", 3);
        output_refer(output, payload, 3, &other);
        output_refer(output, payload + 3, 4, &one);
        output_copy(output, "<3>", 3);
        assert_int_equal(output->iov_count, 6);
        for (unsigned i = 0; i < output->iov_count; i++) {
                memcpy(all + size, output->iov[i].iov_base, output->iov[i].iov_len);
                size += output->iov[i].iov_len;
        }
        assert_int_equal(size, output->bytes);
        assert_memory_equal(all, "<1>payload<2>payload<3>", size);
        assert_ptr_equal(output->iov[1].iov_base, payload);
        assert_int_equal(output->pinned_count, 3);
        assert_int_equal(one.pins, 2);
        assert_int_equal(other.pins, 1);
        assert_int_equal(output->block_used, 9); /* what is referred to takes no room */
        free(output);
}

/* Room is what a frame may take at the worst, in bytes of the block and in places. */
static void test_room(void **state)
{
        struct output *output = output_new(SIZE_MAX);
        struct stream stream = { 0 };
        unsigned places;

        (void)state;
        assert_true(output_has_room(output, 2));
        output_extend(output, OUTPUT_BLOCK_BYTES - 2 * OUTPUT_FRAME_BYTES_MAX);
        assert_true(output_has_room(output, 2));
        output_extend(output, 1);
        assert_false(output_has_room(output, 2));
        assert_true(output_has_room(output, 1));

        output_init(output, SIZE_MAX);
        for (places = 0; output_has_room(output, 1); places++)
                output_refer(output, "x", 1, &stream);
        assert_int_equal(places, OUTPUT_IOV_MAX - 3);
        while (output_can_refer(output))
                output_refer(output, "x", 1, &stream);
        output_copy(output, "header", 6); /* that place is always kept */
        assert_int_equal(output->iov_count, OUTPUT_IOV_MAX);
        output_copy(output, "more", 4);

        output_init(output, 10);
        output_copy(output, "123456789", 9);
        assert_true(output_has_room(output, 1));
        output_copy(output, "0", 1);
        assert_false(output_has_room(output, 1));
        free(output);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_copies_share_a_place),
                cmocka_unit_test(test_references_keep_the_order),
                cmocka_unit_test(test_room),
        };

        return cmocka_run_group_tests_name("transport/output", tests, NULL, NULL);
}
