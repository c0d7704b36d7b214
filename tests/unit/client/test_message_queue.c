/* SPDX-License-Identifier: MIT */
#include "../core/harness.h"

#include "client/message_queue.h"
#include "codec/framing.h"

static void append(struct message_queue *queue, size_t size)
{
        uint8_t *place = message_queue_append(queue, FRAMING_PREFIX_BYTES + size);

        assert_non_null(place);
        framing_write_prefix(place, false, (uint32_t)size);
        memset(place + FRAMING_PREFIX_BYTES, (int)size, size);
}

static void take(struct message_queue *queue, size_t size)
{
        const uint8_t *data;
        size_t taken;

        assert_true(message_queue_take(queue, &data, &taken));
        assert_int_equal(taken, size);
        for (size_t i = 0; i < size; i++)
                assert_int_equal(data[i], (uint8_t)size);
}

static void test_order(void **state)
{
        struct message_queue queue = { 0 };
        const uint8_t *data;
        size_t size;

        (void)state;
        assert_false(message_queue_take(&queue, &data, &size));
        for (size_t round = 0; round < 3; round++) {
                for (size_t i = 0; i < 1000; i++)
                        append(&queue, i);
                assert_int_equal(message_queue_bytes(&queue), 1000 * 999 / 2 + 5000);
                for (size_t i = 0; i < 1000; i++)
                        take(&queue, i);
                assert_false(message_queue_take(&queue, &data, &size));
        }
        message_queue_deinit(&queue);
}

/* There is always a message left, so what is left moves when it grows. */
static void test_both_ends(void **state)
{
        struct message_queue queue = { 0 };

        (void)state;
        append(&queue, 0);
        for (size_t i = 0; i < 5000; i++) {
                append(&queue, i + 1);
                take(&queue, i);
        }
        assert_true(queue.capacity <= 32768);
        message_queue_deinit(&queue);
}

static void test_memory(void **state)
{
        struct message_queue queue = { 0 }, other = { 0 };
        uint8_t *kept;

        (void)state;
        append(&queue, 1000);
        kept = queue.data;
        message_queue_swap(&queue, &other);
        take(&other, 1000);
        message_queue_clear(&other);
        append(&other, 2000);
        assert_ptr_equal(other.data, kept);
        append(&other, MESSAGE_QUEUE_KEPT_BYTES);
        message_queue_clear(&other);
        assert_null(other.data);
        assert_null(message_queue_append(&other, SIZE_MAX - 10));
        assert_int_equal(message_queue_bytes(&other), 0);
        message_queue_deinit(&queue);
        message_queue_deinit(&other);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_both_ends),
                cmocka_unit_test(test_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
