/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/server.h"

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
        for (size_t i = 0; i + 4 <= sizeof(limits.drain_ms) + offsetof(quoit_limits, drain_ms);
                i += 4) {
                uint32_t word, mark;

                memcpy(&word, with_zero + i, 4);
                memcpy(&mark, (unsigned char *)&marked + i, 4);
                assert_int_equal(mark, UINT32_MAX); /* what is set stays */
                if (i >= offsetof(quoit_limits, connections_max) &&
                        i <= offsetof(quoit_limits, window_bytes_max))
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

/* What the session is given is what the server was. */
static void test_session_limits(void **state)
{
        const quoit_limits own = {
                .streams_max = 7, .stream_window_bytes = 100000, .control_queue_max = 9
        };
        quoit_server *server = NULL;

        (void)state;
        assert_int_equal(quoit_server_new(&(quoit_server_options){ .limits = own }, &server), 0);
        assert_int_equal(server->session_limits.streams_max, 7);
        assert_int_equal(server->session_limits.stream_window_bytes, 100000);
        assert_int_equal(server->session_limits.control_queue_max, 9);
        assert_int_equal(server->session_limits.continuation_frames_max, 8);
        assert_int_equal(
                server->session_limits.header_bytes_max, server->options.limits.header_bytes_max);
        assert_null(quoit_server_free(server));
        assert_null(quoit_server_free(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_session_limits),
        };

        return cmocka_run_group_tests_name("server/limits", tests, NULL, NULL);
}
