/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "link/limits.h"

/* Every limit has a default, and those that depend on each other fit. */
static void test_defaults(void **state)
{
        quoit_limits limits, marked;
        const unsigned char *with_zero = (const unsigned char *)&limits;

        (void)state;
        memset(&limits, 0, sizeof(limits));
        limits_complete(&limits);
        memset(&marked, 0xff, sizeof(marked));
        limits_complete(&marked);
        for (size_t i = 0;
                i + 4 <= sizeof(limits.stop_hold_ms) + offsetof(quoit_limits, stop_hold_ms);
                i += 4) {
                uint32_t word, mark;

                memcpy(&word, with_zero + i, 4);
                memcpy(&mark, (unsigned char *)&marked + i, 4);
                assert_int_equal(mark, UINT32_MAX); /* what is set stays */
                if (i >= offsetof(quoit_limits, connections_max) &&
                        i <= offsetof(quoit_limits, frame_bytes_max))
                        assert_int_not_equal(word, 0);
        }
        assert_int_equal(limits.message_receive_bytes_max, 4 << 20);
        assert_int_equal(limits.message_send_bytes_max, INT32_MAX);
        assert_int_equal(limits.streams_max, 128);
        assert_true(limits.header_bytes_hard_max > limits.header_bytes_max);
        assert_true(limits.connection_window_bytes >= limits.stream_window_bytes);
        assert_true(limits.connection_receive_bytes_max > limits.message_receive_bytes_max);
        assert_true(limits.stall_ms >= limits.handshake_ms);
        assert_int_not_equal(limits.drain_ms, 0);
        assert_int_not_equal(limits.turn_calls_max, 0);
        assert_int_not_equal(limits.turn_bytes_max, 0);
        assert_int_not_equal(limits.offloaded_max, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults),
        };

        return cmocka_run_group_tests_name("link/limits", tests, NULL, NULL);
}
