/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "core/buffers.h"
#include "core/engine/epoll.h"
#include "core/poison.h"

#include <errno.h>

static void test_refuses_nonsense(void **state)
{
        struct buffers_options odd = { .count = 3 }, huge = { .count = 1 << 16 };
        struct buffers buffers = {};
        struct ring ring;

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        assert_int_equal(buffers_init(&buffers, &ring, &odd), -EINVAL);
        assert_int_equal(buffers_init(&buffers, &ring, &huge), -EINVAL);
        buffers_deinit(&buffers); /* takes what was never made */
        ring_deinit(&ring);
}

static void test_one_group_once(void **state)
{
        struct buffers_options first = { .count = 2, .group = 7 },
                               second = { .count = 2, .group = 8 };
        struct buffers a, b, c = {};
        struct ring ring;

        (void)state;
        ONLY_ON_URING();
        assert_int_equal(start_ring(&ring, NULL), 0);
        assert_int_equal(buffers_init(&a, &ring, &first), 0);
        assert_int_equal(buffers_init(&b, &ring, &second), 0);
        assert_int_equal(buffers_init(&c, &ring, &first), -EEXIST);
        assert_null(c.memory); /* untouched */
        buffers_deinit(&a);
        assert_int_equal(buffers_init(&a, &ring, &first), 0);
        buffers_deinit(&b);
        buffers_deinit(&a);
        ring_deinit(&ring);
}

/* As the engine does it: on io_uring the kernel says which, @id here. */
static const unsigned char *borrow(struct buffers *buffers, unsigned id)
{
        if (on_uring())
                return buffers_borrow(buffers, id);
        assert_true(epoll_buffers_next(buffers) >= 0);
        return epoll_buffers_lend(buffers);
}

static void test_borrow_and_return(void **state)
{
        struct buffers_options options = { .count = 4, .buffer_bytes = 512 };
        struct buffers buffers;
        struct ring ring;

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        assert_int_equal(buffers_init(&buffers, &ring, &options), 0);
        for (unsigned id = 0; id < 4; id++) {
                const unsigned char *bytes = borrow(&buffers, id);

                /* on epoll it is the one that came back last */
                assert_ptr_equal(bytes, buffers.memory + (on_uring() ? id : 3) * 512);
                assert_int_equal(buffers.borrowed, 1);
#ifdef POISON_ASAN
                assert_null(__asan_region_is_poisoned((void *)bytes, 512));
                buffers_return(&buffers, bytes);
                assert_non_null(__asan_region_is_poisoned((void *)bytes, 512));
#else
                buffers_return(&buffers, bytes);
#endif
                assert_int_equal(buffers.borrowed, 0);
        }
        buffers_deinit(&buffers);
        ring_deinit(&ring);
}

struct waiter {
        struct buffers_waiter waiter;
        struct buffers *buffers;
        unsigned number;
        bool again;
};

static char order[32];

static void on_buffers(struct buffers_waiter *base)
{
        struct waiter *waiter = CONTAINER_OF(base, struct waiter, waiter);
        char digit = (char)('0' + waiter->number);

        strncat(order, &digit, 1);
        if (waiter->again)
                buffers_wait(waiter->buffers, base);
        waiter->again = false;
}

static void test_waiters_one_a_buffer_first_come_first_served(void **state)
{
        struct buffers_options options = { .count = 2, .buffer_bytes = 512 };
        const unsigned char *first, *second;
        struct waiter waiters[5];
        struct buffers buffers;
        struct ring ring;

        (void)state;
        order[0] = '\0';
        assert_int_equal(start_ring(&ring, NULL), 0);
        assert_int_equal(buffers_init(&buffers, &ring, &options), 0);
        first = borrow(&buffers, 0);
        second = borrow(&buffers, 1);
        for (unsigned i = 0; i < 5; i++) {
                waiters[i] = (struct waiter){ .buffers = &buffers, .number = i, .again = i == 0 };
                buffers_waiter_init(&waiters[i].waiter, on_buffers);
                buffers_wait(&buffers, &waiters[i].waiter);
        }
        assert_true(buffers_are_contended(&buffers));
        buffers_wait_cancel(&waiters[2].waiter);
        assert_int_equal(ring_turn(&ring, 0), 0);
        assert_string_equal(order, ""); /* nothing came back */
        buffers_return(&buffers, first);
        assert_int_equal(ring_turn(&ring, 0), 0);
        assert_string_equal(order, "0");
        buffers_return(&buffers, second);
        assert_int_equal(ring_turn(&ring, 10 * SECOND), 0);
        assert_string_equal(order, "013");
        assert_int_equal(
                ring_turn(&ring, 10 * SECOND), 0); /* does not block before all had their turn */
        assert_string_equal(order, "01340");
        assert_false(buffers_are_contended(&buffers));
        assert_int_equal(buffers.exhausted, 6);
        buffers_deinit(&buffers);
        ring_deinit(&ring);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refuses_nonsense),
                cmocka_unit_test(test_one_group_once),
                cmocka_unit_test(test_borrow_and_return),
                cmocka_unit_test(test_waiters_one_a_buffer_first_come_first_served),
        };

        return RUN_ON_BOTH_ENGINES("core/buffers", tests);
}
