/* SPDX-License-Identifier: MIT */
#include "server/watch.h"

#include "server/connection.h"

#define NS_PER_MS 1000000ull
#define DRAIN_GRACE_NS (100 * NS_PER_MS)
#define LAST_WORDS_NS                                                                              \
        (5000 * NS_PER_MS) /* for what is queued, where the peer may take none of it */
#define LINGER_NS (1000 * NS_PER_MS)

static const quoit_limits *limits_of(const struct connection *connection)
{
        return connection->group.host->limits;
}

static uint64_t now_of(const struct connection *connection)
{
        return ring_now_ns(&connection->shard->ring);
}

static void start(struct connection *connection, uint64_t time_ns, void (*on_over)(struct timer *))
{
        timer_start(&connection->shard->ring.timers, &connection->watch,
                now_of(connection) + time_ns, on_over);
}

static void watch_again(struct connection *connection);

/* The peer's TCP takes nothing, or its HTTP/2 opens no window for what waits: how long already? */
static bool is_stalled(struct connection *connection, uint64_t now_ns)
{
        const quoit_limits *limits = limits_of(connection);

        if (socket_is_sending(&connection->socket) &&
                now_ns - connection->send_started_ns >= limits->stall_ms * NS_PER_MS)
                return true;
        if (connection->group.queued_bytes == 0 ||
                connection->written_seen != connection->group.written_bytes) {
                connection->written_seen = connection->group.written_bytes;
                connection->written_seen_ns = now_ns;
        }
        return now_ns - connection->written_seen_ns >= limits->window_stall_ms * NS_PER_MS;
}

static void on_watch(struct timer *timer)
{
        struct connection *connection = CONTAINER_OF(timer, struct connection, watch);
        struct quoit_server *server = connection->shard->server;

        if (!connection->session.settings_received) {
                server_log(server, QUOIT_LOG_INFO,
                        "%s: no HTTP/2 preface and SETTINGS in time; closed",
                        connection->peer.address);
                connection_close(connection);
        } else if (is_stalled(connection, now_of(connection))) {
                server_log(server, QUOIT_LOG_INFO, "%s: takes nothing of what waits for it; closed",
                        connection->peer.address);
                connection_close(connection);
        } else {
                watch_again(connection);
        }
}

static void watch_again(struct connection *connection)
{
        const quoit_limits *limits = limits_of(connection);
        uint64_t period_ms =
                connection->session.settings_received ? limits->stall_ms / 2 : limits->handshake_ms;

        start(connection, period_ms * NS_PER_MS, on_watch);
}

static void on_drain_grace(struct timer *timer)
{
        struct connection *connection = CONTAINER_OF(timer, struct connection, watch);

        connection_drain_now(connection);
        watch_again(connection);
}

void watch_drain(struct connection *connection)
{
        if (!connection->session.drain_acknowledged || connection->drain_seen)
                return;
        connection->drain_seen = true;
        start(connection, DRAIN_GRACE_NS, on_drain_grace);
}

static void on_over(struct timer *timer)
{
        connection_close(CONTAINER_OF(timer, struct connection, watch));
}

void watch_last_words(struct connection *connection)
{
        start(connection, LAST_WORDS_NS, on_over);
}

void watch_linger(struct connection *connection)
{
        start(connection, LINGER_NS, on_over);
}

void watch_begin(struct connection *connection)
{
        connection->written_seen_ns = now_of(connection);
        timer_init(&connection->watch);
        watch_again(connection);
}

void watch_end(struct connection *connection)
{
        timer_cancel(&connection->shard->ring.timers, &connection->watch);
}
