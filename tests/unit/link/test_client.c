/* SPDX-License-Identifier: MIT */

/* A client's connection at a server that is silent or rude: the bare other end of the socket. */

#include "world.h"

#include <sys/socket.h>

static const char settings[] = "\0\0\0\4\0\0\0\0";
static const char ping[] = "\0\0\x08\6\0\0\0\0\0quoit!!";

static void say(const void *bytes, size_t size)
{
        assert_int_equal(send(world->fds[0], bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* How many frames of @type, without ACK, the client has sent since this was last asked. The preface is skipped. */
static unsigned heard(uint8_t type)
{
        static uint8_t bytes[65536];
        ssize_t size = recv(world->fds[0], bytes, sizeof(bytes), MSG_DONTWAIT);
        size_t at = size >= 3 && memcmp(bytes, "PRI", 3) == 0 ? NGHTTP2_CLIENT_MAGIC_LEN : 0;
        unsigned count = 0;

        while (size > 0 && at + 9 <= (size_t)size) {
                count += bytes[at + 3] == type && !(bytes[at + 4] & NGHTTP2_FLAG_ACK);
                at += 9 + ((size_t)bytes[at] << 16 | (size_t)bytes[at + 1] << 8 | bytes[at + 2]);
        }
        return count;
}

static void leave(void)
{
        close(world->fds[0]);
        UNTIL(world->client.freed);
        world_deinit();
}

/* A client speaks first. */
static void test_silent_server(void **state)
{
        struct world here;

        (void)state;
        world_init(&here);
        here.limits.handshake_ms = 50;
        open_client();
        UNTIL(here.client.freed);
        assert_int_equal(heard(NGHTTP2_SETTINGS), 1);
        assert_non_null(strstr(here.client.complaint, "SETTINGS"));
        leave();
}

static void test_another_protocol(void **state)
{
        static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
        struct world here;
        struct call *call;

        (void)state;
        world_init(&here);
        open_client();
        call = request("question");
        say(text, sizeof(text) - 1);
        UNTIL(here.client.rude == 1);
        assert_memory_equal(here.client.connection.session.beginning, text, sizeof(text) - 1);
        close(here.fds[0]);
        UNTIL(here.client.freed);
        assert_int_equal(call->closes, 1);
        world_deinit();
}

static void test_endless_header_block(void **state)
{
        static const char half[] = "\0\0\x0a\1\4\0\0\0\1\x88";
        struct world here;

        (void)state;
        world_init(&here);
        here.limits.header_block_ms = 50;
        open_client();
        request("question");
        say(settings, 9);
        turn_for(&here.base->ring, 100 * MS);
        assert_open(&here.client);
        say(half, sizeof(half) - 1);
        UNTIL(here.client.freed);
        assert_non_null(strstr(here.client.complaint, "header_block_ms"));
        leave();
}

static void test_idle(void **state)
{
        struct world here;

        (void)state;
        world_init(&here);
        here.limits.connection_idle_ms = 100;
        open_client();
        request("question");
        say(settings, 9);
        turn_for(&here.base->ring, 300 * MS);
        assert_open(&here.client);
        assert_int_equal(heard(NGHTTP2_GOAWAY), 0);
        connection_on_call_output(&here.client.connection.group);
        stream_reset(&here.client.calls->exchange.stream, NGHTTP2_CANCEL);
        UNTIL(here.client.calls->closes == 1);
        assert_int_equal(here.client.connection.session.drain, DRAIN_NONE);
        UNTIL(here.client.connection.state == CONNECTION_LINGERING);
        assert_int_equal(heard(NGHTTP2_GOAWAY), 1);
        assert_string_equal(here.client.complaint, "");
        leave();
}

/* Only while it has calls does a client ask whether its server is there. */
static void test_keepalive(void **state)
{
        struct world here;

        (void)state;
        world_init(&here);
        here.limits.keepalive_ms = 50;
        open_client();
        say(settings, 9);
        turn_for(&here.base->ring, 300 * MS);
        assert_open(&here.client);
        assert_int_equal(heard(NGHTTP2_PING), 0);
        request("question");
        UNTIL(here.client.freed);
        assert_int_equal(heard(NGHTTP2_PING), 1);
        assert_string_equal(
                here.client.complaint, "no answer to a PING (keepalive_timeout_ms); closed");
        leave();
}

/* Also where it takes no more calls, without a break. */
static void test_keepalive_of_the_last_calls(void **state)
{
        struct world here;

        (void)state;
        world_init(&here);
        here.limits.keepalive_ms = 50;
        open_client();
        say(settings, 9);
        UNTIL(here.client.connection.established);
        request("question");
        turn_for(&here.base->ring, 10 * MS);
        connection_drain(&here.client.connection);
        turn_for(&here.base->ring, 500 * MS);
        assert_int_equal(heard(NGHTTP2_PING), 1);
        UNTIL(here.client.freed);
        leave();
}

/* More PINGs than a server would allow are no fault of a server; without end they are. */
static void test_pings(void **state)
{
        struct world here;

        (void)state;
        world_init(&here);
        open_client();
        say(settings, 9);
        for (unsigned i = 0; i < 20; i++)
                say(ping, 17);
        UNTIL(here.client.connection.established);
        turn_for(&here.base->ring, 50 * MS);
        assert_open(&here.client);
        for (unsigned i = 0; i < 90; i++)
                say(ping, 17);
        UNTIL(here.client.connection.state > CONNECTION_OPEN);
        assert_string_equal(here.client.complaint,
                "too many useless frames (glitches_burst_max, glitches_per_second); closed");
        leave();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_silent_server),
                cmocka_unit_test(test_another_protocol),
                cmocka_unit_test(test_endless_header_block),
                cmocka_unit_test(test_idle),
                cmocka_unit_test(test_keepalive),
                cmocka_unit_test(test_keepalive_of_the_last_calls),
                cmocka_unit_test(test_pings),
        };

        return RUN_ON_BOTH_ENGINES("link/client", tests);
}
